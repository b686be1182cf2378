//! How much fits: schemas have the limits of the code, to the last character, entry and number.

use serde_json::{Map, Value, json};
use switchboard::contract::plan::from_json;

use super::answered::{Answer, answer};
use super::examples::examples;
use super::mutations::with;
use super::{complaints, published};

fn text(length: usize) -> Value {
    "x".repeat(length).into()
}

fn numbered(count: usize, entry: impl Fn(usize) -> Value) -> Value {
    (0..count).map(entry).collect()
}

fn by_name(count: usize) -> Value {
    let named = (0..count).map(|number| (format!("s{number}"), json!(1)));
    Value::Object(named.collect::<Map<_, _>>())
}

/// Fails unless the first value is taken in this place by both, and the second refused by both.
#[track_caller]
fn limit(
    place: &str,
    example: &Value,
    fits: Value,
    too_much: Value,
    kind: &str,
    taken: impl Fn(&Value) -> Result<(), String>,
) {
    let body = with(example, place, Some(&fits));
    assert_eq!(
        complaints(published(kind), &body),
        Vec::<String>::new(),
        "{kind} {place}"
    );
    assert_eq!(taken(&body), Ok(()), "{kind} {place}");
    let body = with(example, place, Some(&too_much));
    assert!(
        !published(kind).is_valid(&body),
        "{kind} {place}: the schema takes too much"
    );
    assert!(taken(&body).is_err(), "{kind} {place}: the code takes more");
}

/// The same of what comes in.
#[track_caller]
fn door(kind: &str, name: &str, place: &str, fits: Value, too_much: Value) {
    let examples = examples(kind, "valid");
    let example = examples
        .get(name)
        .unwrap_or_else(|| panic!("{kind} has no example {name}"));
    assert!(example.pointer(place).is_some(), "{kind} {name} has no {place}");
    limit(place, example, fits, too_much, kind, |body| match answer(body) {
        Answer::Taken(_) => Ok(()),
        Answer::Refused(said) => Err(format!("{said:?}")),
    });
}

/// The same of a plan.
#[track_caller]
fn plan(place: &str, fits: Value, too_much: Value) {
    let example = super::plans::every_key();
    assert!(example.pointer(place).is_some(), "the plan has no {place}");
    limit(place, &example, fits, too_much, "plan", |plan| {
        match from_json(plan) {
            Ok(_) => Ok(()),
            Err(faults) => Err(format!("{faults:?}")),
        }
    });
}

#[test]
fn of_texts() {
    let received = "whatsapp.message.received";
    door(received, "plain", "/id", text(512), text(513));
    door(received, "plain", "/source", text(512), text(513));
    door(received, "plain", "/partitionkey", text(255), text(256));
    door(received, "plain", "/data/message/id", text(512), text(513));
    let channel = |length: usize| json!(format!("w:{}", "x".repeat(length - 2)));
    door(received, "plain", "/data/channel", channel(200), channel(201));
    let assign = "switchboard.command.assign";
    for id in ["/data/tenant", "/data/actor", "/data/to/agent"] {
        door(assign, "plain", id, text(64), text(65));
    }
    door(assign, "plain", "/data/note", text(4096), text(4097));
    door(
        "switchboard.command.note",
        "plain",
        "/data/text",
        text(4096),
        text(4097),
    );
    door(
        "switchboard.command.reject",
        "plain",
        "/data/reason",
        text(4096),
        text(4097),
    );
    door(
        "switchboard.command.agent.upsert",
        "plain",
        "/data/agent/name",
        text(128),
        text(129),
    );
    plan("/agents/0/name", text(128), text(129));
    plan("/rules/0/name", text(128), text(129));
    plan("/agents/0/id", text(64), text(65));
}

#[test]
fn of_identifiers() {
    let least = ("whatsapp.message.received", "least", "/data/contact/phone");
    let digits = |count: usize| json!("1".repeat(count));
    door(least.0, least.1, least.2, digits(20), digits(21));
    door(least.0, least.1, least.2, digits(3), digits(2));
    door(
        least.0,
        least.1,
        least.2,
        json!("+1 (555) 01-00"),
        json!("+1 (555) 01-0O"),
    );
    door(
        least.0,
        least.1,
        least.2,
        json!("15550100@s.whatsapp.net"),
        json!("15550100@c.us"),
    );
    let bsuid = |count: usize| json!(format!("US.{}", "1".repeat(count)));
    let only = (
        "whatsapp.message.received",
        "with_a_bsuid_only",
        "/data/contact/bsuid",
    );
    door(only.0, only.1, only.2, bsuid(128), bsuid(129));
    door(only.0, only.1, only.2, json!("US.ENT.1"), json!("us.1"));
    let linked = (
        "whatsapp.message.received",
        "from_an_advertisement",
        "/data/contact/lid",
    );
    door(linked.0, linked.1, linked.2, text(128), text(129));
    door(linked.0, linked.1, linked.2, json!("1"), json!("@lid"));
}

