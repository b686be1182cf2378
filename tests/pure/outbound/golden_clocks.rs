//! One example of every message that a response policy leads to.

use std::time::Duration;

use switchboard::domain::plan::ResponsePolicy;

use super::golden::is_the_example;
use super::{events, notifications, one};
use crate::company::{CHAT, Company, Happened, agent, plan, strict};

const MINUTE: Duration = Duration::from_secs(60);

fn rises(policy: &mut ResponsePolicy) {
    policy.escalate = true;
    policy.escalate_to = vec![agent("ana")];
}

#[track_caller]
fn shows(happened: &Happened, kind: &str, name: &str) {
    is_the_example("events", name, &one(events(happened), kind));
}

#[track_caller]
fn tells(company: &Company, happened: &Happened, kind: &str) {
    let told = one(notifications(company, happened), &format!("notification.{kind}"));
    is_the_example("notifications", kind, &told);
}

#[test]
fn a_warning() {
    let mut company = Company::owned_by_mark(strict(|_| {}));
    let happened = company.alarm(8 * MINUTE);
    shows(&happened, "response.warned", "response.warned");
    tells(&company, &happened, "response_warning");
}

#[test]
fn an_answer_that_is_late_and_a_move_to_the_queue() {
    let mut company = Company::owned_by_mark(strict(|policy| policy.reassign = true));
    let happened = company.alarm(10 * MINUTE);
    shows(&happened, "response.breached", "response.breached.respond");
    shows(&happened, "conversation.queued", "conversation.queued.by_breach");
}

#[test]
fn an_escalation_after_a_breach() {
    let mut company = Company::owned_by_mark(strict(rises));
    company.online("ana");
    let happened = company.alarm(10 * MINUTE);
    shows(&happened, "conversation.escalated", "conversation.escalated");
    shows(
        &happened,
        "conversation.assigned",
        "conversation.assigned.by_escalation",
    );
    tells(&company, &happened, "escalated");
}

#[test]
fn an_escalation_after_too_many_moves() {
    let mut plan = strict(|policy| policy.reassign = true);
    plan.settings.max_hops = 1;
    let mut company = Company::owned_by_mark(plan);
    company.online("martha");
    company.online("boss");
    company.alarm(10 * MINUTE);
    let happened = company.alarm(10 * MINUTE);
    shows(
        &happened,
        "conversation.escalated",
        "conversation.escalated.by_hops",
    );
}

#[test]
fn an_escalation_before_the_window_closes() {
    let mut company = Company::owned_by_mark(strict(|policy| policy.respond_within = None));
    let happened = company.alarm(22 * 60 * MINUTE);
    shows(
        &happened,
        "conversation.escalated",
        "conversation.escalated.by_window",
    );
}

#[test]
fn a_close_of_what_is_idle() {
    let mut plan = plan();
    plan.settings.close_idle_after = Some(60 * MINUTE);
    let mut company = Company::owned_by_mark(plan);
    company.wish("mark", CHAT, crate::company::reply("hello"));
    let happened = company.alarm(60 * MINUTE);
    shows(&happened, "conversation.closed", "conversation.closed.by_idle");
}
