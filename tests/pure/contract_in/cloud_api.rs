//! Webhook bodies of the Cloud API.

use serde_json::{Value, json};
use switchboard::contract::{DeadReason, Skip};
use switchboard::domain::input::{Origin, What};

use super::{
    MESSAGE, VALUE, assert_dead, fixture, fixture_with, identifiers, only_fact, read_body,
    received, sent,
};

/// The text webhook with other fields in its message.
fn message_with(fields: &[(&str, Value)]) -> Value {
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
fn change(field: &str, value: Value) -> Value {
    fixture_with(
        "webhook_text",
        &[(
            "/entry/0/changes/0",
            json!({"field": field, "value": value}),
        )],
    )
}

/// What a body that means nothing to ownership is counted as.
#[track_caller]
fn skipped(body: &Value) -> Vec<(Skip, u32)> {
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
    assert_eq!(
        ids,
        ["wamid.m1", "wamid.m2", "wamid.m3", "wamid.e1", "wamid.m4"]
    );
    let names: Vec<_> = arrived
        .facts
        .iter()
        .map(|fact| &*fact.contact.name)
        .collect();
    assert_eq!(names, ["Bruno", "Carla", "Bruno", "", "Dora"]);
    assert_eq!(
        arrived.facts[4].channel.as_str(),
        "whatsapp:987654321098765"
    );
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
        assert_eq!(
            (&*received(&fact).kind, &*received(&fact).text),
            (kind, words)
        );
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
    assert_eq!(
        skipped(&change("messages", two("errors"))),
        [(Skip::Error, 2)]
    );
    for field in ["history", "smb_app_state_sync"] {
        let imported =
            json!({"metadata": metadata, "messages": [{"from": "5511999990000", "id": "old"}]});
        assert_eq!(
            skipped(&change(field, imported)),
            [(Skip::Import, 1)],
            "{field}"
        );
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
    body["entry"][0]["changes"][0]["value"]["messages"][0]["group_id"] =
        json!("120363000000000000");
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
fn a_customer_without_a_phone_is_known_by_what_is_there_in_order_of_preference() {
    let of = |fields: &[(&str, Value)], contact: Value| {
        let mut body = message_with(fields);
        body.pointer_mut(VALUE).expect("a value")["contacts"] = json!([contact]);
        identifiers(&only_fact(&body))
    };
    let no_phone = ("from", json!(null));
    let own = ("from_user_id", json!("BR.own"));
    assert_eq!(
        of(
            &[no_phone.clone(), own.clone()],
            json!({"user_id": "BR.own"})
        ),
        ["bsuid=BR.own"]
    );
    assert_eq!(
        of(
            std::slice::from_ref(&no_phone),
            json!({"user_id": "BR.contact"})
        ),
        ["bsuid=BR.contact"]
    );
    let parent = ("from_parent_user_id", json!("BR.ENT.p"));
    assert_eq!(
        of(&[no_phone.clone(), parent], json!({})),
        ["parent_bsuid=BR.ENT.p"]
    );
    assert_eq!(
        of(
            std::slice::from_ref(&no_phone),
            json!({"wa_id": "BR.inplace"})
        ),
        ["bsuid=BR.inplace"]
    );
    assert_eq!(
        of(&[("from", json!("BR.infrom")), own], json!({})),
        ["bsuid=BR.own"],
        "the field of its own goes before the field of the phone"
    );
}

#[test]
fn a_message_does_not_take_the_identity_of_another_customers_contact() {
    let body = fixture_with(
        "webhook_text",
        &[(&format!("{MESSAGE}/from"), json!("33612345678"))],
    );
    let fact = only_fact(&body);
    assert_eq!(identifiers(&fact), ["phone=+33612345678"]);
    assert_eq!(&*fact.contact.name, "");
}

#[test]
fn a_message_of_nobody_is_no_identity_and_names_its_place() {
    let mut body = message_with(&[("from", json!(null))]);
    body.pointer_mut(VALUE).expect("a value")["contacts"] = json!(null);
    assert_dead(
        &read_body(&body),
        DeadReason::NoIdentity,
        "entry[0].changes[0].value.messages[0]",
    );
}

#[test]
fn a_changed_number_keeps_who_the_customer_was() {
    let fact = only_fact(&fixture("webhook_system"));
    assert_eq!(
        identifiers(&fact),
        ["phone=+5511999991111", "bsuid=BR.9988776655"]
    );
    let previous: Vec<_> = fact
        .previous
        .iter()
        .map(|alias| (alias.kind.wire(), &*alias.value))
        .collect();
    assert_eq!(
        previous,
        [("phone", "+5511999990000"), ("bsuid", "BR.1029384756")]
    );
    assert!(!received(&fact).turn);
}

#[test]
fn a_changed_user_id_keeps_the_one_before() {
    let system = json!({"type": "user_changed_user_id", "previous_user_id": "BR.before"});
    let body = message_with(&[
        ("type", json!("system")),
        ("system", system),
        ("from_user_id", json!("BR.after")),
    ]);
    let fact = only_fact(&body);
    assert!(identifiers(&fact).contains(&"bsuid=BR.after".to_owned()));
    assert_eq!(
        fact.previous
            .iter()
            .map(|alias| &*alias.value)
            .collect::<Vec<_>>(),
        ["BR.before"]
    );
}

#[test]
fn what_arrives_while_a_bot_holds_the_chat_is_standby_and_its_echoes_are_automatic() {
    let mut value = fixture("webhook_text")
        .pointer(VALUE)
        .expect("a value")
        .clone();
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
    assert!(
        matches!(&fact.what, What::Handover { reason } if &**reason == "the customer wants a person")
    );
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

#[test]
fn a_handover_of_nobody_or_to_no_number_is_dead() {
    let sender = format!("{VALUE}/sender");
    let dead = read_body(&fixture_with(
        "webhook_handover",
        &[(&sender, json!({"phone_number": ""}))],
    ));
    assert_dead(&dead, DeadReason::NoIdentity, "sender");
    let recipient = format!("{VALUE}/recipient");
    let dead = read_body(&fixture_with(
        "webhook_handover",
        &[(&recipient, json!(null))],
    ));
    assert_dead(&dead, DeadReason::Invalid, "recipient is missing");
}

#[test]
fn one_bad_message_is_named_and_the_others_are_read() {
    for (place, value, words) in [
        (
            "messages/1",
            json!("text"),
            "entry[0].changes[0].value.messages[1] is not an object",
        ),
        (
            "messages/1/id",
            json!(null),
            "entry[0].changes[0].value.messages[1].id is missing",
        ),
        (
            "messages/1/timestamp",
            json!("soon"),
            "entry[0].changes[0].value.messages[1].timestamp is not a time",
        ),
        (
            "messages/1/image",
            json!("x"),
            "entry[0].changes[0].value.messages[1].image is not an object",
        ),
    ] {
        let body = fixture_with("webhook_several", &[(&format!("{VALUE}/{place}"), value)]);
        let arrived = read_body(&body);
        let ids: Vec<_> = arrived.facts.iter().map(|fact| &*fact.cause).collect();
        assert_eq!(
            ids,
            ["wamid.m1", "wamid.m3", "wamid.e1", "wamid.m4"],
            "{place}"
        );
        let dead = arrived.dead.expect("dead");
        assert_eq!(
            (dead.reason, dead.detail.as_str()),
            (DeadReason::Invalid, words)
        );
    }
}

#[test]
fn several_bad_messages_make_one_dead_letter_that_counts_them() {
    let body = fixture_with(
        "webhook_several",
        &[
            (&format!("{VALUE}/messages/0"), json!(1)),
            (&format!("{VALUE}/messages/2"), json!(2)),
            ("/entry/1/changes/0/value/metadata", json!({})),
        ],
    );
    let arrived = read_body(&body);
    assert_eq!(arrived.facts.len(), 2);
    let dead = arrived.dead.expect("dead");
    assert_eq!(
        dead.detail,
        "entry[0].changes[0].value.messages[0] is not an object (and 2 more)"
    );
}

#[test]
fn a_bad_list_change_or_entry_spoils_nothing_beside_it() {
    for place in [
        "/entry/1",
        "/entry/1/changes",
        "/entry/1/changes/0",
        "/entry/1/changes/0/value",
        "/entry/1/changes/0/value/messages",
    ] {
        let arrived = read_body(&fixture_with("webhook_several", &[(place, json!(17))]));
        assert_eq!(arrived.facts.len(), 4, "{place}");
        assert_eq!(
            arrived.dead.expect("dead").reason,
            DeadReason::Invalid,
            "{place}"
        );
    }
}

#[test]
fn a_bad_contact_is_named_and_the_message_is_read_without_it() {
    let place = format!("{VALUE}/contacts/0/wa_id");
    let arrived = read_body(&fixture_with("webhook_text", &[(&place, json!(5))]));
    assert_eq!(identifiers(&arrived.facts[0]), ["phone=+5511999990000"]);
    assert!(
        arrived
            .dead
            .expect("dead")
            .detail
            .contains("contacts[0].wa_id is not a text")
    );
}

#[test]
fn a_value_without_a_business_number_is_dead_only_if_it_has_messages() {
    let metadata = format!("{VALUE}/metadata");
    let dead = read_body(&fixture_with("webhook_text", &[(&metadata, json!(null))]));
    assert_dead(&dead, DeadReason::Invalid, "metadata is missing");
    let receipts = json!({"statuses": [{"id": "1"}]});
    assert_eq!(skipped(&change("messages", receipts)), [(Skip::Receipt, 1)]);
}
