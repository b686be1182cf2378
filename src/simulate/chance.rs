//! Chance from a seed: the same seed draws the same, on every machine and in every version of the generator.

use std::time::Duration;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// One subject's numbers. Each subject draws from a stream of its own, so that another kind of service time leaves the
/// arrivals as they were.
pub struct Chance(ChaCha8Rng);

/// What is left to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// When customers write.
    Arrivals = 0,
    /// Who writes, and what.
    Customers = 1,
    /// How long people take to answer.
    Answers = 2,
    /// How long a conversation takes them.
    Services = 3,
}

impl Chance {
    /// The stream of a subject.
    pub fn new(seed: u64, subject: Subject) -> Self {
        // The seed is the generator's key as it is: no library's way of spreading it can change what it draws.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(subject as u64);
        Self(generator)
    }

    /// A fraction above 0 and up to 1: its logarithm is finite.
    pub fn fraction(&mut self) -> f64 {
        // A double holds 53 bits exactly.
        let bits = self.0.next_u64() >> 11;
        (bits + 1) as f64 / (1u64 << 53) as f64
    }

    /// A draw from the exponential distribution with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.fraction().ln()
    }

    /// A draw from the normal distribution with mean 0 and deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.fraction()).cos()
    }
}

/// How long something lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lasts {
    /// Always the same.
    Constant(Duration),
    /// Without memory: mostly short, sometimes long.
    Exponential {
        /// The mean.
        mean: Duration,
    },
    /// As people's work mostly is: a typical length, and a long tail.
    LogNormal {
        /// The mean.
        mean: Duration,
        /// The standard deviation, as a multiple of the mean.
        variation: f64,
    },
}

/// Nothing lasts longer: a draw from a long tail must not leave the calendar.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Lasts {
    /// One length.
    pub fn draw(&self, chance: &mut Chance) -> Duration {
        let (mean, factor) = match *self {
            Lasts::Constant(always) => return always.min(LONGEST),
            Lasts::Exponential { mean } => (mean, chance.exponential()),
            Lasts::LogNormal { mean, variation } => {
                // The logarithm's variance that gives this variation; half of it off the middle keeps the mean.
                let variance = (1.0 + variation * variation).ln();
                (mean, (variance.sqrt() * chance.normal() - variance / 2.0).exp())
            }
        };
        let seconds = (mean.as_secs_f64() * factor).min(LONGEST.as_secs_f64());
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
    }
}
