//! Dead letters: counted, told in the log, and lighter by the keys and media that a gateway put into them.

use metrics::counter;

use super::gather::Arrival;
use crate::broker::{Publication, dead};
use crate::contract::{Dead, redacted};
use crate::telemetry;

/// The dead letter of an arrival that was read from this queue.
pub fn letter(arrival: &Arrival, queue: &str, dead: &Dead, at: &str) -> Publication {
    let reason = dead.reason.wire();
    counter!(telemetry::DEAD_LETTERS, "reason" => reason).increment(1);
    tracing::warn!(
        reason,
        detail = dead.detail,
        queue,
        trace_id = arrival.trace_id(),
        "message dead-lettered"
    );
    let mut letter = dead::letter(&arrival.delivery, queue, reason, &dead.detail, at);
    if let Some(kept) = redacted(&letter.body) {
        letter.body = kept;
    }
    letter
}
