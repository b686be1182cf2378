//! A batch is a fold: decide, evolve, settle the queues, next input. Two inputs of one batch can never take the same place.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::decide::{decide, offer};
use super::event::{Event, Kind, Recorded};
use super::evolve::evolve;
use super::input::{Actor, Input, System};
use super::state::{Requirement, State};

/// Runs one input through the core: what it leads to, and what the places it frees lead to.
pub fn fold(state: &mut State, input: &Input, now: Timestamp) -> Vec<Recorded> {
    let mut record = Record {
        cause: input.cause.clone(),
        input: input.key,
        events: Vec::new(),
    };
    // A waiting conversation held by this batch was skipped by the drains of others: offer it before anything newer.
    settle(state, &mut record, now);
    for event in decide(state, input, now) {
        record.happen(state, event);
    }
    settle(state, &mut record, now);
    record.events
}

/// Gives freed places to those who wait. While a drain is pending it alone does: what is loaded here need not come first.
fn settle(state: &mut State, record: &mut Record, now: Timestamp) {
    if state.drain_pending || !std::mem::take(&mut state.unsettled) {
        return;
    }
    let all_offered = !state.queues_outdated && offer_all(state, record, now);
    if !all_offered {
        let kind = Kind::DrainPending(true);
        record.happen(
            state,
            Event {
                at: now,
                actor: Actor::System(System::Router),
                decision: None,
                kind,
            },
        );
    }
}

/// Offers every loaded waiting conversation, first come first, until nobody eligible is left for any of them. It stops
/// where conversations that are not loaded may come first; whether none of those is left, it says.
///
/// One pass is enough: each assignment only takes capacity, so what found nobody earlier in the pass finds nobody later;
/// and what asks for the same as one that found nobody need not be asked again.
fn offer_all(state: &mut State, record: &mut Record, now: Timestamp) -> bool {
    let waiting: Vec<_> = state
        .waiting()
        .map(|(place, needs)| (*place, needs.clone()))
        .collect();
    let mut unservable: BTreeSet<Requirement> = BTreeSet::new();
    let mut beyond = state.more_waiting().clone();
    for (place, requirement) in waiting {
        if unservable.contains(&requirement) {
            continue;
        }
        if beyond.values().any(|last_loaded| *last_loaded < place) {
            break;
        }
        match offer(state, place.conversation, now) {
            Some(event) => record.happen(state, event),
            None => {
                beyond.remove(&requirement);
                unservable.insert(requirement);
            }
        }
    }
    beyond.is_empty()
}

/// The events of one input, as they are announced.
struct Record {
    cause: Arc<str>,
    input: Uuid,
    events: Vec<Recorded>,
}

impl Record {
    fn happen(&mut self, state: &mut State, event: Event) {
        let id = match &event.kind {
            Kind::Conversation(id, _) => Some(*id),
            Kind::CommandRejected(refusal) => refusal.conversation,
            _ => None,
        };
        let before = id
            .and_then(|id| state.conversation(id))
            .map(|c| (c.owner.clone(), c.team.clone(), c.is_open()));
        evolve(state, &event);
        let after = id
            .and_then(|id| state.conversation(id))
            .filter(|c| c.exists())
            .cloned()
            .map(Arc::new);
        let owner_after = after.as_ref().map(|conversation| &conversation.owner);
        let was_open = before.as_ref().is_some_and(|(_, _, was_open)| *was_open);
        let (previous_owner, previous_team) = before
            .filter(|(owner, ..)| Some(owner) != owner_after)
            .map_or((None, None), |(owner, team, _)| (Some(owner), team));
        self.events.push(Recorded {
            cause: self.cause.clone(),
            input: self.input,
            ordinal: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            previous_owner,
            previous_team,
            was_open,
            after,
            event,
        });
    }
}
