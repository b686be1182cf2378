//! Timers: a clock that ran out, a presence that was not repeated, work that was left for later.

use jiff::Timestamp;

use super::super::agent::Presence;
use super::super::conversation::{Clock, Conversation, Owner};
use super::super::event::{Change, Event, Kind, Quiet, Reason};
use super::super::ids::AgentId;
use super::super::input::{Actor, System, Timer};
use super::super::state::State;
use super::placing::{self, Arrival};
use super::requests;
use super::story::Story;
use super::{absence, alarm, breaches, bulk, clocks, leaving};

/// What a due timer leads to: nothing, if what it waited for has happened.
pub fn decide(state: &State, timer: &Timer, now: Timestamp) -> Vec<Event> {
    match timer {
        Timer::AssignDue { conversation } => on(state, *conversation, |c| {
            let mut story = Story::of(c, now);
            breaches::assign_due(state, &mut story);
            story.events
        }),
        Timer::HoldEnds { conversation } => on(state, *conversation, |c| hold_ends(c, now)),
        Timer::RequestDue { conversation } => on(state, *conversation, |c| requests::due(c, now)),
        Timer::RecipientGone { conversation } => {
            on(state, *conversation, |c| requests::recipient_gone(state, c, now))
        }
        Timer::Alarm { conversation } => on(state, *conversation, |c| alarm::due(state, c, now)),
        Timer::Absent { agent } => absence::grace_over(state, agent, now),
        Timer::PresenceExpired { agent } => presence_expired(state, agent, now),
        Timer::DrainQueues => vec![quiet(Kind::DrainPending(false), now)],
        Timer::Reexamine { conversation } => on(state, *conversation, |c| reexamine(state, c, now)),
        Timer::Bulk(item) => bulk::item(state, item, now),
        Timer::BulkDone(report) => vec![bulk::done(report, now)],
        Timer::OwnerGone { conversation } => on(state, *conversation, |c| leaving::owner_gone(state, c, now)),
        Timer::Stranded { conversation } => on(state, *conversation, |c| stranded(state, c, now)),
    }
}

fn on(
    state: &State,
    id: super::super::ids::ConversationId,
    decide: impl FnOnce(&Conversation) -> Vec<Event>,
) -> Vec<Event> {
    state
        .conversation(id)
        .filter(|conversation| !conversation.is_closed())
        .map(decide)
        .unwrap_or_default()
}

/// The moment came until which it was on hold.
fn hold_ends(conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    if conversation.held_until.is_none_or(|until| until > now) {
        return Vec::new();
    }
    let mut story = Story::of(conversation, now);
    let resumed = Change::Resumed {
        reason: Reason::Until,
        note: None,
    };
    story.then(Actor::System(System::Timer), resumed);
    story.events
}

fn presence_expired(state: &State, id: &AgentId, now: Timestamp) -> Vec<Event> {
    let Some(agent) = state
        .agents
        .get(id)
        .filter(|agent| agent.presence_expires.is_some_and(|at| at <= now))
    else {
        return Vec::new();
    };
    let kind = Kind::PresenceChanged {
        agent: id.clone(),
        presence: Presence::Offline,
        previous: agent.presence,
        expires: None,
    };
    vec![Event {
        at: now,
        actor: Actor::System(System::Timer),
        decision: None,
        kind,
    }]
}

/// A new plan dropped the team it waits in: the rules find it another place.
fn reexamine(state: &State, conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    let Owner::Team(team) = &conversation.owner else {
        return Vec::new();
    };
    if state.plan.teams.contains_key(team) {
        return Vec::new();
    }
    let mut story = Story::of(conversation, now);
    let actor = Actor::System(System::Router);
    placing::afresh(
        state,
        &mut story,
        Arrival {
            message: None,
            since: now,
            actor,
        },
    );
    story.events
}

/// Found where nothing would remind anyone of it: it gets a clock, or what it has is written down again, with its place in
/// the queue and its timer.
fn stranded(state: &State, conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    let as_it_is = || Some(conversation.assign_clock.clone());
    let clock = match (&conversation.owner, &conversation.assign_clock) {
        _ if conversation.standby => None,
        (Owner::Agent(_), _) => None,
        (Owner::Team(_), _) | (Owner::Nobody, Clock::Running { .. }) => as_it_is(),
        (Owner::Nobody, Clock::Breached) => None,
        (Owner::Nobody, Clock::Off) => conversation.waiting_since.map(|since| {
            let team = conversation.team.as_ref();
            clocks::clock_with_nobody(&state.plan, conversation, &conversation.route, team, since)
        }),
    };
    let mut story = Story::of(conversation, now);
    if let Some(clock) = clock {
        story.then(
            Actor::System(System::Sweep),
            Change::Quiet(Quiet::ClockStarted(clock)),
        );
    }
    story.events
}

fn quiet(kind: Kind, at: Timestamp) -> Event {
    Event {
        at,
        actor: Actor::System(System::Router),
        decision: None,
        kind,
    }
}
