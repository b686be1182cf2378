//! The promise of `docs/compatibility.md`, kept: the messages of every released version, in `schemas/releases`, mean what they
//! meant and are what today's schemas describe, and no word of theirs is gone.
//!
//! The folder of the version that is not released yet is written anew after a change that is meant:
//! `SWITCHBOARD_WRITE_DOCS=1 cargo test --test pure releases`. A released one is frozen by its `SHA256SUMS`, which the same
//! command writes once, when CHANGELOG.md has the version's date.

mod meaning;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchboard::broker::topology::Topology;
use switchboard::broker::{Exchange, dead};
use switchboard::contract::envelope::{HEADERS, TRACE_HEADERS};
use switchboard::contract::event::kinds_of_events;
use switchboard::contract::notification::kinds_of_notifications;
use switchboard::contract::{
    Adapter, COMMAND_PREFIX, DeadReason, HANDOVER, RECEIVED, SENT, names_of_commands, partition,
};

use crate::schemas;

/// The list that freezes a released folder.
const SUMS: &str = "SHA256SUMS";
/// How many partitions the examples were made for.
const PARTITIONS: u16 = 8;
/// What to do about a folder that is out of date, if it may be written.
const HOW: &str = "SWITCHBOARD_WRITE_DOCS=1 cargo test --test pure releases";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn releases() -> PathBuf {
    root().join("schemas/releases")
}

fn write_is_asked_for() -> bool {
    std::env::var_os("SWITCHBOARD_WRITE_DOCS").is_some()
}

/// Files below a folder by their path in it, with `/` between; none if it is not there.
fn files_below(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut next = vec![folder.to_owned()];
    while let Some(folder_now) = next.pop() {
        for entry in fs::read_dir(&folder_now).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                next.push(path);
                continue;
            }
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let names = path.strip_prefix(folder).expect("it is below").components();
            let names: Vec<_> = names.map(|name| name.as_os_str().to_string_lossy()).collect();
            found.insert(names.join("/"), text);
        }
    }
    found
}

/// The versions of CHANGELOG.md, and whether each is released: `## 0.1.0 — unreleased`, `## 0.1.0 — 2026-12-01`.
fn versions(changelog: &str) -> Vec<(String, bool)> {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    headings
        .map(|heading| {
            let (version, state) = heading.split_once(" — ").expect("a version, a dash, a date");
            (version.to_owned(), state != "unreleased")
        })
        .collect()
}

fn all_versions() -> Vec<(String, bool)> {
    versions(&fs::read_to_string(root().join("CHANGELOG.md")).expect("it is there"))
}

/// What freezes these files: a line each, as `sha256sum` writes and checks it.
fn sums(files: &BTreeMap<String, String>) -> String {
    let frozen = files.iter().filter(|(path, _)| *path != SUMS);
    frozen.map(|(path, text)| sum(path, text) + "\n").collect()
}

fn sum(path: &str, text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}  {path}")
}

/// What is wrong with a released folder.
fn thawed(files: &BTreeMap<String, String>) -> Option<String> {
    let there = files.get(SUMS)?;
    let today = sums(files);
    let differs = |one: &str, other: &str| {
        let lines: BTreeSet<_> = other.lines().collect();
        one.lines().find(|line| !lines.contains(line)).map(str::to_owned)
    };
    differs(there, &today).or_else(|| differs(&today, there))
}

/// Everything that the examples and the code say today, as the folder of a release keeps it.
fn today() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (path, text) in files_below(&root().join("schemas/examples")) {
        let mut steps = path.split('/');
        let (Some(kind), Some("valid"), Some(name)) = (steps.next(), steps.next(), steps.next()) else {
            continue;
        };
        if let Some(way) = way_of(kind) {
            files.insert(format!("{way}/{kind}/{name}"), text);
        }
    }
    for (name, text) in files_below(&root().join("tests/fixtures/inbound")) {
        // Those of gateways; native ones are among the examples.
        if name.starts_with("webhook_") || name.starts_with("gateway_") {
            files.insert(format!("in/gateway/{name}"), text);
        }
    }
    let means: Vec<_> = files
        .iter()
        .filter_map(|(path, text)| {
            let path = path.strip_prefix("in/")?;
            Some((format!("means/{path}"), pretty(&meaning::of(text))))
        })
        .collect();
    files.extend(means);
    files.insert("words.json".into(), pretty(&words()));
    files
}

