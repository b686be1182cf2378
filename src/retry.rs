//! How long to wait before trying again. The only module that names the `backoff` crate: it was asked for by name, is no
//! longer maintained (RUSTSEC-2025-0012), and would be replaced here.
//!
//! It computes delays and never sleeps: the caller decides what else may happen while it waits.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// Growing, jittered delays up to a bound, without end. The jitter (half as long to half as long again) keeps workers that
/// lost the same server from coming back in the same instant.
#[derive(Debug)]
pub struct Delays {
    policy: ExponentialBackoff,
    longest: Duration,
}

impl Delays {
    /// Delays from about `first` to at most `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        let policy = ExponentialBackoffBuilder::new()
            .with_initial_interval(first)
            .with_max_interval(longest)
            .with_multiplier(2.0)
            .with_max_elapsed_time(None)
            .build();
        Self { policy, longest }
    }

    /// The next delay.
    pub fn next_delay(&mut self) -> Duration {
        // Without a limit in time the policy never ends; if it did, the longest delay is right. Its jitter goes above its
        // own maximum, hence the second bound.
        self.policy
            .next_backoff()
            .unwrap_or(self.longest)
            .min(self.longest)
    }

    /// Back to short delays: it worked.
    pub fn reset(&mut self) {
        self.policy.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);

    #[test]
    fn the_first_delay_lies_around_the_one_asked_for() {
        for _ in 0..1_000 {
            let delay = Delays::new(FIRST, LONGEST).next_delay();
            assert!(delay >= FIRST / 2 && delay <= FIRST * 3 / 2, "{delay:?}");
        }
    }

    #[test]
    fn delays_grow_up_to_the_longest_and_never_end() {
        let mut delays = Delays::new(FIRST, LONGEST);
        let series: Vec<_> = (0..200).map(|_| delays.next_delay()).collect();
        assert!(series.iter().all(|delay| *delay <= LONGEST));
        assert!(series[100..].iter().all(|delay| *delay >= LONGEST / 2));
    }

    #[test]
    fn after_a_success_they_are_short_again() {
        let mut delays = Delays::new(FIRST, LONGEST);
        for _ in 0..100 {
            delays.next_delay();
        }
        delays.reset();
        assert!(delays.next_delay() <= FIRST * 3 / 2);
    }
}
