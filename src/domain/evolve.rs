//! Applies what happened. Says nothing about whether it should have.

use std::sync::Arc;

use jiff::Timestamp;

use super::agent::{Agent, Membership};
use super::conversation::{AssignClock, Contact, Conversation, Owner, Priority, Route, Status, WINDOW};
use super::event::{Assignment, By, Change, Event, Kind};
use super::ids::{AgentId, TeamId};
use super::input::Origin;
use super::plan::{Plan, Strategy, Team};
use super::state::State;

/// Applies one event to the state.
pub fn evolve(state: &mut State, event: &Event) {
    match &event.kind {
        Kind::Conversation(id, change) => {
            let before = match change {
                Change::Opened { as_new, .. } => Some((**as_new).clone()),
                _ => state.take(*id),
            };
            if let Some(conversation) = before {
                evolve_conversation(state, conversation, change, event.at);
            }
        }
        Kind::AgentUpserted {
            agent,
            member_of,
            manages,
        } => {
            write_memberships(state, &agent.id, member_of, manages);
            state.agents.insert(agent.id.clone(), (**agent).clone());
            state.unsettled = true;
        }
        Kind::PresenceChanged {
            agent,
            presence,
            expires,
            ..
        } => {
            if let Some(agent) = state.agents.get_mut(agent) {
                agent.presence = *presence;
                agent.presence_expires = *expires;
                state.unsettled = true;
            }
        }
        Kind::PlanActivated { plan, .. } => activate(state, plan),
        Kind::DrainPending(pending) => {
            state.drain_pending = *pending;
            state.unsettled |= !*pending;
        }
        Kind::CommandRejected(_) | Kind::Skipped(_) => {}
    }
}

/// Applies a change to a conversation and shifts its weight between the agents it concerns.
fn evolve_conversation(state: &mut State, mut conversation: Conversation, change: &Change, at: Timestamp) {
    let carried_before = conversation.carried_by().cloned();
    state.weigh(&conversation, -1);
    apply(&mut conversation, change, at);
    state.weigh(&conversation, 1);
    if carried_before.is_some() && carried_before.as_ref() != conversation.carried_by() {
        state.unsettled = true;
    }
    if let Change::Assigned(assignment) = change {
        take_turn(state, assignment, at);
    }
    state.put(conversation);
}

/// An assignment makes its agent less idle; an automatic one also uses up their turn.
fn take_turn(state: &mut State, assignment: &Assignment, at: Timestamp) {
    let Some(agent) = state.agents.get_mut(&assignment.agent) else {
        return;
    };
    agent.last_assigned = Some(at);
    if assignment.by != By::Auto {
        return;
    }
    agent.last_chosen = Some(at);
    let Some(team) = assignment
        .team
        .as_ref()
        .and_then(|team| state.teams.get_mut(team))
    else {
        return;
    };
    let last = team.last_turn();
    if let Some(member) = team
        .members
        .iter_mut()
        .find(|member| member.agent == assignment.agent)
    {
        member.turn = last;
    }
}

/// Applies a change to one conversation, whatever else it means.
pub fn apply(conversation: &mut Conversation, change: &Change, at: Timestamp) {
    if let Change::Opened { as_new, standby, .. } = change {
        *conversation = (**as_new).clone();
        conversation.status = Status::Open;
        conversation.episode = 1;
        conversation.standby = *standby;
    }
    conversation.sequence += u64::from(change.is_announced());
    conversation.epoch += u64::from(change.raises_epoch());
    match change {
        Change::Opened { .. } => {}
        Change::Reopened {
            standby,
            kept,
            contact,
            ..
        } => {
            reopen(conversation, *standby, *kept);
            learn(conversation, contact);
        }
        Change::MessageReceived {
            message,
            turn,
            contact,
            standby,
        } => {
            if *turn {
                conversation.standby &= *standby;
                if !conversation.standby {
                    conversation.waiting_since.get_or_insert(message.at);
                }
                let expires = message.at.checked_add(WINDOW).unwrap_or(Timestamp::MAX);
                conversation.window_expires_at = conversation.window_expires_at.max(Some(expires));
            }
            learn(conversation, contact);
            conversation.last_activity = conversation.last_activity.max(message.at);
        }
        Change::MessageSent { message, origin } => {
            if matches!(origin, Origin::Agent(agent) if conversation.owner.agent() == Some(agent)) {
                conversation.waiting_since = None;
            }
            conversation.last_activity = conversation.last_activity.max(message.at);
        }
        Change::Queued {
            team,
            route,
            priority,
            exclude,
            assign_clock,
            ..
        } => {
            conversation.owner = Owner::Team(team.clone());
            conversation.team = Some(team.clone());
            conversation.queued_at = Some(at);
            conversation.assign_clock = assign_clock.clone();
            settle_route(conversation, route, *priority, exclude);
        }
        Change::Assigned(assignment) => {
            conversation.owner = Owner::Agent(assignment.agent.clone());
            conversation.last_owner = Some(assignment.agent.clone());
            conversation.team = assignment.team.clone();
            conversation.queued_at = None;
            conversation.assign_clock = AssignClock::Off;
            settle_route(
                conversation,
                &assignment.route,
                assignment.priority,
                &assignment.exclude,
            );
        }
        Change::Unassigned { assign_clock, .. } => {
            conversation.owner = Owner::Nobody;
            conversation.standby = false;
            conversation.queued_at = None;
            conversation.assign_clock = assign_clock.clone();
        }
        Change::Closed { .. } => {
            conversation.status = Status::Closed;
            conversation.standby = false;
            conversation.waiting_since = None;
            conversation.queued_at = None;
            conversation.assign_clock = AssignClock::Off;
        }
        Change::ClockStarted(clock) => conversation.assign_clock = clock.clone(),
        Change::ResponseBreached { .. } => conversation.assign_clock = AssignClock::Breached,
    }
    if !matches!(
        change,
        Change::MessageReceived { .. } | Change::MessageSent { .. }
    ) {
        conversation.last_activity = conversation.last_activity.max(at);
    }
}