#[test]
fn of_lists() {
    let id = |number: usize| json!(format!("t{number}"));
    let upsert = "switchboard.command.agent.upsert";
    for list in ["/data/agent/teams", "/data/agent/manages"] {
        door(upsert, "plain", list, numbered(1_000, id), numbered(1_001, id));
    }
    let channel = |number: usize| json!(format!("whatsapp:{number}"));
    let subscriptions = "/data/agent/subscriptions";
    door(
        upsert,
        "plain",
        subscriptions,
        numbered(1_000, channel),
        numbered(1_001, channel),
    );
    door(
        upsert,
        "plain",
        "/data/agent/skills",
        by_name(1_000),
        by_name(1_001),
    );
    let uuid = |number: usize| json!(format!("01935f2a-0000-7000-8000-{number:012}"));
    let (many, more) = (numbered(10_000, uuid), numbered(10_001, uuid));
    door(
        "switchboard.command.bulk_assign",
        "listed",
        "/data/conversations",
        many,
        more,
    );
    let step = |_| json!({"after": "2m", "notify": true});
    plan("/rules/0/relax", numbered(16, step), numbered(17, step));
    let hour = |number: usize| {
        json!(format!(
            "{:02}:{:02}-{:02}:{:02}",
            number / 2,
            30 * (number % 2),
            number / 2,
            30 * (number % 2) + 29
        ))
    };
    plan("/calendars/0/hours/mon", numbered(24, hour), numbered(25, hour));
    let day = |number: usize| json!(format!("{}-01-01", 2000 + number));
    plan(
        "/calendars/0/holidays",
        numbered(1_000, day),
        numbered(1_001, day),
    );
    let channel = |number: usize| json!({"key": format!("whatsapp:{number}")});
    plan("/channels", numbered(1_000, channel), numbered(1_001, channel));
    let rule = |number: usize| json!({"name": format!("r{number}"), "team": "support"});
    plan("/rules", numbered(1_000, rule), numbered(1_001, rule));
    plan("/agents/0/skills", by_name(1_000), by_name(1_001));
}

#[test]
fn of_numbers() {
    let upsert = "switchboard.command.agent.upsert";
    door(
        upsert,
        "plain",
        "/data/agent/capacity",
        json!(u32::MAX),
        json!(u64::from(u32::MAX) + 1),
    );
    door(
        upsert,
        "plain",
        "/data/agent/skills/billing",
        json!(255),
        json!(256),
    );
    let epoch = "/data/expected_epoch";
    door(
        "switchboard.command.assign",
        "plain",
        epoch,
        json!(u64::MAX),
        json!(-1),
    );
    for capacity in [
        "/settings/capacity",
        "/agents/0/capacity",
        "/teams/0/capacity",
        "/settings/burst/limit",
    ] {
        plan(capacity, json!(1_000_000), json!(1_000_001));
    }
    plan("/settings/burst/limit", json!(1), json!(0));
    plan("/settings/max_hops", json!(1_000), json!(1_001));
    plan("/agents/0/skills/french", json!(255), json!(256));
}

#[test]
fn of_durations() {
    let shortest = [("100ms", "99ms"), ("1s", "0s"), ("1m", "0m"), ("0007h", "0h")];
    let longest = [
        ("31622400000ms", "31622400001ms"),
        ("31622400s", "31622401s"),
        ("527040m", "527041m"),
        ("8784h", "8785h"),
        ("366d", "367d"),
        ("999h", "1.5h"),
    ];
    for (fits, too_much) in shortest.into_iter().chain(longest) {
        plan("/settings/aging", json!(fits), json!(too_much));
        door(
            "switchboard.command.presence",
            "plain",
            "/data/ttl",
            json!(fits),
            json!(too_much),
        );
    }
    plan("/settings/max_age", json!("0s"), json!("0m"));
}
