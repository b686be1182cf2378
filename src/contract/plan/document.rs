//! A plan's sections, key by key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::node::Node;
use super::reader::{Faults, Item, Table};
use crate::domain::agent::{Profile, Role, Skills};
use crate::domain::condition::Condition;
use crate::domain::conversation::Priority;
use crate::domain::ids::{AgentId, ChannelKey, PolicyId, TeamId, Tenant};
use crate::domain::plan::{
    Channel, MayClaim, MayReassign, Outcome, Plan, Reopen, ResponsePolicy, Rule, Settings, Strategy, Target,
    Team,
};

/// Highest capacity: more conversations than a person could open in a lifetime.
const MAX_CAPACITY: u32 = 1_000_000;
/// Highest level of a skill.
const MAX_LEVEL: u32 = 100;
/// Longest name, in characters.
const MAX_NAME: usize = 200;

const SECTIONS: &[&str] = &[
    "tenant",
    "settings",
    "channels",
    "agents",
    "teams",
    "responses",
    "rules",
    "calendars",
    "default",
];
const SETTINGS: &[&str] = &[
    "response",
    "capacity",
    "reopen",
    "request_timeout",
    "agents_may_claim",
    "agents_may_reassign",
    "supervisors_may_close",
    "agents_view",
    "assign_away",
    "on_away",
    "on_offline",
    "offline_after",
    "burst",
    "aging",
    "max_hops",
    "max_age",
    "close_idle_after",
    "timezone",
    "calendar",
];
const AGENT: &[&str] = &[
    "id",
    "name",
    "role",
    "capacity",
    "skills",
    "active",
    "may_reply",
    "calendar",
];
const TEAM: &[&str] = &[
    "id", "name", "members", "managers", "strategy", "capacity", "response", "fallback", "calendar",
    "outside",
];
const RESPONSE: &[&str] = &[
    "id",
    "assign_within",
    "respond_within",
    "warn_before",
    "hours",
    "on_breach",
    "escalate_to",
];
const TARGET: &[&str] = &[
    "team", "agent", "outcome", "skills", "priority", "response", "reopen", "fallback", "relax",
];
const REOPEN: &[(&str, Reopen)] = &[
    ("sticky", Reopen::Sticky),
    ("reroute", Reopen::Reroute),
    ("unassign", Reopen::Unassign),
];

/// Keys that are read and checked, and whose behaviour comes with a later version.
const NOT_YET: &str = "is understood, but not in force in this version";

/// Reads the whole document; `None` if it has no shape at all. Whether the result may be used, `faults` says.
pub fn read(node: &Node, faults: &mut Faults) -> Option<Plan> {
    let table = Item::root(node).table(SECTIONS, faults)?;
    let tenant = table
        .need("tenant", faults)
        .and_then(|item| item.id(Tenant::new, faults));
    let mut plan = Plan::empty(tenant?);
    if let Some(settings) = table
        .get("settings")
        .and_then(|item| item.table(SETTINGS, faults))
    {
        plan.settings = read_settings(&settings, faults);
    }
    for item in table.list("channels", faults) {
        let Some(fields) = item.table(&["key", "subscribers", "phone_agent"], faults) else {
            continue;
        };
        let Some(key) = fields
            .need("key", faults)
            .and_then(|item| item.id(channel_key, faults))
        else {
            continue;
        };
        let subscribers = ids(&fields, "subscribers", AgentId::new, faults)
            .into_iter()
            .collect();
        let phone_agent = fields
            .get("phone_agent")
            .and_then(|item| item.id(AgentId::new, faults));
        once(
            &mut plan.channels,
            key,
            Channel {
                subscribers,
                phone_agent,
            },
            &item,
            faults,
        );
    }
    for item in table.list("agents", faults) {
        let Some((id, profile)) = read_agent(&item, faults) else {
            continue;
        };
        once(&mut plan.agents, id, profile, &item, faults);
    }
    for item in table.list("teams", faults) {
        let Some((id, team)) = read_team(&item, faults) else {
            continue;
        };
        once(&mut plan.teams, id, team, &item, faults);
    }
    for item in table.list("responses", faults) {
        let Some((id, policy)) = read_response(&item, faults) else {
            continue;
        };
        once(&mut plan.responses, id, policy, &item, faults);
    }
    for item in table.list("rules", faults) {
        plan.rules.extend(read_rule(&item, faults));
    }
    if let Some(item) = table.get("calendars") {
        read_calendars(&item, faults);
    }
    if let Some(fields) = table.get("default").and_then(|item| item.table(TARGET, faults)) {
        plan.default = Some(read_target(&fields, faults));
    }
    Some(plan)
}

