//! What is different between two plans: by what they mean, not by how they are written.
//!
//! Both are read first, so a key written with its default, a comment or another order of keys is no difference. What has
//! an id is compared under that id, key by key (`fields`); rules are compared under their names, and since the first that
//! matches wins, by whom they are asked before (`order`). `sentences` tells people.

mod fields;
mod order;
mod sentences;

use std::collections::BTreeMap;
use std::fmt::Display;

use super::super::duration;
use crate::domain::plan::{Plan, Rule};
use fields::Fields;
pub use sentences::summary;

/// A difference: what it is about, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The kind of thing.
    pub section: Section,
    /// Which of its kind; "" where there is one only.
    pub name: String,
    /// What came of it.
    pub change: Change,
}

/// The parts of a plan, in the order they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Whose plan it is.
    Tenant,
    /// What applies where nothing more exact is said.
    Settings,
    /// A business number.
    Channel,
    /// A person.
    Agent,
    /// A team.
    Team,
    /// A response policy.
    Response,
    /// When people work.
    Calendar,
    /// Where some conversations go.
    Rule,
    /// Where all others go.
    Default,
}

/// What came of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new, and says this.
    Added(Vec<Said>),
    /// It is gone, and said this.
    Removed(Vec<Said>),
    /// A key says something else.
    Changed {
        /// Which.
        key: &'static str,
        /// What it said.
        from: Value,
        /// What it says.
        to: Value,
    },
    /// A rule is asked at another time.
    Moved {
        /// Rules that were asked before it and are asked after it now.
        now_before: Vec<String>,
        /// Rules that were asked after it and are asked before it now.
        now_after: Vec<String>,
    },
}

/// A key and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The key.
    pub key: &'static str,
    /// What it says.
    pub value: Value,
}

/// What a key says, in the words of plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing: as if it were not there.
    Absent,
    /// One thing.
    Text(String),
    /// Several, in this order.
    List(Vec<String>),
}

impl Value {
    fn of(thing: impl Display) -> Self {
        Value::Text(thing.to_string())
    }

    fn maybe(thing: Option<impl Display>) -> Self {
        thing.map_or(Value::Absent, Value::of)
    }

    fn list<T: Display>(things: impl IntoIterator<Item = T>) -> Self {
        Value::List(things.into_iter().map(|thing| thing.to_string()).collect())
    }

    fn lasting(duration: std::time::Duration) -> Self {
        Value::Text(duration::text(duration))
    }
}

/// What has to happen to the first plan for it to mean what the second does. Nothing, if they mean the same. Versions are
/// not compared: a version is a plan's place in the history and no part of its meaning.
pub fn diff(a: &Plan, b: &Plan) -> Vec<Difference> {
    let [old, new] = [a, b].map(Parts::of);
    let mut found = Found::default();
    found.compare(Section::Tenant, "", old.tenant, new.tenant);
    found.compare(Section::Settings, "", old.settings, new.settings);
    found.named(Section::Channel, old.channels, new.channels);
    found.named(Section::Agent, old.agents, new.agents);
    found.named(Section::Team, old.teams, new.teams);
    found.named(Section::Response, old.responses, new.responses);
    found.named(Section::Calendar, old.calendars, new.calendars);
    let moves = order::moves(&old.order, &new.order);
    found.named(Section::Rule, old.rules, new.rules);
    found
        .differences
        .extend(moves.into_iter().map(|(rule, change)| Difference {
            section: Section::Rule,
            name: rule.to_owned(),
            change,
        }));
    found.named(Section::Default, old.default, new.default);
    found.differences
}

/// A plan as keys and what they say.
struct Parts<'a> {
    tenant: Fields,
    settings: Fields,
    channels: BTreeMap<String, Part>,
    agents: BTreeMap<String, Part>,
    teams: BTreeMap<String, Part>,
    responses: BTreeMap<String, Part>,
    calendars: BTreeMap<String, Part>,
    rules: BTreeMap<String, Part>,
    order: Vec<&'a str>,
    default: BTreeMap<String, Part>,
}

/// Something with an id: what it says, and what it would say if only the id were written.
struct Part {
    says: Fields,
    usual: Fields,
}

impl<'a> Parts<'a> {
    fn of(plan: &'a Plan) -> Self {
        let Plan {
            tenant,
            version: _,
            settings,
            channels,
            agents,
            teams,
            responses,
            calendars,
            rules,
            default,
        } = plan;
        Self {
            tenant: vec![("tenant", Value::of(tenant))],
            settings: fields::settings(settings),
            channels: parts(channels, |_, channel| fields::channel(channel)),
            agents: parts(agents, fields::agent),
            teams: parts(teams, |_, team| fields::team(team)),
            responses: parts(responses, |_, policy| fields::response(policy)),
            calendars: parts(calendars, |_, calendar| fields::calendar(calendar)),
            rules: rules.iter().map(rule).collect(),
            order: rules.iter().map(|rule| &*rule.name).collect(),
            default: default
                .iter()
                .map(|target| (String::new(), fields::default(target)))
                .collect(),
        }
    }
}

fn parts<K: Display, V>(things: &BTreeMap<K, V>, part: impl Fn(&K, &V) -> Part) -> BTreeMap<String, Part> {
    let named = things.iter().map(|(id, thing)| (id.to_string(), part(id, thing)));
    named.collect()
}

fn rule(rule: &Rule) -> (String, Part) {
    (rule.name.to_string(), fields::rule(rule))
}

#[derive(Default)]
struct Found {
    differences: Vec<Difference>,
}

impl Found {
    /// Things with ids: what is gone, what is new, what says something else.
    fn named(&mut self, section: Section, mut old: BTreeMap<String, Part>, new: BTreeMap<String, Part>) {
        let mut added = Vec::new();
        for (name, now) in new {
            match old.remove(&name) {
                Some(before) => self.compare(section, &name, before.says, now.says),
                None => added.push((name, Change::Added(now.beyond_the_usual()))),
            }
        }
        let removed = old
            .into_iter()
            .map(|(name, before)| (name, Change::Removed(before.beyond_the_usual())));
        let both = removed.chain(added);
        self.differences.extend(both.map(|(name, change)| Difference {
            section,
            name,
            change,
        }));
    }

    /// The same thing before and after: the same keys, in the same order.
    fn compare(&mut self, section: Section, name: &str, before: Fields, now: Fields) {
        for ((key, from), (_, to)) in before.into_iter().zip(now) {
            if from != to {
                self.differences.push(Difference {
                    section,
                    name: name.to_owned(),
                    change: Change::Changed { key, from, to },
                });
            }
        }
    }
}

impl Part {
    /// What is worth telling of it as a whole.
    fn beyond_the_usual(self) -> Vec<Said> {
        let told = self.says.into_iter().filter(|said| !self.usual.contains(said));
        told.map(|(key, value)| Said { key, value }).collect()
    }
}
