//! Webhook bodies with something wrong in them: it is named, and nothing beside it is lost.

use serde_json::json;
use switchboard::contract::{DeadReason, Skip};

use super::cloud_api::{change, skipped};
use super::{VALUE, assert_dead, fixture_with, identifiers, read_body};

#[test]
fn a_handover_of_nobody_or_to_no_number_is_dead() {
    let sender = format!("{VALUE}/sender");
    let dead = read_body(&fixture_with(
        "webhook_handover",
        &[(&sender, json!({"phone_number": ""}))],
    ));
    assert_dead(&dead, DeadReason::NoIdentity, "sender");
    let recipient = format!("{VALUE}/recipient");
    let dead = read_body(&fixture_with("webhook_handover", &[(&recipient, json!(null))]));
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
        assert_eq!(ids, ["wamid.m1", "wamid.m3", "wamid.e1", "wamid.m4"], "{place}");
        let dead = arrived.dead.expect("dead");
        assert_eq!((dead.reason, dead.detail.as_str()), (DeadReason::Invalid, words));
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
        assert_eq!(arrived.dead.expect("dead").reason, DeadReason::Invalid, "{place}");
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
