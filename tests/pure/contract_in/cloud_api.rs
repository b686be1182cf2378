//! Webhook bodies of the Cloud API.

use serde_json::{Value, json};
use switchboard::contract::Skip;
use switchboard::domain::input::{Origin, What};

use super::{MESSAGE, VALUE, fixture, fixture_with, identifiers, only_fact, read_body, received, sent};

/// The text webhook with other fields in its message.
pub fn message_with(fields: &[(&str, Value)]) -> Value {
    let places: Vec<_> = fields
        .iter()
        .map(|(field, _)| format!("{MESSAGE}/{field}"))
        .collect();
    let changes: Vec<_> = places
        .iter()
        .zip(fields)
        .map(|(place, (_, value))| (place.as_str(), value.clone()))
        .collect();
    fixture_with("webhook_text", &changes)
}

/// The text webhook with another field and value in its change.
pub fn change(field: &str, value: Value) -> Value {
    fixture_with(
        "webhook_text",
        &[("/entry/0/changes/0", json!({"field": field, "value": value}))],
    )
}

/// What a body that means nothing to ownership is counted as.
#[track_caller]
pub fn skipped(body: &Value) -> Vec<(Skip, u32)> {
    let arrived = read_body(body);
    assert_eq!(arrived.dead, None, "{body}");
    assert!(arrived.facts.is_empty(), "{body}");
    arrived.skipped.into_iter().collect()
}

#[test]
fn a_text_message_is_read_whole() {
    let fact = only_fact(&fixture("webhook_text"));
    assert_eq!(&*fact.cause, "wamid.text.1");
    assert_eq!(fact.channel.as_str(), "whatsapp:123456789012345");
    assert_eq!(
        identifiers(&fact),
        ["phone=+5511999990000", "bsuid=BR.1029384756"]
    );
    assert_eq!(&*fact.contact.name, "Ana Clara");
    assert_eq!((fact.partition_key.as_deref(), fact.standby), (None, false));
    let message = received(&fact);
    assert_eq!(
        (&*message.id, &*message.kind, message.turn),
        ("wamid.text.1", "text", true)
    );
    assert_eq!(&*message.text, "quero cancelar o meu pedido");
    assert_eq!(
        (&*message.referral, &*message.reply_to),
        ("ad-77", "wamid.sent.0")
    );
}

#[test]
fn several_messages_fields_and_business_numbers_in_one_body_are_all_there_in_order() {
    let arrived = read_body(&fixture("webhook_several"));
    assert_eq!(arrived.dead, None);
    let ids: Vec<_> = arrived.facts.iter().map(|fact| &*fact.cause).collect();
    assert_eq!(ids, ["wamid.m1", "wamid.m2", "wamid.m3", "wamid.e1", "wamid.m4"]);
    let names: Vec<_> = arrived.facts.iter().map(|fact| &*fact.contact.name).collect();
    assert_eq!(names, ["Bruno", "Carla", "Bruno", "", "Dora"]);
    assert_eq!(arrived.facts[4].channel.as_str(), "whatsapp:987654321098765");
    let skipped: Vec<_> = arrived.skipped.into_iter().collect();
    assert_eq!(skipped, [(Skip::Receipt, 2), (Skip::Notice, 1)]);
}

#[test]
fn the_words_of_a_message_are_found_wherever_its_kind_puts_them() {
    for (kind, content, words) in [
        ("text", json!({"body": "w"}), "w"),
        ("button", json!({"payload": "p", "text": "w"}), "w"),
        ("image", json!({"caption": "w"}), "w"),
        ("video", json!({"caption": "w"}), "w"),
        ("document", json!({"caption": "w", "filename": "f"}), "w"),
        ("order", json!({"text": "w", "product_items": []}), "w"),
        (
            "interactive",
            json!({"type": "button_reply", "button_reply": {"id": "1", "title": "w"}}),
            "w",
        ),
        (
            "interactive",
            json!({"type": "list_reply", "list_reply": {"id": "1", "title": "w"}}),
            "w",
        ),
        (
            "interactive",
            json!({"type": "nfm_reply", "nfm_reply": {"name": "flow"}}),
            "",
        ),
        ("sticker", json!({"id": "1"}), ""),
        ("location", json!({"latitude": 1.5, "longitude": 2.5}), ""),
        ("contacts", json!([{"name": {"formatted_name": "x"}}]), ""),
    ] {
        let mut fields = vec![("type", json!(kind)), ("text", json!(null))];
        fields.push((kind, content));
        let fact = only_fact(&message_with(&fields));
        assert_eq!((&*received(&fact).kind, &*received(&fact).text), (kind, words));
        assert!(received(&fact).turn, "{kind}");
    }
}

#[test]
fn an_interactive_message_without_its_interactive_object_is_still_a_turn() {
    let fact = only_fact(&message_with(&[
        ("type", json!("interactive")),
        ("text", json!(null)),
    ]));
    assert!(received(&fact).turn);
}

#[test]
fn reactions_edits_revocations_welcomes_and_system_messages_are_no_turns() {
    for kind in ["reaction", "edit", "revoke", "request_welcome", "system"] {
        let fact = only_fact(&message_with(&[("type", json!(kind))]));
        assert!(!received(&fact).turn, "{kind}");
    }
}

