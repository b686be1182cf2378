//! What happens to one conversation because of one input: each event is decided with the ones before it applied.

use jiff::Timestamp;

use super::super::conversation::Conversation;
use super::super::event::{Change, Decision, Event, Kind, Reason, RequestOutcome};
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

    /// And then this happens, for recorded reasons. Whatever leaves a pending request nothing to be about ends it first.
    pub fn decided(&mut self, actor: Actor, decision: Option<Decision>, change: Change) {
        if let Some(reason) = supersedes(&change)
            && let Some(request) = self.draft.request.clone()
        {
            let outcome = RequestOutcome::Superseded(reason);
            self.add(actor.clone(), None, Change::RequestEnded { request, outcome });
        }
        self.add(actor, decision, change);
    }

    fn add(&mut self, actor: Actor, decision: Option<Decision>, change: Change) {
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

/// Why a change ends the request that is pending, if it does.
fn supersedes(change: &Change) -> Option<Reason> {
    match change {
        Change::Assigned(_) | Change::Queued { .. } | Change::Unassigned { .. } => Some(Reason::OwnerChanged),
        Change::Closed { .. } => Some(Reason::Closed),
        _ => None,
    }
}
