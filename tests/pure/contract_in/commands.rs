//! Native commands: good ones, and what becomes of the others.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::contract::{ArrivedCommand, DeadReason};
use switchboard::domain::agent::{Presence, Role};
use switchboard::domain::ids::{AgentId, ConversationId, TeamId};
use switchboard::domain::input::{Action, Actor, Recipient, Upsert, Wish};

use super::{assert_dead, fixture, fixture_with, only_command, read_body};

const CONVERSATION: &str = "0193b5a0-0000-7000-8000-000000000001";

fn agent(id: &str) -> AgentId {
    AgentId::new(id).expect("an id")
}

/// A command of this name; tenant and actor are there.
fn command(name: &str, data: Value) -> Value {
    let mut all = json!({"tenant": "acme", "actor": "boss"});
    for (field, value) in data.as_object().expect("an object") {
        all[field] = value.clone();
    }
    fixture_with(
        "command_assign",
        &[
            ("/type", json!(format!("switchboard.command.{name}"))),
            ("/data", all),
        ],
    )
}

/// Why a command is malformed.
#[track_caller]
fn complaint(body: &Value) -> String {
    complaint_of(&only_command(body))
}

#[track_caller]
fn complaint_of(command: &ArrivedCommand) -> String {
    match &command.command.action {
        Action::Malformed { message, .. } => message.to_string(),
        other => panic!("well-formed: {other:?}"),
    }
}

