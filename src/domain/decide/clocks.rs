//! The two clocks of a response policy: when they start, warn and run out.

use std::time::Duration;

use jiff::Timestamp;

use super::super::conversation::{Clock, ClockKind, Conversation, Route};
use super::super::ids::{PolicyId, TeamId};
use super::super::plan::{Plan, ResponsePolicy};

/// The clock for a conversation that no agent owns: a run goes on while it stays unowned, warns once and fires once.
pub fn assign_clock(
    plan: &Plan,
    conversation: &Conversation,
    route: &Route,
    team: Option<&TeamId>,
    since: Timestamp,
) -> Clock {
    let terms = plan.response_policy(route.response.as_ref(), team);
    goes_on(plan, conversation, terms, team, since)
}

/// The clock for a conversation that neither an agent nor a queue has: it never goes without one, or nothing would ever
/// remind anyone of it.
pub fn clock_with_nobody(
    plan: &Plan,
    conversation: &Conversation,
    route: &Route,
    team: Option<&TeamId>,
    since: Timestamp,
) -> Clock {
    let built_in = || {
        let terms = (ResponsePolicy::built_in_id(), ResponsePolicy::built_in());
        goes_on(plan, conversation, terms, team, since)
    };
    match assign_clock(plan, conversation, route, team, since) {
        Clock::Off => built_in(),
        clock => clock,
    }
}

/// The clock for the answer of whoever owns it, under the route's policy, else the team's.
pub fn respond_clock(plan: &Plan, route: &Route, team: Option<&TeamId>, since: Timestamp) -> Clock {
    let terms = plan.response_policy(route.response.as_ref(), team);
    runs(plan, ClockKind::Respond, terms, team, since)
}

/// The clock that a turn on a conversation an agent owns starts, if nothing waited there before. Needs nothing but the plan:
/// an ordinary message must stay cheap.
pub fn started_by_turn(plan: &Plan, conversation: &Conversation, turn: Timestamp) -> Option<Clock> {
    conversation.owned_by()?;
    if conversation.waiting_since.is_some() {
        return None;
    }
    let since = conversation.owned_since.map_or(turn, |owned| owned.max(turn));
    let clock = respond_clock(plan, &conversation.route, conversation.team.as_ref(), since);
    (clock != Clock::Off).then_some(clock)
}

/// A run of the assign clock under these terms, or the run that goes on, now under these.
fn goes_on(
    plan: &Plan,
    conversation: &Conversation,
    terms: (PolicyId, ResponsePolicy),
    team: Option<&TeamId>,
    since: Timestamp,
) -> Clock {
    let run = match (&conversation.assign_clock, conversation.owned_by()) {
        (Clock::Breached, None) => return Clock::Breached,
        (
            Clock::Running {
                policy, since, warn, ..
            },
            None,
        ) => Some((policy, *since, warn.is_none())),
        (Clock::Running { .. } | Clock::Breached | Clock::Off, _) => None,
    };
    let Some((policy, began, warns_no_more)) = run else {
        return runs(plan, ClockKind::Assign, terms, team, since);
    };
    let asked_for = plan
        .responses
        .get(policy)
        .is_some_and(|policy| policy.warn_before.is_some());
    let mut clock = runs(plan, ClockKind::Assign, terms, team, began);
    if let Clock::Running { warn, .. } = &mut clock
        && warns_no_more
        && asked_for
    {
        *warn = None;
    }
    clock
}

fn runs(
    plan: &Plan,
    kind: ClockKind,
    (policy, terms): (PolicyId, ResponsePolicy),
    team: Option<&TeamId>,
    since: Timestamp,
) -> Clock {
    let within = match kind {
        ClockKind::Assign => terms.assign_within,
        ClockKind::Respond => terms.respond_within,
    };
    let calendar = plan.calendar_of(None, team).filter(|_| terms.working_hours);
    let after = |time: Duration| match calendar {
        Some(calendar) => calendar.after_working(since, time),
        None => since.checked_add(time).ok(),
    };
    let due = within.and_then(after);
    match (within, due) {
        (Some(within), Some(due)) => Clock::Running {
            policy,
            since,
            // Before the clock starts there is nothing to warn of.
            warn: terms
                .warn_before
                .and_then(|before| within.checked_sub(before))
                .filter(|quiet| !quiet.is_zero())
                .and_then(after),
            due,
        },
        _ => Clock::Off,
    }
}
