//! Commands on one conversation. Checks run in the order of precedence of the codes; a refusal changes nothing.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::conversation::{Conversation, Owner};
use super::super::event::{By, Change, Code, Event, Kind, Reason, Refusal};
use super::super::ids::{AgentId, ConversationId, TeamId};
use super::super::input::{Actor, Command, Fault, Recipient, Wish};
use super::super::permission::{self, Acting};
use super::super::state::State;
use super::clocks;
use super::placing::{self, Arrival, Background, Given, Place};
use super::replies::{self, Reply};
use super::requests;
use super::story::Story;
use super::upkeep;

/// A command with what it wants of the conversation.
pub struct Asked<'a> {
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
pub fn decide(state: &State, id: ConversationId, asked: Asked<'_>, now: Timestamp) -> Vec<Event> {
    let conversation = state
        .conversation(id)
        .filter(|conversation| conversation.exists());
    let outcome = match conversation {
        None => Err((Code::NotFound, "there is no such conversation")),
        Some(conversation) => carry_out(state, conversation, &asked, now),
    };
    let outcome = sensible(&asked, now).and(outcome);
    outcome.unwrap_or_else(|(code, message)| {
        vec![refusal(
            asked.command,
            conversation.map(|c| c.id),
            code,
            message.into(),
            Vec::new(),
            now,
        )]
    })
}

