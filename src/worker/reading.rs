//! From deliveries to what they say.

use std::borrow::Cow;

use jiff::Timestamp;
use metrics::counter;

use super::gather::Arrival;
use crate::broker::Delivery;
use crate::contract::{Adapter, Arrived, Dead, Incoming, Limits, Trace, read};
use crate::telemetry;

/// Reads every delivery as its adapter does.
pub fn read_all(
    deliveries: Vec<Delivery>,
    max_body: usize,
    adapter: impl Fn(&Delivery) -> Adapter,
) -> Vec<Arrival> {
    let limits = Limits {
        max_body_bytes: max_body,
    };
    // The arrival's own clock: it only judges what is too old or ahead; decisions use the database's.
    let now = Timestamp::now();
    let read_one = |delivery: Delivery| {
        let arrived = read_one(&delivery, now, &limits, adapter(&delivery));
        for (skip, times) in &arrived.skipped {
            counter!(telemetry::SKIPPED, "reason" => skip.label()).increment(u64::from(*times));
        }
        Arrival { delivery, arrived }
    };
    deliveries.into_iter().map(read_one).collect()
}

fn read_one(delivery: &Delivery, now: Timestamp, limits: &Limits, adapter: Adapter) -> Arrived {
    let headers: Vec<(&str, Cow<'_, str>)> = delivery.text_headers().collect();
    read(
        &Incoming {
            content_type: delivery.content_type(),
            headers: &headers,
            body: &delivery.body,
        },
        now,
        limits,
        adapter,
    )
}

impl Arrival {
    /// The trace of the message, for log lines about it.
    pub fn trace_id(&self) -> Option<&str> {
        self.arrived.trace.as_ref().map(Trace::id)
    }

    /// The same delivery, to be dead-lettered for this and nothing else.
    pub fn without_effect(&self, dead: Dead) -> Self {
        let arrived = Arrived {
            dead: Some(dead),
            trace: self.arrived.trace.clone(),
            ..Arrived::default()
        };
        Self {
            delivery: self.delivery.clone(),
            arrived,
        }
    }
}
