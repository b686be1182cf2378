//! The assign clock: from becoming unowned to an agent's ownership.

use switchboard::domain::conversation::AssignClock;
use switchboard::domain::plan::Strategy;

use crate::support::chats::chat;
use crate::support::inputs::{by, turn};
use crate::support::people::online;
use crate::support::plans::{nobody, plan, support};
use crate::support::scenario::{Scenario, given};
use crate::support::{MINUTE, at, policy};

#[track_caller]
fn runs(scenario: &Scenario, policy_id: &str, since: jiff::Timestamp, due: jiff::Timestamp) {
    let policy = policy(policy_id);
    assert_eq!(
        scenario.chat(1).assign_clock,
        AssignClock::Running { policy, since, due }
    );
}

#[test]
fn a_conversation_left_with_nobody_has_a_clock_even_under_a_policy_without_one() {
    let patient = plan()
        .response("patient", None)
        .usual_response("patient")
        .otherwise(nobody());
    let left = given(patient)
        .when(turn(1))
        .then(["opened by customer", "received", "with nobody"]);
    runs(&left, "built-in", at(std::time::Duration::ZERO), at(5 * MINUTE));
}

#[test]
fn what_is_unassigned_has_a_clock_even_under_a_policy_without_one() {
    let patient = support(Strategy::LeastLoaded, &["ana"])
        .response("patient", None)
        .usual_response("patient");
    let left = given(patient)
        .agents([online("ana")])
        .conversation(chat(1).with("ana").of("support"))
        .after(MINUTE)
        .when(by("ana").unassigns(1))
        .then(["unassigned by command"]);
    runs(&left, "built-in", at(MINUTE), at(6 * MINUTE));
}
