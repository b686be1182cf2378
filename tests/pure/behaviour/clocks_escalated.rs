//! What goes up: after a breach, after too many moves, before the customer's window closes. And what is closed because
//! nothing happens in it.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::event::PassedOver;
use switchboard::domain::plan::{ResponsePolicy, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{alarm_timer, by, turn};
use crate::support::people::{away, offline, online};
use crate::support::plans::{Draft, plan, support};
use crate::support::scenario::{Scenario, given};
use crate::support::{HOUR, MINUTE, agent, at, start};

const RETRY: Duration = Duration::from_secs(30);

/// The usual team, managed by Mia; answers within ten minutes, or it goes up to Bo.
fn rising(write: impl FnOnce(&mut ResponsePolicy)) -> Draft {
    support(Strategy::RoundRobin, &["ana", "ben", "cy", "dora"])
        .managed_by("support", &["mia"])
        .policy("strict", |policy| {
            policy.respond_within = Some(10 * MINUTE);
            policy.escalate = true;
            policy.escalate_to = vec![agent("bo")];
            write(policy);
        })
        .usual_response("strict")
        .keeping()
}

fn of_ana(draft: Draft) -> Scenario {
    given(draft)
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support").writable_until(at(24 * HOUR)))
}

#[test]
fn a_breach_goes_up_to_the_first_on_the_path_who_is_there() {
    let risen = of_ana(rising(|_| {}))
        .agents([online("bo"), online("mia").manager()])
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then([
            "strict breached: respond",
            "escalated by breach to bo",
            "assigned to bo by escalation",
        ])
        // Its managers and its policy go with it, though Bo is no member.
        .in_team(1, "support");
    assert_eq!(risen.assignment().note.as_deref(), Some("ana did not answer."));
    assert_eq!(risen.chat(1).respond_clock.due(), Some(at(20 * MINUTE)));
}

#[test]
fn managers_come_after_the_path_and_admins_after_them() {
    of_ana(rising(|_| {}))
        .agents([offline("bo"), online("mia").manager(), online("root").admin()])
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then_last(["escalated by breach to mia", "assigned to mia by escalation"]);
    let to_root = of_ana(rising(|_| {}))
        .agents([
            online("bo").may_not_reply(),
            away("mia").manager(),
            online("root").admin(),
        ])
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then_last(["escalated by breach to root", "assigned to root by escalation"]);
    assert_eq!(to_root.passed_over("bo"), Some(PassedOver::MayNotReply));
    assert_eq!(to_root.passed_over("mia"), Some(PassedOver::Away));
}

#[test]
fn nobodys_capacity_is_asked() {
    of_ana(rising(|_| {}))
        .agents([online("bo").capacity(1)])
        .conversation(chat(2).with("bo"))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then_last([
            "escalated by breach to bo",
            "assigned to bo by escalation, over capacity",
        ]);
}

#[test]
fn it_climbs_and_never_goes_back_to_whoever_was_silent() {
    of_ana(rising(|_| {}))
        .agents([online("bo"), online("mia").manager(), offline("root").admin()])
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then_last(["assigned to bo by escalation"])
        .when_time_passes(10 * MINUTE)
        .then_last(["escalated by breach to mia", "assigned to mia by escalation"])
        .when_time_passes(10 * MINUTE)
        .then([
            "strict breached: respond",
            "escalated by breach to nobody",
            "escalation pending",
        ])
        .owned(1, "mia");
}

#[test]
fn where_nobody_is_there_it_stays_and_is_tried_again_until_somebody_is() {
    let waits = of_ana(rising(|_| {}))
        .agents([offline("bo"), offline("mia").manager()])
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then([
            "strict breached: respond",
            "escalated by breach to nobody",
            "escalation pending",
        ])
        .owned(1, "ana");
    assert_eq!(waits.passed_over("mia"), Some(PassedOver::Offline));
    let waits = waits
        .when(alarm_timer(1))
        .then([])
        .when_time_passes(RETRY)
        .then(["escalation pending"])
        .when(by("bo").sets("bo", Presence::Online))
        .when_time_passes(RETRY)
        .then(["assigned to bo by escalation"]);
    assert_eq!(waits.assignment().note.as_deref(), Some("ana did not answer."));
    assert!(waits.chat(1).care.escalation.is_none());
}

#[test]
fn an_answer_a_new_owner_or_a_close_ends_the_search() {
    let waits = || {
        of_ana(rising(|_| {}))
            .when(turn(1))
            .when_time_passes(10 * MINUTE)
            .then_last(["escalation pending"])
    };
    for ended in [
        waits().when(by("ana").replies(1)),
        waits().when(by("ana").closes(1)),
    ] {
        assert!(ended.chat(1).care.escalation.is_none());
        ended.when_time_passes(RETRY).then([]);
    }
    let given = waits().when(by("ana").gives(1, "ben"));
    assert!(given.chat(1).care.escalation.is_none());
    given.when_time_passes(RETRY).then([]);
}

#[test]
fn what_nobody_took_in_time_goes_up_from_the_queue() {
    let draft = rising(|policy| policy.assign_within = Some(5 * MINUTE));
    let risen = given(draft)
        .agents([online("bo")])
        .when(turn(1))
        .then_last(["queued in support: no agent free"])
        .when_time_passes(5 * MINUTE)
        .then([
            "strict breached",
            "escalated by breach to bo",
            "assigned to bo by escalation",
        ]);
    assert_eq!(risen.assignment().hop, None);
    assert_eq!(risen.assignment().note, None);
}

#[test]
fn what_waits_for_somebody_above_is_still_served_by_its_queue() {
    let draft = rising(|policy| policy.assign_within = Some(5 * MINUTE));
    let served = given(draft)
        .agents([offline("ana")])
        .when(turn(1))
        .when_time_passes(5 * MINUTE)
        .then([
            "strict breached",
            "escalated by breach to nobody",
            "escalation pending",
        ])
        .when(by("ana").sets("ana", Presence::Online))
        .then(["ana online, was offline", "1: assigned to ana by auto"]);
    assert!(served.chat(1).care.escalation.is_none());
}

#[test]
fn where_a_policy_says_both_it_goes_up() {
    of_ana(rising(|policy| {
        policy.reassign = true;
        policy.notify = true;
    }))
    .agents([online("bo")])
    .when(turn(1))
    .when_time_passes(10 * MINUTE)
    .then([
        "strict breached: respond",
        "escalated by breach to bo",
        "assigned to bo by escalation",
    ]);
}

/// Nobody answers, and it moves from one to the next.
fn handed_around(max_hops: u32) -> Scenario {
    let draft = rising(|policy| {
        policy.escalate = false;
        policy.reassign = true;
        policy.escalate_to = Vec::new();
    });
    given(draft.setting(|settings| settings.max_hops = max_hops))
        .agents([
            online("ana"),
            online("ben"),
            online("cy"),
            online("dora"),
            online("mia").manager(),
        ])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then_last(["assigned to ben by auto"])
        .when_time_passes(10 * MINUTE)
        .then_last(["assigned to cy by auto"])
        .when_time_passes(10 * MINUTE)
}

#[test]
fn what_moved_too_often_goes_to_a_manager_with_its_story() {
    let risen = handed_around(2).then([
        "strict breached: respond",
        "escalated by hops to mia",
        "assigned to mia by escalation",
    ]);
    let story = "Moved 2 times: ana did not answer, ben did not answer; then cy did not answer.";
    assert_eq!(risen.assignment().note.as_deref(), Some(story));
    handed_around(3).then_last(["assigned to dora by auto"]);
    handed_around(0).then_last(["assigned to dora by auto"]);
}

#[test]
fn a_declined_request_is_no_move() {
    let declined = of_ana(rising(|_| {}))
        .when(by("ana").asks(1, "ben"))
        .when(by("ben").rejects(1, "no time"));
    assert!(declined.chat(1).care.hops.is_empty());
}

#[test]
fn a_new_episode_forgets_the_moves_of_the_last() {
    let closed = handed_around(2).when(by("mia").closes(1)).when(turn(1));
    assert!(closed.chat(1).care.hops.is_empty());
}

/// Under a policy that does not mind how long an answer takes.
fn patient(escalate: bool) -> Draft {
    rising(|policy| {
        policy.respond_within = None;
        policy.escalate = escalate;
    })
}

#[test]
fn managers_are_told_once_that_the_window_is_about_to_close() {
    let told = of_ana(patient(false))
        .when(turn(1))
        .when_time_passes(22 * HOUR - MINUTE)
        .then([])
        .when_time_passes(MINUTE)
        .then(["escalated by window to nobody"])
        .owned(1, "ana");
    assert!(told.chat(1).care.escalation.is_none(), "nobody was looked for");
    told.when(alarm_timer(1))
        .then([])
        .when_time_passes(5 * HOUR)
        .then([]);
}

#[test]
fn the_next_window_is_another() {
    of_ana(patient(false))
        .when(turn(1))
        .when_time_passes(22 * HOUR)
        .then(["escalated by window to nobody"])
        .when(turn(1).at(at(23 * HOUR)))
        .when_time_passes(23 * HOUR - MINUTE)
        .then([])
        .when_time_passes(MINUTE)
        .then(["escalated by window to nobody"]);
}

#[test]
fn a_window_with_nobody_waiting_may_close() {
    of_ana(patient(false))
        .when(turn(1))
        .when(by("ana").replies(1))
        .when_time_passes(30 * HOUR)
        .then([]);
}

#[test]
fn the_window_takes_it_up_where_the_policy_escalates() {
    of_ana(patient(true))
        .agents([online("bo")])
        .when(turn(1))
        .when_time_passes(22 * HOUR)
        .then(["escalated by window to bo", "assigned to bo by escalation"])
        .when_time_passes(10 * HOUR)
        .then([]);
    of_ana(patient(true))
        .when(turn(1))
        .when_time_passes(22 * HOUR)
        .then(["escalated by window to nobody", "escalation pending"])
        .when_time_passes(RETRY)
        .then(["escalation pending"]);
}

#[test]
fn a_window_that_closes_while_somebody_is_looked_for_is_told_and_the_search_goes_on() {
    let waits = of_ana(rising(|_| {}))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then_last(["escalation pending"])
        .when_time_passes(22 * HOUR - 10 * MINUTE)
        .then(["escalation pending", "escalated by window to nobody"]);
    assert!(waits.chat(1).care.escalation.is_some());
}

#[test]
fn what_is_answered_and_idle_is_closed() {
    let closing = || plan().setting(|settings| settings.close_idle_after = Some(HOUR));
    given(closing())
        .agents([online("ana")])
        .conversation(chat(1).with("ana"))
        .when(turn(1).at(start()))
        .after(2 * HOUR)
        .when(alarm_timer(1))
        // Its customer waits.
        .then_last(["built-in breached: respond"])
        .when(by("ana").replies(1))
        .when_time_passes(HOUR - MINUTE)
        .then([])
        .when_time_passes(MINUTE)
        .then(["closed by idle"]);
}

#[test]
fn what_is_set_aside_is_not_idle() {
    given(plan().setting(|settings| settings.close_idle_after = Some(HOUR)))
        .agents([online("ana")])
        .conversation(chat(1).with("ana"))
        .when(by("ana").holds(1, None))
        .when_time_passes(2 * HOUR)
        .then([]);
}
