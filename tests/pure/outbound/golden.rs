//! One example of every message that leaves: a change of any field shows here first. The files are the examples that
//! schemas and pages refer to, too.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use switchboard::contract::envelope::OutMessage;
use switchboard::contract::event::kinds_of_events;
use switchboard::contract::notification::kinds_of_notifications;
use switchboard::contract::outcome::{self, ReplyTo};
use switchboard::domain::agent::{Presence, Role};
use switchboard::domain::bulk::ItemOutcome;
use switchboard::domain::conversation::Priority;
use switchboard::domain::event::Code;
use switchboard::domain::input::{Actor, Fault, Origin, ReplyBody, System, Timer, Upsert, Wish};

use super::{PUBLISHING, events, json, notifications, one};
use crate::company::{
    CHAT, Company, OTHER_CHAT, accept, agent, ask, channel, plan, reject, team, tenant, to_agent, to_team,
    withdraw,
};

/// The folder of one sort of examples.
fn folder(sort: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fixtures").join(sort)
}

/// Fails unless the body is the example's.
#[track_caller]
pub fn is_the_example(sort: &str, name: &str, message: &OutMessage) {
    let path = folder(sort).join(format!("{name}.json"));
    let actual = json(message);
    let shown = serde_json::to_string_pretty(&actual).unwrap();
    let Ok(text) = std::fs::read_to_string(&path) else {
        panic!("there is no example {sort}/{name}.json; this was rendered:\n{shown}");
    };
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(actual, expected, "{sort}/{name}.json differs; rendered:\n{shown}");
}

/// Mark owns the conversation after its first turn.
fn owned_by_mark() -> Company {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    company
}

#[test]
fn a_first_turn_on_a_sleeping_team() {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    let rendered = events(&happened);
    assert_eq!(rendered.len(), 3);
    for (message, name) in
        rendered
            .iter()
            .zip(["conversation.opened", "message.received", "conversation.queued"])
    {
        is_the_example("events", name, message);
    }
    let told = notifications(&company, &happened);
    is_the_example("notifications", "new_conversation", &told[0]);
    let blocked = one(notifications(&company, &happened), "notification.queue_blocked");
    is_the_example("notifications", "queue_blocked", &blocked);
}

#[test]
fn an_automatic_assignment() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let happened = company.presence(Actor::System(System::Cli), "mark", Presence::Online);
    let assigned = one(events(&happened), "conversation.assigned");
    is_the_example("events", "conversation.assigned", &assigned);
}

#[test]
fn an_assignment_by_hand_with_a_note() {
    let mut company = owned_by_mark();
    let happened = company.wish_with_note("boss", CHAT, to_agent("martha"), Some("Knows the case."));
    let assigned = one(events(&happened), "conversation.assigned");
    is_the_example("events", "conversation.assigned.by_hand", &assigned);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "assigned", &told[0]);
    is_the_example("notifications", "unassigned_from_you", &told[1]);
}

#[test]
fn a_turn_for_the_owner() {
    let mut company = owned_by_mark();
    let happened = company.turn(CHAT);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "message", &told[0]);
}

#[test]
fn a_reopening() {
    let mut company = owned_by_mark();
    company.wish("mark", CHAT, Wish::Close);
    let happened = company.turn(CHAT);
    let reopened = one(events(&happened), "conversation.reopened");
    is_the_example("events", "conversation.reopened", &reopened);
}

#[test]
fn an_unassignment() {
    let mut company = owned_by_mark();
    let happened = company.wish_with_note("mark", CHAT, Wish::Unassign, Some("Not for us."));
    let unassigned = one(events(&happened), "conversation.unassigned");
    is_the_example("events", "conversation.unassigned", &unassigned);
}

#[test]
fn a_close() {
    let mut company = owned_by_mark();
    let happened = company.wish("mark", CHAT, Wish::Close);
    let closed = one(events(&happened), "conversation.closed");
    is_the_example("events", "conversation.closed", &closed);
}

#[test]
fn a_message_the_business_sent() {
    let mut company = owned_by_mark();
    let happened = company.sent(CHAT, Origin::Agent(agent("mark")));
    let sent = one(events(&happened), "message.sent");
    is_the_example("events", "message.sent", &sent);
}

#[test]
fn a_breach() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let happened = company.assign_due(CHAT);
    let breached = one(events(&happened), "response.breached");
    is_the_example("events", "response.breached", &breached);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "response_breach", &told[0]);
}

