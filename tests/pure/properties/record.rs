//! What the events say: every number in its place, the epoch for what it is for, and refusals that change nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::domain::conversation::{Conversation, Owner, Status};
use switchboard::domain::event::{Change, Kind};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::Body;

use super::Verdict;
use crate::support::step::Step;

pub fn check(step: Step<'_>) -> Verdict {
    check_numbers(step)?;
    check_refusal(step)
}

/// Who has it, and whether it is open: what an epoch stands for.
fn standing(conversation: Option<&Conversation>) -> Option<(Status, Owner)> {
    conversation.map(|c| (c.status, c.owner.clone()))
}

fn check_numbers(step: Step<'_>) -> Verdict {
    let mut before: BTreeMap<ConversationId, Conversation> = step.before.conversations.clone();
    for (place, recorded) in step.events.iter().enumerate() {
        prop_assert_eq!(recorded.ordinal as usize, place, "events count from 0");
        prop_assert_eq!(&recorded.cause, &step.input.cause);
        prop_assert_eq!(recorded.input, step.input.key);
        if let Kind::ContactForgotten {
            conversation: Some(id),
            ..
        } = &recorded.event.kind
        {
            before.entry(*id).and_modify(Conversation::forget);
        }
        let Some((after, change)) = recorded.change() else {
            continue;
        };
        let known = before.get(&after.id);
        let (sequence, epoch) = known.map_or((0, 0), |c| (c.sequence, c.epoch));
        let announced = !matches!(change, Change::Quiet(_));
        prop_assert_eq!(after.sequence, sequence + u64::from(announced), "{:?}", change);
        let changes_hands = standing(known) != standing(Some(after));
        // Sent on to the queue it was in already, or kept by whom it reopens for: an act on the owner all the same.
        let is_about_owner = matches!(
            change,
            Change::Opened { .. }
                | Change::Reopened { .. }
                | Change::Assigned(_)
                | Change::Queued { .. }
                | Change::Unassigned { .. }
                | Change::Closed { .. }
                | Change::Held { .. }
                | Change::Resumed { .. }
        );
        prop_assert!(is_about_owner || !changes_hands, "{change:?} changes who has it");
        prop_assert_eq!(after.epoch, epoch + u64::from(is_about_owner), "{:?}", change);
        let owner_before = known.map(|c| &c.owner).filter(|owner| **owner != after.owner);
        if known.is_some() {
            prop_assert_eq!(recorded.previous_owner.as_ref(), owner_before, "{:?}", change);
        }
        before.insert(
            after.id,
            (**recorded.after.as_ref().expect("it has a state")).clone(),
        );
    }
    // What happened is what was said: no conversation changed without an event.
    for (id, after) in &step.after.conversations {
        prop_assert_eq!(before.get(id), Some(after), "changed without a word");
    }
    Ok(())
}

/// A refusal is the last that is said, and what was said before it was no effect of the refused command.
fn check_refusal(step: Step<'_>) -> Verdict {
    let refused = |kind: &Kind| matches!(kind, Kind::CommandRejected(_));
    let place = step
        .events
        .iter()
        .position(|recorded| refused(&recorded.event.kind));
    let Some(place) = place else {
        let is_command = matches!(step.input.body, Body::Command(_));
        prop_assert!(
            !is_command || !step.events.is_empty(),
            "an accepted command says something"
        );
        return Ok(());
    };
    prop_assert_eq!(place + 1, step.events.len(), "nothing follows a refusal");
    let own = step.input.conversation();
    for recorded in &step.events[..place] {
        // A drain gives something away; what was asked about it before is over.
        let is_drain = matches!(
            &recorded.event.kind,
            Kind::Conversation(
                _,
                Change::Assigned(_) | Change::RequestEnded { .. } | Change::Quiet(_)
            ) | Kind::DrainPending(_)
                | Kind::QueueServable(_)
        );
        prop_assert!(is_drain, "a refused command did this: {recorded:?}");
    }
    if place == 0 {
        prop_assert_eq!(
            &step.before.conversations,
            &step.after.conversations,
            "own: {:?}",
            own
        );
        prop_assert_eq!(&step.before.agents, &step.after.agents);
        prop_assert_eq!(&step.before.teams, &step.after.teams);
        prop_assert_eq!(step.before.plan.version, step.after.plan.version);
    }
    Ok(())
}
