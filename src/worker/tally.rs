//! What batches count.

use std::collections::HashSet;

use metrics::counter;
use uuid::Uuid;

use super::entry::Entry;
use crate::contract::words::Wire;
use crate::domain::event::{Kind, Recorded};
use crate::domain::input::Body;
use crate::telemetry;

/// What took effect, and what had before.
pub fn inputs(entries: &[Entry], pending: usize, fresh: &HashSet<Uuid>) {
    for entry in entries.iter().filter(|entry| !entry.duplicate) {
        let kind = match entry.input.body {
            Body::Fact(_) => "fact",
            Body::Command(_) => "command",
            Body::Timer(_) => "timer",
        };
        counter!(telemetry::INPUTS, "kind" => kind).increment(1);
    }
    counter!(telemetry::DUPLICATES).increment(pending.saturating_sub(fresh.len()) as u64);
}

/// What was skipped or refused, and rules that failed to answer.
pub fn events(recorded: &[Recorded]) {
    for event in recorded {
        match &event.event.kind {
            Kind::Skipped(reason) => counter!(telemetry::SKIPPED, "reason" => *reason).increment(1),
            Kind::CommandRejected(refusal) => {
                counter!(telemetry::REJECTED, "code" => refusal.code.wire()).increment(1);
            }
            _ => {}
        }
        let failed = event
            .event
            .decision
            .as_ref()
            .map_or(0, |decision| decision.failed_rules.len());
        if failed > 0 {
            counter!(telemetry::RULE_FAILURES).increment(failed as u64);
        }
    }
}