#[test]
fn an_upsert() {
    let mut company = Company::asleep();
    let fields = Upsert {
        name: Some("Léa".into()),
        role: Some(Role::Manager),
        teams: Some([team("support")].into()),
        manages: Some([team("support")].into()),
        skills: Some([("billing".into(), 2)].into()),
        capacity: Some(5),
        subscriptions: Some([channel()].into()),
        ..Upsert::default()
    };
    let happened = company.upsert("lea@acme.com", fields);
    let upserted = one(events(&happened), "agent.upserted");
    is_the_example("events", "agent.upserted", &upserted);
}

#[test]
fn a_presence() {
    let mut company = Company::asleep();
    let happened = company.presence(Actor::Agent(agent("boss")), "mark", Presence::Away);
    let changed = one(events(&happened), "agent.presence_changed");
    is_the_example("events", "agent.presence_changed", &changed);
}

#[test]
fn a_plan() {
    let mut company = Company::asleep();
    let happened = company.apply(plan());
    let activated = one(events(&happened), "plan.activated");
    is_the_example("events", "plan.activated", &activated);
}

#[test]
fn a_refusal_shows_the_conversation_as_it_stands() {
    let mut company = owned_by_mark();
    let happened = company.wish("martha", CHAT, to_team("support"));
    let rejected = one(events(&happened), "command.rejected");
    is_the_example("events", "command.rejected", &rejected);
}

#[test]
fn a_refused_plan_lists_its_errors() {
    let mut company = Company::asleep();
    let fault = Fault {
        path: "teams[0].members[2]".into(),
        line: 12,
        column: 7,
        message: "there is no agent \"bob\"".into(),
    };
    let happened = company.malformed(None, vec![fault]);
    let rejected = one(events(&happened), "command.rejected");
    is_the_example("events", "command.rejected.plan", &rejected);
}

#[test]
fn a_hold_and_its_end() {
    let mut company = owned_by_mark();
    let until = Some(company.now + Duration::from_secs(3600));
    let happened = company.wish_with_note("mark", CHAT, Wish::Hold { until }, Some("Waits for the bank."));
    let held = one(events(&happened), "conversation.held");
    is_the_example("events", "conversation.held", &held);
    let conversation = CHAT;
    let happened = company.timer(Duration::from_secs(3600), Timer::HoldEnds { conversation });
    let resumed = one(events(&happened), "conversation.resumed");
    is_the_example("events", "conversation.resumed", &resumed);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "resumed", &told[0]);
}

#[test]
fn a_priority_and_a_note() {
    let mut company = owned_by_mark();
    let happened = company.wish("mark", CHAT, Wish::Prioritize(Priority::Urgent));
    let prioritized = one(events(&happened), "conversation.prioritized");
    is_the_example("events", "conversation.prioritized", &prioritized);
    let text = "Prefers to be called after five.".into();
    let happened = company.wish("mark", CHAT, Wish::Note { text });
    let noted = one(events(&happened), "conversation.note_added");
    is_the_example("events", "conversation.note_added", &noted);
}

/// Mark owns the conversation and has asked Martha to take it.
fn asked_martha() -> Company {
    let mut company = owned_by_mark();
    company.presence(Actor::System(System::Cli), "martha", Presence::Online);
    company.wish_with_note("mark", CHAT, ask("martha"), Some("Knows the case."));
    company
}

#[test]
fn a_request() {
    let mut company = asked_martha();
    company.wish("mark", CHAT, withdraw("again"));
    let happened = company.wish_with_note("mark", CHAT, ask("martha"), Some("Knows the case."));
    let requested = one(events(&happened), "assignment.requested");
    is_the_example("events", "assignment.requested", &requested);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "request_received", &told[0]);
}

#[test]
fn a_request_is_accepted() {
    let mut company = asked_martha();
    let happened = company.wish("martha", CHAT, accept());
    let accepted = one(events(&happened), "assignment.accepted");
    is_the_example("events", "assignment.accepted", &accepted);
    let assigned = one(events(&happened), "conversation.assigned");
    is_the_example("events", "conversation.assigned.by_request", &assigned);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "request_accepted", &told[0]);
}

#[test]
fn a_request_is_rejected_or_withdrawn() {
    let mut company = asked_martha();
    let happened = company.wish("martha", CHAT, reject("On my way home."));
    let rejected = one(events(&happened), "assignment.rejected");
    is_the_example("events", "assignment.rejected", &rejected);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "request_rejected", &told[0]);
    let mut company = asked_martha();
    let happened = company.wish("mark", CHAT, withdraw("Solved."));
    let withdrawn = one(events(&happened), "assignment.withdrawn");
    is_the_example("events", "assignment.withdrawn", &withdrawn);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "request_withdrawn", &told[0]);
}

