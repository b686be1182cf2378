//! CloudEvents in every mode and spelling that clients use on AMQP: what they say is read, whatever they say it with.

use std::borrow::Cow;

use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, ByteArray, FieldTable};
use serde_json::{Value, json};
use switchboard::broker::Delivery;
use switchboard::contract::{Adapter, Arrived, DeadReason, Incoming, Limits, MAX_FACTS, Skip, read};

use super::forwarding::told;
use super::{arrival, assert_dead, fixture, fixture_with, only_fact, read_body, read_bytes, received};

const BATCH: &str = "application/cloudevents-batch+json";

/// Headers that make a received message, before its data.
const BINARY: [(&str, &str); 4] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "evt-1001"),
    ("ce-source", "gateway/test"),
    ("ce-type", "whatsapp.message.received"),
];

fn data() -> String {
    fixture("native_received")["data"].to_string()
}

/// A binary event with these headers besides.
fn binary(content_type: Option<&str>, more: &[(&str, &str)]) -> Arrived {
    let headers: Vec<_> = BINARY.iter().chain(more).copied().collect();
    read_bytes(content_type, &headers, data().as_bytes())
}

fn batch(events: &[Value]) -> Arrived {
    read_bytes(Some(BATCH), &[], json!(events).to_string().as_bytes())
}

/// A native fact with this message id.
fn numbered(n: usize) -> Value {
    fixture_with("native_received", &[("/data/message/id", json!(format!("m{n}")))])
}

fn message_ids(arrived: &Arrived) -> Vec<&str> {
    arrived.facts.iter().map(|fact| &*received(fact).id).collect()
}

#[test]
fn both_modes_say_the_same() {
    let structured = only_fact(&fixture("native_received"));
    let arrived = binary(
        Some("application/json"),
        &[
            ("ce-partitionkey", "a4739f991883260a"),
            ("ce-time", "2026-11-21T10:00:01Z"),
        ],
    );
    assert_eq!(told(&arrived.facts[0]), told(&structured));
    assert_eq!(arrived.facts[0].partition_key, structured.partition_key);
}

#[test]
fn the_content_type_of_binary_data_is_not_looked_at() {
    for content_type in [
        None,
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("text/json"),
        Some("application/octet-stream"),
    ] {
        assert_eq!(binary(content_type, &[]).facts.len(), 1, "{content_type:?}");
    }
}

#[test]
fn the_content_type_of_structured_data_may_be_anything_or_missing() {
    for content_type in [
        json!(null),
        json!("application/json"),
        json!("application/json; charset=utf-8"),
        json!("application/vnd.gateway+json"),
    ] {
        only_fact(&fixture_with(
            "native_received",
            &[("/datacontenttype", content_type)],
        ));
    }
}

