//! Response policies that are about to be broken, or are, and what is done about it.
//!
//! A policy may ask for several things at once. Managers are told if it says `notify`. Where it says both `escalate` and
//! `reassign`, it goes up: a conversation goes one way only.

use super::super::alarm;
use super::super::conversation::{Clock, ClockKind, EscalationReason, Hop, HopReason, Owner};
use super::super::event::{By, Change, Reason};
use super::super::ids::PolicyId;
use super::super::input::{Actor, System};
use super::super::plan::ResponsePolicy;
use super::super::state::State;
use super::escalation;
use super::placing::{self, Arrival, Background, Place};
use super::story::Story;

/// Clocks that are about to run out: each warns once in its run. One that has run out meanwhile no longer warns.
pub fn warn(state: &State, story: &mut Story) {
    for kind in [ClockKind::Assign, ClockKind::Respond] {
        let clock = match kind {
            ClockKind::Assign => &story.draft.assign_clock,
            ClockKind::Respond => &story.draft.respond_clock,
        };
        let Clock::Running {
            policy,
            warn: Some(warn),
            due,
            ..
        } = clock
        else {
            continue;
        };
        if *warn > story.at() {
            continue;
        }
        if *due > story.at() {
            let warned = Change::ResponseWarned {
                clock: kind,
                policy: policy.clone(),
                due: *due,
            };
            story.then(timer(), warned);
        } else if kind == ClockKind::Assign {
            // Its own timer is about to find nothing left to do.
            assign_due(state, story);
        }
    }
}

/// The owner did not answer in time.
pub fn respond_due(state: &State, story: &mut Story) {
    let Some(owner) = story.draft.owned_by().cloned() else {
        return;
    };
    let Some((policy, mut terms)) = run_out(state, story, ClockKind::Respond) else {
        return;
    };
    let moves = terms.reassign && !terms.escalate;
    let hop = Hop {
        from: owner,
        why: HopReason::Silent,
    };
    // Where a move leads nowhere, somebody hears of it at least.
    terms.notify |= moves && !escalation::can_move(state, story, hop.clone(), Reason::Breach);
    breach(story, ClockKind::Respond, &policy, &terms);
    if terms.escalate {
        escalation::escalate(state, story, EscalationReason::Breach, &policy);
    } else if moves {
        escalation::guarded(state, story, hop, Reason::Breach);
    }
}

/// Nobody took it in time. What waits in a queue moves as soon as somebody is free, breached or not; what nobody has is
/// offered to its team.
pub fn assign_due(state: &State, story: &mut Story) {
    let Some((policy, terms)) = run_out(state, story, ClockKind::Assign) else {
        return;
    };
    breach(story, ClockKind::Assign, &policy, &terms);
    if terms.escalate {
        escalation::escalate(state, story, EscalationReason::Breach, &policy);
    } else if terms.reassign && story.draft.owner == Owner::Nobody && story.draft.is_open() {
        offer_to_team(state, story);
    }
}

fn offer_to_team(state: &State, story: &mut Story) {
    let draft = &story.draft;
    let known = |team: &&_| state.plan.teams.contains_key(*team);
    let Some(team) = draft.team.as_ref().filter(known).cloned() else {
        return;
    };
    let place = Place {
        team,
        route: draft.route.clone(),
        priority: draft.priority,
        exclude: None,
        hop: None,
        by: By::Auto,
        if_waiting: Reason::Breach,
        note: None,
        background: Background::default(),
    };
    let arrival = Arrival {
        message: None,
        since: story.at(),
        actor: Actor::System(System::Router),
    };
    placing::in_team(state, story, place, arrival);
}

/// The policy of a clock that has run out; one that the plan no longer has counts as the built-in one.
fn run_out(state: &State, story: &Story, kind: ClockKind) -> Option<(PolicyId, ResponsePolicy)> {
    let clock = match kind {
        ClockKind::Assign => &story.draft.assign_clock,
        ClockKind::Respond => &story.draft.respond_clock,
    };
    match clock {
        Clock::Running { policy, due, .. } if *due <= story.at() => {
            let terms = state.plan.responses.get(policy).cloned();
            Some((policy.clone(), terms.unwrap_or_else(ResponsePolicy::built_in)))
        }
        Clock::Off | Clock::Running { .. } | Clock::Breached => None,
    }
}

fn breach(story: &mut Story, kind: ClockKind, policy: &PolicyId, terms: &ResponsePolicy) {
    let clock = match kind {
        ClockKind::Assign => &story.draft.assign_clock,
        ClockKind::Respond => &story.draft.respond_clock,
    };
    let Some(due) = clock.due() else {
        return;
    };
    let breached = Change::ResponseBreached {
        clock: kind,
        policy: policy.clone(),
        due,
        notify: terms.notify,
    };
    story.then(timer(), breached);
}

/// An escalation that found nobody is tried again.
pub fn try_again(state: &State, story: &mut Story) {
    let pending = story.draft.care.escalation.clone();
    if let Some(pending) = pending.filter(|pending| pending.retry_at <= story.at()) {
        escalation::try_again(state, story, &pending);
    }
}

/// The customer's window is about to close: managers are told, once for each end. If the policy in force escalates, it also
/// goes up.
pub fn window_ends(state: &State, story: &mut Story) {
    if alarm::window_ends(&story.draft).is_none_or(|at| at > story.at()) {
        return;
    }
    let (policy, terms) = escalation::in_force(state, &story.draft);
    let why = EscalationReason::Window;
    if terms.escalate {
        escalation::escalate(state, story, why, &policy);
    } else {
        story.then(timer(), Change::Escalated { why, to: None });
    }
}

/// Nothing has happened in it for long, and its customer is answered.
pub fn close_idle(state: &State, story: &mut Story) {
    if alarm::is_idle(&story.draft, &state.plan).is_some_and(|at| at <= story.at()) {
        let closed = Change::Closed {
            reason: Reason::Idle,
            note: None,
        };
        story.then(timer(), closed);
    }
}

fn timer() -> Actor {
    Actor::System(System::Timer)
}
