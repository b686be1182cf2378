//! Every type has examples: valid ones that its schema accepts, and invalid ones that it refuses for one thing each.
//!
//! The valid examples of what leaves are the golden ones of `tests/fixtures`, which the code is known to write. To copy them
//! anew after a change that is meant: `SWITCHBOARD_WRITE_DOCS=1 cargo test --test pure schemas::examples`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::{OTHERS, complaints, json_files, leaving_types, published, read, root, taken_types};

/// The examples of a type, by file name.
pub fn examples(kind: &str, sort: &str) -> BTreeMap<String, Value> {
    let files = json_files(&folder(kind, sort)).into_iter();
    files.map(|path| (name_of(&path), read(&path))).collect()
}

fn folder(kind: &str, sort: &str) -> PathBuf {
    root().join("schemas/examples").join(kind).join(sort)
}

fn name_of(path: &std::path::Path) -> String {
    let name = path.file_stem().expect("a file has a name");
    name.to_str().expect("a name in letters").to_owned()
}

/// What is known to leave: type and name, like `switchboard.conversation.assigned/by_hand`, and where it is.
fn golden_files() -> BTreeMap<String, PathBuf> {
    let mut golden = BTreeMap::new();
    for (sort, words) in [("events", 2), ("notifications", 1), ("answers", 2)] {
        for path in json_files(&root().join("tests/fixtures").join(sort)) {
            let body = read(&path);
            let kind = body["type"].as_str().expect("a type");
            let name = name_of(&path);
            let variant: Vec<_> = name.split('.').skip(words).collect();
            let variant = if variant.is_empty() {
                "plain".to_owned()
            } else {
                variant.join("_")
            };
            golden.insert(format!("{kind}/{variant}"), path);
        }
    }
    golden
}

/// The same as values.
pub fn golden() -> BTreeMap<String, Value> {
    let files = golden_files().into_iter();
    files.map(|(name, path)| (name, read(&path))).collect()
}

fn every_type() -> Vec<String> {
    let types = leaving_types().into_iter().chain(taken_types());
    types.chain(OTHERS.map(str::to_owned)).collect()
}

#[test]
fn every_type_has_a_valid_and_an_invalid_example_and_no_example_is_of_another() {
    for kind in every_type() {
        for sort in ["valid", "invalid"] {
            assert!(!examples(&kind, sort).is_empty(), "{kind} has no {sort} example");
        }
    }
    let folders = std::fs::read_dir(root().join("schemas/examples")).expect("there are examples");
    let there: BTreeSet<String> = folders
        .map(|entry| {
            entry
                .expect("a folder")
                .file_name()
                .into_string()
                .expect("a name in letters")
        })
        .collect();
    assert_eq!(there, every_type().into_iter().collect());
}

#[test]
fn valid_examples_are_valid() {
    for kind in every_type() {
        for (name, example) in examples(&kind, "valid") {
            let found = complaints(published(&kind), &example);
            assert_eq!(found, Vec::<String>::new(), "{kind}: {name}");
        }
    }
}

#[test]
fn invalid_examples_are_not() {
    for kind in every_type() {
        for (name, example) in examples(&kind, "invalid") {
            assert!(!published(&kind).is_valid(&example), "{kind}: {name}");
        }
    }
}

#[test]
fn an_invalid_example_is_a_valid_one_but_for_one_thing() {
    for kind in every_type() {
        let valid = examples(&kind, "valid");
        for (name, example) in examples(&kind, "invalid") {
            let least = valid.values().map(|valid| differences(valid, &example)).min();
            assert_eq!(least, Some(1), "{kind}: {name}");
        }
    }
}

/// In how many places two values differ; where something is added or taken away, it is one.
fn differences(one: &Value, other: &Value) -> usize {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let pairs = names.into_iter().map(|name| (one.get(name), other.get(name)));
            pairs
                .map(|pair| match pair {
                    (Some(one), Some(other)) => differences(one, other),
                    _ => 1,
                })
                .sum()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .map(|(one, other)| differences(one, other))
            .sum(),
        _ => usize::from(one != other),
    }
}

#[test]
fn the_valid_examples_of_what_leaves_are_the_golden_ones() {
    let golden = golden();
    if std::env::var_os("SWITCHBOARD_WRITE_DOCS").is_some() {
        for (name, path) in golden_files() {
            let (kind, variant) = name.split_once('/').expect("type and name");
            std::fs::create_dir_all(folder(kind, "valid")).expect("a folder can be made");
            let copy = folder(kind, "valid").join(format!("{variant}.json"));
            std::fs::copy(&path, copy).expect("a file can be copied");
        }
    }
    let mut there = BTreeMap::new();
    for kind in leaving_types() {
        for (name, example) in examples(&kind, "valid") {
            there.insert(format!("{kind}/{name}"), example);
        }
    }
    let names = |all: &BTreeMap<String, Value>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&there), names(&golden));
    for (name, body) in &golden {
        assert_eq!(&there[name], body, "{name}");
    }
}
