//! Requests: a conversation is offered to a colleague, who takes it or does not. Until then its owner stays its owner.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::agent::Presence;
use super::super::conversation::{Conversation, PendingRequest};
use super::super::event::{By, Change, Code, Event, Reason, RequestOutcome};
use super::super::ids::AgentId;
use super::super::input::{Actor, System};
use super::super::permission::{self, Acting};
use super::super::state::State;
use super::commands::{Asked, Refused, say};
use super::placing::{self, Given};
use super::story::Story;

/// Asks a colleague, whatever their capacity.
pub fn request(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    to: &AgentId,
) -> Result<(), Refused> {
    let draft = &story.draft;
    if draft.is_closed() {
        return Err((Code::Closed, "the conversation is closed"));
    }
    if draft.owned_by() == Some(to) {
        return Err((Code::AlreadyAssigned, "they own the conversation already"));
    }
    permission::request(state, acting, draft, to).map_err(say)?;
    let Acting::Person { id: from, .. } = acting else {
        return Err((Code::NotPermitted, "a request needs a person who can be answered"));
    };
    if draft.request.is_some() {
        return Err((Code::RequestPending, "another request waits for its answer"));
    }
    if unavailable(state, to).is_some() {
        let message = "they are offline, or may not reply to customers";
        return Err((Code::TargetUnavailable, message));
    }
    let timeout = state.plan.settings.request_timeout;
    let request = PendingRequest {
        id: draft.id.derive("engagement", draft.sequence + 1),
        from: from.clone(),
        to: to.clone(),
        note: asked.note.clone(),
        expires_at: story.at().checked_add(timeout).unwrap_or(Timestamp::MAX),
    };
    story.then(asked.command.actor.clone(), Change::Requested(request));
    Ok(())
}

/// The recipient takes it, whatever their capacity.
pub fn accept(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    meant: Option<Uuid>,
) -> Result<(), Refused> {
    let request = pending(&story.draft, meant)?;
    permission::answer(acting, &request).map_err(say)?;
    // Their going has not reached this conversation yet, but it came first.
    if unavailable(state, &request.to).is_some() {
        let message = "the recipient is offline, or may not reply to customers";
        return Err((Code::TargetUnavailable, message));
    }
    let actor = asked.command.actor.clone();
    end(story, actor.clone(), request.clone(), RequestOutcome::Accepted);
    let given = Given {
        team: placing::team_after_giving(state, story.draft.team.as_ref(), &request.to),
        agent: request.to,
        by: By::Request,
        note: request.note,
        exclude: None,
        hop: None,
    };
    let mut assignment = placing::by_hand(state, story, given);
    // Offer and acceptance are one operation, with one record.
    assignment.engagement = request.id;
    story.then(actor, Change::Assigned(Box::new(assignment)));
    Ok(())
}

/// The recipient declines.
pub fn reject(
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    meant: Option<Uuid>,
    reason: &Arc<str>,
) -> Result<(), Refused> {
    let request = pending(&story.draft, meant)?;
    permission::answer(acting, &request).map_err(say)?;
    let outcome = RequestOutcome::Rejected(reason.clone());
    end(story, asked.command.actor.clone(), request, outcome);
    Ok(())
}

/// Whoever asked takes it back.
pub fn withdraw(
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    meant: Option<Uuid>,
    reason: &Arc<str>,
) -> Result<(), Refused> {
    let request = pending(&story.draft, meant)?;
    permission::withdraw(acting, &request).map_err(say)?;
    let outcome = RequestOutcome::Withdrawn(reason.clone());
    end(story, asked.command.actor.clone(), request, outcome);
    Ok(())
}

/// Nobody answered in time. A timer that comes after an answer finds nothing left to end.
pub fn due(conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    ended(
        conversation,
        |request| (request.expires_at <= now).then_some(RequestOutcome::TimedOut),
        now,
    )
}

/// Whoever is asked may have gone: then nothing is gained by waiting for an answer.
pub fn recipient_gone(state: &State, conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    ended(
        conversation,
        |request| {
            let asker_left = state.active_agent(&request.from).is_none();
            let reason = unavailable(state, &request.to);
            let reason = reason.or(asker_left.then_some(Reason::RecipientRemoved));
            reason.map(RequestOutcome::Superseded)
        },
        now,
    )
}

fn ended(
    conversation: &Conversation,
    how: impl FnOnce(&PendingRequest) -> Option<RequestOutcome>,
    now: Timestamp,
) -> Vec<Event> {
    let mut story = Story::of(conversation, now);
    if let Some(request) = conversation.request.clone()
        && let Some(outcome) = how(&request)
    {
        end(&mut story, Actor::System(System::Timer), request, outcome);
    }
    story.events
}

fn end(story: &mut Story, actor: Actor, request: PendingRequest, outcome: RequestOutcome) {
    story.then(actor, Change::RequestEnded { request, outcome });
}

/// The request that is pending, if it is the one that is meant.
fn pending(conversation: &Conversation, meant: Option<Uuid>) -> Result<PendingRequest, Refused> {
    let pending = conversation.request.as_ref();
    pending
        .filter(|request| meant.is_none_or(|id| id == request.id))
        .cloned()
        .ok_or((Code::NoPendingRequest, "no such request waits for an answer"))
}

/// Why somebody cannot be asked, or be waited for.
fn unavailable(state: &State, id: &AgentId) -> Option<Reason> {
    let Some(agent) = state.agents.get(id).filter(|agent| !agent.removed) else {
        return Some(Reason::RecipientRemoved);
    };
    let there = agent.profile.active && agent.profile.may_reply && agent.presence != Presence::Offline;
    (!there).then_some(Reason::RecipientUnavailable)
}
