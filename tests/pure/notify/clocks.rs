//! The rows of response policies.

use std::time::Duration;

use switchboard::domain::input::Timer;
use switchboard::domain::plan::ResponsePolicy;

use super::heard;
use crate::company::{CHAT, Company, agent, plan, strict};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_late_answer_is_told_to_the_owner_before_and_to_the_managers_too_after() {
    let mut company = Company::owned_by_mark(strict(|_| {}));
    let happened = company.alarm(8 * MINUTE);
    assert_eq!(heard(&company, &happened), ["mark <- response_warning"]);
    let happened = company.alarm(2 * MINUTE);
    assert_eq!(
        heard(&company, &happened),
        ["boss <- response_breach", "mark <- response_breach"]
    );
}

#[test]
fn what_nobody_takes_is_told_to_the_managers_before_and_after() {
    let mut company = Company::with(strict(|_| {}));
    company.turn(CHAT);
    let happened = company.alarm(3 * MINUTE);
    assert_eq!(heard(&company, &happened), ["boss <- response_warning"]);
    let conversation = CHAT;
    let happened = company.timer(2 * MINUTE, Timer::AssignDue { conversation });
    assert_eq!(heard(&company, &happened), ["boss <- response_breach"]);
}

#[test]
fn a_move_is_told_to_both_and_to_no_manager_unless_the_policy_says_so() {
    let moves = |policy: &mut ResponsePolicy| {
        policy.reassign = true;
        policy.notify = false;
    };
    let mut company = Company::owned_by_mark(strict(moves));
    company.online("martha");
    let happened = company.alarm(10 * MINUTE);
    assert_eq!(
        heard(&company, &happened),
        ["martha <- assigned", "mark <- unassigned_from_you"]
    );
}

#[test]
fn what_goes_up_is_told_to_the_managers_and_to_whoever_gets_it() {
    let rises = |policy: &mut ResponsePolicy| {
        policy.escalate = true;
        policy.notify = false;
        policy.escalate_to = vec![agent("ana")];
    };
    let mut company = Company::owned_by_mark(strict(rises));
    company.online("ana");
    let happened = company.alarm(10 * MINUTE);
    assert_eq!(
        heard(&company, &happened),
        [
            "boss <- escalated",
            "ana <- assigned",
            "mark <- unassigned_from_you"
        ]
    );
}

#[test]
fn where_nobody_is_there_the_managers_hear_of_it_once() {
    let rises = |policy: &mut ResponsePolicy| {
        policy.escalate = true;
        policy.notify = false;
    };
    let mut company = Company::owned_by_mark(strict(rises));
    let happened = company.alarm(10 * MINUTE);
    assert_eq!(heard(&company, &happened), ["boss <- escalated"]);
    let happened = company.alarm(MINUTE);
    assert!(heard(&company, &happened).is_empty());
    company.online("boss");
    let happened = company.alarm(MINUTE);
    assert_eq!(
        heard(&company, &happened),
        ["boss <- assigned", "mark <- unassigned_from_you"]
    );
}

#[test]
fn the_end_of_a_window_is_told_to_the_managers() {
    let mut company = Company::owned_by_mark(strict(|policy| policy.respond_within = None));
    let happened = company.alarm(22 * 60 * MINUTE);
    assert_eq!(heard(&company, &happened), ["boss <- escalated"]);
}

#[test]
fn a_close_of_what_is_idle_is_told_to_nobody() {
    let mut plan = plan();
    plan.settings.close_idle_after = Some(60 * MINUTE);
    let mut company = Company::owned_by_mark(plan);
    company.wish("mark", CHAT, crate::company::reply("hello"));
    let happened = company.alarm(60 * MINUTE);
    assert_eq!(happened.events.len(), 1);
    assert!(heard(&company, &happened).is_empty());
}
