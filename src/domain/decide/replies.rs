//! Replies: the gate they pass before they are sent, and what is told of those that were sent around it.

use jiff::Timestamp;

use super::super::conversation::Conversation;
use super::super::event::{By, Change, Code, Event, MessageRef, Reason};
use super::super::ids::{AgentId, TeamId};
use super::super::input::{Actor, Fact, Message, Origin, ReplyBody};
use super::super::permission::{self, Acting};
use super::super::state::State;
use super::commands::{Asked, Refused, say};
use super::facts::{begin, skip};
use super::placing::{self, Given};
use super::story::Story;

/// A reply that asks to be let through.
pub struct Reply<'a> {
    /// What, passed through.
    pub message: &'a ReplyBody,
    /// Whether it is a template.
    pub template: bool,
    /// Do not claim what nobody owns.
    pub leave_unassigned: bool,
}

/// Only the owner replies; who replies first to what nobody owns claims it, unless they ask not to.
pub fn reply(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    reply: Reply<'_>,
) -> Result<(), Refused> {
    if story.draft.is_closed() {
        return Err((Code::Closed, "the conversation is closed"));
    }
    permission::reply(state, acting, &story.draft, reply.leave_unassigned).map_err(say)?;
    if !reply.template && story.draft.window_is_closed(story.at()) {
        let message = "the customer's last message is more than 24 hours ago: only a template may be sent";
        return Err((Code::WindowClosed, message));
    }
    if let Acting::Person { id, .. } = acting
        && story.draft.owned_by().is_none()
        && !reply.leave_unassigned
    {
        let own = story.draft.team.clone();
        claim(state, story, id, own.as_ref());
    }
    let authorized = Change::ReplyAuthorized {
        message: reply.message.clone(),
        template: reply.template,
    };
    story.then(asked.command.actor.clone(), authorized);
    Ok(())
}

/// Something the business sent outside our gate.
pub struct Sent<'a> {
    /// The fact that reports it.
    pub fact: &'a Fact,
    /// What was sent.
    pub message: &'a Message,
    /// By whom, as the gateway says.
    pub origin: &'a Origin,
    /// Does not claim what nobody owns.
    pub leave_unassigned: bool,
}

impl Sent<'_> {
    fn message(&self, origin: &Origin, echo_of: Option<Timestamp>) -> Change {
        Change::MessageSent {
            message: MessageRef::of(self.message, self.fact.at),
            origin: origin.clone(),
            echo_of,
        }
    }
}

/// A fact, whoever sent it: it claims what nobody owns if a person of ours did, and is reported if someone else owns it.
pub fn sent(state: &State, conversation: &Conversation, sent: Sent<'_>, now: Timestamp) -> Vec<Event> {
    let mut story = Story::of(conversation, now);
    let origin = named(state, conversation, sent.origin);
    if origin == Origin::Phone
        && let Some(authorized) = conversation.echoed_by(sent.fact.at)
    {
        story.then(Actor::Gateway, sent.message(&origin, Some(authorized)));
        return story.events;
    }
    let origin = behind_the_phone(state, conversation, origin, sent.fact);
    let actor = match &origin {
        Origin::Agent(agent) => Actor::Agent(agent.clone()),
        Origin::Phone | Origin::Automation => Actor::Gateway,
    };
    if let Origin::Agent(agent) = &origin
        && conversation.owned_by().is_none()
        && !sent.leave_unassigned
        && may_reply(state, agent)
    {
        if conversation.is_closed() {
            begin(&mut story, sent.fact, false, Reason::Agent, actor.clone());
        }
        // That of the episode before, which a new one forgets.
        claim(state, &mut story, agent, conversation.team.as_ref());
    }
    if story.draft.is_closed() {
        return skip("sent_while_closed", now);
    }
    story.then(actor.clone(), sent.message(&origin, None));
    if is_unauthorized(&story.draft, &origin) {
        let message = MessageRef::of(sent.message, sent.fact.at);
        story.then(actor, Change::ReplyUnauthorized { message, origin });
    }
    story.events
}

/// An agent nobody knows counts as none.
fn named(state: &State, conversation: &Conversation, origin: &Origin) -> Origin {
    match origin {
        Origin::Agent(agent) if !is_known(state, conversation, agent) => Origin::Phone,
        known => known.clone(),
    }
}

/// The channel may say whose phone it is. What is sent while a bot holds the chat is the bot's.
fn behind_the_phone(state: &State, conversation: &Conversation, origin: Origin, fact: &Fact) -> Origin {
    if origin != Origin::Phone {
        return origin;
    }
    if fact.standby {
        return Origin::Automation;
    }
    let channel = state.plan.channels.get(&conversation.channel);
    let owner = channel.and_then(|channel| channel.phone_agent.as_ref());
    match owner.filter(|agent| is_known(state, conversation, agent)) {
        Some(agent) => Origin::Agent(agent.clone()),
        None => Origin::Phone,
    }
}

/// The owner is known without a look at the roster: it is not loaded when a message needs nobody else.
fn is_known(state: &State, conversation: &Conversation, agent: &AgentId) -> bool {
    conversation.owned_by() == Some(agent) || state.active_agent(agent).is_some()
}

fn may_reply(state: &State, agent: &AgentId) -> bool {
    state
        .active_agent(agent)
        .is_some_and(|agent| agent.profile.may_reply)
}

/// Whether somebody who is not the owner wrote. A greeting is nobody's.
fn is_unauthorized(conversation: &Conversation, origin: &Origin) -> bool {
    match (conversation.owned_by(), origin) {
        (Some(owner), Origin::Agent(agent)) => owner != agent,
        (Some(_), Origin::Phone) => true,
        (Some(_), Origin::Automation) | (None, _) => false,
    }
}

/// Whoever replies first to what nobody owns owns it.
fn claim(state: &State, story: &mut Story, agent: &AgentId, own: Option<&TeamId>) {
    let given = Given {
        agent: agent.clone(),
        team: placing::team_after_giving(state, own, agent),
        by: By::FirstReply,
        note: None,
        exclude: None,
        hop: None,
    };
    let assignment = placing::by_hand(state, story, given);
    story.then(
        Actor::Agent(agent.clone()),
        Change::Assigned(Box::new(assignment)),
    );
}
