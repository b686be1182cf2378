//! Facts: what a customer's message, a reply outside the gate, or a bot's handover leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::conversation::{Contact, Conversation, Owner};
use super::super::event::{Change, Event, Kind, MessageRef, Reason};
use super::super::input::{Actor, Fact, Message, Origin, System, What};
use super::super::state::State;
use super::placing::{self, Arrival};
use super::story::Story;

/// What a fact leads to.
pub fn decide(state: &State, fact: &Fact, now: Timestamp) -> Vec<Event> {
    let Some(conversation) = state.conversation(fact.conversation) else {
        return skip("unknown_conversation", now);
    };
    match &fact.what {
        What::Received(message) => received(state, conversation, fact, message, now),
        What::Sent { message, origin } => sent(state, conversation, fact, message, origin, now),
        What::Handover { .. } => handover(state, conversation, fact, now),
    }
}

/// A turn opens, reopens or goes on; anything else means something only on an open conversation.
fn received(
    state: &State,
    conversation: &Conversation,
    fact: &Fact,
    message: &Message,
    now: Timestamp,
) -> Vec<Event> {
    if !conversation.is_open() && !message.turn {
        return skip("not_a_turn", now);
    }
    let mut story = Story::of(conversation, now);
    let begins = !conversation.is_open();
    if begins {
        begin(&mut story, fact, fact.standby, Reason::Customer, Actor::Customer);
    }
    let contact = if begins {
        None
    } else {
        changed_contact(&conversation.contact, &fact.contact)
    };
    let received = Change::MessageReceived {
        message: MessageRef::of(message, fact.at),
        turn: message.turn,
        contact,
        standby: fact.standby,
    };
    story.then(Actor::Customer, received);
    let bot_let_go = conversation.standby && !story.draft.standby;
    if (begins && !fact.standby) || (!begins && bot_let_go && story.draft.owner == Owner::Nobody) {
        let arrival = Arrival {
            message: Some(message),
            since: fact.at,
            actor: Actor::System(System::Router),
        };
        placing::by_rules(state, &mut story, arrival);
    }
    story.events
}

/// Until replies are gated, a reply from outside claims nothing: it is recorded where there is something to record it on.
fn sent(
    state: &State,
    conversation: &Conversation,
    fact: &Fact,
    message: &Message,
    origin: &Origin,
    now: Timestamp,
) -> Vec<Event> {
    if !conversation.is_open() {
        return skip("sent_while_not_open", now);
    }
    let is_owner = |agent| conversation.owner.agent() == Some(agent);
    let origin = match origin {
        Origin::Agent(agent) if !is_owner(agent) && state.active_agent(agent).is_none() => Origin::Phone,
        known => known.clone(),
    };
    let actor = match &origin {
        Origin::Agent(agent) => Actor::Agent(agent.clone()),
        Origin::Phone | Origin::Automation => Actor::Gateway,
    };
    let mut story = Story::of(conversation, now);
    story.then(
        actor,
        Change::MessageSent {
            message: MessageRef::of(message, fact.at),
            origin,
        },
    );
    story.events
}

/// A bot hands over: the rules find someone, unless a person has it or it waits for one already.
fn handover(state: &State, conversation: &Conversation, fact: &Fact, now: Timestamp) -> Vec<Event> {
    if conversation.is_open() && conversation.owner != Owner::Nobody {
        return skip("handover_of_owned", now);
    }
    let mut story = Story::of(conversation, now);
    if !conversation.is_open() {
        // Whatever the fact says of standby: the bot lets go with it.
        begin(&mut story, fact, false, Reason::Handover, Actor::Gateway);
    }
    let arrival = Arrival {
        message: None,
        since: fact.at,
        actor: Actor::System(System::Router),
    };
    placing::by_rules(state, &mut story, arrival);
    story.events
}

/// Opens what is new, reopens what was closed.
fn begin(story: &mut Story, fact: &Fact, standby: bool, reason: Reason, actor: Actor) {
    let contact = changed_contact(&story.draft.contact, &fact.contact);
    if story.draft.exists() {
        story.then(
            actor,
            Change::Reopened {
                reason,
                standby,
                kept: false,
                contact,
            },
        );
        return;
    }
    let mut as_new = story.draft.clone();
    if let Some(contact) = contact {
        as_new.contact = contact;
    }
    story.then(
        actor,
        Change::Opened {
            reason,
            as_new: Box::new(as_new),
            standby,
        },
    );
}

/// What is known of the customer with what this fact says of them; `None` if it says nothing new.
fn changed_contact(known: &Contact, said: &Contact) -> Option<Arc<Contact>> {
    let differs = |said: &Arc<str>, known: &Arc<str>| !said.is_empty() && said != known;
    let more = said
        .attributes
        .iter()
        .any(|(name, value)| known.attributes.get(name) != Some(value));
    let changed = more
        || differs(&said.name, &known.name)
        || differs(&said.language, &known.language)
        || differs(&said.country, &known.country);
    if !changed {
        return None;
    }
    let newer = |said: &Arc<str>, known: &Arc<str>| {
        if said.is_empty() {
            known.clone()
        } else {
            said.clone()
        }
    };
    let attributes: BTreeMap<_, _> = known
        .attributes
        .clone()
        .into_iter()
        .chain(said.attributes.clone())
        .collect();
    Some(Arc::new(Contact {
        name: newer(&said.name, &known.name),
        language: newer(&said.language, &known.language),
        country: newer(&said.country, &known.country),
        attributes: attributes.into_iter().take(Contact::MAX_ATTRIBUTES).collect(),
    }))
}

/// A fact that means nothing here: not an error, only counted.
fn skip(why: &'static str, at: Timestamp) -> Vec<Event> {
    vec![Event {
        at,
        actor: Actor::Gateway,
        decision: None,
        kind: Kind::Skipped(why),
    }]
}
