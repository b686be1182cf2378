//! What is due when: first by time, then in the order it was written down.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::alarms::Clock;
use crate::domain::agent::Presence;
use crate::domain::ids::{AgentId, ConversationId};

/// Something that will happen.
#[derive(Debug, Clone)]
pub enum What {
    /// A conversation's clock runs out, unless it was stopped or put off.
    Clock(ConversationId, Clock),
    /// Someone has been away for as long as the plan lets pass, unless they are back.
    Absent(AgentId),
    /// Whoever owns a conversation has been gone for too long, unless they are back.
    OwnerGone(ConversationId),
    /// Working hours begin for somebody.
    Opens,
    /// A burst guard lets somebody through again.
    Drain,
    /// Its owner answers, unless it has another by then.
    Answers(Engagement),
    /// Its owner closes it, unless it has another by then.
    Closes(Engagement),
    /// Someone comes or goes.
    Turns(AgentId, Presence),
}

/// Someone's having a conversation: over when its epoch rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Engagement {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Its epoch since they have it.
    pub epoch: u64,
}

/// What is due, the next first.
#[derive(Debug, Default)]
pub struct Agenda {
    due: BinaryHeap<Due>,
    written: u64,
}

#[derive(Debug)]
struct Due {
    at: Timestamp,
    order: u64,
    what: What,
}

impl Agenda {
    /// Writes down that this will happen then.
    pub fn write(&mut self, at: Timestamp, what: What) {
        let order = self.written;
        self.written += 1;
        self.due.push(Due { at, order, what });
    }

    /// When the next is due.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.due.peek().map(|due| due.at)
    }

    /// The next.
    pub fn take(&mut self) -> Option<(Timestamp, What)> {
        self.due.pop().map(|due| (due.at, due.what))
    }
}

// A heap gives its greatest first: the earliest is the greatest here.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Due {}
