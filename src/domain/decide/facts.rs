//! Facts: what a customer's message, a reply outside the gate, or a bot's handover leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::conversation::{Contact, Conversation, Owner, Status};
use super::super::event::{Change, Event, IdentityConflict, Kind, MessageRef, Quiet, Reason};
use super::super::input::{Actor, Fact, Message, System, What};
use super::super::state::State;
use super::clocks;
use super::placing::{self, Arrival};
use super::replies::{self, Sent};
use super::story::Story;

/// What a fact leads to.
pub fn decide(state: &State, fact: &Fact, now: Timestamp) -> Vec<Event> {
    let Some(conversation) = state.conversation(fact.conversation) else {
        return skip("unknown_conversation", now);
    };
    let mut events = happens(state, conversation, fact, now);
    events.extend(conflict(state, conversation, fact, &events, now));
    events
}

/// Where its customer's identifiers disagree, that is told with every fact that shows it: after what the fact itself leads
/// to, and also where it leads to nothing.
fn conflict(
    state: &State,
    conversation: &Conversation,
    fact: &Fact,
    events: &[Event],
    now: Timestamp,
) -> Option<Event> {
    let opened = |event: &Event| matches!(event.kind, Kind::Conversation(_, Change::Opened { .. }));
    let exists = |id| match state.conversation(id) {
        Some(own) if id == conversation.id => own.exists() || events.iter().any(opened),
        // One that came up in this batch may have come to nothing; the others of a conflict are not loaded.
        other => other.is_none_or(Conversation::exists),
    };
    let leads: Vec<_> = fact
        .conflict
        .iter()
        .filter(|lead| exists(lead.conversation))
        .cloned()
        .collect();
    let told = leads.len() > 1 && leads[0].conversation == conversation.id;
    told.then(|| Event {
        at: now,
        actor: Actor::Gateway,
        decision: None,
        kind: Kind::IdentityConflict(Box::new(IdentityConflict {
            conversation: conversation.id,
            channel: conversation.channel.clone(),
            partition_key: conversation.partition_key.clone(),
            home: conversation.home,
            leads,
        })),
    })
}

fn happens(state: &State, conversation: &Conversation, fact: &Fact, now: Timestamp) -> Vec<Event> {
    match &fact.what {
        What::Received(message) => received(state, conversation, fact, message, now),
        What::Sent {
            message,
            origin,
            leave_unassigned,
        } => {
            let sent = Sent {
                fact,
                message,
                origin,
                leave_unassigned: *leave_unassigned,
            };
            replies::sent(state, conversation, sent, now)
        }
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
    if conversation.is_closed() && !message.turn {
        return skip("not_a_turn", now);
    }
    let mut story = Story::of(conversation, now);
    let begins = conversation.is_closed();
    if begins {
        begin(&mut story, fact, fact.standby, Reason::Customer, Actor::Customer);
    } else if message.turn {
        resume(&mut story);
    }
    let contact = if begins {
        None
    } else {
        changed_contact(&conversation.contact, &fact.contact)
    };
    let starts = message.turn && !(story.draft.standby && fact.standby);
    let respond_clock = starts
        .then(|| clocks::started_by_turn(&state.plan, &story.draft, fact.at))
        .flatten();
    let received = Change::MessageReceived {
        message: MessageRef::of(message, fact.at),
        turn: message.turn,
        contact,
        standby: fact.standby,
        respond_clock: respond_clock.map(Box::new),
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

/// A bot hands over: the rules find someone, by what the bot learned too, unless a person has it or it waits for one already.
fn handover(state: &State, conversation: &Conversation, fact: &Fact, now: Timestamp) -> Vec<Event> {
    let mut story = Story::of(conversation, now);
    if conversation.is_closed() {
        // Whatever the fact says of standby: the bot lets go with it.
        begin(&mut story, fact, false, Reason::Handover, Actor::Gateway);
    } else {
        if let Some(contact) = changed_contact(&conversation.contact, &fact.contact) {
            let learned = Change::Quiet(Quiet::Learned(contact));
            story.then(Actor::Gateway, learned);
        }
        if conversation.owner != Owner::Nobody {
            story.events.extend(skip("handover_of_owned", now));
            return story.events;
        }
        resume(&mut story);
    }
    let arrival = Arrival {
        message: None,
        since: fact.at,
        actor: Actor::System(System::Router),
    };
    placing::by_rules(state, &mut story, arrival);
    story.events
}

/// The customer is back: nothing stays on hold.
fn resume(story: &mut Story) {
    if story.draft.status == Status::OnHold {
        let resumed = Change::Resumed {
            reason: Reason::Customer,
            note: None,
        };
        story.then(Actor::Customer, resumed);
    }
}

/// Opens what is new, reopens what was closed.
pub fn begin(story: &mut Story, fact: &Fact, standby: bool, reason: Reason, actor: Actor) {
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
pub fn skip(why: &'static str, at: Timestamp) -> Vec<Event> {
    vec![Event {
        at,
        actor: Actor::Gateway,
        decision: None,
        kind: Kind::Skipped(why),
    }]
}
