//! Between the core's types and columns: every stored word in one place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::records::EngagementStatus;
use super::timers::TimerKind;
use super::{StoreError, care};
use crate::domain::agent::{Presence, Role, Skills};
use crate::domain::bulk::ItemOutcome;
use crate::domain::conversation::{Contact, Owner, Priority, Route, Status};
use crate::domain::event::{By, Code, PassedOver};
use crate::domain::ids::{AgentId, CalendarId, ChannelKey, Partition, PolicyId, TeamId, Tenant};
use crate::domain::plan::Strategy;

/// A stored value that this version cannot read: the database was written by something else.
pub fn unreadable(what: &str) -> StoreError {
    StoreError::Rejected(format!("a stored {what} is not understood by this version"))
}

pub fn tenant(text: &str) -> Result<Tenant, StoreError> {
    Tenant::new(text).map_err(|_| unreadable("tenant"))
}

pub fn agent_id(text: &str) -> Result<AgentId, StoreError> {
    AgentId::new(text).map_err(|_| unreadable("agent id"))
}

pub fn team_id(text: &str) -> Result<TeamId, StoreError> {
    TeamId::new(text).map_err(|_| unreadable("team id"))
}

pub fn policy_id(text: &str) -> Result<PolicyId, StoreError> {
    PolicyId::new(text).map_err(|_| unreadable("policy id"))
}

pub fn calendar_id(text: &str) -> Result<CalendarId, StoreError> {
    CalendarId::new(text).map_err(|_| unreadable("calendar id"))
}

pub fn channel(text: &str) -> Result<ChannelKey, StoreError> {
    ChannelKey::new(text).ok_or_else(|| unreadable("channel"))
}

pub fn partition(number: i32) -> Result<Partition, StoreError> {
    u16::try_from(number)
        .map(Partition)
        .map_err(|_| unreadable("partition"))
}

/// A number as a column keeps it. It saturates where no counter of ours ever comes.
pub fn int4(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The same, for the wider ones.
pub fn int8(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn from_int4(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| unreadable("number"))
}

pub fn from_int8(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| unreadable("number"))
}

/// A closed set of words, both ways.
macro_rules! words {
    ($to:ident, $from:ident, $type:ty, $what:literal, { $($variant:path => $word:literal),+ $(,)? }) => {
        pub fn $to(value: $type) -> &'static str {
            match value { $($variant => $word),+ }
        }

        #[allow(dead_code, reason = "some words are only written, and read by people")]
        pub fn $from(word: &str) -> Result<$type, StoreError> {
            match word { $($word => Ok($variant),)+ _ => Err(unreadable($what)) }
        }
    };
}
pub(super) use words;

words!(role_word, role, Role, "role", {
    Role::Agent => "agent", Role::Manager => "manager", Role::Admin => "admin",
});
words!(presence_word, presence, Presence, "presence", {
    Presence::Online => "online", Presence::Away => "away", Presence::Offline => "offline",
});
words!(status_word, status, Status, "status", {
    Status::Open => "open", Status::OnHold => "on_hold", Status::Closed => "closed",
});
words!(priority_word, priority, Priority, "priority", {
    Priority::Low => "low", Priority::Normal => "normal", Priority::High => "high", Priority::Urgent => "urgent",
});
words!(by_word, by, By, "way", {
    By::Auto => "auto", By::Sticky => "sticky", By::Manual => "manual", By::Claim => "claim",
    By::FirstReply => "first_reply", By::Request => "request", By::Bulk => "bulk", By::Escalation => "escalation",
});
words!(engagement_status_word, engagement_status, EngagementStatus, "status of an engagement", {
    EngagementStatus::Requested => "requested", EngagementStatus::Accepted => "accepted",
    EngagementStatus::Rejected => "rejected", EngagementStatus::Withdrawn => "withdrawn",
    EngagementStatus::TimedOut => "timed_out", EngagementStatus::Superseded => "superseded",
    EngagementStatus::Done => "done", EngagementStatus::Undone => "undone",
});
words!(strategy_word, strategy, Strategy, "strategy", {
    Strategy::RoundRobin => "round_robin", Strategy::LeastLoaded => "least_loaded",
    Strategy::LongestIdle => "longest_idle", Strategy::Ranked => "ranked", Strategy::Manual => "manual",
});
words!(passed_over_word, passed_over, PassedOver, "reason", {
    PassedOver::Inactive => "inactive", PassedOver::MayNotReply => "may_not_reply",
    PassedOver::Offline => "offline", PassedOver::Away => "away", PassedOver::Excluded => "excluded",
    PassedOver::Skill => "skill", PassedOver::Capacity => "capacity", PassedOver::TeamCapacity => "team_capacity",
    PassedOver::TenantCapacity => "tenant_capacity", PassedOver::Outranked => "outranked",
    PassedOver::Hours => "hours", PassedOver::Burst => "burst",
});