/// Whether a type comes in or goes out; none of what is no message.
fn way_of(kind: &str) -> Option<&'static str> {
    let name = kind.strip_prefix(COMMAND_PREFIX);
    let is_command = name.is_some_and(|name| names_of_commands().contains(&name));
    if [RECEIVED, SENT, HANDOVER].contains(&kind) || is_command {
        Some("in")
    } else {
        kind.starts_with("switchboard.").then_some("out")
    }
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("it is JSON");
    text.push('\n');
    text
}

/// The words that others compare, bind to or send, apart from those in schemas.
fn words() -> Value {
    let topology = Topology::new("switchboard", PARTITIONS);
    let exchanges = topology.exchanges.iter();
    // Held to the code by the tests of the schemas.
    let codes = root().join("schemas/messages/parts/rejection_code.json");
    let codes = json_of("the codes", &fs::read_to_string(codes).expect("it is there"));
    let migrations = files_below(&root().join("schemas/postgres"));
    json!({
        "facts": [RECEIVED, SENT, HANDOVER],
        "commands": names_of_commands(),
        "events": kinds_of_events(),
        "notifications": kinds_of_notifications(),
        "codes": codes["enum"],
        "dead_letter_reasons": DeadReason::ALL.map(DeadReason::wire),
        "dead_letter_headers": dead::HEADERS,
        "headers": HEADERS.into_iter().chain(TRACE_HEADERS).collect::<Vec<_>>(),
        "adapters": Adapter::ALL.map(Adapter::wire),
        "exchanges": exchanges
            .map(|exchange| format!("{} {:?}", exchange.name, exchange.routing).to_lowercase())
            .collect::<Vec<_>>(),
        "queues": topology.queues.iter().map(|queue| queue.name.clone()).collect::<Vec<_>>(),
        "bindings": topology.bindings.iter()
            .map(|binding| format!("{} -> {} {:?}", binding.exchange, binding.queue, binding.key))
            .collect::<Vec<_>>(),
        // A database that has them has them as they were.
        "migrations": migrations.iter().map(|(name, sql)| sum(name, sql)).collect::<Vec<_>>(),
    })
}

/// What of a recorded value is not there today: whatever was said then is said now, and more may be.
fn lost(recorded: &Value, now: &Value, place: &str) -> Vec<String> {
    match (recorded, now) {
        (Value::Object(recorded), Value::Object(now)) => {
            let of_field = |(name, recorded): (&String, &Value)| match now.get(name) {
                Some(now) => lost(recorded, now, &format!("{place}/{name}")),
                None => vec![format!("{place}/{name} is gone")],
            };
            recorded.iter().flat_map(of_field).collect()
        }
        (Value::Array(recorded), Value::Array(now)) if recorded.len() == now.len() => {
            let items = recorded.iter().zip(now).enumerate();
            items
                .flat_map(|(at, (recorded, now))| lost(recorded, now, &format!("{place}/{at}")))
                .collect()
        }
        _ if recorded == now => Vec::new(),
        _ => vec![format!("{place} was {recorded}, is {now}")],
    }
}

/// Every field of a message that was published then and is not published now, or as something else.
fn missing(recorded: &Value, now: &Value, place: &str) -> Vec<String> {
    match (recorded, now) {
        (Value::Object(recorded), Value::Object(now)) => {
            let of_field = |(name, recorded): (&String, &Value)| match now.get(name) {
                Some(now) => missing(recorded, now, &format!("{place}/{name}")),
                None => vec![format!("{place}/{name} is gone")],
            };
            recorded.iter().flat_map(of_field).collect()
        }
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        _ if std::mem::discriminant(recorded) == std::mem::discriminant(now) => Vec::new(),
        _ => vec![format!("{place} was {recorded}, is {now}")],
    }
}

