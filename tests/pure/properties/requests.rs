//! Requests: at most one is pending, and each ends by exactly one event of its own, before whatever leaves it nothing to be
//! about.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::domain::conversation::{Conversation, PendingRequest, Status};
use switchboard::domain::event::{Change, RequestOutcome};
use switchboard::domain::ids::ConversationId;

use super::Verdict;
use crate::support::step::Step;

/// What is pending, by what was said.
type Pending = BTreeMap<ConversationId, PendingRequest>;

pub fn check(step: Step<'_>) -> Verdict {
    let before = step.before.conversations.values();
    let mut pending: Pending = before.filter_map(|c| Some((c.id, c.request.clone()?))).collect();
    for recorded in step.events {
        if let Some((after, change)) = recorded.change() {
            check_change(&mut pending, after, change)?;
        }
    }
    step.after.conversations.values().try_for_each(check_sound)
}

fn check_change(pending: &mut Pending, after: &Conversation, change: &Change) -> Verdict {
    match change {
        Change::Requested(request) => {
            let before = pending.insert(after.id, request.clone());
            prop_assert!(before.is_none(), "one request at a time");
        }
        Change::RequestEnded { request, outcome } => {
            let before = pending.remove(&after.id);
            prop_assert_eq!(before.as_ref(), Some(request));
            let declined = matches!(outcome, RequestOutcome::Rejected(_) | RequestOutcome::TimedOut);
            prop_assert!(!declined || after.excluded.contains(&request.to));
        }
        Change::Assigned(_) | Change::Queued { .. } | Change::Unassigned { .. } | Change::Closed { .. } => {
            prop_assert!(!pending.contains_key(&after.id), "it was ended first");
        }
        _ => {}
    }
    prop_assert_eq!(after.request.as_ref(), pending.get(&after.id));
    Ok(())
}

fn check_sound(conversation: &Conversation) -> Verdict {
    let request = conversation.request.as_ref();
    let closed = conversation.status == Status::Closed;
    prop_assert!(
        !closed || request.is_none(),
        "nothing is pending on what is closed: {conversation:?}"
    );
    prop_assert!(
        request.is_none_or(|request| conversation.owned_by() != Some(&request.to)),
        "nobody is asked for what they own: {conversation:?}"
    );
    Ok(())
}