#[test]
fn headers_may_be_of_any_type_that_has_a_text() {
    let mut headers = FieldTable::default();
    let long = |text: &str| AMQPValue::LongString(text.into());
    headers.insert("ce-specversion".into(), long("1.0"));
    headers.insert("ce-id".into(), AMQPValue::LongLongInt(17));
    headers.insert(
        "ce-source".into(),
        AMQPValue::ByteArray(ByteArray::from(b"gateway/test".to_vec())),
    );
    headers.insert(
        "ce-type".into(),
        AMQPValue::ShortString("whatsapp.message.received".into()),
    );
    headers.insert("ce-time".into(), AMQPValue::Timestamp(1_795_255_201));
    headers.insert("ce-partitionkey".into(), AMQPValue::LongUInt(42));
    headers.insert("ce-attempt".into(), AMQPValue::FieldTable(FieldTable::default()));
    let mut data: Value = serde_json::from_str(&data()).unwrap();
    data["message"]["timestamp"] = json!(null);
    let delivery = Delivery {
        tag: 1,
        redelivered: false,
        exchange: String::new(),
        routing_key: String::new(),
        properties: BasicProperties::default().with_headers(headers),
        body: data.to_string().into_bytes(),
    };
    let headers: Vec<(&str, Cow<'_, str>)> = delivery.text_headers().collect();
    let incoming = Incoming {
        content_type: None,
        headers: &headers,
        body: &delivery.body,
    };
    let arrived = read(&incoming, arrival(), &Limits::default(), Adapter::Detect);
    assert_eq!(arrived.dead, None);
    let fact = &arrived.facts[0];
    assert_eq!((&*fact.cause, fact.partition_key.as_deref()), ("17", Some("42")));
    assert_eq!(fact.at, Timestamp::from_second(1_795_255_201).unwrap());
}

#[test]
fn header_names_are_known_in_any_case() {
    let names = ["CE-SpecVersion", "Ce-Id", "ce-SOURCE", "cE-type"];
    let headers: Vec<_> = names.into_iter().zip(BINARY.map(|(_, value)| value)).collect();
    assert_eq!(read_bytes(None, &headers, data().as_bytes()).facts.len(), 1);
}

#[test]
fn an_empty_header_is_no_id_source_or_type() {
    for (place, name) in [(1, "id"), (2, "source"), (3, "type")] {
        let mut headers = BINARY;
        headers[place].1 = "";
        let arrived = read_bytes(None, &headers, data().as_bytes());
        assert_dead(&arrived, DeadReason::Invalid, &format!("header {name} is empty"));
    }
    assert_eq!(
        binary(None, &[("ce-partitionkey", ""), ("ce-time", "")]).facts[0].partition_key,
        None
    );
}

#[test]
fn attributes_that_are_too_long_are_invalid_in_both_modes() {
    for (name, length) in [("id", 513), ("source", 513), ("type", 201), ("partitionkey", 256)] {
        let long = "x".repeat(length);
        let body = fixture_with("native_received", &[(&format!("/{name}"), json!(long))]);
        assert_dead(
            &read_body(&body),
            DeadReason::Invalid,
            &format!("{name} is longer than"),
        );
        let own = format!("ce-{name}");
        let others = BINARY.into_iter().filter(|(header, _)| *header != own);
        let headers: Vec<_> = others.chain([(&*own, &*long)]).collect();
        let arrived = read_bytes(None, &headers, data().as_bytes());
        assert_dead(
            &arrived,
            DeadReason::Invalid,
            &format!("header {name} is longer than"),
        );
    }
}

#[test]
fn a_time_with_an_offset_is_that_moment() {
    let at: Timestamp = "2026-11-21T09:59:58Z".parse().unwrap();
    for time in [
        "2026-11-21T09:59:58Z",
        "2026-11-21T06:59:58-03:00",
        "2026-11-21T15:29:58.000000+05:30",
        "2026-11-21t09:59:58z",
    ] {
        let changes = [("/time", json!(time)), ("/data/message/timestamp", json!(null))];
        assert_eq!(
            only_fact(&fixture_with("native_received", &changes)).at,
            at,
            "{time}"
        );
    }
    let changes = [
        ("/time", json!("yesterday")),
        ("/data/message/timestamp", json!(null)),
    ];
    let arrived = read_body(&fixture_with("native_received", &changes));
    assert_dead(&arrived, DeadReason::Invalid, "time is not a time");
}

#[test]
fn extensions_that_are_not_ours_are_ignored_whatever_they_are() {
    let plain = told(&only_fact(&fixture("native_received")));
    for (name, value) in [
        ("dataschema", json!("https://example.com/schema")),
        ("subject", json!("something")),
        ("traceid", json!("00-1")),
        ("pubsubname", json!("messages")),
        ("expiration", json!(7)),
        ("Not-A-Name", json!({"a": 1})),
    ] {
        let body = fixture_with("native_received", &[(&format!("/{name}"), value)]);
        assert_eq!(told(&only_fact(&body)), plain, "{name}");
    }
    assert_eq!(
        binary(None, &[("ce-Not-A-Name", "x"), ("ce-", "y"), ("ce", "z")]).dead,
        None
    );
}

#[test]
fn what_dapr_wraps_is_read() {
    let body = json!({
        "specversion": "1.0", "id": "5929aaac-a5e2-4ca1-859c-edfe73f11565", "source": "gateway",
        "type": "whatsapp.message.received", "topic": "messages", "pubsubname": "rabbit",
        "datacontenttype": "application/json; charset=utf-8",
        "traceid": "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01", "tracestate": "",
        "data": fixture("native_received")["data"],
    });
    let arrived = read_bytes(Some("text/plain"), &[], body.to_string().as_bytes());
    let trace = arrived.facts[0].trace.as_ref().unwrap();
    assert_eq!(
        (trace.id(), trace.state()),
        ("0af7651916cd43dd8448eb211c80319c", None)
    );
}

#[test]
fn json_that_came_as_bytes_is_read() {
    // {"channel":…} as the base64 of clients that write every body so; with and without its padding.
    let encoded = |text: &str| {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let quads = text.as_bytes().chunks(3).flat_map(|bytes| {
            let group = [16, 8, 0]
                .iter()
                .zip(bytes)
                .map(|(shift, byte)| u32::from(*byte) << shift);
            let group: u32 = group.sum();
            let digits = [18, 12, 6, 0].map(|shift| char::from(DIGITS[(group >> shift) as usize & 63]));
            digits.into_iter().take(bytes.len() + 1)
        });
        quads.collect::<String>()
    };
    let plain = told(&only_fact(&fixture("native_received")));
    for blanks in 0..3 {
        let text = format!("{}{}", data(), " ".repeat(blanks));
        let bare = encoded(&text);
        let padded = format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4));
        for encoded in [bare, padded] {
            let changes = [("/data", json!(null)), ("/data_base64", json!(encoded))];
            assert_eq!(
                told(&only_fact(&fixture_with("native_received", &changes))),
                plain
            );
        }
    }
}