/// A code, and a sentence for people.
pub type Refused = (Code, &'static str);

fn carry_out(
    state: &State,
    conversation: &Conversation,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<Vec<Event>, Refused> {
    possible(conversation, asked.wish)?;
    let acting = permission::acting(state, &asked.command.actor).map_err(say)?;
    match asked.wish {
        Wish::Assign(to) => known(state, to)?,
        Wish::Request { to } => known_agent(state, to)?,
        _ => {}
    }
    if asked
        .expected_epoch
        .is_some_and(|epoch| epoch != conversation.epoch)
    {
        return Err((Code::EpochConflict, "the conversation has changed since"));
    }
    let mut story = Story::of(conversation, now);
    match asked.wish {
        Wish::Assign(Recipient::Agent(agent)) => assign_to_agent(state, &mut story, acting, asked, agent)?,
        Wish::Assign(Recipient::Team(team)) => assign_to_team(state, &mut story, acting, asked, team)?,
        Wish::Unassign => unassign(state, &mut story, acting, asked)?,
        Wish::Close => close(state, &mut story, acting, asked)?,
        Wish::Reopen => reopen(state, &mut story, acting, asked)?,
        Wish::Hold { until } => upkeep::hold(state, &mut story, acting, asked, *until)?,
        Wish::Resume => upkeep::resume(state, &mut story, acting, asked)?,
        Wish::Prioritize(priority) => upkeep::prioritize(state, &mut story, acting, asked, *priority)?,
        Wish::Note { text } => upkeep::note(state, &mut story, acting, asked, text)?,
        Wish::Request { to } => requests::request(state, &mut story, acting, asked, to)?,
        Wish::Accept { request } => requests::accept(state, &mut story, acting, asked, *request)?,
        Wish::Reject { request, reason } => {
            requests::reject(&mut story, acting, asked, *request, reason)?;
        }
        Wish::Withdraw { request, reason } => {
            requests::withdraw(&mut story, acting, asked, *request, reason)?;
        }
        Wish::Reply {
            message,
            template,
            leave_unassigned,
        } => {
            let reply = Reply {
                message,
                template: *template,
                leave_unassigned: *leave_unassigned,
            };
            replies::reply(state, &mut story, acting, asked, reply)?;
        }
    }
    Ok(story.events)
}

/// What makes no sense on any conversation.
fn sensible(asked: &Asked<'_>, now: Timestamp) -> Result<(), Refused> {
    match asked.wish {
        Wish::Hold { until: Some(until) } if *until <= now => {
            Err((Code::Invalid, "until must be a time in the future"))
        }
        Wish::Request { to } if asked.command.actor == Actor::Agent(to.clone()) => {
            Err((Code::Invalid, "nobody asks themselves: to take it, assign it"))
        }
        Wish::Reject { reason, .. } | Wish::Withdraw { reason, .. } if reason.trim().is_empty() => {
            Err((Code::ReasonRequired, "it must be said why"))
        }
        _ => Ok(()),
    }
}

/// What a status makes impossible without any other code to say so.
fn possible(conversation: &Conversation, wish: &Wish) -> Result<(), Refused> {
    match wish {
        Wish::Reopen if !conversation.is_closed() => Err((Code::Invalid, "the conversation is not closed")),
        Wish::Resume if conversation.is_open() => Err((Code::Invalid, "the conversation is not on hold")),
        Wish::Unassign if !conversation.is_closed() && conversation.owner == Owner::Nobody => {
            Err((Code::Invalid, "nobody has the conversation"))
        }
        _ => Ok(()),
    }
}

/// Whether there is such a person or team to give to.
pub fn known(state: &State, to: &Recipient) -> Result<(), Refused> {
    match to {
        Recipient::Agent(agent) => known_agent(state, agent),
        Recipient::Team(team) => known_team(state, team),
    }
}

fn known_agent(state: &State, agent: &AgentId) -> Result<(), Refused> {
    match state.active_agent(agent) {
        Some(_) => Ok(()),
        None => Err((Code::UnknownAgent, "there is no such active agent")),
    }
}

fn known_team(state: &State, team: &TeamId) -> Result<(), Refused> {
    if state.plan.teams.contains_key(team) {
        Ok(())
    } else {
        Err((Code::UnknownTeam, "there is no such team in the plan"))
    }
}

fn assign_to_agent(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    agent: &AgentId,
) -> Result<(), Refused> {
    if story.draft.owned_by() == Some(agent) {
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
    reopen_if_closed(story, &asked.command.actor);
    let own_act = matches!(acting, Acting::Person { id, .. } if id == agent);
    let given = Given {
        agent: agent.clone(),
        team,
        by: if own_act { By::Claim } else { By::Manual },
        note: asked.note.clone(),
        exclude: None,
        hop: None,
    };
    let assignment = placing::by_hand(state, story, given);
    story.then(
        asked.command.actor.clone(),
        Change::Assigned(Box::new(assignment)),
    );
    Ok(())
}

/// Whoever gives a conversation to a team gives it away, also when they are a member.
fn assign_to_team(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    team: &TeamId,
) -> Result<(), Refused> {
    if !story.draft.is_closed() && story.draft.owner.queue() == Some(team) {
        return Err((Code::AlreadyAssigned, "it waits in that team's queue already"));
    }
    permission::assign(state, acting, &story.draft, &Recipient::Team(team.clone())).map_err(say)?;
    let exclude = story.draft.owned_by().cloned();
    reopen_if_closed(story, &asked.command.actor);
    let place = Place {
        team: team.clone(),
        // A person's choice replaces what the rules asked for.
        route: Default::default(),
        priority: story.draft.priority,
        exclude,
        hop: None,
        by: By::Auto,
        if_waiting: Reason::Transfer,
        note: asked.note.clone(),
        background: Background::default(),
    };
    let actor = asked.command.actor.clone();
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

fn unassign(state: &State, story: &mut Story, acting: Acting<'_>, asked: &Asked<'_>) -> Result<(), Refused> {
    if story.draft.is_closed() {
        return Err((Code::Closed, "the conversation is closed"));
    }
    permission::unassign(state, acting, &story.draft).map_err(say)?;
    let draft = &story.draft;
    let assign_clock =
        clocks::clock_with_nobody(&state.plan, draft, &draft.route, draft.team.as_ref(), story.at());
    let unassigned = Change::Unassigned {
        reason: Reason::Command,
        note: asked.note.clone(),
        assign_clock,
    };
    story.then(asked.command.actor.clone(), unassigned);
    Ok(())
}

fn close(state: &State, story: &mut Story, acting: Acting<'_>, asked: &Asked<'_>) -> Result<(), Refused> {
    if story.draft.is_closed() {
        return Err((Code::Closed, "the conversation is closed already"));
    }
    permission::conduct(state, acting, &story.draft).map_err(say)?;
    let closed = Change::Closed {
        reason: Reason::Command,
        note: asked.note.clone(),
    };
    story.then(asked.command.actor.clone(), closed);
    Ok(())
}

/// The last owner keeps it; for anyone else the plan's reopening policy decides who gets it.
fn reopen(state: &State, story: &mut Story, acting: Acting<'_>, asked: &Asked<'_>) -> Result<(), Refused> {
    permission::conduct(state, acting, &story.draft).map_err(say)?;
    let kept = matches!(acting, Acting::Person { id, .. } if story.draft.owner.agent() == Some(id));
    let actor = asked.command.actor.clone();
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

/// Whoever gives a closed one to somebody begins a new episode.
pub fn reopen_if_closed(story: &mut Story, actor: &Actor) {
    if story.draft.is_closed() {
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
pub fn say(code: Code) -> Refused {
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