/// A new episode forgets what the last one decided; only its owner, for `sticky`, is remembered.
fn reopen(conversation: &mut Conversation, standby: bool, kept: bool) {
    conversation.status = Status::Open;
    conversation.episode += 1;
    conversation.standby = standby;
    conversation.excluded.clear();
    conversation.route = Route::default();
    conversation.priority = Priority::Normal;
    if !kept {
        conversation.owner = Owner::Nobody;
        conversation.team = None;
    }
}

fn learn(conversation: &mut Conversation, contact: &Option<Arc<Contact>>) {
    if let Some(contact) = contact {
        conversation.contact = contact.clone();
    }
}

fn settle_route(
    conversation: &mut Conversation,
    route: &Route,
    priority: Priority,
    exclude: &Option<AgentId>,
) {
    conversation.standby = false;
    conversation.route = route.clone();
    conversation.priority = priority;
    conversation.excluded.extend(exclude.clone());
}

/// Teams replace membership: who is not named leaves.
fn write_memberships(state: &mut State, agent: &AgentId, member_of: &[TeamId], manages: &[TeamId]) {
    for (id, team) in &mut state.teams {
        if member_of.contains(id) {
            team.join(agent);
        } else {
            team.leave(agent);
        }
        let manager = team.has_manager(agent);
        if manages.contains(id) && !manager {
            team.managers.push(agent.clone());
        } else if manager && !manages.contains(id) {
            team.managers.retain(|other| other != agent);
        }
    }
}

/// Whether a plan empties queues that this batch did not load, or loaded in another order: those it is the first to empty,
/// and those whose rest is still in the database.
fn outdates_queues(state: &State, plan: &Plan) -> bool {
    let is_first_to_empty = |(id, team): (&TeamId, &Team)| {
        team.strategy != Strategy::Manual && state.plan.strategy(id) == Some(Strategy::Manual)
    };
    !state.more_waiting().is_empty() || plan.teams.iter().any(is_first_to_empty)
}

/// A plan writes the agents it lists, every team's members and managers, and every channel's subscribers.
fn activate(state: &mut State, plan: &Arc<Plan>) {
    for (id, profile) in &plan.agents {
        match state.agents.get_mut(id) {
            Some(agent) => agent.profile = profile.clone(),
            None => drop(
                state
                    .agents
                    .insert(id.clone(), Agent::new(id.clone(), profile.clone())),
            ),
        }
    }
    for agent in state.agents.values_mut() {
        agent.profile.subscriptions = plan
            .channels
            .iter()
            .filter(|(_, channel)| channel.subscribers.contains(&agent.id))
            .map(|(key, _)| key.clone())
            .collect();
    }
    state.teams.retain(|id, _| plan.teams.contains_key(id));
    for (id, team) in &plan.teams {
        let membership: &mut Membership = state.teams.entry(id.clone()).or_default();
        membership.set_members(&team.members);
        membership.managers = team.managers.clone();
    }
    state.queues_outdated |= outdates_queues(state, plan);
    state.plan = plan.clone();
    state.reorder_waiting();
    state.unsettled = true;
}
