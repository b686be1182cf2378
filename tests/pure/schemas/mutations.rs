//! The schema of what comes in and the door agree on every message near a valid example: what one takes, the other does. Where
//! they cannot, a table says why.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::answered::{Answer, answer};
use super::examples::examples;
use super::{published, taken_types};

/// Rules that no schema can say: by what the door complains of.
const UNSAYABLE: &[(&str, &str)] = &[
    ("is older than 8 days", "a schema has no clock"),
    (
        "is not the tenant of the command",
        "a schema does not compare two places",
    ),
];

/// What the door takes and the schema does not promise: by place and why.
const UNPROMISED: &[(&str, &str)] = &[
    (
        "/data/message/referral/source_type",
        "what names the advertisement less well is not looked at beside what names it better",
    ),
    (
        "/time",
        "it is looked at only where a message has no time of its own",
    ),
];

/// What stands in for a value: nothing, blanks, other types, texts and numbers at the edges.
fn others() -> Vec<Value> {
    let long = "x".repeat(5_000);
    vec![
        Value::Null,
        json!(""),
        json!(" "),
        json!("some text"),
        json!("some\ntext"),
        json!("word"),
        json!(long),
        json!("0193b5a0-0000-7000-8000-000000000009"),
        json!("0193b5a0000070008000000000000009"),
        json!("2026-11-21T09:59:59Z"),
        json!("2026-13-21T09:59:59Z"),
        json!("1763719200"),
        json!("15m"),
        json!("0s"),
        json!("agent"),
        json!("urgent"),
        json!("whatsapp:1"),
        json!(0),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(300),
        json!(5_000_000_000_u64),
        json!(u64::MAX),
        json!(true),
        json!(false),
        json!([]),
        json!([null]),
        json!([""]),
        json!(["word", "word"]),
        json!([7]),
        json!({}),
        json!({"agent": "mark"}),
        json!({"team": "support"}),
        json!({"agent": "mark", "team": "support"}),
        json!({"unheard of": 1}),
        json!({"word": 1}),
    ]
}

/// Every place in a value, as JSON pointers.
pub fn places(value: &Value) -> Vec<String> {
    fn below(value: &Value, place: &str, all: &mut Vec<String>) {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| (index.to_string(), value))
                .collect(),
            _ => Vec::new(),
        };
        for (step, value) in inner {
            let place = format!("{place}/{}", step.replace('~', "~0").replace('/', "~1"));
            below(value, &place, all);
            all.push(place);
        }
    }
    let mut all = Vec::new();
    below(value, "", &mut all);
    all
}

/// The same with another value at this place, or without it.
pub fn with(value: &Value, place: &str, other: Option<&Value>) -> Value {
    let mut changed = value.clone();
    match other {
        Some(other) => {
            if let Some(there) = changed.pointer_mut(place) {
                *there = other.clone();
            }
        }
        None => {
            let (parent, step) = place.rsplit_once('/').expect("a pointer");
            match changed.pointer_mut(parent) {
                Some(Value::Object(fields)) => drop(fields.remove(step)),
                Some(Value::Array(items)) => drop(items.remove(step.parse().expect("an index"))),
                _ => {}
            }
        }
    }
    changed
}

/// All bodies that differ from this one in one place.
fn neighbours(body: &Value) -> Vec<(String, Value)> {
    let others = others();
    let mut all = Vec::new();
    for place in places(body) {
        all.push((place.clone(), with(body, &place, None)));
        all.extend(
            others
                .iter()
                .map(|other| (place.clone(), with(body, &place, Some(other)))),
        );
    }
    all
}

/// Whether schema and door agree; which exception explains it if they do not, or what they say.
fn compare(kind: &str, body: &Value, changed: &[String]) -> Result<Option<&'static str>, String> {
    let valid = published(kind).is_valid(body);
    match answer(body) {
        Answer::Taken(_) if valid => Ok(None),
        Answer::Taken(_) => {
            let explains = |(place, _): &&(&'static str, _)| changed.iter().any(|changed| changed == place);
            let found = UNPROMISED.iter().find(explains);
            let why = super::complaints(published(kind), body);
            found
                .map(|(place, _)| Some(*place))
                .ok_or(format!("taken, but not by the schema: {why:?}"))
        }
        Answer::Refused(_) if !valid => Ok(None),
        Answer::Refused(said) => {
            let explains = |complaint: &String| UNSAYABLE.iter().find(|(rule, _)| complaint.contains(rule));
            let all: Option<Vec<_>> = said.iter().map(explains).collect();
            let first = all.and_then(|all| all.first().map(|(rule, _)| *rule));
            first
                .map(Some)
                .ok_or(format!("fits the schema, but is refused: {said:?}"))
        }
    }
}

/// Whether this is said of a plan: that has tests of its own.
fn in_a_plan(place: &str) -> bool {
    place.starts_with("/data/plan/") && place != "/data/plan/tenant"
}

#[test]
fn the_schema_takes_what_the_door_takes_and_nothing_else() {
    let (mut disagree, mut explained) = (Vec::new(), BTreeSet::new());
    for kind in taken_types() {
        for (name, example) in examples(&kind, "valid") {
            for (place, body) in neighbours(&example) {
                if in_a_plan(&place) {
                    continue;
                }
                match compare(&kind, &body, std::slice::from_ref(&place)) {
                    Ok(why) => explained.extend(why),
                    Err(told) => {
                        let now = body
                            .pointer(&place)
                            .map(|value| value.to_string().chars().take(60).collect::<String>());
                        disagree.push(format!("{kind} {name} {place} = {now:?}: {told}"));
                    }
                }
            }
        }
    }
    assert!(
        disagree.is_empty(),
        "{} times; first: {:#?}",
        disagree.len(),
        disagree.iter().take(30).collect::<Vec<_>>()
    );
    let listed: BTreeSet<&str> = UNSAYABLE
        .iter()
        .chain(UNPROMISED)
        .map(|(rule, _)| *rule)
        .collect();
    assert_eq!(explained, listed, "each exception is met");
}

/// A valid example with up to three places changed, and which.
fn changed() -> impl Strategy<Value = (String, Value, Vec<String>)> {
    let all: Vec<(String, Value)> = taken_types()
        .into_iter()
        .filter(|kind| !kind.ends_with(".plan.apply"))
        .flat_map(|kind| {
            examples(&kind, "valid")
                .into_values()
                .map(move |body| (kind.clone(), body))
        })
        .collect();
    let change = (
        any::<prop::sample::Index>(),
        prop::option::of(prop::sample::select(others())),
    );
    (prop::sample::select(all), prop::collection::vec(change, 1..=3)).prop_map(
        |((kind, mut body), changes)| {
            let mut touched = Vec::new();
            for (index, other) in changes {
                let places = places(&body);
                let place = index.get(&places).clone();
                body = with(&body, &place, other.as_ref());
                touched.push(place);
            }
            (kind, body, touched)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn schema_and_door_agree_wherever_examples_are_changed((kind, body, touched) in changed()) {
        if let Err(told) = compare(&kind, &body, &touched) {
            return Err(TestCaseError::fail(format!("{kind} {body}: {told}")));
        }
    }
}
