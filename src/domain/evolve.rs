//! Applies what happened. Says nothing about whether it should have.

use std::sync::Arc;

use jiff::Timestamp;

use super::agent::{Agent, Membership};
use super::conversation::{
    Care, Clock, ClockKind, Contact, Conversation, EscalationReason, Hop, Owner, PendingRequest, Priority,
    Route, Status, WINDOW,
};
use super::event::{Assignment, By, Change, Event, Kind, Quiet, RequestOutcome};
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
            if let Change::Quiet(Quiet::QueueBlocked(ask)) = change {
                state.blocked.insert(ask.clone());
            }
        }
        Kind::QueueServable(ask) => drop(state.blocked.remove(ask)),
        Kind::AgentUpserted {
            agent,
            member_of,
            manages,
        } => {
            write_memberships(state, &agent.id, member_of, manages);
            state.agents.insert(agent.id.clone(), (**agent).clone());
            state.unsettled = true;
            state.unwatched = true;
        }
        Kind::AgentRemoved { agent } => {
            write_memberships(state, &agent.id, &[], &[]);
            state.agents.insert(agent.id.clone(), (**agent).clone());
            // Who is left may be all who had something that waits: they are asked once more.
            state.unsettled = true;
            state.unwatched = true;
            // Whoever is left may be excluded from what waits: then that loses its point.
            state.unsettled = true;
        }
        Kind::ContactForgotten { conversation, .. } => {
            if let Some(mut forgotten) = conversation.and_then(|id| state.take(id)) {
                forgotten.forget();
                state.put(forgotten);
            }
        }
        Kind::PresenceChanged {
            agent,
            presence,
            expires,
            ..
        } => {
            if let Some(agent) = state.agents.get_mut(agent) {
                agent.set_presence(*presence, event.at);
                agent.presence_expires = *expires;
                state.unsettled = true;
                state.unwatched = true;
            }
        }
        Kind::PlanActivated { plan, .. } => activate(state, plan),
        Kind::DrainPending(pending) => {
            state.drain_pending = *pending;
            state.unsettled |= !*pending;
            state.unwatched |= !*pending;
        }
        Kind::CommandRejected(_)
        | Kind::GraceOver { .. }
        | Kind::Skipped(_)
        | Kind::BulkAccepted(_)
        | Kind::BulkItemDone(_)
        | Kind::BulkDone(_)
        | Kind::IdentityConflict(_) => {}
    }
}

/// Applies a change to a conversation and shifts its weight between the agents it concerns.
fn evolve_conversation(state: &mut State, mut conversation: Conversation, change: &Change, at: Timestamp) {
    let carried = |c: &Conversation| c.carried_by().map(|agent| (agent.clone(), c.team.clone()));
    let carried_before = carried(&conversation);
    let was_offered = conversation.may_be_matched();
    state.weigh(&conversation, -1);
    apply(&mut conversation, change, at);
    state.weigh(&conversation, 1);
    // In a team too: one that changes teams with its owner leaves a place in the one before.
    let frees_a_place = carried_before.is_some() && carried_before != carried(&conversation);
    state.unsettled |= frees_a_place || is_offered_anew(state, &conversation, change);
    let asks_otherwise = !was_offered || matches!(change, Change::Quiet(Quiet::Relaxed(_)));
    state.unwatched |= asks_otherwise && conversation.may_be_matched();
    if let Change::Assigned(assignment) = change {
        take_turn(state, assignment, at);
    }
    state.put(conversation);
}

/// Whether a waiting conversation asks for less than before, or is no longer left to people; or whether one more is excluded,
/// which may leave nobody, so that nobody is excluded any more.
fn is_offered_anew(state: &State, conversation: &Conversation, change: &Change) -> bool {
    let offered = match change {
        Change::Resumed { .. }
        | Change::RequestEnded { .. }
        | Change::Quiet(Quiet::Relaxed(_) | Quiet::ExclusionsCleared) => true,
        Change::MessageReceived { turn, .. } => *turn && state.plan.settings.max_age.is_some(),
        _ => false,
    };
    offered && conversation.may_be_matched()
}

