//! The rows of response policies.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::input::{Actor, System, Timer};
use switchboard::domain::plan::{Plan, ResponsePolicy};

use super::heard;
use crate::company::{CHAT, Company, Happened, agent, plan};
use crate::support::policy;

const MINUTE: Duration = Duration::from_secs(60);

fn under(write: impl FnOnce(&mut ResponsePolicy)) -> Plan {
    let mut strict = ResponsePolicy {
        respond_within: Some(10 * MINUTE),
        warn_before: Some(2 * MINUTE),
        ..ResponsePolicy::built_in()
    };
    write(&mut strict);
    let mut plan = plan();
    plan.responses.insert(policy("strict"), strict);
    plan.settings.response = Some(policy("strict"));
    plan
}

fn owned_by_mark(plan: Plan) -> Company {
    let mut company = Company::with(plan);
    online(&mut company, "mark");
    company.turn(CHAT);
    company
}

fn online(company: &mut Company, id: &str) {
    company.presence(Actor::System(System::Cli), id, Presence::Online);
}

fn alarm(company: &mut Company, after: Duration) -> Happened {
    let conversation = CHAT;
    company.timer(after, Timer::Alarm { conversation })
}

#[test]
fn a_late_answer_is_told_to_the_owner_before_and_to_the_managers_too_after() {
    let mut company = owned_by_mark(under(|_| {}));
    let happened = alarm(&mut company, 8 * MINUTE);
    assert_eq!(heard(&company, &happened), ["mark <- response_warning"]);
    let happened = alarm(&mut company, 2 * MINUTE);
    assert_eq!(
        heard(&company, &happened),
        ["boss <- response_breach", "mark <- response_breach"]
    );
}

#[test]
fn what_nobody_takes_is_told_to_the_managers_before_and_after() {
    let mut company = Company::with(under(|_| {}));
    company.turn(CHAT);
    let happened = alarm(&mut company, 3 * MINUTE);
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
    let mut company = owned_by_mark(under(moves));
    online(&mut company, "martha");
    let happened = alarm(&mut company, 10 * MINUTE);
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
    let mut company = owned_by_mark(under(rises));
    online(&mut company, "ana");
    let happened = alarm(&mut company, 10 * MINUTE);
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
    let mut company = owned_by_mark(under(rises));
    let happened = alarm(&mut company, 10 * MINUTE);
    assert_eq!(heard(&company, &happened), ["boss <- escalated"]);
    let happened = alarm(&mut company, MINUTE);
    assert!(heard(&company, &happened).is_empty());
    online(&mut company, "boss");
    let happened = alarm(&mut company, MINUTE);
    assert_eq!(
        heard(&company, &happened),
        ["boss <- assigned", "mark <- unassigned_from_you"]
    );
}

#[test]
fn the_end_of_a_window_is_told_to_the_managers() {
    let mut company = owned_by_mark(under(|policy| policy.respond_within = None));
    let happened = alarm(&mut company, 22 * 60 * MINUTE);
    assert_eq!(heard(&company, &happened), ["boss <- escalated"]);
}

#[test]
fn a_close_of_what_is_idle_is_told_to_nobody() {
    let mut plan = plan();
    plan.settings.close_idle_after = Some(60 * MINUTE);
    let mut company = owned_by_mark(plan);
    company.wish("mark", CHAT, crate::company::reply("hello"));
    let happened = alarm(&mut company, 60 * MINUTE);
    assert_eq!(happened.events.len(), 1);
    assert!(heard(&company, &happened).is_empty());
}
