//! Plans nobody would write, and plans written in every way.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use switchboard::contract::plan;

use crate::fuzzed::targets::mutate::words::PLANS;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![9 => prop::sample::select(PLANS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..9_u8).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..8)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn duration() -> impl Strategy<Value = String> {
    (1..60_u32, prop::sample::select(vec!["s", "m", "h"]))
        .prop_map(|(number, unit)| format!("{number}{unit}"))
}

/// A good plan: agents, teams of them, policies, rules into the teams.
pub fn good_plan() -> impl Strategy<Value = Value> {
    let counts = (1..6_usize, 1..4_usize, 0..3_usize, 0..5_usize);
    let picks = (
        prop::collection::vec(any::<prop::sample::Index>(), 24),
        prop::collection::vec(duration(), 4),
    );
    (counts, picks, any::<bool>()).prop_map(|((agents, teams, responses, rules), (picks, durations), has_default)| {
        let pick = |n: usize, of: usize| picks[n % picks.len()].index(of);
        let strategies = ["round_robin", "least_loaded", "longest_idle", "ranked", "manual"];
        let conditions = ["contact.language == \"fr\"", "message.text.contains('é')", "now.hour < 9", "true"];
        let mut plan = json!({ "tenant": "t", "channels": [{ "key": "w:1", "subscribers": ["a0"] }] });
        plan["agents"] = (0..agents)
            .map(|n| json!({ "id": format!("a{n}"), "capacity": pick(n, 9), "skills": { "s": pick(n, 5) } }))
            .collect();
        plan["teams"] = (0..teams)
            .map(|n| {
                let members: Vec<String> = (0..=pick(n, agents)).map(|n| format!("a{n}")).collect();
                json!({ "id": format!("t{n}"), "members": members, "strategy": strategies[pick(n, 5)] })
            })
            .collect();
        plan["responses"] = (0..responses)
            .map(|n| json!({ "id": format!("p{n}"), "assign_within": durations[n % 4], "on_breach": ["notify"] }))
            .collect();
        plan["rules"] = (0..rules)
            .map(|n| {
                let team = format!("t{}", pick(n + 9, teams));
                json!({ "name": format!("r{n}"), "when": conditions[pick(n, 4)], "team": team, "priority": "high" })
            })
            .collect();
        if has_default {
            plan["default"] = json!({ "team": "t0" });
        }
        plan
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_value_makes_the_reader_panic(value in anything()) {
        let from_value = plan::from_json(&value);
        let from_text = plan::from_json_text(&value.to_string());
        prop_assert_eq!(from_value.is_ok(), from_text.is_ok());
        if let (Err(faults), Err(placed)) = (from_value, from_text) {
            prop_assert!(!faults.is_empty() && faults.len() <= 101);
            prop_assert!(faults.iter().all(|fault| !fault.message.is_empty() && fault.line == 0));
            prop_assert_eq!(faults.len(), placed.len());
            prop_assert!(placed.iter().take(100).all(|fault| fault.line == 1 && fault.column > 0));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in prop_oneof![any::<String>(), "[a-c.=\\[\\]{}\"'#\n 0-9:,\\\\-]{0,60}"]) {
        let _ = plan::from_toml(&text);
        let _ = plan::from_json_text(&text);
    }

    #[test]
    fn no_cut_in_a_good_plan_makes_the_reader_panic(at in any::<prop::sample::Index>(), length in 0..40_usize) {
        let mut text = super::fixture("every_key.toml");
        let start = at.index(text.len());
        text.replace_range(start..(start + length).min(text.len()), "");
        let _ = plan::from_toml(&text);
    }

    #[test]
    fn a_plan_with_one_part_replaced_by_anything_never_makes_the_reader_panic(
        plan in good_plan(), key in word(), value in anything(),
    ) {
        let mut plan = plan;
        plan[&key] = value;
        let toml = toml::to_string(&plan).map(|text| plan::from_toml(&text).is_ok());
        let json = plan::from_json(&plan).is_ok();
        // TOML has no null; what can be written in both is as good in both.
        prop_assert!(toml.is_err() || toml == Ok(json));
    }

    #[test]
    fn a_good_plan_is_the_same_however_it_is_written(plan in good_plan()) {
        let from_value = plan::from_json(&plan).map_err(|faults| TestCaseError::fail(format!("{faults:#?}")))?;
        let toml = plan::from_toml(&toml::to_string(&plan).unwrap()).unwrap();
        let text = plan::from_json_text(&serde_json::to_string_pretty(&plan).unwrap()).unwrap();
        let again = plan::from_json(&from_value.document).unwrap();
        for other in [toml, text, again] {
            prop_assert_eq!(&other.document, &from_value.document);
            prop_assert_eq!(format!("{:?}", other.plan), format!("{:?}", from_value.plan));
            let messages = |warnings: &[switchboard::domain::input::Fault]| {
                let mut messages: Vec<String> = warnings.iter().map(|fault| fault.message.clone()).collect();
                messages.sort();
                messages
            };
            prop_assert_eq!(messages(&other.warnings), messages(&from_value.warnings));
        }
    }
}

/// The text, with a NUL if it is number `place`.
fn marked(text: &str, place: &mut usize) -> String {
    let here = *place == 0;
    *place = place.wrapping_sub(1);
    if here {
        format!("{text}\0")
    } else {
        text.to_owned()
    }
}

/// The same value with a NUL in its text or key number `place`.
fn with_nul(value: &Value, place: &mut usize) -> Value {
    match value {
        Value::String(text) => marked(text, place).into(),
        Value::Array(items) => items.iter().map(|item| with_nul(item, place)).collect(),
        Value::Object(fields) => {
            let mark = |(key, value): (&String, &Value)| (marked(key, place), with_nul(value, place));
            fields.iter().map(mark).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

#[test]
fn a_nul_anywhere_in_a_plan_is_refused_because_postgres_cannot_keep_it() {
    let whole = super::good(&super::fixture("every_key.toml")).document;
    let marked = (0..).map(|place| with_nul(&whole, &mut place.clone()));
    let bad: Vec<Value> = marked.take_while(|value| *value != whole).collect();
    assert!(bad.len() > 100, "{} texts and keys", bad.len());
    for bad in bad {
        assert!(plan::from_json(&bad).is_err(), "{bad}");
    }
}