fn read_settings(table: &Table<'_>, faults: &mut Faults) -> Settings {
    let mut settings = Settings::default();
    for (key, item) in table.entries() {
        match key {
            "response" => settings.response = item.id(PolicyId::new, faults),
            "capacity" => put(&mut settings.capacity, item.number(MAX_CAPACITY, faults)),
            "reopen" => put(&mut settings.reopen, item.one_of(REOPEN, faults)),
            "request_timeout" => put(&mut settings.request_timeout, item.duration(false, faults)),
            "agents_may_claim" => {
                let words = [
                    ("teams", MayClaim::Teams),
                    ("any", MayClaim::Any),
                    ("none", MayClaim::None),
                ];
                put(&mut settings.agents_may_claim, item.one_of(&words, faults));
            }
            "agents_may_reassign" => {
                let words = [
                    ("own", MayReassign::Own),
                    ("any", MayReassign::Any),
                    ("none", MayReassign::None),
                ];
                put(&mut settings.agents_may_reassign, item.one_of(&words, faults));
            }
            "supervisors_may_close" => {
                put(
                    &mut settings.supervisors_may_close,
                    item.one_of(&[("own", false), ("any", true)], faults),
                );
            }
            "assign_away" => put(&mut settings.assign_away, item.bool(faults)),
            "aging" => put(&mut settings.aging, item.duration(true, faults)),
            "timezone" => put(&mut settings.timezone, item.id(timezone, faults)),
            _ => later_setting(key, &item, faults),
        }
    }
    settings
}

/// Settings that later versions act on: checked now, so that a plan written for them is right today.
fn later_setting(key: &str, item: &Item<'_>, faults: &mut Faults) {
    let owner_leaves = [("keep", ()), ("unanswered", ()), ("all", ())];
    match key {
        "agents_view" => drop(item.one_of(&[("team", ()), ("all", ())], faults)),
        "on_away" | "on_offline" => drop(item.one_of(&owner_leaves, faults)),
        "offline_after" => drop(item.duration(false, faults)),
        "max_age" | "close_idle_after" => drop(item.duration(true, faults)),
        "max_hops" => drop(item.number(1_000, faults)),
        "calendar" => drop(item.id(PolicyId::new, faults)),
        "burst" => {
            if let Some(burst) = item.table(&["limit", "window"], faults) {
                burst
                    .need("limit", faults)
                    .map(|item| item.number(MAX_CAPACITY, faults));
                burst
                    .need("window", faults)
                    .map(|item| item.duration(false, faults));
            }
        }
        // Every other key is in force, or was complained about as unknown.
        _ => return,
    }
    faults.warning(item.path.clone(), item.node.place, NOT_YET);
}

fn read_agent(item: &Item<'_>, faults: &mut Faults) -> Option<(AgentId, Profile)> {
    let table = item.table(AGENT, faults)?;
    let id = table
        .need("id", faults)
        .and_then(|item| item.id(AgentId::new, faults))?;
    let mut profile = Profile::named(&id);
    for (key, item) in table.entries() {
        match key {
            "name" => put(&mut profile.name, name(&item, faults)),
            "role" => {
                let words = [
                    ("agent", Role::Agent),
                    ("manager", Role::Manager),
                    ("admin", Role::Admin),
                ];
                put(&mut profile.role, item.one_of(&words, faults));
            }
            "capacity" => profile.capacity = item.number(MAX_CAPACITY, faults),
            "skills" => profile.skills = read_skills(&item, faults),
            "active" => put(&mut profile.active, item.bool(faults)),
            "may_reply" => put(&mut profile.may_reply, item.bool(faults)),
            "calendar" => faults.warning(item.path.clone(), item.node.place, NOT_YET),
            _ => {}
        }
    }
    Some((id, profile))
}