#[test]
fn bytes_that_are_no_json_are_invalid() {
    let of = |encoded: Value| {
        read_body(&fixture_with(
            "native_received",
            &[("/data", json!(null)), ("/data_base64", encoded)],
        ))
    };
    assert_dead(
        &of(json!("not base64!")),
        DeadReason::Invalid,
        "data_base64 is not JSON as base64",
    );
    assert_dead(
        &of(json!("/////w==")),
        DeadReason::Invalid,
        "data_base64 is not JSON as base64",
    );
    assert_dead(
        &of(json!({"a": 1})),
        DeadReason::Invalid,
        "data_base64 is not a text",
    );
    assert_dead(
        &of(json!("aGVsbG8=")),
        DeadReason::Unparseable,
        "data is not JSON",
    );
}

#[test]
fn data_is_said_once() {
    let body = fixture_with("native_received", &[("/data_base64", json!("e30="))]);
    assert_dead(
        &read_body(&body),
        DeadReason::Invalid,
        "both data and data_base64",
    );
}

#[test]
fn a_batch_is_all_its_events_in_order() {
    let mut events: Vec<Value> = (0..20).map(numbered).collect();
    events.insert(7, fixture_with("webhook_text", &[]));
    events[7] = json!({
        "specversion": "1.0", "id": "relay-1", "source": "relay", "type": "com.example.webhook", "data": events[7],
    });
    let arrived = batch(&events);
    assert_eq!(arrived.dead, None);
    let expected = (0..20).map(|n| format!("m{n}"));
    let mut expected: Vec<_> = expected.collect();
    expected.insert(7, "wamid.text.1".into());
    assert_eq!(message_ids(&arrived), expected);
}

