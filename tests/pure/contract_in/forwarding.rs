//! What ingress makes of a foreign body reads back as the same fact.

use jiff::Timestamp;
use serde_json::{Value, json};
use switchboard::contract::{Adapter, ArrivedFact, Incoming, Limits, forward, read};

pub use crate::fuzzed::targets::sound::told;

use super::{MESSAGE, arrival, fixture, fixture_with, only_fact, read_body};

/// Reads what was forwarded, some time later.
#[track_caller]
pub fn read_back(fact: &ArrivedFact, at: Timestamp) -> ArrivedFact {
    let forwarded = forward(fact, &fact.home_key());
    let incoming = Incoming {
        content_type: Some(forwarded.content_type),
        headers: &[],
        body: &forwarded.body,
    };
    let mut arrived = read(&incoming, at, &Limits::default(), Adapter::Detect);
    assert_eq!(arrived.dead, None, "{}", String::from_utf8_lossy(&forwarded.body));
    assert_eq!(arrived.facts.len(), 1);
    arrived.facts.remove(0)
}

fn envelope(fact: &ArrivedFact) -> Value {
    serde_json::from_slice(&forward(fact, "the-key").body).expect("JSON")
}

#[test]
fn whether_a_message_claims_survives_the_way() {
    for leave_unassigned in [true, false] {
        let said = json!(leave_unassigned);
        let fact = only_fact(&fixture_with("native_sent", &[("/data/leave_unassigned", said)]));
        assert_eq!(told(&read_back(&fact, arrival())), told(&fact));
        assert!(told(&fact).contains(&format!("leave_unassigned: {leave_unassigned}")));
    }
}

#[test]
fn every_kind_of_foreign_fact_reads_back_the_same() {
    for name in [
        "webhook_text",
        "webhook_several",
        "webhook_echo",
        "webhook_system",
        "webhook_handover",
    ] {
        for fact in read_body(&fixture(name)).facts {
            let back = read_back(&fact, arrival());
            assert_eq!(told(&back), told(&fact), "{name}");
            assert_eq!(back.partition_key.as_deref(), Some(&*fact.home_key()));
        }
    }
}

#[test]
fn what_a_bot_holds_is_still_held_after_forwarding() {
    let value = fixture("webhook_several")["entry"][0]["changes"][0]["value"].clone();
    let mut body = fixture_with("webhook_echo", &[("/entry/0/changes/0/field", json!("standby"))]);
    body["entry"][0]["changes"][0]["value"]["messages"] = value["messages"].clone();
    let facts = read_body(&body).facts;
    assert_eq!(facts.len(), 4);
    for fact in facts {
        let back = read_back(&fact, arrival());
        assert!(back.standby);
        assert_eq!(told(&back), told(&fact));
    }
}

#[test]
fn a_fact_that_waited_between_ingress_and_its_lane_happened_when_it_did() {
    let place = format!("{MESSAGE}/timestamp");
    let fact = only_fact(&fixture_with("webhook_text", &[(&place, json!(null))]));
    assert_eq!(fact.at, arrival());
    let later = arrival() + jiff::SignedDuration::from_hours(3);
    assert_eq!(read_back(&fact, later).at, arrival());
}

#[test]
fn a_native_fact_forwarded_as_one_of_ours_is_the_same_too() {
    for name in ["native_received", "native_sent", "native_handover"] {
        let fact = only_fact(&fixture(name));
        assert_eq!(told(&read_back(&fact, arrival())), told(&fact), "{name}");
    }
}

#[test]
fn the_envelope_is_a_cloudevent_with_the_message_id_and_the_key_it_was_given() {
    let fact = only_fact(&fixture("webhook_text"));
    let event = envelope(&fact);
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "whatsapp.message.received");
    assert_eq!(event["id"], "wamid.text.1");
    assert_eq!(event["source"], "switchboard/ingress/whatsapp:123456789012345");
    assert_eq!(event["partitionkey"], "the-key");
    assert_eq!(event["datacontenttype"], "application/json");
    assert_eq!(event["time"], "2026-11-21T10:00:00Z");
    assert_eq!(event["data"]["contact"]["phone"], "+5511999990000");
    assert_eq!(event["data"]["message"]["timestamp"], "2026-11-21T10:00:00Z");
}

#[test]
fn what_stands_beside_the_body_does_not_show_the_message_id() {
    let fact = only_fact(&fixture("webhook_text"));
    let forwarded = forward(&fact, "the-key");
    assert_eq!(forwarded.message_id, fact.dedupe.key().to_string());
    assert!(!forwarded.event_type.contains("wamid") && !forwarded.content_type.contains("wamid"));
}