/// An assignment makes its agent less idle; an automatic one also uses up their turn.
fn take_turn(state: &mut State, assignment: &Assignment, at: Timestamp) {
    let Some(agent) = state.agents.get_mut(&assignment.agent) else {
        return;
    };
    agent.last_assigned = Some(at);
    // Where a strategy was asked, it was their turn, whichever way they came to it: in a bulk as if by itself.
    let in_turn = assignment.by == By::Auto || assignment.terms.strategy.is_some();
    if let Some(burst) = state.plan.settings.burst
        && (in_turn || assignment.by == By::Sticky)
    {
        agent.remember_turn(at, burst.limit);
    }
    if !in_turn {
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
            respond_clock,
        } => {
            if *turn {
                conversation.care.stale = false;
                conversation.standby &= *standby;
                if !conversation.standby {
                    conversation.waiting_since.get_or_insert(message.at);
                }
                let expires = message.at.checked_add(WINDOW).unwrap_or(Timestamp::MAX);
                conversation.window_expires_at = conversation.window_expires_at.max(Some(expires));
            }
            learn(conversation, contact);
            if let Some(clock) = respond_clock {
                conversation.respond_clock = (**clock).clone();
            }
            conversation.last_activity = conversation.last_activity.max(message.at);
        }
        Change::MessageSent {
            message,
            origin,
            echo_of,
        } => {
            let waiting = &mut conversation.unechoed;
            if let Some(place) = waiting.iter().position(|reply| Some(reply) == echo_of.as_ref()) {
                waiting.remove(place);
            }
            if matches!(origin, Origin::Agent(agent) if conversation.owned_by() == Some(agent)) {
                answered(conversation, at);
            }
            conversation.last_activity = conversation.last_activity.max(message.at);
        }
        Change::Queued {
            team,
            route,
            priority,
            exclude,
            hop,
            note,
            assign_clock,
            ..
        } => {
            change_owner(conversation, hop.as_ref(), at);
            if note.is_some() {
                conversation.care.handoff = note.clone();
            }
            conversation.owner = Owner::Team(team.clone());
            conversation.team = Some(team.clone());
            conversation.queued_at = Some(at);
            conversation.assign_clock = assign_clock.clone();
            settle_route(conversation, route, *priority, exclude);
        }
        Change::Assigned(assignment) => {
            change_owner(conversation, assignment.hop.as_ref(), at);
            conversation.respond_clock = assignment.respond_clock.clone();
            conversation.care.handoff = None;
            conversation.owner = Owner::Agent(assignment.agent.clone());
            conversation.last_owner = Some(assignment.agent.clone());
            conversation.team = assignment.team.clone();
            conversation.queued_at = None;
            conversation.assign_clock = Clock::Off;
            settle_route(
                conversation,
                &assignment.route,
                assignment.priority,
                &assignment.exclude,
            );
        }
        Change::Unassigned { assign_clock, .. } => {
            change_owner(conversation, None, at);
            conversation.care.handoff = None;
            conversation.owner = Owner::Nobody;
            conversation.standby = false;
            conversation.queued_at = None;
            conversation.assign_clock = assign_clock.clone();
        }
        Change::Closed { .. } => {
            conversation.status = Status::Closed;
            conversation.held_until = None;
            conversation.standby = false;
            conversation.waiting_since = None;
            conversation.queued_at = None;
            conversation.assign_clock = Clock::Off;
            conversation.respond_clock = Clock::Off;
            conversation.care.escalation = None;
            conversation.care.handoff = None;
        }
        Change::Held { until, .. } => {
            conversation.status = Status::OnHold;
            conversation.held_until = *until;
        }
        Change::Resumed { .. } => {
            conversation.status = Status::Open;
            conversation.held_until = None;
            // Whoever has it may have gone meanwhile.
            conversation.care.owner_looked_at = None;
        }
        Change::Prioritized { priority, .. } => conversation.priority = *priority,
        Change::Requested(request) => conversation.request = Some(request.clone()),
        Change::RequestEnded { request, outcome } => end_request(conversation, request, outcome),
        Change::ReplyAuthorized { .. } => authorize(conversation, at),
        Change::NoteAdded { .. } | Change::ReplyUnauthorized { .. } => {}
        Change::Quiet(quiet) => hush(conversation, quiet),
        Change::ResponseWarned { clock, .. } => {
            if let Clock::Running { warn, .. } = clock_of(conversation, *clock) {
                *warn = None;
            }
        }
        Change::ResponseBreached { clock, .. } => *clock_of(conversation, *clock) = Clock::Breached,
        Change::Escalated { why, .. } => {
            if *why == EscalationReason::Window {
                conversation.care.window_told = conversation.window_expires_at;
            }
        }
    }
    if is_activity(change) {
        conversation.last_activity = conversation.last_activity.max(at);
    }
}