#[test]
fn a_batch_is_known_in_any_spelling_of_its_content_type() {
    let body = json!([numbered(1), numbered(2)]).to_string();
    for content_type in [
        "application/cloudevents-batch+json",
        "application/cloudevents-batch+json; charset=UTF-8",
        " Application/CloudEvents-Batch+JSON",
    ] {
        assert_eq!(
            read_bytes(Some(content_type), &[], body.as_bytes()).facts.len(),
            2
        );
    }
}

#[test]
fn a_bad_event_of_a_batch_spoils_no_other_and_is_told_by_its_number() {
    let bad = fixture_with("native_received", &[("/data/channel", json!(null))]);
    let arrived = batch(&[numbered(0), bad, numbered(2), json!(17), numbered(4)]);
    assert_eq!(message_ids(&arrived), ["m0", "m2", "m4"]);
    let dead = arrived.dead.unwrap();
    assert_eq!(dead.reason, DeadReason::Invalid);
    assert_eq!(
        dead.detail,
        "event 1 of the batch: data.channel is missing (and 1 more)"
    );
}

#[test]
fn a_command_comes_alone() {
    let arrived = batch(&[numbered(0), fixture("command_assign")]);
    assert_eq!((message_ids(&arrived), arrived.commands.len()), (vec!["m0"], 0));
    let dead = arrived.dead.unwrap();
    assert!(
        dead.detail
            .starts_with("event 1 of the batch: a command must be a message of its own"),
        "{dead}"
    );
}

#[test]
fn the_time_of_one_event_of_a_batch_is_not_that_of_the_next() {
    let webhook = fixture_with(
        "webhook_text",
        &[(&format!("{}/timestamp", super::MESSAGE), json!(null))],
    );
    let wrapped = |time: Value| {
        json!({
            "specversion": "1.0", "id": "r", "source": "r", "type": "relayed", "time": time, "data": webhook,
        })
    };
    let arrived = batch(&[wrapped(json!("2026-11-21T09:00:00Z")), wrapped(json!(null))]);
    assert_eq!(arrived.facts[0].at, "2026-11-21T09:00:00Z".parse().unwrap());
    assert_eq!(arrived.facts[1].at, arrival());
}

#[test]
fn each_event_of_a_batch_has_its_own_trace_or_that_of_the_message() {
    const OWN: &str = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01";
    const CARRIED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let own = fixture_with("native_received", &[("/traceparent", json!(OWN))]);
    let body = json!([own, fixture("native_received")]).to_string();
    let arrived = read_bytes(Some(BATCH), &[("traceparent", CARRIED)], body.as_bytes());
    let traces = arrived
        .facts
        .iter()
        .map(|fact| fact.trace.as_ref().unwrap().parent());
    assert_eq!(traces.collect::<Vec<_>>(), [OWN, CARRIED]);
}

#[test]
fn a_batch_that_is_none_is_a_dead_letter() {
    let of = |body: &str| read_bytes(Some(BATCH), &[], body.as_bytes());
    assert_dead(&of("17"), DeadReason::Invalid, "is not a list");
    assert_dead(&of("{}"), DeadReason::Invalid, "is not a list");
    assert_dead(&of("[{}"), DeadReason::Unparseable, "is not JSON");
    assert_eq!(of("[]").skipped[&Skip::Empty], 1);
}

#[test]
fn a_batch_is_as_bounded_as_any_body() {
    let many = |count: usize| batch(&(0..count).map(numbered).collect::<Vec<_>>());
    assert_eq!(many(MAX_FACTS).facts.len(), MAX_FACTS);
    assert_dead(&many(MAX_FACTS + 1), DeadReason::TooLarge, "1000");
}

#[test]
fn a_list_that_is_not_announced_is_unrecognised() {
    let body = json!([numbered(1)]).to_string();
    assert_dead(
        &read_bytes(Some("application/json"), &[], body.as_bytes()),
        DeadReason::Unrecognised,
        "",
    );
    let structured = read_bytes(Some("application/cloudevents+json"), &[], body.as_bytes());
    assert_dead(&structured, DeadReason::Invalid, "the body is not an object");
}
