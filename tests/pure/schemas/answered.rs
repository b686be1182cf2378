//! What the door says of the examples of what comes in: the valid ones are read as what they are, the invalid ones refused.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use switchboard::contract::identity::AliasKind;
use switchboard::contract::{
    Adapter, Arrived, ArrivedCommand, COMMAND_PREFIX, HANDOVER, Incoming, Limits, RECEIVED, SENT, forward,
    plan, read,
};
use switchboard::domain::bulk::Selection;
use switchboard::domain::ids::{AgentId, ConversationId, TeamId};
use switchboard::domain::input::{Action, Recipient, What, Wish};
use uuid::Uuid;

use super::examples::examples;
use super::{complaints, json_files, published, root, taken_types};

/// What the door says of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is read as one of this type.
    Taken(String),
    /// It is a dead letter, or will be refused; everything that is said of it.
    Refused(Vec<String>),
}

/// A few seconds after the examples happened.
fn arrival() -> Timestamp {
    "2026-11-21T10:00:05Z".parse().expect("a time")
}

fn arrived(body: &Value) -> Arrived {
    let text = body.to_string();
    let incoming = Incoming {
        content_type: None,
        headers: &[],
        body: text.as_bytes(),
    };
    read(&incoming, arrival(), &Limits::default(), Adapter::Detect)
}

/// What the door says of a body that is a CloudEvent in itself.
pub fn answer(body: &Value) -> Answer {
    let arrived = arrived(body);
    if let Some(dead) = arrived.dead {
        return Answer::Refused(vec![dead.to_string()]);
    }
    match (arrived.facts.as_slice(), arrived.commands.as_slice()) {
        ([fact], []) => Answer::Taken(match &fact.what {
            What::Received(_) => RECEIVED.to_owned(),
            What::Sent { .. } => SENT.to_owned(),
            What::Handover { .. } => HANDOVER.to_owned(),
        }),
        ([], [command]) => of_command(command),
        _ => panic!("neither one fact nor one command: {body}"),
    }
}

/// What is said of a command; what is sure to be refused by its form alone counts as refused.
fn of_command(command: &ArrivedCommand) -> Answer {
    match &command.command.action {
        Action::Malformed { message, errors, .. } if errors.is_empty() => {
            Answer::Refused(vec![message.to_string()])
        }
        Action::Malformed { errors, .. } => {
            let all = errors
                .iter()
                .map(|fault| format!("{} {}", fault.path, fault.message));
            Answer::Refused(all.collect())
        }
        Action::Conversation {
            wish: Wish::Reject { reason, .. } | Wish::Withdraw { reason, .. },
            ..
        } if reason.trim().is_empty() => Answer::Refused(vec!["reason_required".to_owned()]),
        _ => Answer::Taken(format!("{COMMAND_PREFIX}{}", command.command.name)),
    }
}

#[test]
fn valid_examples_are_read_as_what_they_are() {
    for kind in taken_types() {
        for (name, example) in examples(&kind, "valid") {
            assert_eq!(answer(&example), Answer::Taken(kind.clone()), "{kind}: {name}");
        }
    }
    for (name, example) in examples("plan", "valid") {
        if let Err(faults) = plan::from_json(&example) {
            panic!("{name}: {faults:?}");
        }
    }
}

#[test]
fn invalid_examples_are_refused() {
    for kind in taken_types() {
        for (name, example) in examples(&kind, "invalid") {
            let answer = answer(&example);
            assert!(matches!(answer, Answer::Refused(_)), "{kind}: {name}: {answer:?}");
        }
    }
    for (name, example) in examples("plan", "invalid") {
        assert!(plan::from_json(&example).is_err(), "{name}");
    }
}

/// What is passed on to the partitions is as native as what it came of: the examples, and bodies of the Cloud API.
#[test]
fn what_is_forwarded_is_a_fact_as_the_schemas_say() {
    let facts = [RECEIVED, SENT, HANDOVER].map(|kind| examples(kind, "valid"));
    let native = facts.into_iter().flat_map(|examples| examples.into_values());
    let foreign = json_files(&root().join("tests/fixtures/inbound"));
    let mut forwarded = BTreeSet::new();
    for body in native.chain(foreign.iter().map(|path| super::read(path))) {
        for fact in arrived(&body).facts {
            let message = forward(&fact, &fact.home_key());
            let event: Value = serde_json::from_slice(&message.body).expect("it is JSON");
            let kind = event["type"].as_str().expect("a type");
            assert_eq!(
                complaints(published(kind), &event),
                Vec::<String>::new(),
                "{event}"
            );
            assert_eq!(answer(&event), Answer::Taken(kind.to_owned()));
            forwarded.insert(kind.to_owned());
        }
    }
    assert_eq!(
        forwarded,
        BTreeSet::from([RECEIVED, SENT, HANDOVER].map(str::to_owned))
    );
}

