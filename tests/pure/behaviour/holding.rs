//! On hold: no one's load, until somebody, a moment or the customer ends it.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{Clock, Priority, Status};
use switchboard::domain::plan::Strategy;

use crate::support::chats::chat;
use crate::support::inputs::{assign_timer, by, handover, hold_timer, reaction, turn};
use crate::support::people::{offline, online};
use crate::support::plans::support;
use crate::support::scenario::{Scenario, given};
use crate::support::start;

const HOUR: Duration = Duration::from_secs(3600);

/// Ana has room for one, and has it; a second customer waits. No answer is ever late.
fn full_house() -> Scenario {
    let patient = support(Strategy::RoundRobin, &["ana"])
        .policy("patient", |_| {})
        .usual_response("patient")
        .keeping();
    given(patient)
        .agents([online("ana").capacity(1), offline("boss").admin()])
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).waiting_in("support"))
}

#[test]
fn what_is_on_hold_frees_a_place_for_whoever_waits() {
    full_house()
        .when(by("ana").holds(1, None))
        .then(["held", "2: assigned to ana by auto"])
        .owned(1, "ana");
}

#[test]
fn resuming_keeps_the_owner_even_above_their_capacity() {
    let after = full_house()
        .when(by("ana").holds(1, None))
        .when(by("ana").resumes(1))
        .then(["resumed by command"]);
    assert_eq!(after.world.agents[&crate::support::agent("ana")].load(), 2);
}

#[test]
fn a_hold_ends_at_its_moment_and_not_before() {
    let held = full_house()
        .when(by("ana").holds(1, Some(start() + HOUR)))
        .then(["held until then", "2: assigned to ana by auto"])
        .after(HOUR - Duration::from_secs(1))
        .when(hold_timer(1))
        .then([]);
    held.when_time_passes(Duration::from_secs(1))
        .then(["resumed by until"])
        .owned(1, "ana")
        .when(hold_timer(1))
        .then([]);
}

#[test]
fn another_hold_sets_another_end() {
    let held = full_house()
        .when(by("ana").holds(1, Some(start() + HOUR)))
        .when(by("ana").holds(1, None))
        .then(["held"]);
    held.when_time_passes(2 * HOUR).then([]);
}

#[test]
fn the_customers_turn_ends_a_hold_and_nothing_less_does() {
    full_house()
        .when(by("ana").holds(1, Some(start() + HOUR)))
        .when(reaction(1))
        .then(["received, no turn"])
        .when(turn(1))
        .then(["resumed by customer", "received"])
        .owned(1, "ana")
        .when_time_passes(HOUR)
        .then([]);
}

#[test]
fn a_hold_asks_for_a_moment_to_come() {
    full_house()
        .when(by("ana").holds(1, Some(start())))
        .then(["refused: invalid"])
        .when(by("ana").holds(7, Some(start())))
        .then(["refused: invalid"]);
}

#[test]
fn what_is_not_on_hold_is_not_resumed_and_what_is_closed_is_neither() {
    full_house()
        .when(by("ana").resumes(1))
        .then(["refused: invalid"])
        .when(by("ana").closes(1))
        .when(by("ana").holds(1, None))
        .then(["refused: closed"])
        .when(by("ana").resumes(1))
        .then(["refused: closed"]);
}

#[test]
fn what_is_on_hold_is_not_reopened_but_closed_and_then_it_is_no_longer_on_hold() {
    let closed = full_house()
        .when(by("ana").holds(1, Some(start() + HOUR)))
        .when(by("ana").reopens(1))
        .then(["refused: invalid"])
        .when(by("ana").closes(1))
        .then(["closed by command"]);
    assert_eq!(closed.chat(1).held_until, None);
    closed.when_time_passes(HOUR).then([]);
}

#[test]
fn who_takes_over_what_is_on_hold_takes_no_load_with_it() {
    let given_on = full_house()
        .when(by("ana").holds(1, None))
        .when(by("boss").gives(1, "boss"))
        .then(["assigned to boss by claim"]);
    assert_eq!(given_on.assignment().load, 0);
    assert_eq!(given_on.chat(1).status, Status::OnHold);
}

#[test]
fn what_is_on_hold_in_a_queue_waits_for_nobody_until_it_is_resumed() {
    given(support(Strategy::RoundRobin, &["ana"]))
        .agents([offline("ana"), offline("boss").admin()])
        .conversation(chat(1).with("ana").of("support").on_hold(None))
        .when(by("boss").gives_to_team(1, "support"))
        .then(["queued in support: transfer"])
        .when(by("boss").sets("ana", Presence::Online))
        .then(["ana online, was offline"])
        .when(turn(1))
        .then(["resumed by customer", "received"])
        .owned(1, "queue of support");
}

#[test]
fn what_is_resumed_in_a_queue_is_offered_at_once() {
    given(support(Strategy::RoundRobin, &["ana"]))
        .agents([online("ana")])
        .conversation(chat(1).waiting_in("support").on_hold(None))
        .when(turn(1))
        .then(["resumed by customer", "received", "assigned to ana by auto"]);
}

#[test]
fn what_nobody_has_keeps_its_clock_on_hold() {
    let unassigned = full_house()
        .when(by("ana").holds(1, None))
        .when(by("boss").unassigns(1))
        .then(["unassigned by command"]);
    assert!(matches!(unassigned.chat(1).assign_clock, Clock::Running { .. }));
    unassigned
        .after(HOUR)
        .when(assign_timer(1))
        .then(["built-in breached"]);
}

#[test]
fn a_bot_that_hands_over_ends_a_hold_with_nobody() {
    given(support(Strategy::RoundRobin, &["ana"]))
        .agents([online("ana")])
        .conversation(chat(1).of("support").on_hold(None))
        .when(handover(1))
        .then(["resumed by customer", "assigned to ana by auto"]);
}

#[test]
fn only_the_owner_holds_and_resumes() {
    full_house()
        .when(by("boss").holds(1, None))
        .then(["refused: not_assignee"])
        .when(by("ana").holds(1, None))
        .when(by("boss").resumes(1))
        .then(["refused: not_assignee"]);
}

#[test]
fn a_higher_priority_overtakes_in_the_queue() {
    full_house()
        .conversation(chat(3).waiting_in("support"))
        .when(by("boss").prioritizes(3, Priority::Urgent))
        .then(["priority Urgent"])
        .when(by("ana").closes(1))
        .then(["closed by command", "3: assigned to ana by auto"]);
}

#[test]
fn priority_is_said_of_what_is_not_closed_and_notes_are_written_on_anything() {
    full_house()
        .when(by("ana").closes(1))
        .when(by("ana").prioritizes(1, Priority::Low))
        .then(["refused: closed"])
        .when(by("ana").notes(1, "settled by phone"))
        .then(["note added"]);
}
