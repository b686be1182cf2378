//! When something counts as having happened.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use switchboard::contract::{AHEAD, DeadReason, STALE_AFTER};

use super::{MESSAGE, arrival, assert_dead, fixture_with, only_fact, read_body};

fn native_at(timestamp: Value) -> Value {
    fixture_with("native_received", &[("/data/message/timestamp", timestamp)])
}

fn ten_o_clock() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("a time")
}

#[test]
fn seconds_and_milliseconds_as_texts_or_numbers_are_the_same_time() {
    let ways = [
        json!("2026-11-21T10:00:00Z"),
        json!("2026-11-21T11:00:00+01:00"),
        json!("1795255200"),
        json!(1795255200),
        json!("1795255200000"),
        json!(1795255200000_i64),
        json!(1795255200.0),
    ];
    for way in ways {
        let native = only_fact(&native_at(way.clone()));
        assert_eq!(
            (native.at, native.own_time),
            (ten_o_clock(), Some(ten_o_clock())),
            "{way}"
        );
        let webhook = fixture_with("webhook_text", &[(&format!("{MESSAGE}/timestamp"), way.clone())]);
        assert_eq!(only_fact(&webhook).at, ten_o_clock(), "{way}");
    }
}

#[test]
fn a_message_without_a_time_takes_that_of_its_envelope() {
    for nothing in [json!(null), json!("")] {
        let fact = only_fact(&native_at(nothing));
        assert_eq!(fact.at, "2026-11-21T10:00:01Z".parse().expect("a time"));
        assert_eq!(fact.own_time, None, "a redelivery may come in another envelope");
    }
}

#[test]
fn a_webhook_message_without_a_time_takes_that_of_the_cloudevent_around_it() {
    let body = json!({
        "specversion": "1.0", "id": "1", "source": "relay", "type": "com.example.webhook", "time": "2026-11-21T09:58:00Z",
        "data": fixture_with("webhook_text", &[(&format!("{MESSAGE}/timestamp"), json!(null))]),
    });
    assert_eq!(
        only_fact(&body).at,
        "2026-11-21T09:58:00Z".parse().expect("a time")
    );
}

#[test]
fn without_any_time_it_happened_when_it_arrived() {
    let nothing = json!(null);
    let body = fixture_with(
        "native_received",
        &[("/data/message/timestamp", nothing.clone()), ("/time", nothing)],
    );
    assert_eq!(only_fact(&body).at, arrival());
}

#[test]
fn a_time_further_ahead_than_five_minutes_is_not_believed_but_still_decides_the_bucket() {
    assert_eq!(AHEAD, SignedDuration::from_mins(5));
    let limit = arrival() + AHEAD;
    let beyond = limit + SignedDuration::from_micros(1);
    let fact = only_fact(&native_at(json!(limit.to_string())));
    assert_eq!(fact.at, limit);
    let fact = only_fact(&native_at(json!(beyond.to_string())));
    assert_eq!((fact.at, fact.own_time), (arrival(), Some(beyond)));
}

#[test]
fn what_is_older_than_eight_days_is_too_old_and_what_is_just_eight_is_not() {
    assert_eq!(STALE_AFTER, SignedDuration::from_hours(8 * 24));
    let limit = arrival() - STALE_AFTER;
    let beyond = limit - SignedDuration::from_micros(1);
    assert_eq!(only_fact(&native_at(json!(limit.to_string()))).at, limit);
    let dead = read_body(&native_at(json!(beyond.to_string())));
    assert_dead(&dead, DeadReason::TooOld, "8 days");
    let webhook = fixture_with(
        "webhook_text",
        &[(&format!("{MESSAGE}/timestamp"), json!("1600000000"))],
    );
    assert_dead(
        &read_body(&webhook),
        DeadReason::TooOld,
        "entry[0].changes[0].value.messages[0]",
    );
}

#[test]
fn what_is_no_time_is_invalid_and_named() {
    for wrong in [
        json!("yesterday"),
        json!(true),
        json!({}),
        json!("1e400"),
        json!("99999999999999999"),
    ] {
        assert_dead(
            &read_body(&native_at(wrong)),
            DeadReason::Invalid,
            "data.message.timestamp is not a time",
        );
    }
}

#[test]
fn times_are_kept_as_exactly_as_the_database_keeps_them() {
    let fact = only_fact(&native_at(json!("2026-11-21T10:00:00.123456789Z")));
    assert_eq!(fact.at, "2026-11-21T10:00:00.123456Z".parse().expect("a time"));
}