fn upsert(fields: Value) -> Upsert {
    match only_command(&command("agent.upsert", json!({"agent": fields})))
        .command
        .action
    {
        Action::UpsertAgent { agent: id, fields } => {
            assert_eq!(id, agent("mark"));
            fields
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_assignment_is_read_whole() {
    let arrived = only_command(&fixture("command_assign"));
    assert_eq!(&*arrived.cause, "cmd-2001");
    assert_eq!(arrived.tenant.as_str(), "acme");
    assert_eq!(arrived.partition_key.as_deref(), Some("a4739f991883260a"));
    assert_eq!(&*arrived.command.name, "assign");
    assert_eq!(arrived.command.actor, Actor::Agent(agent("boss")));
    let id = ConversationId(CONVERSATION.parse().expect("a UUID"));
    assert_eq!(arrived.conversation(), Some(id));
    match arrived.command.action {
        Action::Conversation {
            conversation,
            expected_epoch,
            note,
            wish,
        } => {
            assert_eq!((conversation, expected_epoch), (id, Some(7)));
            assert_eq!(note.as_deref(), Some("she knows the customer"));
            assert!(matches!(wish, Wish::Assign(Recipient::Agent(to)) if to == agent("martha")));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_commands_about_a_conversation_need_only_it() {
    let wish = |name: &str, data: Value| match only_command(&command(name, data)).command.action {
        Action::Conversation {
            expected_epoch: None,
            note: None,
            wish,
            ..
        } => wish,
        other => panic!("{name}: {other:?}"),
    };
    let it = json!({"conversation": CONVERSATION});
    assert!(matches!(wish("unassign", it.clone()), Wish::Unassign));
    assert!(matches!(wish("close", it.clone()), Wish::Close));
    assert!(matches!(wish("reopen", it), Wish::Reopen));
    let to_team =
        json!({"conversation": CONVERSATION, "to": {"team": "support"}, "note": "", "expected_epoch": null});
    let support = TeamId::new("support").expect("an id");
    assert!(matches!(wish("assign", to_team), Wish::Assign(Recipient::Team(team)) if team == support));
}

#[test]
fn presence_names_an_agent_a_word_and_perhaps_a_limit() {
    for (word, expected) in [
        ("online", Presence::Online),
        ("away", Presence::Away),
        ("offline", Presence::Offline),
    ] {
        let arrived = only_command(&command(
            "presence",
            json!({"agent": "mark", "presence": word, "ttl": "90s"}),
        ));
        assert_eq!(arrived.own_key(), "agent/mark");
        match arrived.command.action {
            Action::Presence {
                agent: id,
                presence,
                ttl,
            } => {
                assert_eq!(
                    (id, presence, ttl),
                    (agent("mark"), expected, Some(Duration::from_secs(90)))
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_limit_of_presence_is_a_duration_within_bounds() {
    for (ttl, millis) in [
        ("100ms", 100),
        ("5s", 5_000),
        ("2m", 120_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
    ] {
        let body = command(
            "presence",
            json!({"agent": "mark", "presence": "away", "ttl": ttl}),
        );
        let Action::Presence { ttl: read, .. } = only_command(&body).command.action else {
            panic!("{ttl}");
        };
        assert_eq!(read, Some(Duration::from_millis(millis)), "{ttl}");
    }
    for wrong in [
        json!("99ms"),
        json!("0s"),
        json!("5"),
        json!("s"),
        json!("1y"),
        json!("-1s"),
        json!("367d"),
        json!(60),
        json!("99999999999999999999s"),
    ] {
        let body = command(
            "presence",
            json!({"agent": "mark", "presence": "away", "ttl": wrong}),
        );
        assert!(complaint(&body).starts_with("ttl is not a "), "{wrong}");
    }
}

#[test]
fn an_upsert_writes_the_fields_it_names() {
    let fields = upsert(json!({
        "id": "mark", "name": "Mark", "role": "manager", "teams": ["support", "sales"], "manages": ["support"],
        "skills": {"billing": 2}, "capacity": 0, "subscriptions": ["whatsapp:1"], "active": false, "may_reply": true,
    }));
    assert_eq!(
        (fields.name.as_deref(), fields.role),
        (Some("Mark"), Some(Role::Manager))
    );
    assert_eq!(fields.teams.map(|teams| teams.len()), Some(2));
    assert_eq!(fields.manages.map(|teams| teams.len()), Some(1));
    assert_eq!(fields.skills.expect("skills")["billing"], 2);
    assert_eq!(
        (fields.capacity, fields.active, fields.may_reply),
        (Some(0), Some(false), Some(true))
    );
    assert_eq!(fields.subscriptions.map(|channels| channels.len()), Some(1));
}

#[test]
fn an_upsert_leaves_what_it_does_not_name_and_empties_what_it_names_empty() {
    let fields =
        upsert(json!({"id": "mark", "name": null, "role": "", "capacity": null, "teams": [], "skills": {}}));
    assert!(fields.name.is_none() && fields.role.is_none() && fields.capacity.is_none());
    assert!(fields.manages.is_none() && fields.active.is_none());
    assert_eq!(fields.teams.map(|teams| teams.len()), Some(0));
    assert_eq!(fields.skills.map(|skills| skills.len()), Some(0));
}

#[test]
fn a_malformed_command_names_the_field() {
    let it = CONVERSATION;
    let with = |fields: Value| json!({"agent": fields});
    for (name, data, words) in [
        (
            "assign",
            json!({"to": {"agent": "mark"}}),
            "conversation is missing",
        ),
        (
            "close",
            json!({"conversation": "17"}),
            "conversation is not a UUID",
        ),
        ("close", json!({"conversation": 17}), "conversation is not a text"),
        ("assign", json!({"conversation": it}), "to is missing"),
        (
            "assign",
            json!({"conversation": it, "to": "mark"}),
            "to is not an object",
        ),
        (
            "assign",
            json!({"conversation": it, "to": {}}),
            "to names neither an agent nor a team",
        ),
        (
            "assign",
            json!({"conversation": it, "to": {"agent": "a", "team": "b"}}),
            "to names both an agent and a team",
        ),
        (
            "assign",
            json!({"conversation": it, "to": {"agent": "a b"}}),
            "to.agent is no id: an id must not contain spaces",
        ),
        (
            "close",
            json!({"conversation": it, "expected_epoch": "7"}),
            "expected_epoch is not a whole number",
        ),
        (
            "close",
            json!({"conversation": it, "expected_epoch": -1}),
            "expected_epoch is not a whole number",
        ),
        (
            "close",
            json!({"conversation": it, "note": "x".repeat(4_097)}),
            "note is longer than 4096 characters",
        ),
        ("presence", json!({"presence": "away"}), "agent is missing"),
        ("presence", json!({"agent": "mark"}), "presence is missing"),
        (
            "presence",
            json!({"agent": "mark", "presence": "busy"}),
            "presence is not online, away or offline",
        ),
        ("agent.upsert", json!({}), "agent is missing"),
        ("agent.upsert", with(json!("mark")), "agent is not an object"),
        (
            "agent.upsert",
            with(json!({"name": "Mark"})),
            "agent.id is missing",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "role": "king"})),
            "agent.role is not agent, manager or admin",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "teams": "support"})),
            "agent.teams is not a list",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "teams": ["ok", "not ok"]})),
            "agent.teams[1] is no id",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "capacity": 4294967296_i64})),
            "agent.capacity is not a whole number",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "skills": {"a b": 1}})),
            "has a bad name",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "skills": {"a": 256}})),
            "agent.skills.a is not a whole number",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "subscriptions": ["no"]})),
            "agent.subscriptions[0] is no channel",
        ),
        (
            "agent.upsert",
            with(json!({"id": "mark", "active": "yes"})),
            "agent.active is neither true nor false",
        ),
        ("plan.apply", json!({}), "plan is missing"),
        (
            "plan.apply",
            json!({"plan": {"tenant": "a\u{0}b"}}),
            "holds a NUL character",
        ),
    ] {
        let said = complaint(&command(name, data.clone()));
        assert!(said.contains(words), "{name} {data}: {said}");
    }
}