/// What a valid example of a command asks for.
#[track_caller]
fn command(name: &str, example: &str) -> ArrivedCommand {
    let kind = format!("{COMMAND_PREFIX}{name}");
    let examples = examples(&kind, "valid");
    let body = examples
        .get(example)
        .unwrap_or_else(|| panic!("{kind} has no example {example}"));
    let mut commands = arrived(body).commands;
    assert_eq!(commands.len(), 1, "{kind}: {example}");
    commands.remove(0)
}

const FIRST: ConversationId = ConversationId(Uuid::from_u128(0x0193_5f2a_0000_7000_8000_0000_0000_0001));
const SECOND: ConversationId = ConversationId(Uuid::from_u128(0x0193_5f2a_0000_7000_8000_0000_0000_0002));
const BULK: Uuid = Uuid::from_u128(0x0193_5f2a_0000_7000_8000_0000_0000_0b01);

fn agent(id: &str) -> AgentId {
    AgentId::new(id).expect("an id")
}

#[test]
fn a_bulk_assign_lists_conversations_or_says_whose() {
    match command("bulk_assign", "listed").command.action {
        Action::BulkAssign {
            bulk,
            selection: Selection::Listed(listed),
            to,
            note,
            ..
        } => {
            assert_eq!((bulk, listed), (BULK, vec![FIRST, SECOND]));
            assert_eq!(to, Recipient::Team(TeamId::new("support").expect("an id")));
            assert_eq!(note.as_deref(), Some("Mark is on holiday."));
        }
        other => panic!("{other:?}"),
    }
    match command("bulk_assign", "of_an_agent").command.action {
        Action::BulkAssign {
            selection: Selection::OwnedBy(owner),
            to,
            note,
            ..
        } => {
            assert_eq!((owner, to), (agent("mark"), Recipient::Agent(agent("martha"))));
            assert_eq!(note, None);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bulk_without_a_name_has_its_commands_id() {
    let unnamed = command("bulk_assign", "of_an_agent");
    let Action::BulkAssign { bulk, .. } = unnamed.command.action else {
        panic!("{unnamed:?}");
    };
    assert_eq!(bulk.to_string(), &*unnamed.cause);
}

#[test]
fn a_bulk_undo_names_its_bulk() {
    let undo = command("bulk_undo", "plain").command.action;
    assert!(
        matches!(
            undo,
            Action::BulkUndo {
                bulk: BULK,
                past: None
            }
        ),
        "{undo:?}"
    );
}

#[test]
fn an_agent_is_removed_by_id() {
    match command("agent.remove", "plain").command.action {
        Action::RemoveAgent { agent: removed } => assert_eq!(removed, agent("mark")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_contact_is_forgotten_by_any_identifier_and_the_core_hears_none() {
    let forget = command("contact.forget", "plain");
    let known: Vec<_> = forget
        .contact
        .iter()
        .map(|alias| (alias.kind, &*alias.value))
        .collect();
    assert_eq!(
        known,
        [
            (AliasKind::Phone, "+15550100"),
            (AliasKind::Bsuid, "US.1029384756")
        ]
    );
    match forget.command.action {
        Action::ForgetContact { conversations, keys } => assert!(conversations.is_empty() && keys.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn examples_name_nobody_who_could_exist() {
    // Numbers kept free for fiction, or of no country.
    let fictional = ["+15550", "+5511999990000", "15550"];
    let mut phones = BTreeSet::new();
    for kind in taken_types() {
        for example in examples(&kind, "valid").values() {
            for contact in ["/data/contact/phone", "/data/contact/previous/phone"] {
                phones.extend(
                    example
                        .pointer(contact)
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
            }
        }
    }
    for phone in phones {
        let digits: String = phone
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '+')
            .collect();
        assert!(fictional.iter().any(|free| digits.starts_with(free)), "{phone}");
    }
}