/// Whether something happens in the conversation then: messages come with times of their own, and that nothing happens
/// is no activity.
fn is_activity(change: &Change) -> bool {
    !matches!(
        change,
        Change::MessageReceived { .. }
            | Change::MessageSent { .. }
            | Change::Quiet(_)
            | Change::ResponseWarned { .. }
            | Change::ResponseBreached { .. }
            | Change::Escalated { .. }
    )
}

/// What is not announced.
fn hush(conversation: &mut Conversation, quiet: &Quiet) {
    match quiet {
        Quiet::ClockStarted(clock) => conversation.assign_clock = clock.clone(),
        Quiet::Relaxed(route) => conversation.route = route.clone(),
        Quiet::Learned(contact) => conversation.contact = contact.clone(),
        Quiet::WentStale => conversation.care.stale = true,
        Quiet::OwnerLookedAt(turn) => conversation.care.owner_looked_at = *turn,
        Quiet::EscalationPending(pending) => conversation.care.escalation = Some(pending.clone()),
        Quiet::ExclusionsCleared => {
            conversation.care.exclusions_cleared = true;
            conversation.excluded.clear();
        }
        Quiet::QueueBlocked(_) => {}
    }
}

fn clock_of(conversation: &mut Conversation, kind: ClockKind) -> &mut Clock {
    match kind {
        ClockKind::Assign => &mut conversation.assign_clock,
        ClockKind::Respond => &mut conversation.respond_clock,
    }
}

/// Whoever had it has it no more: nobody's answer is waited for, until someone else has it.
fn change_owner(conversation: &mut Conversation, hop: Option<&Hop>, at: Timestamp) {
    conversation.owned_since = Some(at);
    conversation.respond_clock = Clock::Off;
    conversation.care.escalation = None;
    conversation.care.owner_looked_at = None;
    conversation.care.stale = false;
    if let Some(hop) = hop {
        conversation.care.remember(hop.clone());
    }
}

/// Its owner wrote to the customer.
fn answered(conversation: &mut Conversation, at: Timestamp) {
    conversation.waiting_since = None;
    conversation.replied_at = Some(at);
    conversation.respond_clock = Clock::Off;
    conversation.care.escalation = None;
}

/// Who declined an offer, or let it pass, is not chosen automatically in this episode.
fn end_request(conversation: &mut Conversation, request: &PendingRequest, outcome: &RequestOutcome) {
    conversation.request = None;
    match outcome {
        RequestOutcome::Rejected(_) | RequestOutcome::TimedOut => {
            conversation.excluded.insert(request.to.clone());
        }
        RequestOutcome::Accepted | RequestOutcome::Withdrawn(_) | RequestOutcome::Superseded(_) => {}
    }
}

/// A reply is on its way: the customer is answered, and its echo will come from the gateway.
fn authorize(conversation: &mut Conversation, at: Timestamp) {
    answered(conversation, at);
    let too_old = |authorized: &Timestamp| {
        let latest = authorized
            .checked_add(Conversation::ECHO_WITHIN)
            .unwrap_or(Timestamp::MAX);
        latest < at
    };
    conversation.unechoed.retain(|authorized| !too_old(authorized));
    if conversation.unechoed.len() >= Conversation::MAX_UNECHOED {
        conversation.unechoed.remove(0);
    }
    conversation.unechoed.push(at);
}

/// A new episode forgets what the last one decided; only its owner, for `sticky`, is remembered.
fn reopen(conversation: &mut Conversation, standby: bool, kept: bool) {
    conversation.status = Status::Open;
    conversation.episode += 1;
    conversation.standby = standby;
    conversation.excluded.clear();
    conversation.care = Care::default();
    conversation.respond_clock = Clock::Off;
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
            Some(agent) => {
                agent.profile = profile.clone();
                agent.removed = false;
            }
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
    state.unwatched = true;
}