fn read_team(item: &Item<'_>, faults: &mut Faults) -> Option<(TeamId, Team)> {
    let table = item.table(TEAM, faults)?;
    let id = table
        .need("id", faults)
        .and_then(|item| item.id(TeamId::new, faults))?;
    let words = [
        ("round_robin", Strategy::RoundRobin),
        ("least_loaded", Strategy::LeastLoaded),
        ("longest_idle", Strategy::LongestIdle),
        ("ranked", Strategy::Ranked),
        ("manual", Strategy::Manual),
    ];
    let strategy = table.get("strategy").and_then(|item| item.one_of(&words, faults));
    for key in ["calendar", "outside"] {
        if let Some(item) = table.get(key) {
            if key == "outside" {
                item.one_of(&[("wait", ()), ("fallback", ())], faults);
            }
            faults.warning(item.path.clone(), item.node.place, NOT_YET);
        }
    }
    table.get("name").map(|item| name(&item, faults));
    let team = Team {
        members: distinct(
            ids(&table, "members", AgentId::new, faults),
            &table,
            "members",
            faults,
        ),
        managers: distinct(
            ids(&table, "managers", AgentId::new, faults),
            &table,
            "managers",
            faults,
        ),
        strategy: strategy.unwrap_or(Strategy::RoundRobin),
        capacity: table
            .get("capacity")
            .and_then(|item| item.number(MAX_CAPACITY, faults)),
        response: table
            .get("response")
            .and_then(|item| item.id(PolicyId::new, faults)),
        fallback: ids(&table, "fallback", TeamId::new, faults),
    };
    Some((id, team))
}

fn read_response(item: &Item<'_>, faults: &mut Faults) -> Option<(PolicyId, ResponsePolicy)> {
    let table = item.table(RESPONSE, faults)?;
    let id = table
        .need("id", faults)
        .and_then(|item| item.id(PolicyId::new, faults))?;
    let mut policy = ResponsePolicy {
        assign_within: None,
        respond_within: None,
        notify: false,
    };
    policy.assign_within = table
        .get("assign_within")
        .and_then(|item| item.duration(false, faults));
    policy.respond_within = table
        .get("respond_within")
        .and_then(|item| item.duration(false, faults));
    if let Some(item) = table.get("warn_before") {
        item.duration(false, faults);
        faults.warning(item.path.clone(), item.node.place, NOT_YET);
    }
    if let Some(item) = table.get("hours")
        && item.one_of(&[("always", false), ("working", true)], faults) == Some(true)
    {
        faults.warning(item.path.clone(), item.node.place, NOT_YET);
    }
    for item in table.list("on_breach", faults) {
        let words = [("notify", true), ("reassign", false), ("escalate", false)];
        match item.one_of(&words, faults) {
            Some(true) => policy.notify = true,
            Some(false) => faults.warning(item.path.clone(), item.node.place, NOT_YET),
            None => {}
        }
    }
    if let Some(item) = table.get("escalate_to") {
        ids(&table, "escalate_to", AgentId::new, faults);
        faults.warning(item.path.clone(), item.node.place, NOT_YET);
    }
    // A policy that does not say what to do about a breach notifies, as the built-in one does.
    policy.notify |= table.get("on_breach").is_none();
    Some((id, policy))
}

fn read_rule(item: &Item<'_>, faults: &mut Faults) -> Option<Rule> {
    let known: Vec<&str> = ["name", "when"].iter().chain(TARGET).copied().collect();
    let table = item.table(&known, faults)?;
    let rule_name = table.need("name", faults).and_then(|item| name(&item, faults));
    let when = match table.get("when") {
        None => None,
        Some(item) => Some(read_condition(&item, faults)?),
    };
    Some(Rule {
        name: rule_name?,
        when,
        target: read_target(&table, faults),
    })
}

fn read_condition(item: &Item<'_>, faults: &mut Faults) -> Option<Condition> {
    let source = item.text(faults)?;
    let compiled = Condition::compile(source);
    compiled
        .map_err(|error| faults.error(item, format!("column {}: {error}", error.column)))
        .ok()
}