#[test]
fn a_request_ends_without_an_answer() {
    let conversation = CHAT;
    let mut company = asked_martha();
    let happened = company.timer(Duration::from_secs(120), Timer::RequestDue { conversation });
    let timed_out = one(events(&happened), "assignment.timed_out");
    is_the_example("events", "assignment.timed_out", &timed_out);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "request_timed_out", &told[0]);
    let mut company = asked_martha();
    company.presence(Actor::System(System::Cli), "martha", Presence::Offline);
    let happened = company.timer(Duration::ZERO, Timer::RecipientGone { conversation });
    let superseded = one(events(&happened), "assignment.superseded");
    is_the_example("events", "assignment.superseded", &superseded);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "request_superseded", &told[0]);
}

#[test]
fn a_reply_passes_the_gate_or_does_not() {
    let mut company = owned_by_mark();
    let message =
        ReplyBody(r#"{"to":"+15550100","type":"text","text":{"body":"On its way."},"n":1.50}"#.into());
    let (template, leave_unassigned) = (false, false);
    let wish = Wish::Reply {
        message,
        template,
        leave_unassigned,
    };
    let happened = company.wish("mark", CHAT, wish.clone());
    let authorized = one(events(&happened), "reply.authorized");
    is_the_example("events", "reply.authorized", &authorized);
    let happened = company.wish("martha", CHAT, wish);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "not_assignee", &told[0]);
}

#[test]
fn a_reply_around_the_gate() {
    let mut company = owned_by_mark();
    let happened = company.sent(CHAT, Origin::Agent(agent("martha")));
    let unauthorized = one(events(&happened), "reply.unauthorized");
    is_the_example("events", "reply.unauthorized", &unauthorized);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "reply_unauthorized", &told[0]);
}

#[test]
fn a_bulk_is_done_and_undone() {
    let mut company = owned_by_mark();
    let happened = company.in_bulk(CHAT, to_agent("martha"));
    let assigned = one(events(&happened), "conversation.assigned");
    is_the_example("events", "conversation.assigned.in_bulk", &assigned);
    let told = notifications(&company, &happened);
    is_the_example("notifications", "assigned.in_bulk", &told[0]);
    let refused = ItemOutcome::Rejected(Code::NotPermitted);
    let results = [(CHAT, ItemOutcome::Assigned), (OTHER_CHAT, refused)];
    let completed = one(events(&company.bulk_done(false, &results)), "bulk.completed");
    is_the_example("events", "bulk.completed", &completed);
    let results = [(CHAT, ItemOutcome::Undone), (OTHER_CHAT, ItemOutcome::Skipped)];
    let undone = one(events(&company.bulk_done(true, &results)), "bulk.undone");
    is_the_example("events", "bulk.undone", &undone);
}

#[test]
fn who_leaves() {
    let mut company = owned_by_mark();
    let removed = one(events(&company.remove("mark")), "agent.removed");
    is_the_example("events", "agent.removed", &removed);
    let forgotten = one(events(&company.forget(CHAT)), "contact.forgotten");
    is_the_example("events", "contact.forgotten", &forgotten);
}

#[test]
fn identifiers_that_lead_to_two_conversations() {
    let mut company = owned_by_mark();
    let happened = company.turn_in_conflict(CHAT, OTHER_CHAT);
    let conflict = one(events(&happened), "contact.identity_conflict");
    is_the_example("events", "contact.identity_conflict", &conflict);
    assert_eq!(
        conflict.routing_key, "contact.identity_conflict.acme.123456789012345",
        "the business number's"
    );
}

#[test]
fn a_duplicate_command() {
    let mut company = owned_by_mark();
    let happened = company.wish("mark", CHAT, Wish::Close);
    let reply = ReplyTo {
        queue: "caller",
        correlation_id: Some("42"),
    };
    let answer = outcome::duplicate(&happened.input, company.now, &tenant(), &PUBLISHING, reply);
    is_the_example("answers", "command.duplicate", &answer.expect("it is a command"));
}

/// The examples of a folder, by what they are examples of: `conversation.assigned.by_hand` is one of `conversation.assigned`.
fn examples(sort: &str, words: usize) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder(sort)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| name.split('.').take(words).collect::<Vec<_>>().join("."))
        .collect()
}

#[test]
fn every_kind_of_event_has_an_example_and_no_example_is_of_another() {
    let kinds: BTreeSet<_> = kinds_of_events().iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(examples("events", 2), kinds);
}

#[test]
fn every_kind_of_notification_has_an_example_and_no_example_is_of_another() {
    let kinds: BTreeSet<_> = kinds_of_notifications()
        .iter()
        .map(|&kind| kind.to_owned())
        .collect();
    assert_eq!(examples("notifications", 1), kinds);
}
