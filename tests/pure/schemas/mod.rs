//! The published schemas (`schemas/messages`), held to the code: what leaves is what they say, what they accept is read.
//!
//! They are written by hand, to be read. These tests notice any drift: a field that the code writes and no schema knows, one
//! that a schema lists and the code never writes, a word on one side only, a message that one accepts and the other refuses.

mod answered;
mod coverage;
mod dead;
mod dialect;
mod examples;
mod limits;
mod made;
mod mutations;
mod plans;
mod strict;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};
use switchboard::contract::event::kinds_of_events;
use switchboard::contract::notification::kinds_of_notifications;
use switchboard::contract::{COMMAND_PREFIX, HANDOVER, RECEIVED, SENT, names_of_commands};

/// Where the files seem to be while they refer to each other: they name no host, so any will do.
const BASE: &str = "memory:///messages/";

/// What is no CloudEvent: a plan, and the headers of dead letters.
const OTHERS: [&str; 2] = ["dead_letter.headers", "plan"];

/// Every schema, by its path below `schemas/messages` without `.json`.
static FILES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let messages = root().join("schemas/messages");
    let mut files = BTreeMap::new();
    for folder in [messages.clone(), messages.join("parts")] {
        for path in json_files(&folder) {
            let below = path
                .strip_prefix(&messages)
                .expect("it is below")
                .with_extension("");
            let name = below.to_str().expect("a name in letters").to_owned();
            files.insert(name, read(&path));
        }
    }
    files
});

/// As they are published: added fields are fine.
static AS_PUBLISHED: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| compiled(&FILES));

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The JSON files of a folder; none if it is not there.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("a file").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    paths
}

/// The validators of all messages, each compiled once.
fn compiled(files: &'static BTreeMap<String, Value>) -> BTreeMap<&'static str, Validator> {
    let mut registry = Registry::new();
    for (name, schema) in files {
        registry = registry.add(format!("{BASE}{name}.json"), schema).expect("a URI");
    }
    let registry = registry.prepare().expect("every reference leads somewhere");
    let validator = |name: &String| {
        let schema = json!({"$ref": format!("{BASE}{name}.json")});
        let options = jsonschema::draft202012::options().with_registry(&registry);
        let compiled = options.should_validate_formats(true).build(&schema);
        compiled.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let messages = files.keys().filter(|name| !name.starts_with("parts/"));
    messages.map(|name| (name.as_str(), validator(name))).collect()
}

/// Every type of what leaves.
fn leaving_types() -> Vec<String> {
    let events = kinds_of_events().iter().map(|kind| format!("switchboard.{kind}"));
    let notifications = kinds_of_notifications().iter();
    let notifications = notifications.map(|kind| format!("switchboard.notification.{kind}"));
    let duplicate = "switchboard.command.duplicate".to_owned();
    events.chain(notifications).chain([duplicate]).collect()
}

/// Every type of what is taken.
fn taken_types() -> Vec<String> {
    let facts = [RECEIVED, SENT, HANDOVER].map(str::to_owned);
    let commands = names_of_commands()
        .iter()
        .map(|name| format!("{COMMAND_PREFIX}{name}"));
    facts.into_iter().chain(commands).collect()
}

/// What a validator says of a value: where, and what is wrong there.
pub fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    let told = validator.iter_errors(value);
    told.map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[track_caller]
pub fn published(name: &str) -> &'static Validator {
    let found = AS_PUBLISHED.get(name);
    found.unwrap_or_else(|| panic!("there is no schemas/messages/{name}.json"))
}
