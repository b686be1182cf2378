//! One example of every message that a response policy leads to.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::input::{Actor, System, Timer};
use switchboard::domain::plan::{Plan, ResponsePolicy};

use super::golden::is_the_example;
use super::{events, notifications, one};
use crate::company::{CHAT, Company, Happened, agent, plan};
use crate::support::policy;

const MINUTE: Duration = Duration::from_secs(60);

/// The usual plan under a policy that waits ten minutes for an answer and warns two before.
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

fn rises(policy: &mut ResponsePolicy) {
    policy.escalate = true;
    policy.escalate_to = vec![agent("ana")];
}

/// Mark owns what his customer waits for.
fn owned_by_mark(plan: Plan) -> Company {
    let mut company = Company::with(plan);
    company.presence(Actor::System(System::Cli), "mark", Presence::Online);
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
    let mut company = owned_by_mark(under(|_| {}));
    let happened = alarm(&mut company, 8 * MINUTE);
    shows(&happened, "response.warned", "response.warned");
    tells(&company, &happened, "response_warning");
}

#[test]
fn an_answer_that_is_late_and_a_move_to_the_queue() {
    let mut company = owned_by_mark(under(|policy| policy.reassign = true));
    let happened = alarm(&mut company, 10 * MINUTE);
    shows(&happened, "response.breached", "response.breached.respond");
    shows(&happened, "conversation.queued", "conversation.queued.by_breach");
}

#[test]
fn an_escalation_after_a_breach() {
    let mut company = owned_by_mark(under(rises));
    online(&mut company, "ana");
    let happened = alarm(&mut company, 10 * MINUTE);
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
    let mut plan = under(|policy| policy.reassign = true);
    plan.settings.max_hops = 1;
    let mut company = owned_by_mark(plan);
    online(&mut company, "martha");
    online(&mut company, "boss");
    alarm(&mut company, 10 * MINUTE);
    let happened = alarm(&mut company, 10 * MINUTE);
    shows(
        &happened,
        "conversation.escalated",
        "conversation.escalated.by_hops",
    );
}

#[test]
fn an_escalation_before_the_window_closes() {
    let mut company = owned_by_mark(under(|policy| policy.respond_within = None));
    let happened = alarm(&mut company, 22 * 60 * MINUTE);
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
    let mut company = owned_by_mark(plan);
    company.wish("mark", CHAT, crate::company::reply("hello"));
    let happened = alarm(&mut company, 60 * MINUTE);
    shows(&happened, "conversation.closed", "conversation.closed.by_idle");
}