#[test]
fn a_malformed_command_still_names_its_conversation_where_it_can() {
    let body = command("assign", json!({"conversation": CONVERSATION, "to": {}}));
    let id = ConversationId(CONVERSATION.parse().expect("a UUID"));
    assert_eq!(only_command(&body).conversation(), Some(id));
    let body = command("assign", json!({"conversation": "17", "to": {}}));
    assert_eq!(only_command(&body).conversation(), None);
}

#[test]
fn a_command_without_a_usable_actor_is_malformed_and_its_actor_is_the_gateway() {
    for (actor, words) in [
        (json!(null), "actor is missing"),
        (json!(""), "actor is missing"),
        (json!(7), "actor is not a text"),
        (json!("a b"), "actor is no id"),
    ] {
        let arrived = only_command(&fixture_with("command_assign", &[("/data/actor", actor)]));
        assert!(
            complaint_of(&arrived).contains(words),
            "{}",
            complaint_of(&arrived)
        );
        assert_eq!(arrived.command.actor, Actor::Gateway);
        assert!(arrived.conversation().is_some());
    }
}

#[test]
fn an_unknown_command_is_malformed_and_one_of_a_later_version_says_so() {
    let it = json!({"conversation": CONVERSATION});
    assert!(complaint(&command("dance", it.clone())).contains("no such command"));
    for later in [
        "request",
        "accept",
        "reject",
        "withdraw",
        "hold",
        "resume",
        "reply",
        "note",
        "priority",
        "bulk_assign",
        "bulk_undo",
        "agent.remove",
        "contact.forget",
    ] {
        let arrived = only_command(&command(later, it.clone()));
        assert!(
            complaint_of(&arrived).contains("this version does not know"),
            "{later}"
        );
        assert_eq!(&*arrived.command.name, later);
    }
}

#[test]
fn a_command_without_a_tenant_is_dead() {
    for tenant in [
        json!(null),
        json!(""),
        json!(5),
        json!("a b"),
        json!("x".repeat(65)),
    ] {
        let body = fixture_with("command_assign", &[("/data/tenant", tenant)]);
        assert_dead(&read_body(&body), DeadReason::UnknownTenant, "tenant");
    }
}

#[test]
fn a_command_whose_data_is_no_object_is_dead() {
    for data in [json!(null), json!([]), json!("close it"), json!(1)] {
        let body = fixture_with("command_assign", &[("/data", data)]);
        assert_dead(&read_body(&body), DeadReason::Invalid, "not a JSON object");
    }
}

#[test]
fn a_command_is_the_same_if_its_source_and_id_are() {
    let key = |changes: &[(&str, Value)]| {
        only_command(&fixture_with("command_assign", changes))
            .dedupe
            .key()
    };
    assert_eq!(key(&[]), key(&[("/data/note", json!("other"))]));
    assert_ne!(key(&[]), key(&[("/id", json!("cmd-2002"))]));
    assert_ne!(key(&[]), key(&[("/source", json!("other"))]));
    let ends_with_the_id = [("/source", json!("crm/testc")), ("/id", json!("md-2001"))];
    assert_ne!(
        key(&[]),
        key(&ends_with_the_id),
        "where one ends and the other begins counts"
    );
}

#[test]
fn a_command_about_no_conversation_goes_by_its_tenant_and_presence_by_its_agent() {
    let upsert = only_command(&command("agent.upsert", json!({"agent": {"id": "mark"}})));
    assert_eq!(
        (upsert.own_key().as_str(), upsert.conversation()),
        ("tenant/acme", None)
    );
    assert_eq!(
        only_command(&command("dance", json!({}))).own_key(),
        "tenant/acme"
    );
}
