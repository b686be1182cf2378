//! The rules that hold for every row.

use std::sync::Arc;

use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::Owner;
use switchboard::domain::event::Change;
use switchboard::domain::input::{Actor, System, Upsert, What, Wish};
use switchboard::domain::notify::{NotificationKind, told};

use super::{heard, owned_by_mark, plan_of_claims, plan_to_nobody};
use crate::company::{CHAT, Company, OTHER_CHAT, agent, message, plan, to_agent};

#[test]
fn nobody_is_told_of_their_own_claim() {
    let mut company = Company::with(plan_of_claims());
    company.turn(CHAT);
    let happened = company.wish("martha", CHAT, to_agent("martha"));
    assert!(heard(&company, &happened).is_empty());
}

#[test]
fn who_takes_over_is_not_told_but_who_loses_is() {
    let mut company = owned_by_mark();
    let happened = company.wish("root", CHAT, to_agent("root"));
    assert_eq!(heard(&company, &happened), ["mark <- unassigned_from_you"]);
}

#[test]
fn who_gives_away_is_not_told_but_who_gets_is() {
    let mut company = owned_by_mark();
    let happened = company.wish("mark", CHAT, to_agent("martha"));
    assert_eq!(heard(&company, &happened), ["martha <- assigned"]);
}

#[test]
fn a_subscriber_who_gives_back_is_not_told_but_the_others_are() {
    let mut company = owned_by_mark();
    let happened = company.wish("mark", CHAT, Wish::Unassign);
    assert_eq!(heard(&company, &happened), ["ana <- new_conversation"]);
}

#[test]
fn a_conversation_that_a_bot_holds_tells_nobody() {
    let mut company = Company::with_online(&["mark"]);
    let opened = company.fact(CHAT, true, What::Received(message("text", true)));
    let turn = company.fact(CHAT, true, What::Received(message("text", true)));
    assert_eq!(opened.events.len(), 2);
    assert!(heard(&company, &opened).is_empty());
    assert!(heard(&company, &turn).is_empty());
}

#[test]
fn a_handover_tells_who_gets_it() {
    let mut company = Company::with_online(&["mark"]);
    company.fact(CHAT, true, What::Received(message("text", true)));
    let happened = company.handover(CHAT);
    assert_eq!(heard(&company, &happened), ["mark <- assigned"]);
}

#[test]
fn a_handover_that_opens_a_conversation_for_nobody_tells_the_subscribers() {
    let mut company = Company::with(plan_to_nobody());
    let happened = company.handover(CHAT);
    assert_eq!(
        heard(&company, &happened),
        ["ana <- new_conversation", "mark <- new_conversation"]
    );
}

#[test]
fn a_turn_that_ends_a_bots_hold_for_nobody_is_told_as_a_message() {
    let mut company = Company::with(plan_to_nobody());
    company.fact(CHAT, true, What::Received(message("text", true)));
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened), ["ana <- message", "mark <- message"]);
}

#[test]
fn the_inactive_are_not_told() {
    let mut company = Company::asleep();
    company.upsert(
        "ana",
        Upsert {
            active: Some(false),
            ..Upsert::default()
        },
    );
    let happened = company.turn(CHAT);
    assert_eq!(
        heard(&company, &happened),
        [
            "team support <- new_conversation",
            "mark <- new_conversation",
            "boss <- queue_blocked"
        ]
    );
}

#[test]
fn an_owner_who_manages_the_team_hears_of_a_breach_once() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let mut breached = company.assign_due(CHAT);
    // As it will be once the respond clock exists: the conversation has an owner when it is breached.
    let mut after = (**breached.events[0].after.as_ref().unwrap()).clone();
    after.owner = Owner::Agent(agent("boss"));
    breached.events[0].after = Some(Arc::new(after));
    assert_eq!(heard(&company, &breached), ["boss <- response_breach"]);
}

#[test]
fn what_happens_to_another_conversation_changes_nothing_for_who_is_told_of_this_one() {
    let mut plan = plan();
    plan.settings.capacity = 1;
    let mut company = Company::with(plan);
    company.presence(Actor::System(System::Cli), "mark", Presence::Online);
    company.turn(CHAT);
    company.turn(OTHER_CHAT);
    let unassigned = company.wish("root", CHAT, Wish::Unassign);
    assert_eq!(
        heard(&company, &unassigned),
        [
            "ana <- new_conversation",
            "mark <- new_conversation",
            "mark <- unassigned_from_you",
            "mark <- assigned"
        ]
    );
    // A turn, and in the same input a drain that gives away the other conversation.
    let mut turn = company.turn(CHAT);
    turn.events.extend(unassigned.events.into_iter().skip(1));
    assert_eq!(
        heard(&company, &turn),
        ["ana <- message", "mark <- message", "mark <- assigned"]
    );
}

#[test]
fn a_notification_names_the_event_it_is_about() {
    let mut company = owned_by_mark();
    company.wish("mark", CHAT, Wish::Close);
    let happened = company.wish("root", CHAT, to_agent("martha"));
    let notifications = told(&company.state, &happened.events);
    let [assigned] = &notifications[..] else {
        panic!("one notification: {notifications:?}");
    };
    assert_eq!(assigned.kind, NotificationKind::Assigned);
    let change = happened.events[assigned.about].change();
    assert!(matches!(change, Some((_, Change::Assigned(_)))));
}