fn read_target(table: &Table<'_>, faults: &mut Faults) -> Target {
    let mut target = Target::default();
    for (key, item) in table.entries() {
        match key {
            "team" => target.team = item.id(TeamId::new, faults),
            "agent" => target.agent = item.id(AgentId::new, faults),
            "outcome" => {
                let words = [
                    ("auto", Outcome::Auto),
                    ("manual", Outcome::Manual),
                    ("nobody", Outcome::Nobody),
                ];
                put(&mut target.outcome, item.one_of(&words, faults));
            }
            "skills" => target.skills = read_skills(&item, faults),
            "priority" => {
                let words = [
                    ("low", Priority::Low),
                    ("normal", Priority::Normal),
                    ("high", Priority::High),
                    ("urgent", Priority::Urgent),
                ];
                put(&mut target.priority, item.one_of(&words, faults));
            }
            "response" => target.response = item.id(PolicyId::new, faults),
            "reopen" => target.reopen = item.one_of(REOPEN, faults),
            "fallback" => target.fallback = Some(ids(table, "fallback", TeamId::new, faults)),
            "relax" => read_relaxation(&item, faults),
            _ => {}
        }
    }
    target
}

fn read_relaxation(item: &Item<'_>, faults: &mut Faults) {
    for step in item.list(faults) {
        if let Some(step) = step.table(&["after", "drop", "team", "priority", "notify"], faults) {
            step.need("after", faults)
                .map(|item| item.duration(false, faults));
        }
    }
    faults.warning(item.path.clone(), item.node.place, NOT_YET);
}

fn read_calendars(item: &Item<'_>, faults: &mut Faults) {
    for calendar in item.list(faults) {
        if let Some(table) = calendar.table(&["id", "timezone", "hours", "holidays"], faults) {
            table
                .need("id", faults)
                .and_then(|item| item.id(PolicyId::new, faults));
            table.get("timezone").and_then(|item| item.id(timezone, faults));
        }
    }
    faults.warning(item.path.clone(), item.node.place, NOT_YET);
}

/// Skills are words too: ids without spaces, with a level.
fn read_skills(item: &Item<'_>, faults: &mut Faults) -> Skills {
    let Some(table) = item.map(faults) else {
        return Skills::new();
    };
    let mut skills = Skills::new();
    for (skill, item) in table.entries() {
        if let Err(error) = PolicyId::new(skill) {
            faults.error(&item, format!("is no name for a skill: {error}"));
        }
        let level = item
            .number(MAX_LEVEL, faults)
            .and_then(|level| u8::try_from(level).ok());
        skills.extend(level.map(|level| (Arc::from(skill), level)));
    }
    skills
}

fn name(item: &Item<'_>, faults: &mut Faults) -> Option<Arc<str>> {
    let text = item.text(faults)?.trim();
    if text.is_empty() || text.chars().count() > MAX_NAME {
        faults.error(item, format!("should have from 1 to {MAX_NAME} characters"));
        return None;
    }
    Some(text.into())
}

fn channel_key(text: &str) -> Result<ChannelKey, &'static str> {
    ChannelKey::new(text).ok_or("is no channel key such as \"whatsapp:123456789012345\"")
}

fn timezone(text: &str) -> Result<TimeZone, &'static str> {
    TimeZone::get(text).map_err(|_| "is no time zone such as \"America/Sao_Paulo\"")
}

fn ids<T, E: std::fmt::Display>(
    table: &Table<'_>,
    key: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    faults: &mut Faults,
) -> Vec<T> {
    let items = table.list(key, faults);
    items.iter().filter_map(|item| item.id(&parse, faults)).collect()
}

fn distinct(ids: Vec<AgentId>, table: &Table<'_>, key: &str, faults: &mut Faults) -> Vec<AgentId> {
    let all: BTreeSet<&AgentId> = ids.iter().collect();
    if all.len() < ids.len()
        && let Some(item) = table.get(key)
    {
        faults.error(&item, "names someone twice");
    }
    ids
}

fn once<K: Ord + std::fmt::Display, V>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
    item: &Item<'_>,
    faults: &mut Faults,
) {
    if map.contains_key(&key) {
        faults.error(item, format!("{key} is there twice"));
    }
    map.insert(key, value);
}

fn put<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
