//! Commands about one conversation: what they ask for, and what is wrong with the others.

use serde_json::{Value, json};
use switchboard::domain::conversation::Priority;
use switchboard::domain::ids::AgentId;
use switchboard::domain::input::{Action, Wish};
use uuid::Uuid;

use super::{fixture_with, only_command, read_bytes};

const CONVERSATION: &str = "0193b5a0-0000-7000-8000-000000000001";
const REQUEST: &str = "0193b5a0-0000-7000-8000-000000000002";

fn action(name: &str, fields: Value) -> Action {
    let mut data = json!({"tenant": "acme", "actor": "mark", "conversation": CONVERSATION});
    for (field, value) in fields.as_object().expect("an object") {
        data[field] = value.clone();
    }
    let kind = json!(format!("switchboard.command.{name}"));
    let body = fixture_with("command_assign", &[("/type", kind), ("/data", data)]);
    only_command(&body).command.action
}

#[track_caller]
fn wish(name: &str, fields: Value) -> Wish {
    match action(name, fields) {
        Action::Conversation { wish, .. } => wish,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn complains(name: &str, fields: Value, of: &str) {
    match action(name, fields.clone()) {
        Action::Malformed {
            message,
            conversation,
            ..
        } => {
            assert!(message.contains(of), "{name} {fields}: {message}");
            assert!(conversation.is_some(), "it is told of the conversation");
        }
        other => panic!("{name} {fields} is well-formed: {other:?}"),
    }
}

#[test]
fn a_hold_may_have_an_end_in_any_way_times_are_written() {
    assert!(matches!(wish("hold", json!({})), Wish::Hold { until: None }));
    let moment = "2030-01-01T00:00:00Z".parse().expect("a time");
    for until in [
        json!("2030-01-01T00:00:00Z"),
        json!(1_893_456_000),
        json!("1893456000000"),
    ] {
        let Wish::Hold { until } = wish("hold", json!({"until": until})) else {
            panic!("a hold");
        };
        assert_eq!(until, Some(moment));
    }
    complains("hold", json!({"until": "tomorrow"}), "until is not a time");
    assert!(matches!(wish("resume", json!({"until": "x"})), Wish::Resume));
}

#[test]
fn a_person_is_asked_and_never_a_team() {
    let asked = wish("request", json!({"to": {"agent": "martha"}}));
    let martha = AgentId::new("martha").expect("an id");
    assert!(matches!(asked, Wish::Request { to } if to == martha));
    complains(
        "request",
        json!({"to": {"team": "support"}}),
        "only a person can answer",
    );
    complains("request", json!({}), "to is missing");
}

#[test]
fn an_answer_may_name_the_request() {
    let id = Uuid::parse_str(REQUEST).expect("an id");
    for (said, meant) in [
        (json!({}), None),
        (json!({"request": null}), None),
        (json!({"request": REQUEST}), Some(id)),
    ] {
        let Wish::Accept { request } = wish("accept", said) else {
            panic!("an acceptance");
        };
        assert_eq!(request, meant);
    }
    complains("accept", json!({"request": "the last"}), "request is not a UUID");
}

#[test]
fn a_reason_that_is_not_said_is_left_to_the_core_which_has_a_code_for_it() {
    for said in [json!({}), json!({"reason": null}), json!({"reason": ""})] {
        for name in ["reject", "withdraw"] {
            let reason = match wish(name, said.clone()) {
                Wish::Reject { reason, .. } | Wish::Withdraw { reason, .. } => reason,
                other => panic!("{other:?}"),
            };
            assert_eq!(&*reason, "");
        }
    }
    let Wish::Reject { reason, .. } = wish("reject", json!({"reason": "at lunch"})) else {
        panic!("a rejection");
    };
    assert_eq!(&*reason, "at lunch");
    complains("reject", json!({"reason": 7}), "reason is not a text");
    complains("withdraw", json!({"reason": "x".repeat(4_097)}), "is longer than");
}

#[test]
fn a_note_says_something() {
    let noted = wish("note", json!({"text": "prefers mornings"}));
    assert!(matches!(noted, Wish::Note { text } if &*text == "prefers mornings"));
    complains("note", json!({}), "text is missing");
    complains("note", json!({"text": " \t "}), "text says nothing");
    complains("note", json!({"text": "x".repeat(4_097)}), "is longer than");
}

#[test]
fn a_priority_is_one_of_four() {
    for (word, meant) in [
        ("low", Priority::Low),
        ("normal", Priority::Normal),
        ("high", Priority::High),
        ("urgent", Priority::Urgent),
    ] {
        let said = wish("priority", json!({"priority": word}));
        assert!(matches!(said, Wish::Prioritize(priority) if priority == meant));
    }
    complains(
        "priority",
        json!({"priority": "vip"}),
        "is not low, normal, high or urgent",
    );
    complains("priority", json!({}), "priority is missing");
}

#[test]
fn a_reply_is_passed_through_as_it_is_written_but_on_one_line() {
    let text =
        "{\"b\" : \"a \\\"b\\\" \\\\\" ,\n\t\"a\": [ 1.50 , -0, 1e3 ] ,\"b\":{ \"\u{e9} \\u00e9\": null }}";
    let body = serde_json::to_string(&fixture_with(
        "command_assign",
        &[
            ("/type", json!("switchboard.command.reply")),
            (
                "/data",
                json!({"tenant": "acme", "actor": "mark", "conversation": CONVERSATION, "message": "HERE"}),
            ),
        ],
    ))
    .expect("it is JSON")
    .replace("\"HERE\"", text);
    let mut arrived = read_bytes(None, &[], body.as_bytes());
    let command = arrived.commands.remove(0);
    let Action::Conversation {
        wish: Wish::Reply {
            message,
            template,
            leave_unassigned,
        },
        ..
    } = command.command.action
    else {
        panic!("a reply");
    };
    assert_eq!(
        &*message.0,
        "{\"b\":\"a \\\"b\\\" \\\\\",\"a\":[1.50,-0,1e3],\"b\":{\"\u{e9} \\u00e9\":null}}"
    );
    assert!(!template && !leave_unassigned);
    assert!(!format!("{message:?}").contains("1.50"), "it is not shown");
}

#[test]
fn a_reply_has_a_message_that_is_an_object() {
    complains("reply", json!({}), "message is missing");
    complains("reply", json!({"message": "hello"}), "message");
    complains("reply", json!({"message": ["hello"]}), "message");
    complains("reply", json!({"message": {}, "template": "yes"}), "template");
    let said = json!({"message": {}, "template": true, "leave_unassigned": true});
    assert!(matches!(
        wish("reply", said),
        Wish::Reply {
            template: true,
            leave_unassigned: true,
            ..
        }
    ));
}
