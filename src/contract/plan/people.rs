//! `[[channels]]`, `[[agents]]` and `[[teams]]`: who is reached where, who there is, and who works together.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use super::calendars;
use super::mentions::{self, Named};
use super::reader::{Fields, Item, Reading};
use crate::domain::agent::{Profile, Role, Skills};
use crate::domain::ids::{AgentId, ChannelKey, PolicyId, TeamId};
use crate::domain::plan::{Channel, Outside, Strategy, Team};

/// Most channels: business numbers of one company.
const MAX_CHANNELS: usize = 1_000;
/// Most agents; one of every choice's candidates is loaded with each of them at worst.
const MAX_AGENTS: usize = 10_000;
/// Most teams.
const MAX_TEAMS: usize = 1_000;
/// Most skills of an agent or a rule.
const MAX_SKILLS: usize = 1_000;
/// Most teams to fall back on: they are tried one after the other.
const MAX_FALLBACKS: usize = 16;
/// Highest capacity: more conversations than a person could have open. 0 is unlimited.
pub(super) const MAX_CAPACITY: u32 = 1_000_000;
/// Highest level of a skill.
const MAX_LEVEL: u32 = u8::MAX as u32;

const ROLES: [(&str, Role); 3] = [
    ("agent", Role::Agent),
    ("manager", Role::Manager),
    ("admin", Role::Admin),
];
const STRATEGIES: [(&str, Strategy); 5] = [
    ("round_robin", Strategy::RoundRobin),
    ("least_loaded", Strategy::LeastLoaded),
    ("longest_idle", Strategy::LongestIdle),
    ("ranked", Strategy::Ranked),
    ("manual", Strategy::Manual),
];
const OUTSIDE: [(&str, Outside); 2] = [("wait", Outside::Wait), ("fallback", Outside::Fallback)];

/// Reads the channels.
pub(super) fn channels(list: Option<Item<'_>>, reading: &mut Reading) -> BTreeMap<ChannelKey, Channel> {
    each(list, MAX_CHANNELS, reading, |fields, reading| {
        let item = fields.need("key", reading);
        let key = item.as_ref().and_then(|item| item.id(channel_key, reading));
        if let (Some(item), Some(key)) = (item, &key) {
            reading.declare(Named::Channel, key.as_str(), &item.spot);
        }
        let subscribers = agents_in(fields, "subscribers", reading).into_iter().collect();
        let phone_agent = fields
            .take("phone_agent")
            .and_then(|item| mentions::one(&item, Named::Agent, AgentId::new, reading));
        Some((
            key?,
            Channel {
                subscribers,
                phone_agent,
            },
        ))
    })
}

/// Reads the agents.
pub(super) fn agents(list: Option<Item<'_>>, reading: &mut Reading) -> BTreeMap<AgentId, Profile> {
    each(list, MAX_AGENTS, reading, |fields, reading| {
        let id = own_id(fields, Named::Agent, AgentId::new, reading);
        let name = fields.take("name").and_then(|item| item.name(reading));
        let role = fields.take("role").and_then(|item| item.word(&ROLES, reading));
        let capacity = fields
            .take("capacity")
            .and_then(|item| item.number(MAX_CAPACITY, reading));
        let skills = skills(fields.take("skills"), reading);
        let active = fields.take("active").and_then(|item| item.flag(reading));
        let may_reply = fields.take("may_reply").and_then(|item| item.flag(reading));
        let calendar = calendars::named_in(fields, reading);
        let id = id?;
        let new = Profile::named(&id);
        let profile = Profile {
            name: name.unwrap_or(new.name),
            role: role.unwrap_or(new.role),
            capacity,
            skills,
            active: active.unwrap_or(new.active),
            may_reply: may_reply.unwrap_or(new.may_reply),
            subscriptions: new.subscriptions,
            calendar,
        };
        Some((id, profile))
    })
}

