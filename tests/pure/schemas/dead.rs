//! The headers of dead letters are what their schema says: of letters about any delivery.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use switchboard::broker::dead::{HEADERS, letter};
use switchboard::broker::delivery::Delivery;
use switchboard::contract::DeadReason;

use super::{FILES, complaints, published};

/// The headers that are added to a message, as JSON.
fn headers(delivery: &Delivery, reason: DeadReason, detail: &str) -> Value {
    let letter = letter(
        delivery,
        "switchboard.ingress",
        reason.wire(),
        detail,
        "2026-11-21T10:00:05Z",
    );
    let headers = letter.properties.headers().clone().expect("there are some");
    let json = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => json!(text.to_string()),
        AMQPValue::LongLongInt(number) => json!(number),
        other => panic!("{other:?} is no header of ours"),
    };
    let ours = HEADERS.iter().filter_map(|name| {
        let value = headers.inner().get(*name)?;
        Some(((*name).to_owned(), json(value)))
    });
    Value::Object(ours.collect::<Map<_, _>>())
}

fn delivery(user: Option<&str>, routing_key: &str, redrives: i64) -> Delivery {
    let mut headers = FieldTable::default();
    headers.insert("x-switchboard-redrives".into(), AMQPValue::LongLongInt(redrives));
    let properties = BasicProperties::default().with_headers(headers);
    Delivery {
        tag: 1,
        redelivered: false,
        exchange: "switchboard.ingress".to_owned(),
        routing_key: routing_key.to_owned(),
        properties: match user {
            Some(user) => properties.with_user_id(user.into()),
            None => properties,
        },
        body: b"{}".to_vec(),
    }
}

/// What the schema lists of where a message came in.
fn places() -> Vec<String> {
    let origin = &FILES["dead_letter.headers"]["properties"]["x-switchboard-origin"];
    let fields = origin["contentSchema"]["properties"]
        .as_object()
        .expect("fields by name");
    fields.keys().cloned().collect()
}

fn origin(headers: &Value) -> Value {
    let text = headers["x-switchboard-origin"].as_str().expect("a text");
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn every_reason_is_a_header_and_every_header_is_there() {
    for reason in DeadReason::ALL {
        let headers = headers(
            &delivery(Some("gateway"), "any", 0),
            reason,
            "the body is not JSON",
        );
        assert_eq!(
            complaints(published("dead_letter.headers"), &headers),
            Vec::<String>::new()
        );
        assert_eq!(headers.as_object().expect("headers").len(), HEADERS.len());
    }
}

#[test]
fn the_origin_has_the_fields_of_the_schema() {
    let named = |user| {
        let headers = headers(&delivery(user, "any", 0), DeadReason::Poison, "");
        let origin = origin(&headers);
        origin
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut listed = places();
    listed.sort();
    let mut all = named(Some("gateway"));
    all.sort();
    assert_eq!(all, listed);
    assert!(!named(None).contains(&"user".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_headers_of_any_dead_letter_are_what_the_schema_says(
        user in prop::option::of("[a-z]{1,20}"),
        routing_key in ".{0,40}",
        detail in ".{0,700}",
        redrives in any::<i64>(),
    ) {
        let headers = headers(&delivery(user.as_deref(), &routing_key, redrives), DeadReason::Invalid, &detail);
        prop_assert_eq!(complaints(published("dead_letter.headers"), &headers), Vec::<String>::new());
        prop_assert_eq!(&origin(&headers)["routing_key"], &routing_key);
        prop_assert_eq!(&headers["x-switchboard-redrives"], redrives.max(0));
    }
}
