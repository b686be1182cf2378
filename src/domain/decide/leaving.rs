//! Who leaves: an agent, whose conversations go back to routing, and a customer, of whom nothing is kept.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::agent::{Agent, Presence};
use super::super::conversation::Conversation;
use super::super::event::{By, Change, Code, Event, Kind, Reason};
use super::super::ids::{AgentId, ConversationId};
use super::super::input::{Actor, Command, System};
use super::super::permission;
use super::super::state::State;
use super::absence;
use super::commands::{Refused, refusal, say};
use super::placing::{self, Arrival, Background, Place};
use super::queues;
use super::story::Story;

/// An agent is removed. What they own follows, each conversation in its home lane.
pub fn remove(state: &State, command: &Command, id: &AgentId, now: Timestamp) -> Vec<Event> {
    let outcome = removed(state, command, id, now).map(|agent| Kind::AgentRemoved {
        agent: Arc::new(agent),
    });
    vec![administered(command, outcome, now)]
}

fn removed(state: &State, command: &Command, id: &AgentId, now: Timestamp) -> Result<Agent, Refused> {
    let acting = permission::acting(state, &command.actor).map_err(say)?;
    let agent = state
        .agents
        .get(id)
        .filter(|agent| !agent.removed)
        .ok_or((Code::UnknownAgent, "there is no such agent"))?;
    permission::administer(acting).map_err(|code| (code, "only admins may remove agents"))?;
    let mut agent = agent.clone();
    agent.removed = true;
    agent.profile.active = false;
    agent.set_presence(Presence::Offline, now);
    agent.presence_expires = None;
    Ok(agent)
}

/// Its owner was removed or deactivated, or has been away or offline for too long: back to routing, in its team if there is
/// one. Of those who may come back, the plan says what moves.
pub fn owner_gone(state: &State, conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    let mut story = Story::of(conversation, now);
    match conversation.owned_by() {
        None => {}
        Some(owner) if state.active_agent(owner).is_some() => absence::give_on(state, &mut story),
        Some(_) => to_others(state, &mut story),
    }
    story.events
}

fn to_others(state: &State, story: &mut Story) {
    let arrival = Arrival {
        message: None,
        since: story.at(),
        actor: Actor::System(System::Router),
    };
    let team = story.draft.team.clone();
    let team = team.filter(|team| state.plan.teams.contains_key(team));
    match team {
        Some(team) => {
            let place = Place {
                team: queues::serving_team(state, None, &team, story.at()),
                route: story.draft.route.clone(),
                priority: story.draft.priority,
                exclude: None,
                hop: None,
                by: By::Auto,
                if_waiting: Reason::AgentRemoved,
                note: None,
                background: Background::default(),
            };
            placing::in_team(state, story, place, arrival);
        }
        None => placing::afresh(state, story, arrival),
    }
}

/// A customer is erased. Every conversation of theirs is closed and keeps nothing that tells who they were.
pub fn forget(
    state: &State,
    command: &Command,
    conversations: &[ConversationId],
    keys: &[Arc<str>],
    now: Timestamp,
) -> Vec<Event> {
    if let Err((code, message)) = may_forget(state, command) {
        return vec![refusal(command, None, code, message.into(), Vec::new(), now)];
    }
    let theirs = conversations
        .iter()
        .filter_map(|id| state.conversation(*id))
        .filter(|conversation| conversation.exists());
    let mut events = Vec::new();
    for conversation in theirs {
        if !conversation.is_closed() {
            let mut story = Story::of(conversation, now);
            let closed = Change::Closed {
                reason: Reason::Forgotten,
                note: None,
            };
            story.then(command.actor.clone(), closed);
            events.append(&mut story.events);
        }
        events.push(forgotten(
            command,
            Some(conversation.id),
            &conversation.partition_key,
            now,
        ));
    }
    if events.is_empty() {
        // Whoever asks is answered, and whoever still holds something under such a key hears of it.
        events.extend(keys.iter().map(|key| forgotten(command, None, key, now)));
    }
    events
}

fn may_forget(state: &State, command: &Command) -> Result<(), Refused> {
    let acting = permission::acting(state, &command.actor).map_err(say)?;
    permission::administer(acting).map_err(|code| (code, "only admins may erase customers"))
}

fn forgotten(
    command: &Command,
    conversation: Option<ConversationId>,
    key: &Arc<str>,
    now: Timestamp,
) -> Event {
    let kind = Kind::ContactForgotten {
        conversation,
        partition_key: key.clone(),
    };
    administered(command, Ok(kind), now)
}

fn administered(command: &Command, outcome: Result<Kind, Refused>, at: Timestamp) -> Event {
    match outcome {
        Ok(kind) => Event {
            at,
            actor: command.actor.clone(),
            decision: None,
            kind,
        },
        Err((code, message)) => refusal(command, None, code, message.into(), Vec::new(), at),
    }
}
