//! What is fuzzed. Each target takes any bytes and fails only when a promise is broken.
//!
//! The same functions run under libFuzzer (`fuzz_targets`, `./dev fuzz`) and, without a nightly compiler, in
//! `tests/pure/fuzzed.rs`, which plays the kept inputs and a few thousand made from them by [`mutate`].

pub mod bodies;
pub mod frames;
pub mod letter;
pub mod memory;
pub mod mutate;
pub mod plans;
pub mod sound;

/// One thing that reads what others wrote.
pub struct Target {
    /// Its name, and that of its folder of kept inputs.
    pub name: &'static str,
    /// Fails when a promise is broken.
    pub run: fn(&[u8]),
    /// How its inputs are made from others.
    pub shape: mutate::Shape,
}

/// Every target.
pub const TARGETS: [Target; 10] = [
    target("door", bodies::door, mutate::Shape::Letter),
    target("cloudevents", bodies::cloudevents, mutate::Shape::Letter),
    target("cloud_api", bodies::cloud_api, mutate::Shape::Letter),
    target("unoapi", bodies::unoapi, mutate::Shape::Letter),
    target("evolution", bodies::evolution, mutate::Shape::Letter),
    target("whatsmeow", bodies::whatsmeow, mutate::Shape::Letter),
    target("plan_toml", plans::toml, mutate::Shape::Plan),
    target("plan_json", plans::json, mutate::Shape::JsonPlan),
    target("condition", plans::condition, mutate::Shape::Condition),
    target("legible", frames::legible, mutate::Shape::Bytes),
];

const fn target(name: &'static str, run: fn(&[u8]), shape: mutate::Shape) -> Target {
    Target { name, run, shape }
}

/// The target of this name.
///
/// # Panics
///
/// If there is none.
pub fn named(name: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("there is no target {name}"))
}
