//! Makes inputs from inputs: by the shape of what is read where there is one, else byte by byte.
//!
//! Everything is decided by a seed, so that a run can be had again.

mod tree;
pub mod words;

use self::tree::Node;
use super::letter::head_length;

/// How the inputs of a target look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Header lines, perhaps, and JSON.
    Letter,
    /// A plan in TOML.
    Plan,
    /// A plan in JSON.
    JsonPlan,
    /// A condition.
    Condition,
    /// Frames of AMQP.
    Bytes,
}

impl Shape {
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Letter => words::BODIES,
            Self::Plan | Self::JsonPlan => words::PLANS,
            Self::Condition => words::CONDITIONS,
            Self::Bytes => &[],
        }
    }
}

/// Chance from a seed (SplitMix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below this one; 0 if it is 0.
    pub fn below(&mut self, end: usize) -> usize {
        match end as u64 {
            0 => 0,
            end => (self.next() % end) as usize,
        }
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Another input, of at most so many bytes, by the shape of the target's; `None` if this one has no shape to change.
pub fn shaped(input: &[u8], shape: Shape, max: usize, chance: &mut Chance) -> Option<Vec<u8>> {
    let head = match shape {
        Shape::Letter => head_length(input),
        Shape::JsonPlan => 0,
        Shape::Plan | Shape::Condition | Shape::Bytes => return None,
    };
    let mut node = Node::parse(&input[head..])?;
    for _ in 0..=chance.below(3) {
        node.change(shape.words(), chance);
        // Copies of copies of copies would take more memory than any target may.
        if node.size() > max {
            return None;
        }
    }
    let mut out = match chance.below(4) {
        0 if shape == Shape::Letter => words::head(chance).into_bytes(),
        _ => input[..head].to_vec(),
    };
    node.write(&mut out, chance);
    (out.len() <= max).then_some(out)
}

/// Another input, byte by byte: words put in or over, pieces cut, repeated or exchanged, bits turned.
pub fn rough(input: &[u8], shape: Shape, max: usize, chance: &mut Chance) -> Vec<u8> {
    let mut out = input.to_vec();
    let words = shape.words();
    for _ in 0..=chance.below(3) {
        let (from, length) = (chance.below(out.len() + 1), chance.below(24));
        let to = (from + length).min(out.len());
        match chance.below(7) {
            0 => drop(out.drain(from..to)),
            1 => {
                let piece = out[from..to].to_vec();
                let at = chance.below(out.len() + 1);
                out.splice(at..at, piece);
            }
            2 if !words.is_empty() => drop(out.splice(from..to, chance.of(words).bytes())),
            3 if !words.is_empty() => drop(out.splice(from..from, chance.of(words).bytes())),
            4 => out.insert(from, chance.below(256) as u8),
            5 => out.truncate(from),
            _ => {
                if let Some(byte) = out.get_mut(from) {
                    *byte ^= 1 << chance.below(8);
                }
            }
        }
    }
    out.truncate(max);
    out
}

/// Another input, one way or the other.
pub fn mutate(input: &[u8], shape: Shape, max: usize, seed: u64) -> Vec<u8> {
    let mut chance = Chance::new(seed);
    let by_shape = match chance.below(4) {
        0 => None,
        _ => shaped(input, shape, max, &mut chance),
    };
    by_shape.unwrap_or_else(|| rough(input, shape, max, &mut chance))
}
