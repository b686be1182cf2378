//! Owners who are away or offline for too long. Until the plan's grace is over nothing of theirs moves, so that a phone
//! without signal moves nothing; whoever is back before it is their conversation's turn keeps it.
//!
//! Three things lead here: the end of somebody's grace, after which all they own is looked at; a turn that has waited for
//! its owner as long as the grace is; and a new plan. What is on hold stays with whoever set it aside until it is taken up
//! again. What was given to someone who was gone already was a person's choice: it has a grace of its own.

use jiff::Timestamp;

use super::super::absence;
use super::super::alarm;
use super::super::conversation::{Hop, HopReason};
use super::super::event::{Change, Event, Kind, Quiet, Reason};
use super::super::ids::AgentId;
use super::super::input::{Actor, System};
use super::super::plan::Moves;
use super::super::state::State;
use super::escalation;
use super::placing::{self, Arrival};
use super::story::Story;

/// Someone's grace is over: if they are still gone and the plan moves anything, what they own is looked at.
pub fn grace_over(state: &State, id: &AgentId, now: Timestamp) -> Vec<Event> {
    if moves(state, id, now) == Moves::Keep {
        return Vec::new();
    }
    let kind = Kind::GraceOver { agent: id.clone() };
    vec![Event {
        at: now,
        actor: Actor::System(System::Timer),
        decision: None,
        kind,
    }]
}

/// A turn has waited as long as owners may be away: is the owner there?
pub fn look_for_owner(state: &State, story: &mut Story) {
    let is_due = alarm::owner_missed(&story.draft, &state.plan).is_some_and(|at| at <= story.at());
    let Some(turn) = story.draft.waiting_since.filter(|_| is_due) else {
        return;
    };
    let owner = story.draft.owner.clone();
    give_on(state, story);
    if story.draft.owner == owner {
        // Whoever goes from now on leaves a timer of their own.
        let looked = Change::Quiet(Quiet::OwnerLookedAt(Some(turn)));
        story.then(Actor::System(System::Timer), looked);
    }
}

/// Takes it from an owner who has been gone for too long, if the plan says so: back to routing, in its team if there is one.
pub fn give_on(state: &State, story: &mut Story) {
    let Some(owner) = story.draft.carried_by().cloned() else {
        return;
    };
    let moves = match moves(state, &owner, story.at()) {
        Moves::Keep => false,
        Moves::Unanswered => story.draft.waiting_since.is_some(),
        Moves::All => true,
    };
    if !moves || story.draft.standby {
        return;
    }
    if is_news(state, story) {
        look_again(story);
        return;
    }
    take(state, story, owner);
}

/// What moves of what somebody owns. Who left for good is none of those who may come back.
fn moves(state: &State, id: &AgentId, now: Timestamp) -> Moves {
    let agent = state.active_agent(id);
    agent.map_or(Moves::Keep, |agent| {
        absence::moves(agent, &state.plan.settings, now)
    })
}

/// Whether its owner has had it for less than the grace: it was given to them while they were gone.
fn is_news(state: &State, story: &Story) -> bool {
    let over = |since: Timestamp| since.checked_add(state.plan.settings.offline_after).ok();
    let had_since = story.draft.owned_since;
    had_since.is_some_and(|since| over(since).is_none_or(|over| over > story.at()))
}

/// It was looked at under a plan that let its owner keep it, and is too new to move by this one: it is looked at once more
/// when it no longer is.
fn look_again(story: &mut Story) {
    if story.draft.care.owner_looked_at.is_some() {
        let again = Change::Quiet(Quiet::OwnerLookedAt(None));
        story.then(Actor::System(System::Timer), again);
    }
}

/// They may have it again once they are back. Where neither it nor the rules know a team for it, nobody has it: there
/// everyone sees that it waits.
fn take(state: &State, story: &mut Story, owner: AgentId) {
    let hop = Hop {
        from: owner,
        why: HopReason::Absent,
    };
    if escalation::guarded(state, story, hop, Reason::OwnerOffline) {
        return;
    }
    let arrival = Arrival {
        message: None,
        since: story.at(),
        actor: Actor::System(System::Router),
    };
    placing::afresh(state, story, arrival);
}