#[test]
fn receipts_user_actions_calls_and_imports_are_counted_and_open_nothing() {
    let metadata = json!({"phone_number_id": "123456789012345"});
    let two = |name: &str| json!({"metadata": metadata, name: [{"id": "1"}, {"id": "2"}], "messages": []});
    assert_eq!(
        skipped(&change("messages", two("statuses"))),
        [(Skip::Receipt, 2)]
    );
    assert_eq!(
        skipped(&change("messages", two("user_actions"))),
        [(Skip::UserAction, 2)]
    );
    assert_eq!(skipped(&change("calls", two("calls"))), [(Skip::Call, 2)]);
    assert_eq!(skipped(&change("messages", two("errors"))), [(Skip::Error, 2)]);
    for field in ["history", "smb_app_state_sync"] {
        let imported = json!({"metadata": metadata, "messages": [{"from": "5511999990000", "id": "old"}]});
        assert_eq!(skipped(&change(field, imported)), [(Skip::Import, 1)], "{field}");
    }
}

#[test]
fn news_about_the_account_is_counted() {
    for field in [
        "account_update",
        "user_preferences",
        "message_template_status_update",
        "brand_new",
    ] {
        assert_eq!(
            skipped(&change(field, json!({"event": "X"}))),
            [(Skip::Notice, 1)]
        );
    }
}

#[test]
fn a_body_with_nothing_in_it_is_counted_as_that() {
    let object = "whatsapp_business_account";
    for body in [
        json!({"object": object}),
        json!({"object": object, "entry": []}),
        json!({"object": object, "entry": [{"changes": []}]}),
        json!({"object": object, "entry": [{"changes": [{"field": "messages"}]}]}),
        change(
            "messages",
            json!({"messages": [], "statuses": [], "contacts": []}),
        ),
    ] {
        assert_eq!(skipped(&body), [(Skip::Empty, 1)], "{body}");
    }
}

#[test]
fn group_messages_are_counted_and_the_others_are_read() {
    let mut body = fixture("webhook_several");
    body["entry"][0]["changes"][0]["value"]["messages"][0]["group_id"] = json!("120363000000000000");
    let arrived = read_body(&body);
    assert_eq!(arrived.facts.len(), 4);
    assert_eq!(arrived.skipped[&Skip::Group], 1);
}

#[test]
fn an_entry_that_is_an_object_instead_of_a_list_is_read() {
    let body = fixture("webhook_text");
    let body = fixture_with("webhook_text", &[("/entry", body["entry"][0].clone())]);
    only_fact(&body);
}

#[test]
fn an_echo_is_a_message_sent_from_the_phone() {
    let fact = only_fact(&fixture("webhook_echo"));
    let (message, origin) = sent(&fact);
    assert_eq!(
        (&*message.id, &*message.text),
        ("wamid.echo.1", "bom dia, em que posso ajudar?")
    );
    assert_eq!(*origin, Origin::Phone);
    assert_eq!(
        identifiers(&fact),
        [
            "phone=+5511999990000",
            "bsuid=BR.1029384756",
            "parent_bsuid=BR.ENT.5550001"
        ]
    );
}

#[test]
fn echoes_are_found_under_both_of_their_names() {
    let echo = json!({"to": "5511999990000", "id": "e", "timestamp": "1795255200", "type": "text"});
    for name in ["message_echoes", "smb_message_echoes"] {
        let value = json!({"metadata": {"phone_number_id": "1"}, name: [echo]});
        assert_eq!(*sent(&only_fact(&change(name, value))).1, Origin::Phone);
    }
}

#[test]
fn what_arrives_while_a_bot_holds_the_chat_is_standby_and_its_echoes_are_automatic() {
    let mut value = fixture("webhook_text").pointer(VALUE).expect("a value").clone();
    value["message_echoes"] =
        json!([{"to": "5511999990000", "id": "e", "timestamp": "1795255200", "type": "text"}]);
    let arrived = read_body(&change("standby", value));
    assert_eq!(arrived.facts.len(), 2);
    assert!(arrived.facts.iter().all(|fact| fact.standby));
    received(&arrived.facts[0]);
    assert_eq!(*sent(&arrived.facts[1]).1, Origin::Automation);
}

#[test]
fn control_passed_by_a_bot_is_a_handover() {
    let fact = only_fact(&fixture("webhook_handover"));
    assert_eq!(fact.channel.as_str(), "whatsapp:123456789012345");
    assert_eq!(identifiers(&fact), ["phone=+5511999990000"]);
    assert_eq!(fact.at, "2026-11-21T10:00:00Z".parse().expect("a time"));
    assert!(matches!(&fact.what, What::Handover { reason } if &**reason == "the customer wants a person"));
}

#[test]
fn a_handover_delivered_again_is_the_same_and_another_one_is_not() {
    let key = |time: &str| {
        let place = format!("{VALUE}/timestamp");
        only_fact(&fixture_with("webhook_handover", &[(&place, json!(time))]))
            .dedupe
            .key()
    };
    assert_eq!(key("1795255200"), key("1795255200"));
    assert_ne!(key("1795255200"), key("1795255201"));
}

#[test]
fn control_that_is_not_passed_to_people_is_only_counted() {
    let place = format!("{VALUE}/control_passed");
    let mut body = fixture_with("webhook_handover", &[(&place, json!(null))]);
    body.pointer_mut(VALUE).expect("a value")["control_taken"] = json!({});
    assert_eq!(skipped(&body), [(Skip::Notice, 1)]);
}
