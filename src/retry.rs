//! How long to wait before trying again. The only module that names the `backoff` crate: it was asked for by name, is no
//! longer maintained (RUSTSEC-2025-0012), and would be replaced here.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// Growing, jittered delays up to a bound, without end.
#[derive(Debug)]
pub struct Delays(ExponentialBackoff, Duration);

impl Delays {
    /// Delays from about `first` to about `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        let policy = ExponentialBackoffBuilder::new()
            .with_initial_interval(first)
            .with_max_interval(longest)
            .with_multiplier(2.0)
            .with_max_elapsed_time(None)
            .build();
        Self(policy, longest)
    }

    /// The next delay.
    pub fn next_delay(&mut self) -> Duration {
        // Without a limit in time the policy never ends; if it did, the longest delay is right.
        self.0.next_backoff().unwrap_or(self.1)
    }

    /// Back to short delays: it worked.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}
