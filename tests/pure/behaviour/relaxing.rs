//! What waits asks for less as time goes on.

use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{Priority, Relaxation};
use switchboard::domain::input::{Actor, System};
use switchboard::domain::notify::{NotificationKind, told};
use switchboard::domain::plan::{Strategy, Target};

use crate::support::chats::chat;
use crate::support::inputs::{by, turn};
use crate::support::people::{away, offline, online};
use crate::support::plans::{Draft, plan, relaxing, skilled, step, to};
use crate::support::scenario::{Scenario, given};
use crate::support::{HOUR, MINUTE, at, start};

/// Everything goes to `support`, which has a second team beside it, by this rule.
fn by_rule(target: Target) -> Draft {
    plan()
        .team("support", Strategy::LeastLoaded, &["ana", "ben"])
        .managed_by("support", &["boss"])
        .team("billing", Strategy::LeastLoaded, &["cy"])
        .rule("french", "", target)
        .keeping()
        .response("never", None)
        .usual_response("never")
}

fn drops(after: std::time::Duration, skill: &str) -> Relaxation {
    Relaxation {
        drop: Some(skill.into()),
        ..step(after)
    }
}

fn moves(after: std::time::Duration, to: &str) -> Relaxation {
    Relaxation {
        team: Some(crate::support::team(to)),
        ..step(after)
    }
}

fn presses(after: std::time::Duration, priority: Priority) -> Relaxation {
    Relaxation {
        priority: Some(priority),
        ..step(after)
    }
}

/// Whether the last events tell a manager that a queue is blocked.
fn tells(scenario: &Scenario) -> bool {
    let events: Vec<_> = scenario.events().cloned().collect();
    let told = told(&scenario.world.whole_state(), &events);
    told.iter()
        .any(|told| told.kind == NotificationKind::QueueBlocked)
}

#[test]
fn a_skill_is_dropped_after_its_time_and_whoever_is_there_gets_it_at_once() {
    let french = skilled("support", "french", 1);
    let relaxed = given(by_rule(relaxing(french, [drops(2 * MINUTE, "french")])))
        .agents([online("ana"), offline("ben").skill("french", 1)])
        .when(turn(1))
        .then_last(["queued in support: no agent free"])
        .when_time_passes(2 * MINUTE - std::time::Duration::from_secs(1))
        .then([])
        .when_time_passes(std::time::Duration::from_secs(1))
        .then(["relaxed", "assigned to ana by auto"]);
    let actors: Vec<_> = relaxed.events().map(|event| &event.event.actor).collect();
    assert!(
        actors
            .iter()
            .all(|actor| **actor == Actor::System(System::Router))
    );
    let decisions: Vec<_> = relaxed
        .events()
        .filter_map(|event| event.event.decision.as_deref())
        .collect();
    let rules: Vec<_> = decisions.iter().map(|one| one.rule.as_deref()).collect();
    assert_eq!(
        rules,
        [Some("french, step 1"), Some("french")],
        "the record says which step"
    );
    let ids: Vec<_> = decisions.iter().map(|one| one.id).collect();
    assert_ne!(ids[0], ids[1]);
    assert!(relaxed.chat(1).route.skills.is_empty());
}

#[test]
fn what_still_finds_nobody_has_a_record_of_why_after_each_step() {
    let french = skilled("support", "french", 1);
    let relaxed = given(by_rule(relaxing(french, [drops(MINUTE, "french")])))
        .agents([away("ana"), offline("ben")])
        .when(turn(1))
        .when_time_passes(MINUTE)
        .then(["relaxed"]);
    assert_eq!(relaxed.decision().chosen, None);
    assert_eq!(relaxed.decision().passed_over.values().sum::<u32>(), 2);
    relaxed
        .when(by("ana").sets("ana", Presence::Online))
        .then(["ana online, was away", "1: assigned to ana by auto"]);
}

