//! What waits: nobody overtakes, nothing strands, nothing blocks, and everything says why.

use switchboard::domain::agent::Presence;
use switchboard::domain::event::PassedOver;
use switchboard::domain::plan::Strategy;

use super::by_load;
use crate::support::chats::chat;
use crate::support::inputs::{by, turn};
use crate::support::people::{away, offline, online};
use crate::support::plans::{Draft, plan, skilled, to};
use crate::support::scenario::given;
use crate::support::{HOUR, MINUTE, at};

#[test]
fn a_newcomer_does_not_take_the_place_that_was_freed_for_those_who_wait() {
    given(by_load(&["ana"]))
        .agents([online("ana").capacity(1)])
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(3).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .when_together([by("ana").closes(1).into(), turn(4).at(at(HOUR)).into()])
        .then([
            "closed by command",
            "2: assigned to ana by auto",
            "opened by customer",
            "received",
            "queued in support: no agent free",
        ]);
}

#[test]
fn a_breach_does_not_take_a_conversation_out_of_its_queue() {
    given(
        by_load(&["ana"])
            .response("quick", Some(MINUTE))
            .usual_response("quick"),
    )
    .agents([offline("ana")])
    .when(turn(1))
    .then([
        "opened by customer",
        "received",
        "queued in support: no agent free",
    ])
    .when_time_passes(MINUTE)
    .then(["quick breached"])
    .owned(1, "queue of support")
    .when(by("ana").sets("ana", Presence::Online))
    .then(["ana online, was offline", "1: assigned to ana by auto"]);
}

#[test]
fn what_breached_is_reported_once_a_run_and_again_when_it_has_lost_its_next_owner() {
    let quick = by_load(&["ana"])
        .response("quick", Some(MINUTE))
        .usual_response("quick");
    given(quick)
        .agents([away("ana")])
        .when(turn(1))
        .when_time_passes(MINUTE)
        .then(["quick breached"])
        .when_time_passes(HOUR)
        .then([])
        .when(by("ana").gives(1, "ana"))
        .when(by("ana").unassigns(1))
        .when_time_passes(MINUTE)
        .then(["quick breached"]);
}

#[test]
fn whatever_waits_has_a_record_that_says_of_each_why_not() {
    let waits = given(by_load(&["ana", "ben", "cy"]))
        .agents([online("ana").capacity(1), away("ben"), offline("cy")])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(2))
        .then([
            "opened by customer",
            "received",
            "queued in support: no agent free",
        ]);
    assert_eq!(waits.passed_over("ana"), Some(PassedOver::Capacity));
    assert_eq!(waits.passed_over("ben"), Some(PassedOver::Away));
    assert_eq!(waits.passed_over("cy"), Some(PassedOver::Offline));
    assert_eq!(waits.decision().chosen, None);
}

#[test]
fn a_condition_that_failed_is_named_where_the_choice_is_explained() {
    let broken = by_load(&["ana"]).rule("vip", "contact.attributes['tier'] == 'vip'", to("support"));
    let opened = given(broken).agents([online("ana")]).when(turn(1));
    let failed: Vec<&str> = opened
        .decision()
        .failed_rules
        .iter()
        .map(|rule| &**rule)
        .collect();
    assert_eq!(failed, ["vip"]);
}

#[test]
fn a_conversation_no_rule_wants_has_a_record_and_a_clock() {
    let left = given(plan().team("support", Strategy::LeastLoaded, &["ana"]))
        .agents([online("ana")])
        .when(turn(1))
        .then(["opened by customer", "received", "with nobody"]);
    assert_eq!(
        (left.decision().rule.as_deref(), &left.decision().chosen),
        (None, &None)
    );
    left.when_time_passes(5 * MINUTE).then(["built-in breached"]);
}

#[test]
fn a_transfer_to_a_team_that_sleeps_takes_it_from_the_owner_and_queues_it_there() {
    given(by_load(&["ana"]).team("billing", Strategy::LeastLoaded, &["cy"]))
        .agents([online("ana"), offline("cy"), offline("root").admin()])
        .conversation(chat(1).with("ana").of("support"))
        .when(by("root").gives_to_team(1, "billing"))
        .then(["queued in billing: transfer"])
        .owned(1, "queue of billing")
        .in_team(1, "billing")
        .when(by("cy").sets("cy", Presence::Online))
        .then(["cy online, was offline", "1: assigned to cy by auto"]);
}

#[test]
fn a_transfer_to_a_team_without_anyone_waits_under_a_clock() {
    given(by_load(&["ana"]).team("empty", Strategy::LeastLoaded, &[]))
        .agents([online("ana"), offline("root").admin()])
        .conversation(chat(1).with("ana").of("support"))
        .when(by("root").gives_to_team(1, "empty"))
        .then(["queued in empty: transfer"])
        .when_time_passes(5 * MINUTE)
        .then(["built-in breached"])
        .owned(1, "queue of empty");
}

/// French is spoken by Ben only.
fn bilingual() -> Draft {
    let french = skilled("support", "french", 1);
    by_load(&["ana", "ben"]).rule("french", "contact.language == 'fr'", french)
}

#[test]
fn one_that_nobody_can_serve_does_not_hold_up_those_behind_it() {
    given(bilingual())
        .agents([offline("ana"), offline("ben").skill("french", 2)])
        .conversation(
            chat(1)
                .waiting_in("support")
                .waiting_since(at(MINUTE))
                .needing("french", 1),
        )
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .when(by("ana").sets("ana", Presence::Online))
        .then(["ana online, was offline", "2: assigned to ana by auto"])
        .owned(1, "queue of support")
        .when(by("ben").sets("ben", Presence::Online))
        .then(["ben online, was offline", "1: assigned to ben by auto"]);
}

#[test]
fn a_page_of_those_that_nobody_can_serve_does_not_hide_the_ones_behind_it() {
    let french = |number: u8| {
        let since = at(u32::from(number) * MINUTE);
        chat(number)
            .waiting_in("support")
            .waiting_since(since)
            .needing("french", 1)
    };
    given(bilingual())
        .agents([offline("ana")])
        .conversation(french(1))
        .conversation(french(2))
        .conversation(french(3))
        .conversation(chat(4).waiting_in("support").waiting_since(at(HOUR)))
        .page(2)
        .when(by("ana").sets("ana", Presence::Online))
        .then(["ana online, was offline", "4: assigned to ana by auto"]);
}
