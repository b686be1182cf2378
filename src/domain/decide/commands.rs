//! Commands on one conversation. Checks run in the order of precedence of the codes; a refusal changes nothing.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::conversation::{Conversation, Owner};
use super::super::event::{By, Change, Code, Event, Kind, Reason, Refusal, Terms};
use super::super::ids::{AgentId, ConversationId, TeamId};
use super::super::input::{Actor, Command, Fault, Recipient, Wish};
use super::super::permission::{self, Acting};
use super::super::state::State;
use super::placing::{self, Arrival, Background, Given, Place};
use super::story::Story;

/// A command with what it wants of the conversation.
pub struct Request<'a> {
    /// The whole command.
    pub command: &'a Command,
    /// What to do.
    pub wish: &'a Wish,
    /// Conflict when the epoch is another.
    pub expected_epoch: Option<u64>,
    /// For the one who takes over.
    pub note: Option<Arc<str>>,
}

/// What the command leads to.
pub fn decide(state: &State, id: ConversationId, request: Request<'_>, now: Timestamp) -> Vec<Event> {
    let conversation = state
        .conversation(id)
        .filter(|conversation| conversation.exists());
    let outcome = match conversation {
        None => Err((Code::NotFound, "there is no such conversation")),
        Some(conversation) => carry_out(state, conversation, &request, now),
    };
    outcome.unwrap_or_else(|(code, message)| {
        vec![refusal(
            request.command,
            conversation.map(|c| c.id),
            code,
            message.into(),
            Vec::new(),
            now,
        )]
    })
}