#[test]
fn steps_count_from_the_first_wait_and_those_that_are_due_together_are_taken_in_order() {
    let steps = [
        drops(2 * MINUTE, "french"),
        presses(5 * MINUTE, Priority::High),
        moves(5 * MINUTE, "billing"),
    ];
    let slow = given(by_rule(relaxing(skilled("support", "french", 1), steps)))
        .agents([offline("ana"), offline("ben"), offline("cy")])
        .when(turn(1))
        // Nobody looked for an hour.
        .when_time_passes(HOUR)
        .then([
            "relaxed",
            "relaxed",
            "priority High",
            "relaxed",
            "queued in billing: no agent free",
        ])
        .in_team(1, "billing");
    let route = &slow.chat(1).route;
    assert_eq!((route.relaxed, route.relaxing_since), (3, Some(start())));
    assert_eq!(slow.chat(1).priority, Priority::High);
    slow.when_time_passes(HOUR).then([]);
}

#[test]
fn what_moves_to_another_team_is_chosen_for_there_at_once_and_keeps_its_clock() {
    let quick = by_rule(relaxing(to("support"), [moves(MINUTE, "billing")]))
        .response("quick", Some(2 * MINUTE))
        .usual_response("quick");
    given(quick)
        .agents([offline("ana"), offline("ben"), offline("cy")])
        .when(turn(1))
        .when_time_passes(MINUTE)
        .then(["relaxed", "queued in billing: no agent free"])
        // Its assign clock has run since it came.
        .when_time_passes(MINUTE)
        .then(["quick breached"]);
    given(by_rule(relaxing(to("support"), [moves(MINUTE, "billing")])))
        .agents([offline("ana"), offline("ben"), online("cy")])
        .when(turn(1))
        .when_time_passes(MINUTE)
        .then(["relaxed", "assigned to cy by auto"])
        .in_team(1, "billing");
}

#[test]
fn a_step_tells_managers_if_it_says_so_and_only_then() {
    let told = |notify: bool| {
        let one = Relaxation {
            notify,
            ..step(MINUTE)
        };
        let scenario = given(by_rule(relaxing(to("support"), [one])))
            .agents([
                online("ana").capacity(1),
                offline("ben"),
                online("boss").manager(),
            ])
            .conversation(chat(9).with("ana").of("support"))
            .when(turn(1))
            .when_time_passes(MINUTE)
            .then(["relaxed"]);
        tells(&scenario)
    };
    assert!(told(true));
    assert!(!told(false));
}

#[test]
fn priority_is_only_raised_and_what_a_person_said_stands() {
    given(by_rule(relaxing(
        to("support"),
        [presses(MINUTE, Priority::High)],
    )))
    .agents([offline("ana"), online("root").admin()])
    .when(turn(1))
    .when(by("root").prioritizes(1, Priority::Urgent))
    .when_time_passes(MINUTE)
    .then(["relaxed"]);
}

#[test]
fn what_a_person_sends_to_a_team_has_no_steps() {
    given(by_rule(relaxing(to("support"), [moves(MINUTE, "billing")])))
        .agents([
            offline("ana"),
            offline("ben"),
            online("cy"),
            online("root").admin(),
        ])
        .when(turn(1))
        .when(by("root").gives(1, "root"))
        .when(by("root").gives_to_team(1, "support"))
        .then(["queued in support: transfer"])
        .when_time_passes(HOUR)
        .then([])
        .owned(1, "queue of support");
}

#[test]
fn what_waits_again_goes_on_with_the_steps_that_are_left() {
    let steps = [drops(MINUTE, "french"), moves(3 * MINUTE, "billing")];
    let back = given(by_rule(relaxing(skilled("support", "french", 1), steps)))
        .agents([
            online("ana"),
            offline("ben"),
            offline("cy"),
            online("root").admin(),
        ])
        .when(turn(1))
        .when_time_passes(MINUTE)
        .then(["relaxed", "assigned to ana by auto"])
        .after(HOUR)
        .when(by("root").removes("ana"))
        .when_time_passes(std::time::Duration::ZERO)
        .then_last(["queued in support: agent removed"]);
    assert_eq!(back.chat(1).route.relaxing_since, Some(at(HOUR + MINUTE)));
    back.when_time_passes(3 * MINUTE - std::time::Duration::from_secs(1))
        .then([])
        .when_time_passes(std::time::Duration::from_secs(1))
        .then(["relaxed", "queued in billing: no agent free"]);
}
