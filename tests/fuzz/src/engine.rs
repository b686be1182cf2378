//! What the targets have in common under libFuzzer: how an input is run and measured, and how it is changed.

use libfuzzer_sys::fuzzer_mutate;

use crate::targets::mutate::{Chance, rough, shaped};
use crate::targets::{Target, memory};

/// Runs one input.
pub fn run(target: &Target, input: &[u8]) {
    memory::within_bounds(target, input);
}

/// Changes an input in place: by its shape, by words, or as libFuzzer does. Returns its new length.
pub fn change(target: &Target, data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    let mut chance = Chance::new(seed.into());
    let input = &data[..size];
    let new = match chance.below(8) {
        0 | 1 => None,
        2 => Some(rough(input, target.shape, max, &mut chance)),
        _ => shaped(input, target.shape, max, &mut chance)
            .or_else(|| (chance.below(2) == 0).then(|| rough(input, target.shape, max, &mut chance))),
    };
    match new {
        Some(new) => {
            data[..new.len()].copy_from_slice(&new);
            new.len()
        }
        None => fuzzer_mutate(data, size, max),
    }
}

/// The whole of a fuzzing binary: one target under libFuzzer.
#[macro_export]
macro_rules! fuzz {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            $crate::engine::run($crate::targets::named($name), input);
        });
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
            $crate::engine::change($crate::targets::named($name), data, size, max, seed)
        });
    };
}
