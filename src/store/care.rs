//! What is remembered of an episode, as JSON beside a conversation: steps still to be taken, hops, escalations.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::StoreError;
use super::codec::{agent_id, policy_id, priority, priority_word, team_id, unreadable, words};
use crate::domain::conversation::{
    Care, EscalationReason, Hop, HopReason, PendingEscalation, Relaxation, Route,
};

words!(hop_word, hop_reason, HopReason, "reason of a hop", {
    HopReason::Silent => "silent", HopReason::Absent => "absent",
});
words!(escalation_word, escalation_reason, EscalationReason, "reason of an escalation", {
    EscalationReason::Breach => "breach", EscalationReason::Hops => "hops", EscalationReason::Window => "window",
});

/// Without what is at its default.
pub(super) fn care_value(care: &Care) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.into(), value));
    let hop = |hop: &Hop| json!({ "from": hop.from.as_str(), "why": hop_word(hop.why) });
    put(
        "hops",
        (!care.hops.is_empty()).then(|| care.hops.iter().map(hop).collect()),
    );
    put(
        "exclusions_cleared",
        care.exclusions_cleared.then_some(json!(true)),
    );
    let pending = |pending: &PendingEscalation| {
        json!({
            "why": escalation_word(pending.why), "policy": pending.policy.as_str(),
            "retry_at": pending.retry_at.as_microsecond(),
        })
    };
    put("escalation", care.escalation.as_ref().map(pending));
    put("window_told", care.window_told.map(moment_value));
    put("owner_looked_at", care.owner_looked_at.map(moment_value));
    put("stale", care.stale.then_some(json!(true)));
    put("handoff", care.handoff.as_ref().map(|note| json!(&**note)));
    Value::Object(object)
}

pub(super) fn care(value: &Value) -> Result<Care, StoreError> {
    let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let hops = value.get("hops").and_then(Value::as_array).into_iter().flatten();
    let hop = |hop: &Value| {
        Ok(Hop {
            from: agent_id(text(hop, "from")?)?,
            why: hop_reason(text(hop, "why")?)?,
        })
    };
    let pending = |pending: &Value| {
        Ok::<_, StoreError>(PendingEscalation {
            why: escalation_reason(text(pending, "why")?)?,
            policy: policy_id(text(pending, "policy")?)?,
            retry_at: moment(pending, "retry_at")?.ok_or_else(|| unreadable("escalation"))?,
        })
    };
    Ok(Care {
        hops: hops.map(hop).collect::<Result<_, StoreError>>()?,
        exclusions_cleared: flag("exclusions_cleared"),
        escalation: value.get("escalation").map(pending).transpose()?,
        window_told: moment(value, "window_told")?,
        owner_looked_at: moment(value, "owner_looked_at")?,
        stale: flag("stale"),
        handoff: value.get("handoff").and_then(Value::as_str).map(Arc::from),
    })
}

/// The part of a route that is about asking for less.
pub(super) fn relax_value(route: &Route) -> Option<Value> {
    let step = |step: &Relaxation| {
        let mut object = Map::from_iter([("after".into(), json!(step.after.as_millis() as u64))]);
        let mut put = |key: &str, value: Option<Value>| value.map(|value| object.insert(key.into(), value));
        put("drop", step.drop.as_ref().map(|skill| json!(&**skill)));
        put("team", step.team.as_ref().map(|team| json!(team.as_str())));
        put(
            "priority",
            step.priority.map(|priority| json!(priority_word(priority))),
        );
        put("notify", step.notify.then_some(json!(true)));
        Value::Object(object)
    };
    (!route.relax.is_empty()).then(|| {
        json!({
            "steps": route.relax.iter().map(step).collect::<Vec<_>>(), "taken": route.relaxed,
            "since": route.relaxing_since.map(moment_value),
        })
    })
}

/// Puts the steps back into a route.
pub(super) fn relax(value: &Value, route: &mut Route) -> Result<(), StoreError> {
    let steps = value.get("steps").and_then(Value::as_array).into_iter().flatten();
    let step = |step: &Value| {
        let word = |key: &str| step.get(key).and_then(Value::as_str);
        let after = step
            .get("after")
            .and_then(Value::as_u64)
            .ok_or_else(|| unreadable("relaxation"))?;
        Ok(Relaxation {
            after: Duration::from_millis(after),
            drop: word("drop").map(Arc::from),
            team: word("team").map(team_id).transpose()?,
            priority: word("priority").map(priority).transpose()?,
            notify: step.get("notify").and_then(Value::as_bool).unwrap_or(false),
        })
    };
    route.relax = steps.map(step).collect::<Result<Vec<_>, StoreError>>()?.into();
    let taken = value.get("taken").and_then(Value::as_u64).unwrap_or(0);
    route.relaxed = usize::try_from(taken).map_err(|_| unreadable("relaxation"))?;
    route.relaxing_since = moment(value, "since")?;
    Ok(())
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, StoreError> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| unreadable("care"))
}

fn moment_value(at: Timestamp) -> Value {
    json!(at.as_microsecond())
}

fn moment(value: &Value, key: &str) -> Result<Option<Timestamp>, StoreError> {
    let micros = value.get(key).and_then(Value::as_i64);
    micros
        .map(|micros| Timestamp::from_microsecond(micros).map_err(|_| unreadable("moment")))
        .transpose()
}
