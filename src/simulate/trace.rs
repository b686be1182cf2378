//! Arrivals: who writes when, and how much work it is. Wherever they come from, the world plays these.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::conversation::Contact;
use crate::domain::ids::ChannelKey;
use crate::domain::input::Message;

/// The most arrivals of one simulation: some gigabytes of memory, and weeks of the busiest tenants.
pub const MAX_ARRIVALS: usize = 5_000_000;

/// A customer writes.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// Who, as the source calls them; the same customer on the same channel comes back to the same conversation.
    pub customer: Arc<str>,
    /// To which business number.
    pub channel: ChannelKey,
    /// What is known of them.
    pub contact: Arc<Contact>,
    /// What they write, as far as rules ask.
    pub message: Arc<Message>,
    /// How long whoever gets it takes to answer.
    pub answer: Duration,
    /// How long whoever gets it takes from getting it to closing it.
    pub service: Duration,
    /// How it was routed when it happened, where not everything is known that rules ask.
    pub routed: Option<Routed>,
}

/// How a recorded conversation was routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routed {
    /// By this rule.
    Rule(Arc<str>),
    /// By no rule: the default, or to nobody.
    Default,
}

/// Puts arrivals into the order of time; those of the same instant stay in the order they are given in.
pub fn in_order(mut arrivals: Vec<Arrival>) -> Vec<Arrival> {
    arrivals.sort_by_key(|arrival| arrival.at);
    arrivals
}
