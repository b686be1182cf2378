//! Collects what a body turns into, part by part: the good, the counted, and the first of what is bad.

use jiff::Timestamp;

use super::arrived::{Arrived, ArrivedCommand, ArrivedFact, MAX_FACTS, Skip};
use super::dead::{Dead, DeadReason};
use super::form::{Announced, Carries};
use super::trace::Trace;

/// Collects what a body turns into while it is read.
pub(super) struct Reading {
    /// When the body arrived: what counts as now, as late, as too old.
    pub(super) arrival: Timestamp,
    /// The time of the envelope around a foreign body: stands in for a message's own.
    pub(super) enveloped: Option<Timestamp>,
    /// The trace of what is being read.
    pub(super) trace: Option<Trace>,
    /// The trace of the message, which is that of whatever in it names none.
    carried: Option<Trace>,
    /// Which event of a batch is being read.
    part: Option<usize>,
    arrived: Arrived,
    more_dead: usize,
    too_many: bool,
}

impl Reading {
    pub(super) fn new(arrival: Timestamp, trace: Option<Trace>) -> Self {
        Self {
            arrival,
            enveloped: None,
            carried: trace.clone(),
            trace,
            part: None,
            arrived: Arrived::default(),
            more_dead: 0,
            too_many: false,
        }
    }

    /// From here on it is this event of a batch.
    pub(super) fn begin_part(&mut self, number: usize) {
        self.part = Some(number);
        self.enveloped = None;
    }

    /// Whether it is one of a batch.
    pub(super) fn is_part(&self) -> bool {
        self.part.is_some()
    }

    /// What is being read belongs to this trace, or else to that of the message.
    pub(super) fn belongs_to(&mut self, trace: Option<Trace>) {
        self.trace = trace.or_else(|| self.carried.clone());
    }

    /// Notes what announced a CloudEvent.
    pub(super) fn announced(&mut self, by: Announced) {
        self.arrived.form.event = Some(by);
    }

    /// Notes what the body carries.
    pub(super) fn carries(&mut self, what: Carries) {
        self.arrived.form.carries = Some(what);
    }

    /// Takes a fact, or what was wrong with it.
    pub(super) fn fact(&mut self, fact: Result<ArrivedFact, Dead>) {
        match fact {
            Ok(_) if self.arrived.facts.len() == MAX_FACTS => self.too_many = true,
            Ok(fact) => self.arrived.facts.push(fact),
            Err(dead) => self.refuse(dead),
        }
    }

    /// Takes a command, or what was wrong with it.
    pub(super) fn command(&mut self, command: Result<ArrivedCommand, Dead>) {
        match command {
            Ok(command) => self.arrived.commands.push(command),
            Err(dead) => self.refuse(dead),
        }
    }

    /// Counts what is passed over.
    pub(super) fn skip(&mut self, skip: Skip, times: usize) {
        if times > 0 {
            let count = self.arrived.skipped.entry(skip).or_default();
            *count = count.saturating_add(u32::try_from(times).unwrap_or(u32::MAX));
        }
    }

    /// Notes what is wrong. A body is dead-lettered once: for the first thing, with the number of others. One with more
    /// faults than it may hold messages is refused whole, like one with too many messages.
    pub(super) fn refuse(&mut self, dead: Dead) {
        if self.arrived.dead.is_none() {
            self.arrived.dead = Some(match self.part {
                Some(number) => Dead::new(
                    dead.reason,
                    format_args!("event {number} of the batch: {}", dead.detail),
                ),
                None => dead,
            });
            self.arrived.trace = self.trace.clone();
        } else {
            self.more_dead += 1;
            self.too_many |= self.more_dead >= MAX_FACTS;
        }
    }

    /// Whether the body is refused whole, so that reading on would be for nothing: a body of a few megabytes can hold
    /// millions of things.
    pub(super) fn is_over(&self) -> bool {
        self.too_many
    }

    /// What the body turned into; a body that turned into nothing is counted as that.
    pub(super) fn finish(mut self) -> Arrived {
        if self.arrived.trace.is_none() {
            self.arrived.trace = self.trace.take();
        }
        if self.too_many {
            let detail = format_args!("the body holds more than {MAX_FACTS} messages");
            return Arrived {
                form: self.arrived.form,
                dead: Some(Dead::new(DeadReason::TooLarge, detail)),
                trace: self.arrived.trace,
                ..Arrived::default()
            };
        }
        if let Some(dead) = self.arrived.dead.as_mut().filter(|_| self.more_dead > 0) {
            *dead = Dead::new(
                dead.reason,
                format_args!("{} (and {} more)", dead.detail, self.more_dead),
            );
        }
        let nothing = self.arrived.facts.is_empty()
            && self.arrived.commands.is_empty()
            && self.arrived.skipped.is_empty()
            && self.arrived.dead.is_none();
        if nothing {
            self.skip(Skip::Empty, 1);
        }
        // Whoever changed an identifier may have written under the new one in the same body, wherever that stands in it.
        self.arrived.facts.sort_by_key(|fact| fact.previous.is_empty());
        self.arrived
    }
}
