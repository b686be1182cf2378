//! What a caller who gave a `reply_to` is told.

use switchboard::contract::envelope::{Destination, OutMessage};
use switchboard::contract::outcome::{self, ReplyTo};
use switchboard::domain::agent::Presence;
use switchboard::domain::input::{Actor, Wish};

use super::{PUBLISHING, events, json, one};
use crate::company::{CHAT, Company, Happened, OTHER_CHAT, agent, plan, tenant, to_agent};

const REPLY: ReplyTo<'static> = ReplyTo {
    queue: "amq.gen-caller",
    correlation_id: Some("my command 7"),
};

fn answer(happened: &Happened) -> Option<OutMessage> {
    outcome::render(
        outcome::of(&happened.input, &happened.events)?,
        &tenant(),
        &PUBLISHING,
        REPLY,
    )
}

fn duplicate(company: &Company, happened: &Happened) -> Option<OutMessage> {
    outcome::duplicate(&happened.input, company.now, &tenant(), &PUBLISHING, REPLY)
}

#[test]
fn an_accepted_command_is_answered_with_its_last_event() {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    company.wish("mark", CHAT, Wish::Close);
    let happened = company.wish("root", CHAT, to_agent("martha"));
    let published = one(events(&happened), "conversation.assigned");
    let expected = OutMessage {
        to: Destination::Queue("amq.gen-caller".into()),
        routing_key: "amq.gen-caller".into(),
        correlation_id: Some("my command 7".into()),
        ..published
    };
    assert_eq!(answer(&happened), Some(expected));
}

#[test]
fn a_command_that_frees_a_place_is_answered_with_its_own_event_and_not_with_who_filled_it() {
    let mut plan = plan();
    plan.settings.capacity = 1;
    let mut company = Company::with(plan);
    company.presence(Actor::Agent(agent("mark")), "mark", Presence::Online);
    company.turn(CHAT);
    company.turn(OTHER_CHAT);
    let happened = company.wish("mark", CHAT, Wish::Close);
    let kinds: Vec<_> = events(&happened)
        .into_iter()
        .map(|message| message.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            "switchboard.conversation.closed",
            "switchboard.conversation.assigned"
        ]
    );
    assert_eq!(answer(&happened).unwrap().kind, "switchboard.conversation.closed");
}

#[test]
fn a_presence_that_drains_queues_is_answered_with_the_presence() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let happened = company.presence(Actor::Agent(agent("mark")), "mark", Presence::Online);
    assert_eq!(events(&happened).len(), 2);
    assert_eq!(
        answer(&happened).unwrap().kind,
        "switchboard.agent.presence_changed"
    );
}

#[test]
fn a_refused_command_is_answered_with_its_refusal() {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    let refused = answer(&company.wish("martha", CHAT, Wish::Close)).unwrap();
    assert_eq!(refused.kind, "switchboard.command.rejected");
    assert_eq!(json(&refused)["data"]["code"], "not_assignee");
}

#[test]
fn a_duplicate_command_is_answered_as_one() {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    let closed = company.wish("mark", CHAT, Wish::Close);
    let answer = duplicate(&company, &closed).unwrap();
    assert_eq!(answer.to, Destination::Queue("amq.gen-caller".into()));
    assert_eq!(answer.routing_key, "amq.gen-caller");
    assert_eq!(answer.correlation_id.as_deref(), Some("my command 7"));
    assert_eq!(json(&answer)["data"]["outcome"], "duplicate");
}

#[test]
fn facts_are_not_answered() {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    assert_eq!(answer(&happened), None);
    assert_eq!(duplicate(&company, &happened), None);
}

#[test]
fn a_caller_without_a_correlation_id_gets_none() {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    let happened = company.wish("mark", CHAT, Wish::Close);
    let reply = ReplyTo {
        correlation_id: None,
        ..REPLY
    };
    let outcome = outcome::of(&happened.input, &happened.events).unwrap();
    let answer = outcome::render(outcome, &tenant(), &PUBLISHING, reply);
    assert_eq!(answer.unwrap().correlation_id, None);
}
