//! What a body means, as JSON in words of its own: a name in the code may change, what an old message means may not.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use switchboard::contract::words::Wire;
use switchboard::contract::{Adapter, Arrived, ArrivedCommand, ArrivedFact, Incoming, Limits, forward, read};
use switchboard::domain::bulk::Selection;
use switchboard::domain::input::{Action, Actor, Recipient, Upsert, What, Wish};

/// When the examples arrive: shortly after they happened.
fn arrival() -> Timestamp {
    "2026-11-21T10:00:05Z".parse().expect("a time")
}

/// What a body means today.
pub fn of(body: &str) -> Value {
    let incoming = Incoming {
        content_type: None,
        headers: &[],
        body: body.as_bytes(),
    };
    arrived(&read(&incoming, arrival(), &Limits::default(), Adapter::Detect))
}

fn arrived(arrived: &Arrived) -> Value {
    let skipped = arrived.skipped.iter();
    json!({
        "facts": arrived.facts.iter().map(fact).collect::<Vec<_>>(),
        "commands": arrived.commands.iter().map(command).collect::<Vec<_>>(),
        "skipped": skipped.map(|(skip, times)| (skip.label().to_owned(), json!(times))).collect::<Map<_, _>>(),
        "dead": arrived.dead.as_ref().map(|dead| dead.reason.wire()),
    })
}

/// A fact is what ingress forwards, and what only the core is told.
fn fact(fact: &ArrivedFact) -> Value {
    let forwarded = forward(fact, &fact.home_key());
    json!({
        "forwarded": serde_json::from_slice::<Value>(&forwarded.body).expect("it is JSON"),
        "dedupe": fact.dedupe.key(),
        "at": fact.at.to_string(),
        "turn": match &fact.what {
            What::Received(message) | What::Sent { message, .. } => json!(message.turn),
            What::Handover { .. } => Value::Null,
        },
    })
}

fn command(arrived: &ArrivedCommand) -> Value {
    let command = &arrived.command;
    json!({
        "name": &*command.name,
        "actor": match &command.actor {
            Actor::Agent(agent) => json!({"agent": agent.as_str()}),
            Actor::System(system) => json!({"system": system.wire()}),
            Actor::Customer => json!("customer"),
            Actor::Gateway => json!("gateway"),
        },
        "tenant": arrived.tenant.as_str(),
        "cause": &*arrived.cause,
        "dedupe": arrived.dedupe.key(),
        "partition_key": arrived.partition_key.as_deref(),
        "own_key": arrived.own_key(),
        "contact": arrived.contact.iter().map(|alias| json!([alias.kind.wire(), &*alias.value])).collect::<Vec<_>>(),
        "plan": &arrived.document,
        "wants": action(&command.action),
    })
}

fn action(action: &Action) -> Value {
    match action {
        Action::Conversation {
            conversation,
            expected_epoch,
            note,
            wish: wanted,
        } => json!({
            "conversation": conversation.0,
            "expected_epoch": expected_epoch,
            "note": note.as_deref(),
            "wish": wish(wanted),
        }),
        Action::Presence { agent, presence, ttl } => json!({
            "agent": agent.as_str(),
            "presence": presence.wire(),
            "ttl_seconds": ttl.map(|ttl| ttl.as_secs()),
        }),
        Action::UpsertAgent { agent, fields } => json!({"agent": agent.as_str(), "fields": upsert(fields)}),
        Action::BulkAssign {
            bulk,
            selection,
            to,
            note,
            taken: _,
        } => json!({
            "bulk": bulk,
            "selection": match selection {
                Selection::Listed(listed) => json!(listed.iter().map(|id| id.0).collect::<Vec<_>>()),
                Selection::OwnedBy(agent) => json!({"owned_by": agent.as_str()}),
            },
            "to": recipient(to),
            "note": note.as_deref(),
        }),
        Action::BulkUndo { bulk, past: _ } => json!({"undo": bulk}),
        Action::RemoveAgent { agent } => json!({"remove": agent.as_str()}),
        // Who that is, is in the command's contact.
        Action::ForgetContact {
            conversations: _,
            keys: _,
        } => json!("forget"),
        // The document is in the command.
        Action::ApplyPlan { plan, unchanged: _ } => json!({"plan_of": plan.tenant.as_str()}),
        Action::Malformed { message, .. } => json!({"malformed": &**message}),
        Action::Reroute { .. } => json!("reroute"),
    }
}

fn wish(wish: &Wish) -> Value {
    match wish {
        Wish::Assign(to) => json!({"assign": recipient(to)}),
        Wish::Unassign => json!("unassign"),
        Wish::Close => json!("close"),
        Wish::Reopen => json!("reopen"),
        Wish::Hold { until } => json!({"hold_until": until.map(|until| until.to_string())}),
        Wish::Resume => json!("resume"),
        Wish::Request { to } => json!({"request": to.as_str()}),
        Wish::Accept { request } => json!({"accept": request}),
        Wish::Reject { request, reason } => json!({"reject": request, "reason": &**reason}),
        Wish::Withdraw { request, reason } => json!({"withdraw": request, "reason": &**reason}),
        Wish::Reply {
            message,
            template,
            leave_unassigned,
        } => {
            json!({"reply": &*message.0, "template": template, "leave_unassigned": leave_unassigned})
        }
        Wish::Note { text } => json!({"note": &**text}),
        Wish::Prioritize(priority) => json!({"priority": priority.wire()}),
    }
}

fn recipient(to: &Recipient) -> Value {
    match to {
        Recipient::Agent(agent) => json!({"agent": agent.as_str()}),
        Recipient::Team(team) => json!({"team": team.as_str()}),
    }
}

fn upsert(fields: &Upsert) -> Value {
    let teams = |teams: &std::collections::BTreeSet<switchboard::domain::ids::TeamId>| {
        teams.iter().map(|team| json!(team.as_str())).collect::<Vec<_>>()
    };
    let skills = fields.skills.as_ref().map(|skills| {
        let levels = skills.iter();
        levels
            .map(|(name, level)| (name.to_string(), json!(level)))
            .collect::<Map<_, _>>()
    });
    let subscriptions = fields.subscriptions.as_ref();
    json!({
        "name": fields.name.as_deref(),
        "role": fields.role.map(|role| role.wire()),
        "teams": fields.teams.as_ref().map(teams),
        "manages": fields.manages.as_ref().map(teams),
        "skills": skills,
        "capacity": fields.capacity,
        "subscriptions": subscriptions.map(|all| all.iter().map(|one| json!(one.as_str())).collect::<Vec<_>>()),
        "active": fields.active,
        "may_reply": fields.may_reply,
    })
}
