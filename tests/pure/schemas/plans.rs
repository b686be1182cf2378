//! The schema of plans and the reader of plans agree on every plan near a valid one. What plans name of each other, and what
//! is a language of its own, no schema can say: a table lists it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use switchboard::contract::plan::{from_json, from_toml};

use super::mutations::{places, with};
use super::{FILES, complaints, published, root};

/// Rules that no schema can say: by what the reader complains of.
const UNSAYABLE: &[(&str, &str)] = &[
    ("which the plan does not have", "what is named elsewhere"),
    ("a second time; the first is", "each id once"),
    ("is not among the skills asked for", "what is named elsewhere"),
    ("which is the team itself", "a schema does not compare two places"),
    ("comes before the step before it", "order"),
    ("begins before the one before it ends", "order"),
    ("a span ends after it begins", "order"),
    ("is no condition", "CEL"),
    ("no time zone such as", "the names of time zones"),
    ("a day is written", "which days a month has"),
];

/// Every key of the reader, as JSON.
pub fn every_key() -> Value {
    let text = std::fs::read_to_string(root().join("tests/fixtures/plans/every_key.toml"))
        .expect("the plan is there");
    from_toml(&text).expect("it is valid").document
}

fn others() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!(" "),
        json!("general"),
        json!("built-in"),
        json!("x".repeat(200)),
        json!("0s"),
        json!("90s"),
        json!("99ms"),
        json!("367d"),
        json!("09:00-12:00"),
        json!("12:00-09:00"),
        json!("25:00-26:00"),
        json!("2026-02-30"),
        json!("notify"),
        json!("nobody"),
        json!(0),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(5_000_000_000_u64),
        json!(true),
        json!([]),
        json!([null]),
        json!(["ana", "ana"]),
        json!([{}]),
        json!({}),
        json!({"unheard_of": 1}),
        json!({"unheard_of": null}),
    ]
}

#[test]
fn the_schema_takes_what_the_reader_takes_and_nothing_else() {
    let mut compared = Compared::default();
    let plan = every_key();
    compared.at("/rules/0/when", &plan);
    // Compiling the conditions of thousands of plans would take most of the time.
    let mut without = plan.clone();
    for rule in without["rules"].as_array_mut().expect("rules") {
        rule.as_object_mut().expect("a rule").remove("when");
    }
    for place in places(&without) {
        compared.at(&place, &without);
    }
    let disagree = compared.disagree;
    assert!(
        disagree.is_empty(),
        "{} times; first: {:#?}",
        disagree.len(),
        disagree.iter().take(30).collect::<Vec<_>>()
    );
    let listed: BTreeSet<&str> = UNSAYABLE.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(compared.explained, listed, "each exception is met");
}

/// What schema and reader say of plans, compared.
#[derive(Default)]
struct Compared {
    disagree: Vec<String>,
    explained: BTreeSet<&'static str>,
}

impl Compared {
    /// Of all plans that differ from this one in this place.
    fn at(&mut self, place: &str, plan: &Value) {
        self.compare(place, &with(plan, place, None));
        for other in others() {
            self.compare(place, &with(plan, place, Some(&other)));
        }
    }

    fn compare(&mut self, place: &str, plan: &Value) {
        let schema = published("plan");
        let valid = schema.is_valid(plan);
        let now = || {
            plan.pointer(place)
                .map(|value| value.to_string().chars().take(60).collect::<String>())
        };
        match from_json(plan) {
            Ok(_) if valid => {}
            Err(_) if !valid => {}
            Ok(_) => {
                let told = format!(
                    "{place} = {:?} is read, but: {:?}",
                    now(),
                    complaints(schema, plan)
                );
                self.disagree.push(told);
            }
            Err(faults) => {
                for fault in faults {
                    match UNSAYABLE.iter().find(|(rule, _)| fault.message.contains(rule)) {
                        Some((rule, _)) => drop(self.explained.insert(*rule)),
                        None => {
                            let said = format!("{} {}", fault.path, fault.message);
                            self.disagree
                                .push(format!("{place} = {:?} fits the schema, but {said}", now()));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_schema_lists_every_key_of_the_reader_and_no_other() {
    let plan = every_key();
    let mut listed = BTreeSet::new();
    keys(&FILES["plan"], &FILES["plan"], String::new(), &mut listed);
    let mut there = BTreeSet::new();
    for place in places(&plan) {
        let named = place.split('/').filter(|step| step.parse::<usize>().is_err());
        let named: Vec<_> = named.collect();
        // Skills have names of the writer's own.
        if !place.contains("/skills/") {
            there.insert(named.join("/"));
        }
    }
    // What the example's default does not say, its rules do.
    let of_default: BTreeSet<String> = listed
        .iter()
        .filter(|key| key.starts_with("/default/"))
        .cloned()
        .collect();
    let of_rules = of_default.iter().map(|key| key.replace("/default/", "/rules/"));
    assert!(of_rules.collect::<BTreeSet<_>>().is_subset(&there));
    let but_default: BTreeSet<String> = listed.difference(&of_default).cloned().collect();
    there.retain(|key| !key.starts_with("/default/"));
    assert_eq!(but_default, there);
}

/// Every key that a schema lists, by the keys that lead to it.
fn keys(file: &Value, schema: &Value, path: String, found: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        keys(file, field, path.clone(), found);
        found.insert(path);
    }
    if let Some(definition) = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
    {
        keys(
            file,
            file.pointer(definition).expect("a definition"),
            path.clone(),
            found,
        );
    }
    for several in ["allOf", "anyOf"] {
        for inner in schema[several].as_array().into_iter().flatten() {
            // What only asks for a key lists it elsewhere.
            if inner.get("required").is_none() {
                keys(file, inner, path.clone(), found);
            }
        }
    }
    if schema.get("items").is_some() {
        keys(file, &schema["items"], path, found);
    }
}

#[test]
fn the_schema_has_the_words_of_the_reader() {
    let plan = every_key();
    let mut compared = 0;
    for place in places(&plan) {
        let wrong = with(&plan, &place, Some(&json!("no such word")));
        let faults = from_json(&wrong).err().unwrap_or_default();
        let told = faults
            .iter()
            .find_map(|fault| fault.message.strip_prefix("must be one of "));
        let Some(told) = told else { continue };
        let words = told.split(" (").next().unwrap_or(told);
        compared += 1;
        for word in words.split(", ") {
            let said = with(&plan, &place, Some(&json!(word)));
            let of_the_word = |complaint: &String| complaint.starts_with(&format!("{place}: "));
            let complaints = complaints(published("plan"), &said);
            assert!(
                !complaints.iter().any(of_the_word),
                "{place} may be {word}: {complaints:?}"
            );
        }
        assert!(!published("plan").is_valid(&wrong), "{place}");
    }
    assert!(compared > 15, "{compared} places take words");
}
