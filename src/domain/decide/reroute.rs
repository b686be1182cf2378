//! Taking back what a plan or a rule gave away: each conversation is routed again, by the plan in force.

use jiff::Timestamp;

use super::super::bulk::{Made, Order, Was};
use super::super::conversation::{Conversation, Owner};
use super::super::event::{BulkAccepted, By, Change, Code, Event, Kind};
use super::super::input::Command;
use super::super::permission;
use super::super::routing;
use super::super::state::State;
use super::bulk;
use super::commands::{Refused, say};
use super::placing::{self, Arrival};
use super::story::Story;

/// Whether assignments are taken back. Which of them still stand is judged one by one, when their turn comes.
pub fn accept(state: &State, command: &Command, made: &Made, reroute: BulkAccepted, now: Timestamp) -> Event {
    let outcome = acceptable(state, command, made).map(|()| reroute);
    bulk::accepted(command, outcome, now)
}

fn acceptable(state: &State, command: &Command, made: &Made) -> Result<(), Refused> {
    let acting = permission::acting(state, &command.actor).map_err(say)?;
    permission::administer(acting).map_err(|code| (code, "only admins may take back what a plan did"))?;
    if made.version == 0 || made.version > state.plan.version {
        return Err((Code::Invalid, "there was no plan of this version"));
    }
    Ok(())
}

/// Where the plan in force sends a conversation that another one gave away. Nothing happens if somebody has answered or
/// moved it since, if it would come to the same person, or if no rule says where it should go.
pub fn again(
    state: &State,
    conversation: &Conversation,
    order: &Order,
    was: Option<&Was>,
    now: Timestamp,
) -> Story {
    let as_it_is = Story::of(conversation, now);
    if !was.is_some_and(|was| stands(conversation, was)) || !is_routed(state, conversation, now) {
        return as_it_is;
    }
    let mut story = Story::of(conversation, now);
    let arrival = Arrival {
        message: None,
        since: now,
        actor: order.actor.clone(),
    };
    placing::afresh(state, &mut story, arrival);
    if story.draft.owner == conversation.owner && story.draft.team == conversation.team {
        return as_it_is;
    }
    in_bulk(&mut story);
    story
}

/// Whether an assignment is as it was made: the same epoch, and no reply. One at the same moment counts: it came after.
fn stands(conversation: &Conversation, was: &Was) -> bool {
    let replied = conversation.replied_at.is_some_and(|replied| replied >= was.at);
    let owned = conversation.is_open() && matches!(conversation.owner, Owner::Agent(_));
    owned && conversation.epoch == was.epoch && !replied
}

/// Whether the plan says where it should go. What the customer wrote is not kept, so a rule over messages may be the one
/// that would have said so: then it is better off with the person it has than with nobody.
fn is_routed(state: &State, conversation: &Conversation, now: Timestamp) -> bool {
    routing::route(&state.plan, conversation, None, now)
        .target
        .is_some()
}

/// A person asked for this, of many at once: the rules only say where to.
fn in_bulk(story: &mut Story) {
    for event in &mut story.events {
        if let Kind::Conversation(_, Change::Assigned(assignment)) = &mut event.kind {
            assignment.by = By::Bulk;
        }
    }
}