words!(code_word, code, Code, "code", {
    Code::Invalid => "invalid", Code::ReasonRequired => "reason_required", Code::NotFound => "not_found",
    Code::UnknownAgent => "unknown_agent", Code::UnknownTeam => "unknown_team",
    Code::EpochConflict => "epoch_conflict", Code::Closed => "closed",
    Code::NoPendingRequest => "no_pending_request", Code::AlreadyAssigned => "already_assigned",
    Code::NotAssignee => "not_assignee", Code::NotPermitted => "not_permitted",
    Code::RequestPending => "request_pending", Code::TargetUnavailable => "target_unavailable",
    Code::WindowClosed => "window_closed",
});
words!(timer_kind_word, timer_kind, TimerKind, "timer kind", {
    TimerKind::Assign => "assign", TimerKind::Presence => "presence", TimerKind::Drain => "drain",
    TimerKind::Hold => "hold", TimerKind::Request => "request", TimerKind::Recipient => "recipient",
    TimerKind::Reexamine => "reexamine", TimerKind::Stranded => "stranded", TimerKind::Bulk => "bulk",
    TimerKind::BulkDone => "bulk_done", TimerKind::Owner => "owner", TimerKind::Alarm => "alarm",
    TimerKind::Absent => "absent", TimerKind::Opens => "opens", TimerKind::Burst => "burst",
});

pub fn item_outcome_word(outcome: ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Assigned => "assigned",
        ItemOutcome::Queued => "queued",
        ItemOutcome::Rejected(_) => "rejected",
        ItemOutcome::Unchanged => "unchanged",
        ItemOutcome::Undone => "undone",
        ItemOutcome::Skipped => "skipped",
    }
}

/// What became of an item, and the code it was refused with.
pub fn item_outcome(word: &str, refused_with: Option<&str>) -> Result<ItemOutcome, StoreError> {
    match (word, refused_with) {
        ("assigned", _) => Ok(ItemOutcome::Assigned),
        ("queued", _) => Ok(ItemOutcome::Queued),
        ("rejected", Some(word)) => Ok(ItemOutcome::Rejected(code(word)?)),
        ("unchanged", _) => Ok(ItemOutcome::Unchanged),
        ("undone", _) => Ok(ItemOutcome::Undone),
        ("skipped", _) => Ok(ItemOutcome::Skipped),
        _ => Err(unreadable("outcome of an item")),
    }
}

/// What `owner_text` wrote.
pub fn owner(text: &str) -> Result<Owner, StoreError> {
    match text.split_once('/') {
        None if text == "nobody" => Ok(Owner::Nobody),
        Some(("team", team)) => team_id(team).map(Owner::Team),
        Some(("agent", agent)) => agent_id(agent).map(Owner::Agent),
        _ => Err(unreadable("owner")),
    }
}

/// An owner as people read it in a record: `nobody`, `team/support`, `agent/martha`.
pub fn owner_text(owner: &Owner) -> String {
    match owner {
        Owner::Nobody => "nobody".into(),
        Owner::Team(team) => format!("team/{team}"),
        Owner::Agent(agent) => format!("agent/{agent}"),
    }
}

pub fn skills_value(skills: &Skills) -> Value {
    Value::Object(
        skills
            .iter()
            .map(|(skill, level)| (skill.to_string(), json!(level)))
            .collect(),
    )
}

