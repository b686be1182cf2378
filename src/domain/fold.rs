//! A batch is a fold: decide, evolve, settle the queues, next input. Two inputs of one batch can never take the same place.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::blocked;
use super::decide::{decide, offer};
use super::event::{Change, Event, Kind, Quiet, Recorded};
use super::evolve::evolve;
use super::ids::ConversationId;
use super::input::{Actor, Input, System};
use super::offering::Offers;
use super::state::State;

/// Runs one input through the core: what it leads to, and what the places it frees lead to.
pub fn fold(state: &mut State, input: &Input, now: Timestamp) -> Vec<Recorded> {
    let mut record = Record {
        cause: input.cause.clone(),
        input: input.key,
        bulk: None,
        events: Vec::new(),
    };
    // A waiting conversation held by this batch was skipped by the drains of others: offer it before anything newer.
    settle(state, &mut record, now);
    watch(state, &mut record, now);
    record.bulk = input.bulk().zip(input.conversation());
    for event in decide(state, input, now) {
        record.happen(state, event);
    }
    record.bulk = None;
    settle(state, &mut record, now);
    watch(state, &mut record, now);
    record.events
}

/// Gives freed places to those who wait. While a drain is pending it alone does: what is loaded here need not come first.
fn settle(state: &mut State, record: &mut Record, now: Timestamp) {
    if state.drain_pending || !std::mem::take(&mut state.unsettled) {
        return;
    }
    let all_offered = !state.queues_outdated && offer_all(state, record, now);
    if !all_offered {
        record.router(state, Kind::DrainPending(true), now);
    }
}

/// Sees whether somebody can still serve what waits, where that may have changed: for what came to a queue, and for
/// everything when people, plan or hours did. While a drain is pending its end is waited for.
fn watch(state: &mut State, record: &mut Record, now: Timestamp) {
    if state.drain_pending {
        return;
    }
    let waiting: Vec<ConversationId> = if std::mem::take(&mut state.unwatched) {
        for ask in blocked::servable_again(state) {
            record.router(state, Kind::QueueServable(ask), now);
        }
        let mut firsts: Vec<_> = state.heads().map(|(place, _)| place).collect();
        firsts.sort();
        firsts.into_iter().map(|place| place.conversation).collect()
    } else {
        record.queued().collect()
    };
    for (conversation, ask) in blocked::newly_blocked(state, waiting.into_iter(), now) {
        let told = Change::Quiet(Quiet::QueueBlocked(ask));
        record.router(state, Kind::Conversation(conversation, told), now);
    }
}

/// Offers every loaded waiting conversation for which somebody is there, first come first; says whether none is left that
/// is not loaded.
fn offer_all(state: &mut State, record: &mut Record, now: Timestamp) -> bool {
    let mut offers = Offers::new(state, now);
    while let Some(conversation) = offers.next(state) {
        let events = offer(state, conversation, now);
        if events.is_empty() {
            offers.found_nobody();
        }
        for event in events {
            record.happen(state, event);
        }
        if let Some(owner) = state.conversation(conversation).and_then(|c| c.owner.agent()) {
            offers.given_to(state, owner);
        }
    }
    offers.is_complete()
}

/// The events of one input, as they are announced.
struct Record {
    cause: Arc<str>,
    input: Uuid,
    /// The bulk it belongs to, and the conversation of it.
    bulk: Option<(Uuid, ConversationId)>,
    events: Vec<Recorded>,
}

impl Record {
    /// What the router does by itself.
    fn router(&mut self, state: &mut State, kind: Kind, at: Timestamp) {
        let event = Event {
            at,
            actor: Actor::System(System::Router),
            decision: None,
            kind,
        };
        self.happen(state, event);
    }

    /// What came to a queue so far, or asks for something else in it.
    fn queued(&self) -> impl Iterator<Item = ConversationId> {
        self.events
            .iter()
            .filter_map(|recorded| match &recorded.event.kind {
                Kind::Conversation(id, Change::Queued { .. } | Change::Quiet(Quiet::Relaxed(_))) => Some(*id),
                _ => None,
            })
    }

    fn happen(&mut self, state: &mut State, event: Event) {
        let id = match &event.kind {
            Kind::Conversation(id, _) => Some(*id),
            Kind::CommandRejected(refusal) => refusal.conversation,
            _ => None,
        };
        let before = id
            .and_then(|id| state.conversation(id))
            .map(|c| (c.owner.clone(), c.team.clone(), c.is_closed()));
        evolve(state, &event);
        let after = id
            .and_then(|id| state.conversation(id))
            .filter(|c| c.exists())
            .cloned()
            .map(Arc::new);
        let owner_after = after.as_ref().map(|conversation| &conversation.owner);
        let was_closed = before.as_ref().is_none_or(|(_, _, was_closed)| *was_closed);
        let (previous_owner, previous_team) = before
            .filter(|(owner, ..)| Some(owner) != owner_after)
            .map_or((None, None), |(owner, team, _)| (Some(owner), team));
        self.events.push(Recorded {
            cause: self.cause.clone(),
            input: self.input,
            bulk: self
                .bulk
                .and_then(|(bulk, about)| (id == Some(about)).then_some(bulk)),
            ordinal: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            previous_owner,
            previous_team,
            was_closed,
            after,
            event,
        });
    }
}
