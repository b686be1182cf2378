//! Bodies nobody would write: nothing panics, nothing is lost, nothing is let out.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard::contract::{Arrived, MAX_FACTS};

use super::forwarding::{read_back, told};
use super::{VALUE, arrival, fixture, fixture_with, read_body, read_bytes};

const FIXTURES: [&str; 9] = [
    "native_received",
    "native_sent",
    "native_handover",
    "command_assign",
    "webhook_text",
    "webhook_several",
    "webhook_echo",
    "webhook_system",
    "webhook_handover",
];

/// Any JSON, with names and words that lead readers deeper.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("5511999990000".to_owned()),
        Just("BR.abc".to_owned()),
        Just("1795255200".to_owned()),
        Just(String::new()),
        ".{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "object",
            "entry",
            "changes",
            "value",
            "messages",
            "contacts",
            "metadata",
            "data",
            "contact",
            "message",
            "text",
            "id",
            "from",
            "system",
            "to",
            "agent",
            "timestamp",
            "specversion",
            "type",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| places(value, &format!("{here}/{name}"), all)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| places(value, &format!("{here}/{index}"), all));
        }
        _ => {}
    }
}

/// A fixture with one or a few places changed to anything.
fn mutated_fixture() -> impl Strategy<Value = Value> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4);
    (prop::sample::select(FIXTURES.to_vec()), changes).prop_map(|(name, changes)| {
        let mut body = fixture(name);
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&body, "", &mut all);
            if let Some(here) = body.pointer_mut(&all[place.index(all.len())]) {
                *here = value;
            }
        }
        body
    })
}

/// What must hold of everything that is read.
fn assert_sound(arrived: &Arrived) {
    let told = arrived.facts.len() + arrived.commands.len() + arrived.skipped.len();
    assert!(told > 0 || arrived.dead.is_some(), "a body came to nothing");
    assert!(arrived.facts.len() <= MAX_FACTS);
    for fact in &arrived.facts {
        assert!(fact.identity.aliases().count() > 0);
        assert!(!fact.cause.is_empty() && !fact.home_key().is_empty());
    }
    if let Some(dead) = &arrived.dead {
        assert!(
            !dead.detail.is_empty() && dead.detail.chars().count() <= 400,
            "{dead}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_sound(&read_bytes(None, &[], &body));
        assert_sound(&read_bytes(Some("application/cloudevents+json"), &[], &body));
    }

    #[test]
    fn any_json_is_read_without_a_panic(body in any_json()) {
        assert_sound(&read_body(&body));
    }

    #[test]
    fn a_fixture_with_anything_anywhere_is_read_without_a_panic(body in mutated_fixture()) {
        assert_sound(&read_body(&body));
    }

    #[test]
    fn a_fixture_cut_short_is_unparseable(name in prop::sample::select(FIXTURES.to_vec()), at in any::<prop::sample::Index>()) {
        let body = fixture(name).to_string();
        let cut = &body.as_bytes()[..at.index(body.len())];
        let dead = read_bytes(None, &[], cut).dead.expect("dead");
        prop_assert_eq!(dead.reason.wire(), "unparseable");
    }

    #[test]
    fn what_is_forwarded_reads_back_as_the_same_fact(body in mutated_fixture()) {
        for fact in read_body(&body).facts {
            prop_assert_eq!(told(&read_back(&fact, arrival())), told(&fact));
        }
    }

    #[test]
    fn a_body_of_good_and_bad_messages_keeps_every_good_one_in_order(good in prop::collection::vec(any::<bool>(), 1..40)) {
        let message = |(n, good): (usize, &bool)| {
            let id = if *good { json!(format!("m{n}")) } else { json!(n) };
            json!({"from": "5511999990000", "id": id, "timestamp": "1795255200", "type": "text"})
        };
        let messages: Vec<_> = good.iter().enumerate().map(message).collect();
        let arrived = read_body(&fixture_with("webhook_text", &[(&format!("{VALUE}/messages"), json!(messages))]));
        let read: Vec<_> = arrived.facts.iter().map(|fact| fact.cause.to_string()).collect();
        let expected: Vec<_> =
            good.iter().enumerate().filter(|(_, good)| **good).map(|(n, _)| format!("m{n}")).collect();
        prop_assert_eq!(read, expected);
        prop_assert_eq!(arrived.dead.is_some(), good.contains(&false));
    }

    #[test]
    fn no_complaint_shows_a_value_of_the_body(
        name in prop::sample::select(FIXTURES.to_vec()),
        place in any::<prop::sample::Index>(),
    ) {
        const SECRET: &str = "5511977776666 is the number of Zenobia";
        let body = fixture(name);
        let mut all = Vec::new();
        places(&body, "", &mut all);
        for value in [json!(SECRET), json!([SECRET]), json!({"x": SECRET})] {
            let mut body = body.clone();
            *body.pointer_mut(&all[place.index(all.len())]).expect("a place") = value;
            let arrived = read_body(&body);
            let said = arrived.dead.map(|dead| dead.to_string()).unwrap_or_default();
            prop_assert!(!said.contains("Zenobia") && !said.contains("5511977776666"), "{}", said);
        }
    }
}