/// A code, and a sentence for people.
type Refused = (Code, &'static str);

fn carry_out(
    state: &State,
    conversation: &Conversation,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Vec<Event>, Refused> {
    possible(conversation, request.wish)?;
    let acting = permission::acting(state, &request.command.actor).map_err(say)?;
    if let Wish::Assign(to) = request.wish {
        known(state, to)?;
    }
    if request
        .expected_epoch
        .is_some_and(|epoch| epoch != conversation.epoch)
    {
        return Err((Code::EpochConflict, "the conversation has changed since"));
    }
    let mut story = Story::of(conversation, now);
    match request.wish {
        Wish::Assign(Recipient::Agent(agent)) => assign_to_agent(state, &mut story, acting, request, agent)?,
        Wish::Assign(Recipient::Team(team)) => assign_to_team(state, &mut story, acting, request, team)?,
        Wish::Unassign => unassign(state, &mut story, acting, request)?,
        Wish::Close => close(state, &mut story, acting, request)?,
        Wish::Reopen => reopen(state, &mut story, acting, request)?,
    }
    Ok(story.events)
}

/// What a status makes impossible without any other code to say so.
fn possible(conversation: &Conversation, wish: &Wish) -> Result<(), Refused> {
    match wish {
        Wish::Reopen if conversation.is_open() => Err((Code::Invalid, "the conversation is open")),
        Wish::Unassign if conversation.is_open() && conversation.owner == Owner::Nobody => {
            Err((Code::Invalid, "nobody has the conversation"))
        }
        Wish::Assign(_) | Wish::Unassign | Wish::Close | Wish::Reopen => Ok(()),
    }
}

fn known(state: &State, to: &Recipient) -> Result<(), Refused> {
    match to {
        Recipient::Agent(agent) if state.active_agent(agent).is_none() => {
            Err((Code::UnknownAgent, "there is no such active agent"))
        }
        Recipient::Team(team) if !state.plan.teams.contains_key(team) => {
            Err((Code::UnknownTeam, "there is no such team in the plan"))
        }
        Recipient::Agent(_) | Recipient::Team(_) => Ok(()),
    }
}

fn assign_to_agent(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    request: &Request<'_>,
    agent: &AgentId,
) -> Result<(), Refused> {
    if story.draft.carried_by() == Some(agent) {
        return Err((Code::AlreadyAssigned, "they own the conversation already"));
    }
    let to = Recipient::Agent(agent.clone());
    permission::assign(state, acting, &story.draft, &to).map_err(say)?;
    if state
        .active_agent(agent)
        .is_some_and(|agent| !agent.profile.may_reply)
    {
        return Err((Code::TargetUnavailable, "they may not reply to customers"));
    }
    // Before the reopening, which forgets it.
    let team = placing::team_after_giving(state, story.draft.team.as_ref(), agent);
    reopen_if_closed(story, &request.command.actor);
    let own_act = matches!(acting, Acting::Person { id, .. } if id == agent);
    let given = Given {
        agent: agent.clone(),
        team,
        by: if own_act { By::Claim } else { By::Manual },
        note: request.note.clone(),
        exclude: None,
    };
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: None,
    };
    let (route, priority) = (story.draft.route.clone(), story.draft.priority);
    let assignment = placing::assignment(state, story, given, route, priority, terms);
    story.then(
        request.command.actor.clone(),
        Change::Assigned(Box::new(assignment)),
    );
    Ok(())
}

/// Whoever gives a conversation to a team gives it away, also when they are a member.
fn assign_to_team(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    request: &Request<'_>,
    team: &TeamId,
) -> Result<(), Refused> {
    if story.draft.is_open() && story.draft.owner.queue() == Some(team) {
        return Err((Code::AlreadyAssigned, "it waits in that team's queue already"));
    }
    permission::assign(state, acting, &story.draft, &Recipient::Team(team.clone())).map_err(say)?;
    let exclude = story.draft.carried_by().cloned();
    reopen_if_closed(story, &request.command.actor);
    let place = Place {
        team: team.clone(),
        // A person's choice replaces what the rules asked for.
        route: Default::default(),
        priority: story.draft.priority,
        exclude,
        if_waiting: Reason::Transfer,
        note: request.note.clone(),
        background: Background::default(),
    };
    let actor = request.command.actor.clone();
    let since = story.at();
    placing::in_team(
        state,
        story,
        place,
        Arrival {
            message: None,
            since,
            actor,
        },
    );
    Ok(())
}

fn unassign(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    request: &Request<'_>,
) -> Result<(), Refused> {
    if !story.draft.is_open() {
        return Err((Code::Closed, "the conversation is closed"));
    }
    permission::unassign(state, acting, &story.draft).map_err(say)?;
    let draft = &story.draft;
    let assign_clock =
        placing::clock_with_nobody(&state.plan, draft, &draft.route, draft.team.as_ref(), story.at());
    let unassigned = Change::Unassigned {
        reason: Reason::Command,
        note: request.note.clone(),
        assign_clock,
    };
    story.then(request.command.actor.clone(), unassigned);
    Ok(())
}

fn close(state: &State, story: &mut Story, acting: Acting<'_>, request: &Request<'_>) -> Result<(), Refused> {
    if !story.draft.is_open() {
        return Err((Code::Closed, "the conversation is closed already"));
    }
    permission::close_or_reopen(state, acting, &story.draft).map_err(say)?;
    let closed = Change::Closed {
        reason: Reason::Command,
        note: request.note.clone(),
    };
    story.then(request.command.actor.clone(), closed);
    Ok(())
}

/// The last owner keeps it; for anyone else the plan's reopening policy decides who gets it.
fn reopen(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    request: &Request<'_>,
) -> Result<(), Refused> {
    permission::close_or_reopen(state, acting, &story.draft).map_err(say)?;
    let kept = matches!(acting, Acting::Person { id, .. } if story.draft.owner.agent() == Some(id));
    let actor = request.command.actor.clone();
    story.then(
        actor,
        Change::Reopened {
            reason: Reason::Command,
            standby: false,
            kept,
            contact: None,
        },
    );
    if !kept {
        let since = story.at();
        let actor = Actor::System(super::super::input::System::Router);
        placing::by_rules(
            state,
            story,
            Arrival {
                message: None,
                since,
                actor,
            },
        );
    }
    Ok(())
}

fn reopen_if_closed(story: &mut Story, actor: &Actor) {
    if !story.draft.is_open() {
        let reopened = Change::Reopened {
            reason: Reason::Command,
            standby: false,
            kept: false,
            contact: None,
        };
        story.then(actor.clone(), reopened);
    }
}

/// The sentence for a code that permissions refuse with.
fn say(code: Code) -> Refused {
    let message = match code {
        Code::UnknownAgent => "the actor is no active agent of this tenant",
        Code::AlreadyAssigned => "somebody else owns the conversation",
        Code::NotAssignee => "the actor is not the assigned agent",
        _ => "the actor is not permitted to do this",
    };
    (code, message)
}

/// A command that could not be read.
pub fn malformed(
    command: &Command,
    conversation: Option<ConversationId>,
    message: Arc<str>,
    errors: Vec<Fault>,
    now: Timestamp,
) -> Event {
    refusal(command, conversation, Code::Invalid, message, errors, now)
}

/// The one event a refused command yields.
pub fn refusal(
    command: &Command,
    conversation: Option<ConversationId>,
    code: Code,
    message: Arc<str>,
    errors: Vec<Fault>,
    at: Timestamp,
) -> Event {
    let refusal = Refusal {
        command: command.name.clone(),
        conversation,
        code,
        message,
        errors,
    };
    Event {
        at,
        actor: command.actor.clone(),
        decision: None,
        kind: Kind::CommandRejected(refusal),
    }
}
