//! What is fuzzed (`tests/fuzz`), without a fuzzer: the kept inputs, and others made from them, always the same.

use std::fs;
use std::path::PathBuf;

#[path = "../fuzz/src/targets/mod.rs"]
pub mod targets;

use self::targets::mutate::mutate;
use self::targets::{Target, memory, named};

/// Longest input that is made, in bytes.
const MAX_BYTES: usize = 8_192;

/// The inputs that are kept of a target, in the order of their names.
fn kept(target: &Target) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "nothing is kept for {}", target.name);
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Plays the kept inputs of a target, then so many made from them.
fn play(name: &str, made: usize) {
    let target = named(name);
    let kept = kept(target);
    for input in &kept {
        memory::within_bounds(target, input);
    }
    for number in 0..made {
        let input = &kept[number % kept.len()];
        let input = mutate(input, target.shape, MAX_BYTES, number as u64);
        memory::within_bounds(target, &input);
    }
}

/// A test for each target, with how many inputs it makes.
macro_rules! each_target {
    ($($name:ident: $made:literal,)*) => {
        $(
            #[test]
            fn $name() {
                play(stringify!($name), $made);
            }
        )*

        #[test]
        fn every_target_is_played() {
            let played = [$(stringify!($name)),*];
            let all: Vec<_> = targets::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(all, played);
        }
    };
}

each_target! {
    door: 500,
    cloudevents: 500,
    cloud_api: 500,
    unoapi: 500,
    evolution: 500,
    whatsmeow: 500,
    plan_toml: 300,
    plan_json: 300,
    condition: 300,
    legible: 1_000,
}

/// The versions of dependencies in a manifest, by name.
fn versions(manifest: &str) -> std::collections::BTreeMap<String, String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(manifest);
    let text = fs::read_to_string(&path).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let version = |value: &toml::Value| value.get("version").unwrap_or(value).to_string();
    let dependencies = table["dependencies"].as_table().unwrap();
    dependencies
        .iter()
        .map(|(name, value)| (name.clone(), version(value)))
        .collect()
}

#[test]
fn what_is_fuzzed_is_built_of_the_same_parts_as_the_program() {
    let (program, fuzzed) = (versions("Cargo.toml"), versions("tests/fuzz/readers/Cargo.toml"));
    assert!(!fuzzed.is_empty());
    for (name, version) in fuzzed {
        assert_eq!(program.get(&name), Some(&version), "{name}");
    }
}

#[test]
fn what_is_let_out_is_seen() {
    use targets::sound::{CANARY, shows_a_person};
    for shown in ["data.contact is 5511999990000", "from +5511977776666", CANARY] {
        assert!(shows_a_person(shown), "{shown}");
    }
    for nothing in [
        "entry[0].changes[17].value.messages[999].id is missing",
        "is not JSON (line 1, column 1048576)",
    ] {
        assert!(!shows_a_person(nothing), "{nothing}");
    }
}
