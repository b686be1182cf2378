//! What is fuzzed, without a fuzzer.

#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

#[test]
fn all() {
    for target in &targets::TARGETS {
        targets::memory::within_bounds(target, b"{}");
    }
}
