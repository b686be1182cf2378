//! Synthetic traffic: customers who write by chance, at a rate that may change over the day.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::chance::{Chance, Lasts, Subject};
use super::trace::{Arrival, MAX_ARRIVALS};
use crate::domain::conversation::Contact;
use crate::domain::ids::ChannelKey;
use crate::domain::input::Message;

/// Customers as they are drawn.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// When the first may come.
    pub begins: Timestamp,
    /// For how long they come.
    pub lasts: Duration,
    /// How many come in an hour; where several rates hold, the last of them counts.
    pub rates: Vec<Rate>,
    /// What the hours of rates are read in.
    pub timezone: TimeZone,
    /// The kinds of customers, of which each arrival is one.
    pub kinds: Vec<Kind>,
}

/// A rate of arrivals.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// Arrivals an hour, on average.
    pub per_hour: f64,
    /// The hours it holds in, from and to; `None`: always. To may be before from: over midnight.
    pub hours: Option<(Time, Time)>,
}

/// A kind of customer.
#[derive(Debug, Clone)]
pub struct Kind {
    /// How many of them come, compared with the other kinds.
    pub weight: f64,
    /// The business numbers they write to, each as often.
    pub channels: Vec<ChannelKey>,
    /// What is known of them.
    pub contact: Arc<Contact>,
    /// What they write.
    pub message: Arc<Message>,
    /// How long people take to answer them.
    pub answer: Lasts,
    /// How long a conversation with them takes.
    pub service: Lasts,
}

/// More arrivals than a simulation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these rates give more than {MAX_ARRIVALS} arrivals: simulate a shorter time")]
pub struct TooMany;

impl Traffic {
    /// Draws the arrivals, in order: a Poisson process, thinned where the rate is below its highest.
    pub fn draw(&self, seed: u64) -> Result<Vec<Arrival>, TooMany> {
        let mut dice = Dice::new(seed);
        let highest = self.rates.iter().map(|rate| rate.per_hour).fold(0.0, f64::max);
        let weights: f64 = self.kinds.iter().map(|kind| kind.weight).sum();
        if highest <= 0.0 {
            return Ok(Vec::new());
        }
        let mut arrivals = Vec::new();
        let mut seconds = 0.0;
        loop {
            seconds += dice.arrivals.exponential() * 3600.0 / highest;
            if seconds >= self.lasts.as_secs_f64() {
                break;
            }
            let at = self.begins + Duration::from_secs_f64(seconds);
            // One more number for each, also where the rate is the highest: so that all draws are alike.
            let counts = dice.arrivals.fraction() * highest <= self.rate_at(at);
            let kind = self.one_kind(dice.customers.fraction() * weights);
            if let Some(kind) = kind.filter(|_| counts) {
                if arrivals.len() == MAX_ARRIVALS {
                    return Err(TooMany);
                }
                arrivals.extend(dice.arrival(kind, at, arrivals.len()));
            }
        }
        Ok(arrivals)
    }

    fn rate_at(&self, at: Timestamp) -> f64 {
        let time = || at.to_zoned(self.timezone.clone()).time();
        let holds = |rate: &&Rate| rate.hours.is_none_or(|hours| within(time(), hours));
        self.rates
            .iter()
            .rev()
            .find(holds)
            .map_or(0.0, |rate| rate.per_hour)
    }

    /// The kind at this point of all weights laid end to end.
    fn one_kind(&self, mut point: f64) -> Option<&Kind> {
        let hit = self.kinds.iter().find(|kind| {
            point -= kind.weight;
            point <= 0.0
        });
        hit.or(self.kinds.last())
    }
}

/// Whether a time of day lies in these hours, which may go over midnight.
fn within(time: Time, (from, to): (Time, Time)) -> bool {
    if from < to {
        from <= time && time < to
    } else {
        time >= from || time < to
    }
}

struct Dice {
    arrivals: Chance,
    customers: Chance,
    answers: Chance,
    services: Chance,
}

impl Dice {
    fn new(seed: u64) -> Self {
        Self {
            arrivals: Chance::new(seed, Subject::Arrivals),
            customers: Chance::new(seed, Subject::Customers),
            answers: Chance::new(seed, Subject::Answers),
            services: Chance::new(seed, Subject::Services),
        }
    }

    /// One of this kind; none if it has no channel to write to.
    fn arrival(&mut self, kind: &Kind, at: Timestamp, number: usize) -> Option<Arrival> {
        let place = (self.customers.fraction() * kind.channels.len() as f64).ceil() as usize;
        Some(Arrival {
            at,
            customer: format!("customer-{}", number + 1).into(),
            channel: kind.channels.get(place.saturating_sub(1))?.clone(),
            contact: kind.contact.clone(),
            message: kind.message.clone(),
            answer: kind.answer.draw(&mut self.answers),
            service: kind.service.draw(&mut self.services),
            routed: None,
        })
    }
}