pub fn skills(value: &Value) -> Skills {
    let level = |value: &Value| value.as_u64().and_then(|level| u8::try_from(level).ok());
    let object = value.as_object().into_iter().flatten();
    object
        .filter_map(|(skill, value)| Some((skill.as_str().into(), level(value)?)))
        .collect()
}

pub fn loads_value(loads: &BTreeMap<Option<TeamId>, u32>) -> Value {
    let key = |team: &Option<TeamId>| team.as_ref().map_or(String::new(), ToString::to_string);
    Value::Object(
        loads
            .iter()
            .map(|(team, load)| (key(team), json!(load)))
            .collect(),
    )
}

pub fn loads(value: &Value) -> Result<BTreeMap<Option<TeamId>, u32>, StoreError> {
    let mut loads = BTreeMap::new();
    for (team, load) in value.as_object().into_iter().flatten() {
        let team = if team.is_empty() {
            None
        } else {
            Some(team_id(team)?)
        };
        let load = load
            .as_u64()
            .and_then(|load| u32::try_from(load).ok())
            .ok_or_else(|| unreadable("load"))?;
        loads.insert(team, load);
    }
    Ok(loads)
}

/// A route, without what is at its default: most conversations have little to say.
pub fn route_value(route: &Route) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.into(), value));
    put("rule", route.rule.as_ref().map(|rule| json!(&**rule)));
    put("agent", route.agent.as_ref().map(|agent| json!(agent.as_str())));
    put(
        "skills",
        (!route.skills.is_empty()).then(|| skills_value(&route.skills)),
    );
    put(
        "response",
        route.response.as_ref().map(|policy| json!(policy.as_str())),
    );
    put("manual", route.manual.then_some(json!(true)));
    put("relax", care::relax_value(route));
    Value::Object(object)
}

pub fn route(value: &Value) -> Result<Route, StoreError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let mut route = Route {
        rule: text("rule").map(Arc::from),
        agent: text("agent").map(agent_id).transpose()?,
        skills: value.get("skills").map(skills).unwrap_or_default(),
        response: text("response").map(policy_id).transpose()?,
        manual: value.get("manual").and_then(Value::as_bool).unwrap_or(false),
        ..Route::default()
    };
    if let Some(relax) = value.get("relax") {
        care::relax(relax, &mut route)?;
    }
    Ok(route)
}

pub fn contact_value(contact: &Contact) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, text: &str| {
        if !text.is_empty() {
            object.insert(key.into(), json!(text));
        }
    };
    put("name", &contact.name);
    put("language", &contact.language);
    put("country", &contact.country);
    if !contact.attributes.is_empty() {
        let attributes = contact
            .attributes
            .iter()
            .map(|(name, value)| (name.to_string(), json!(&**value)));
        object.insert("attributes".into(), Value::Object(attributes.collect()));
    }
    Value::Object(object)
}

pub fn contact(value: &Value) -> Contact {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().into();
    let attributes = value
        .get("attributes")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    Contact {
        name: text("name"),
        language: text("language"),
        country: text("country"),
        attributes: attributes
            .filter_map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into())))
            .collect(),
    }
}

pub fn excluded_text(excluded: &BTreeSet<AgentId>) -> String {
    excluded.iter().map(AgentId::as_str).collect::<Vec<_>>().join(" ")
}

pub fn excluded(text: &str) -> Result<BTreeSet<AgentId>, StoreError> {
    text.split_whitespace().map(agent_id).collect()
}

/// Moments as microseconds since 1970, separated by spaces.
pub fn moments_text(moments: &[Timestamp]) -> String {
    let texts: Vec<String> = moments.iter().map(|at| at.as_microsecond().to_string()).collect();
    texts.join(" ")
}

pub fn moments(text: &str) -> Result<Vec<Timestamp>, StoreError> {
    let moment = |word: &str| Timestamp::from_microsecond(word.parse().ok()?).ok();
    text.split_whitespace()
        .map(|word| moment(word).ok_or_else(|| unreadable("moment")))
        .collect()
}
