//! The words of the schemas are the words of the code: every list of words is one of Rust's, or a part of one; the parts of a
//! list are together the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use switchboard::broker::dead::HEADERS;
use switchboard::contract::DeadReason;
use switchboard::contract::words::Words;
use switchboard::domain::agent::{Presence, Role};
use switchboard::domain::bulk::ItemOutcome;
use switchboard::domain::conversation::{ClockKind, EscalationReason, Priority, Status};
use switchboard::domain::event::{By, Code, Reason};
use switchboard::domain::identity::AliasKind;
use switchboard::domain::input::Origin;
use switchboard::domain::plan::Strategy;

use super::FILES;
use super::dialect::files_of_what_leaves;

/// The kinds of owners, actors and recipients, which stand in the code where they are written.
const KINDS: &[&str] = &["nobody", "team", "agent", "customer", "system", "gateway"];

/// Whose words stand under a field of this name (or in a part of this name) of what leaves.
fn meant(name: &str, file: &str) -> (&'static str, Vec<&'static str>) {
    let escalation = file.ends_with(".escalated");
    match name {
        "status" => ("status", Status::WORDS.to_vec()),
        "priority" => ("priority", Priority::WORDS.to_vec()),
        "presence" => ("presence", Presence::WORDS.to_vec()),
        "strategy" => ("strategy", Strategy::WORDS.to_vec()),
        "rejection_code" => ("code", Code::WORDS.to_vec()),
        "role" => ("role", Role::WORDS.to_vec()),
        "origin" => ("origin", Origin::WORDS.to_vec()),
        "clock" => ("clock", ClockKind::WORDS.to_vec()),
        "by" => ("by", By::WORDS.to_vec()),
        "outcome" => ("outcome", ItemOutcome::WORDS.to_vec()),
        "identifiers" => ("identifiers", AliasKind::WORDS.to_vec()),
        "kind" => ("kind", KINDS.to_vec()),
        "reason" if escalation => ("escalation", EscalationReason::WORDS.to_vec()),
        "reason" => ("reason", Reason::WORDS.to_vec()),
        other => panic!("{file}: whose words are those of {other}?"),
    }
}

/// Every list of words in a schema, with the name of what they stand for.
fn lists(schema: &Value, name: &str, found: &mut Vec<(String, Vec<String>)>) {
    let Value::Object(keywords) = schema else { return };
    let texts = |list: &Value| {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    if let Some(words) = keywords.get("enum") {
        found.push((name.to_owned(), texts(words)));
    }
    for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
        lists(inner, field, found);
    }
    lists(&schema["items"], name, found);
    for several in ["allOf", "anyOf"] {
        for inner in schema[several].as_array().into_iter().flatten() {
            lists(inner, name, found);
        }
    }
}

#[test]
fn every_word_that_leaves_is_one_of_the_codes_and_none_is_missing() {
    let mut said: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files_of_what_leaves() {
        let mut found = Vec::new();
        lists(&FILES[&file], file.trim_start_matches("parts/"), &mut found);
        for (name, words) in found {
            let (list, meant) = meant(&name, &file);
            for word in &words {
                assert!(meant.contains(&word.as_str()), "{file}: {name} is never {word}");
            }
            said.entry(list).or_default().extend(words);
            all.insert(list, meant);
        }
    }
    for (list, words) in all {
        let words: BTreeSet<String> = words.into_iter().map(str::to_owned).collect();
        assert_eq!(said[list], words, "{list}");
    }
}

#[test]
fn dead_letters_have_the_reasons_and_headers_of_the_code() {
    let fields = FILES["dead_letter.headers"]["properties"]
        .as_object()
        .expect("headers by name");
    let reasons: Vec<&str> = fields["x-switchboard-reason"]["enum"]
        .as_array()
        .expect("words")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(reasons, DeadReason::ALL.map(DeadReason::wire));
    let listed: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
    assert_eq!(listed, BTreeSet::from(HEADERS));
}

#[test]
fn what_comes_in_may_say_the_words_of_the_code() {
    let said = |file: &str, place: &str| -> BTreeSet<String> {
        let words = FILES[file]
            .pointer(place)
            .and_then(Value::as_array)
            .expect("words");
        let words = words
            .iter()
            .filter_map(Value::as_str)
            .filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let words =
        |words: &[&str]| -> BTreeSet<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    let upsert = "/properties/data/properties/agent/properties/role/enum";
    assert_eq!(
        said("switchboard.command.agent.upsert", upsert),
        words(Role::WORDS)
    );
    let sent = "/properties/data/properties/origin/enum";
    assert_eq!(said("whatsapp.message.sent", sent), words(Origin::WORDS));
    let plan = |place: &str| said("plan", &format!("/properties/{place}/enum"));
    assert_eq!(plan("agents/items/properties/role"), words(Role::WORDS));
}
