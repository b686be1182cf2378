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
    door: 1_000,
    cloudevents: 1_000,
    cloud_api: 1_000,
    unoapi: 1_000,
    evolution: 1_000,
    whatsmeow: 1_000,
    plan_toml: 300,
    plan_json: 300,
    condition: 300,
    legible: 2_000,
}