/// Reads the teams.
pub(super) fn teams(list: Option<Item<'_>>, reading: &mut Reading) -> BTreeMap<TeamId, Team> {
    each(list, MAX_TEAMS, reading, |fields, reading| {
        let id = own_id(fields, Named::Team, TeamId::new, reading);
        // A label for people who read the plan; it is kept with the document.
        fields.take("name").and_then(|item| item.name(reading));
        let strategy = fields
            .take("strategy")
            .and_then(|item| item.word(&STRATEGIES, reading));
        let team = Team {
            members: agents_in(fields, "members", reading),
            managers: agents_in(fields, "managers", reading),
            strategy: strategy.unwrap_or(Strategy::RoundRobin),
            capacity: fields
                .take("capacity")
                .and_then(|item| item.number(MAX_CAPACITY, reading)),
            response: response(fields, reading),
            fallback: fallback(fields, id.as_ref(), reading).unwrap_or_default(),
            calendar: calendars::named_in(fields, reading),
            outside: fields
                .take("outside")
                .and_then(|item| item.word(&OUTSIDE, reading))
                .unwrap_or(Outside::Wait),
        };
        Some((id?, team))
    })
}

/// Levels by skill. Names of skills follow the rules of ids, because a waiting conversation's needs are written as words.
pub(super) fn skills(table: Option<Item<'_>>, reading: &mut Reading) -> Skills {
    let entries = table
        .map(|table| table.entries(MAX_SKILLS, reading))
        .unwrap_or_default();
    let mut skills = Skills::new();
    for (name, item) in entries {
        if let Err(error) = AgentId::new(name) {
            reading.error(&item.spot, format!("has a name that is not valid: {error}"));
        }
        let level = item
            .number(MAX_LEVEL, reading)
            .and_then(|level| u8::try_from(level).ok());
        skills.extend(level.map(|level| (Arc::from(name), level)));
    }
    skills
}

/// The response policy a team or rule names.
pub(super) fn response(fields: &mut Fields<'_>, reading: &mut Reading) -> Option<PolicyId> {
    fields
        .take("response")
        .and_then(|item| mentions::one(&item, Named::Policy, PolicyId::new, reading))
}

/// The teams to fall back on; the team itself is none of them.
pub(super) fn fallback(
    fields: &mut Fields<'_>,
    own: Option<&TeamId>,
    reading: &mut Reading,
) -> Option<Vec<TeamId>> {
    let item = fields.take("fallback")?;
    let teams = mentions::several(&item, Named::Team, MAX_FALLBACKS, TeamId::new, reading);
    if let Some(own) = own.filter(|own| teams.contains(own)) {
        reading.error(&item.spot, format!("names {own}, which is the team itself"));
    }
    Some(teams)
}

/// The agents a key lists.
pub(super) fn agents_in(fields: &mut Fields<'_>, key: &'static str, reading: &mut Reading) -> Vec<AgentId> {
    let item = fields.take(key);
    let agents = |item: Item<'_>| mentions::several(&item, Named::Agent, MAX_AGENTS, AgentId::new, reading);
    item.map(agents).unwrap_or_default()
}

/// The id of an entry, unlike that of every other.
pub(super) fn own_id<T: Display, E: Display>(
    fields: &mut Fields<'_>,
    what: Named,
    parse: impl FnOnce(&str) -> Result<T, E>,
    reading: &mut Reading,
) -> Option<T> {
    let item = fields.need("id", reading)?;
    let id = item.id(parse, reading)?;
    reading.declare(what, &id.to_string(), &item.spot);
    Some(id)
}

/// Reads each entry of a list of tables, at most so many; of two with the same key, the first counts.
pub(super) fn each<K: Ord, V>(
    list: Option<Item<'_>>,
    max: usize,
    reading: &mut Reading,
    mut read: impl FnMut(&mut Fields<'_>, &mut Reading) -> Option<(K, V)>,
) -> BTreeMap<K, V> {
    let items = list.map(|list| list.list(max, reading)).unwrap_or_default();
    let mut map = BTreeMap::new();
    for item in items {
        let Some(mut fields) = item.fields(reading) else {
            continue;
        };
        if let Some((key, value)) = read(&mut fields, reading) {
            map.entry(key).or_insert(value);
        }
        fields.close(reading);
    }
    map
}

fn channel_key(text: &str) -> Result<ChannelKey, &'static str> {
    ChannelKey::new(text).ok_or("a channel is provider:id, such as \"whatsapp:123456789012345\"")
}
