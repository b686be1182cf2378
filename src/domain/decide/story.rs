//! What happens to one conversation because of one input: each event is decided with the ones before it applied.

use jiff::Timestamp;

use super::super::conversation::Conversation;
use super::super::event::{Change, Decision, Event, Kind};
use super::super::evolve::apply;
use super::super::input::Actor;

/// The events so far, and the conversation as they leave it.
pub struct Story {
    /// As it is after the events.
    pub draft: Conversation,
    /// What happened.
    pub events: Vec<Event>,
    at: Timestamp,
}

impl Story {
    /// Begins with the conversation as it is.
    pub fn of(conversation: &Conversation, at: Timestamp) -> Self {
        Self {
            draft: conversation.clone(),
            events: Vec::new(),
            at,
        }
    }

    /// When all this is decided.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// And then this happens.
    pub fn then(&mut self, actor: Actor, change: Change) {
        self.decided(actor, None, change);
    }

    /// And then this happens, for recorded reasons.
    pub fn decided(&mut self, actor: Actor, decision: Option<Decision>, change: Change) {
        let id = match &change {
            Change::Opened { as_new, .. } => as_new.id,
            _ => self.draft.id,
        };
        apply(&mut self.draft, &change, self.at);
        let decision = decision.map(Box::new);
        self.events.push(Event {
            at: self.at,
            actor,
            decision,
            kind: Kind::Conversation(id, change),
        });
    }
}