#[track_caller]
fn json_of(path: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every version's files, as they are once what was asked for is written.
static KEPT: LazyLock<Vec<(String, BTreeMap<String, String>)>> = LazyLock::new(|| {
    let versions = all_versions();
    if write_is_asked_for() {
        for (version, released) in &versions {
            write(&releases().join(version), *released).expect("it can be written");
        }
    }
    let folder = |(version, _): &(String, bool)| (version.clone(), files_below(&releases().join(version)));
    versions.iter().map(folder).collect()
});

/// Freezes the folder of a released version, if it is not yet; fills that of an unreleased one with what is said today.
fn write(folder: &Path, released: bool) -> std::io::Result<()> {
    if released {
        let files = files_below(folder);
        if files.contains_key(SUMS) {
            return Ok(());
        }
        return fs::write(folder.join(SUMS), sums(&files));
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for (path, text) in today() {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    Ok(())
}

#[test]
fn every_version_has_a_folder_and_a_released_one_is_frozen() {
    let versions = all_versions();
    let unreleased = versions.iter().filter(|(_, released)| !released).count();
    assert!(unreleased <= 1, "{versions:?}");
    assert_eq!(
        versions[0].0,
        env!("CARGO_PKG_VERSION"),
        "the first heading is the program's"
    );
    for ((version, files), (_, released)) in KEPT.iter().zip(&versions) {
        assert!(
            files.contains_key("words.json"),
            "schemas/releases/{version} is missing"
        );
        assert_eq!(
            files.contains_key(SUMS),
            *released,
            "schemas/releases/{version}/{SUMS}: {HOW}"
        );
        assert_eq!(thawed(files), None, "schemas/releases/{version} was changed");
    }
    let known: BTreeSet<_> = versions.iter().map(|(version, _)| version.clone()).collect();
    for entry in fs::read_dir(releases()).expect("it is there") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("letters");
        assert!(known.contains(&name), "CHANGELOG.md does not know {name}");
    }
}

#[test]
fn the_folder_of_the_unreleased_version_is_of_today() {
    let today = today();
    for ((version, there), (_, released)) in KEPT.iter().zip(all_versions()) {
        if released {
            continue;
        }
        let paths: BTreeSet<_> = there.keys().chain(today.keys()).collect();
        let stale: Vec<_> = paths
            .into_iter()
            .filter(|path| there.get(*path) != today.get(*path))
            .collect();
        assert!(
            stale.is_empty(),
            "out of date in schemas/releases/{version}: {stale:#?}; {HOW}"
        );
    }
}

#[test]
fn what_could_be_sent_in_any_version_means_the_same() {
    let mut read = 0;
    for (version, files) in KEPT.iter() {
        for (path, body) in files {
            let Some(name) = path.strip_prefix("in/") else {
                continue;
            };
            let means = files.get(&format!("means/{name}"));
            let means = means.unwrap_or_else(|| panic!("{version}: nothing says what {path} means"));
            let (recorded, now) = (json_of(path, means), meaning::of(body));
            assert_eq!(lost(&recorded, &now, ""), [""; 0], "{version}/{path}");
            assert_eq!(
                recorded["dead"],
                Value::Null,
                "{version}/{path} never took effect"
            );
            for command in recorded["commands"].as_array().expect("a list") {
                assert_eq!(command["wants"]["malformed"], Value::Null, "{version}/{path}");
            }
            read += 1;
        }
    }
    assert!(read > names_of_commands().len(), "{read}");
}

#[test]
fn what_any_version_published_is_what_todays_schemas_describe() {
    let mut validated = 0;
    for (version, files) in KEPT.iter() {
        for (path, body) in files.iter().filter(|(path, _)| path.starts_with("out/")) {
            let message = json_of(path, body);
            let kind = message["type"].as_str().expect("a type");
            let complaints = schemas::complaints(schemas::published(kind), &message);
            assert_eq!(complaints, [""; 0], "{version}/{path}");
            let key = message["partitionkey"].as_str().expect("a key");
            let partition = partition::of(key, PARTITIONS).to_string();
            assert_eq!(
                message["partition"], partition,
                "{version}/{path}: the hash is another one"
            );
            validated += 1;
        }
    }
    let kinds = kinds_of_events().len() + kinds_of_notifications().len();
    assert!(validated > kinds, "{validated}");
}

#[test]
fn what_any_version_published_is_published_still() {
    let now = today();
    for (version, files) in KEPT.iter() {
        for (path, body) in files.iter().filter(|(path, _)| path.starts_with("out/")) {
            let today = now.get(path);
            let today =
                today.unwrap_or_else(|| panic!("{version}/{path} has no successor among the examples"));
            let missing = missing(&json_of(path, body), &json_of(path, today), "");
            assert_eq!(missing, [""; 0], "{version}/{path}");
        }
    }
}

#[test]
fn no_word_of_any_version_is_gone() {
    let now = words();
    for (version, files) in KEPT.iter() {
        let recorded = json_of("words.json", &files["words.json"]);
        for (sort, words) in recorded.as_object().expect("lists by sort") {
            let today = now[sort]
                .as_array()
                .unwrap_or_else(|| panic!("{version}: no {sort} any more"));
            for word in words.as_array().expect("a list") {
                assert!(today.contains(word), "{version}: {word} is gone from {sort}");
            }
        }
    }
}

#[test]
fn a_changed_a_lost_and_an_added_file_thaw_a_release() {
    let mut files = BTreeMap::from([
        ("in/a.json".to_owned(), "1".to_owned()),
        ("in/b.json".to_owned(), "2".to_owned()),
    ]);
    files.insert(SUMS.into(), sums(&files));
    assert_eq!(thawed(&files), None);
    let with = |path: &str, text: Option<&str>| {
        let mut files = files.clone();
        match text {
            Some(text) => files.insert(path.to_owned(), text.to_owned()),
            None => files.remove(path),
        };
        thawed(&files).is_some()
    };
    assert!(with("in/a.json", Some("3")));
    assert!(with("in/b.json", None));
    assert!(with("in/c.json", Some("3")));
}

#[test]
fn headings_say_what_is_released() {
    let changelog = "# Changelog\n\n## 0.2.0 — unreleased\n\n- x\n\n## 0.1.0 — 2026-12-01\n";
    let expected = [("0.2.0".to_owned(), false), ("0.1.0".to_owned(), true)];
    assert_eq!(versions(changelog), expected);
}

#[test]
fn what_is_gone_or_changed_is_noticed_and_what_is_added_is_not() {
    let recorded = json!({"a": 1, "b": {"c": [1, {"d": null}]}});
    assert_eq!(
        lost(
            &recorded,
            &json!({"a": 1, "b": {"c": [1, {"d": null, "e": 2}]}, "f": 3}),
            ""
        ),
        [""; 0]
    );
    assert_eq!(
        lost(&recorded, &json!({"b": {"c": [1, {"d": 2}]}}), ""),
        ["/a is gone", "/b/c/1/d was null, is 2"]
    );
    assert_eq!(
        missing(&recorded, &json!({"a": 5, "b": {"c": []}, "f": 3}), ""),
        [""; 0]
    );
    assert_eq!(
        missing(&recorded, &json!({"a": "1", "b": {}}), ""),
        ["/a was 1, is \"1\"", "/b/c is gone"]
    );
}

#[test]
fn the_exchanges_that_code_names_are_those_of_the_topology() {
    let named: BTreeSet<_> = Exchange::ALL
        .map(Exchange::word)
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    let topology = Topology::new("x", 1);
    let there: BTreeSet<_> = topology
        .exchanges
        .iter()
        .filter_map(|exchange| exchange.name.strip_prefix("x."))
        .collect();
    // Only the broker publishes to what is unrouted.
    assert_eq!(&there - &named, ["unrouted"].into());
    assert!(named.is_subset(&there));
}
