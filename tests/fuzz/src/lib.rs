//! The targets of `tests/pure/fuzzed.rs`, and the engine that drives them here: libFuzzer.

pub mod engine;
pub mod targets;
