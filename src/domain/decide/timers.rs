//! Timers: a clock that ran out, a presence that was not repeated, work that was left for later.

use jiff::Timestamp;

use super::super::agent::Presence;
use super::super::conversation::{AssignClock, Conversation, Owner};
use super::super::event::{Change, Event, Kind};
use super::super::ids::AgentId;
use super::super::input::{Actor, System, Timer};
use super::super::state::State;
use super::placing::{self, Arrival};
use super::story::Story;

/// What a due timer leads to: nothing, if what it waited for has happened.
pub fn decide(state: &State, timer: &Timer, now: Timestamp) -> Vec<Event> {
    match timer {
        Timer::AssignDue { conversation } => on(state, *conversation, |c| assign_due(state, c, now)),
        Timer::PresenceExpired { agent } => presence_expired(state, agent, now),
        Timer::DrainQueues => vec![quiet(Kind::DrainPending(false), now)],
        Timer::Reexamine { conversation } => on(state, *conversation, |c| reexamine(state, c, now)),
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
        .filter(|conversation| conversation.is_open())
        .map(decide)
        .unwrap_or_default()
}

/// Nobody took it in time. The clock fires once; the conversation stays where it is.
fn assign_due(state: &State, conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    let AssignClock::Running { policy, due, .. } = &conversation.assign_clock else {
        return Vec::new();
    };
    if *due > now {
        return Vec::new();
    }
    let notify = state
        .plan
        .responses
        .get(policy)
        .is_none_or(|policy| policy.notify);
    let mut story = Story::of(conversation, now);
    let breached = Change::ResponseBreached {
        policy: policy.clone(),
        due: *due,
        notify,
    };
    story.then(Actor::System(System::Timer), breached);
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
        (Owner::Team(_), _) | (Owner::Nobody, AssignClock::Running { .. }) => as_it_is(),
        (Owner::Nobody, AssignClock::Breached) => None,
        (Owner::Nobody, AssignClock::Off) => conversation.waiting_since.map(|since| {
            let team = conversation.team.as_ref();
            placing::clock_with_nobody(&state.plan, conversation, &conversation.route, team, since)
        }),
    };
    let mut story = Story::of(conversation, now);
    if let Some(clock) = clock {
        story.then(Actor::System(System::Sweep), Change::ClockStarted(clock));
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
