//! What is done about a broken response policy: managers are told, it moves on, or it goes up.

use switchboard::domain::conversation::{HopReason, Owner};
use switchboard::domain::event::{Change, Kind};
use switchboard::domain::plan::{ResponsePolicy, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{assign_timer, by, turn};
use crate::support::people::{away, offline, online};
use crate::support::plans::{Draft, plan, support};
use crate::support::scenario::{Scenario, given};
use crate::support::{MINUTE, agent, at, start};
use switchboard::domain::agent::Presence;

fn answering(draft: Draft, write: impl FnOnce(&mut ResponsePolicy)) -> Draft {
    draft
        .policy("strict", |policy| {
            policy.respond_within = Some(10 * MINUTE);
            write(policy);
        })
        .usual_response("strict")
        .keeping()
}

fn moving(draft: Draft) -> Draft {
    answering(draft, |policy| policy.reassign = true)
}

/// Whether the last breach asks to tell the managers.
#[track_caller]
fn tells(scenario: &Scenario) -> bool {
    let notify = scenario.events().find_map(|recorded| match &recorded.event.kind {
        Kind::Conversation(_, Change::ResponseBreached { notify, .. }) => Some(*notify),
        _ => None,
    });
    notify.expect("something was breached")
}

#[test]
fn a_breach_that_only_tells_leaves_it_with_its_owner() {
    let draft = answering(support(Strategy::LeastLoaded, &["ana", "ben"]), |policy| {
        policy.notify = true
    });
    let told = given(draft)
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then(["strict breached: respond"])
        .owned(1, "ana");
    assert!(tells(&told));
}

#[test]
fn a_breach_moves_it_to_the_next_eligible_agent_and_back_only_when_all_had_it() {
    let moved = given(moving(support(Strategy::RoundRobin, &["ana", "ben", "cy"])))
        .agents([online("ana"), online("ben"), online("cy")])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then(["strict breached: respond", "assigned to ben by auto"]);
    assert!(!tells(&moved));
    let hop = moved.assignment().hop.clone().expect("it is a hop");
    assert_eq!((hop.from, hop.why), (agent("ana"), HopReason::Silent));
    // Ben has the whole time; then it is Cy's turn. Then all of them had it: Ana is asked once more.
    moved
        .when_time_passes(9 * MINUTE)
        .then([])
        .when_time_passes(MINUTE)
        .then(["strict breached: respond", "assigned to cy by auto"])
        .when_time_passes(10 * MINUTE)
        .then([
            "strict breached: respond",
            "exclusions cleared",
            "assigned to ana by auto",
        ]);
}

#[test]
fn what_a_person_gave_moves_as_well() {
    given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), online("ben"), online("root").admin()])
        .conversation(chat(1).waiting_in("support").by_hand())
        .when(by("root").gives(1, "ana"))
        .then(["assigned to ana by manual"])
        .when_time_passes(10 * MINUTE)
        // Its rule wants a person to claim it.
        .then(["strict breached: respond", "queued in support: breach"]);
    given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), online("ben"), online("root").admin()])
        .conversation(chat(1).with("ben").of("support").waiting_since(start()))
        .when(by("root").gives(1, "ana"))
        .when_time_passes(10 * MINUTE)
        .then(["strict breached: respond", "assigned to ben by auto"]);
}

#[test]
fn where_nobody_is_free_it_waits_and_moves_when_somebody_is() {
    let waits = given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), offline("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then(["strict breached: respond", "queued in support: breach"]);
    assert_eq!(waits.chat(1).care.hops.len(), 1);
    waits
        .when(by("ben").sets("ben", Presence::Online))
        .then(["ben online, was offline", "1: assigned to ben by auto"]);
}

#[test]
fn an_answer_in_time_moves_nothing() {
    given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .when(by("ana").replies(1))
        .when_time_passes(10 * MINUTE)
        .then([])
        .owned(1, "ana");
}

#[test]
fn what_has_no_team_goes_where_the_rules_say_or_stays_and_is_told() {
    let moved = given(moving(support(Strategy::LeastLoaded, &["ben"])))
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana"))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then(["strict breached: respond", "assigned to ben by auto"])
        .in_team(1, "support");
    assert!(!tells(&moved));
    let stays = given(moving(plan()))
        .agents([online("ana")])
        .conversation(chat(1).with("ana"))
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then(["strict breached: respond"])
        .owned(1, "ana");
    assert!(tells(&stays), "where a move leads nowhere somebody hears of it");
}

#[test]
fn a_request_that_is_pending_ends_with_the_move() {
    given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), online("ben"), online("cy")])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .after(9 * MINUTE)
        .when(by("ana").asks(1, "cy"))
        .when_time_passes(MINUTE)
        .then([
            "strict breached: respond",
            "request superseded: owner changed",
            "assigned to ben by auto",
        ]);
}

#[test]
fn what_is_set_aside_moves_too_but_into_no_queue_where_nobody_would_look_for_it() {
    let held = |ben| {
        given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
            .agents([online("ana"), ben])
            .conversation(chat(1).with("ana").of("support"))
            .when(turn(1))
            .when(by("ana").holds(1, None))
            .when_time_passes(10 * MINUTE)
    };
    held(online("ben")).then(["strict breached: respond", "assigned to ben by auto"]);
    let stays = held(offline("ben"))
        .then(["strict breached: respond"])
        .owned(1, "ana");
    assert!(tells(&stays));
}

#[test]
fn a_queue_is_left_to_its_drains_whatever_the_policy() {
    let draft = support(Strategy::LeastLoaded, &["ana"])
        .policy("strict", |policy| {
            policy.assign_within = Some(5 * MINUTE);
            policy.reassign = true;
        })
        .usual_response("strict");
    given(draft)
        .agents([offline("ana")])
        .when(turn(1))
        .when_time_passes(5 * MINUTE)
        .then(["strict breached"])
        .owned(1, "queue of support");
}

#[test]
fn what_nobody_has_is_offered_to_its_team_when_nobody_took_it_in_time() {
    let draft = || {
        support(Strategy::LeastLoaded, &["ana", "ben"])
            .policy("strict", |policy| {
                policy.assign_within = Some(5 * MINUTE);
                policy.reassign = true;
            })
            .usual_response("strict")
    };
    let unassigned = || {
        given(draft())
            .agents([online("ana"), online("ben")])
            .conversation(chat(1).with("ana").of("support").waiting_since(start()))
            .when(by("ana").unassigns(1))
    };
    let given_out = unassigned().when_time_passes(5 * MINUTE);
    assert_eq!(given_out.events().count(), 2);
    assert!(matches!(given_out.chat(1).owner, Owner::Agent(_)));
    let waits = given(draft())
        .agents([away("ana"), offline("ben")])
        .conversation(chat(1).with("ana").of("support").waiting_since(start()))
        .when(by("ana").unassigns(1))
        .when_time_passes(5 * MINUTE)
        .then(["strict breached", "queued in support: breach"]);
    assert_eq!(
        waits.chat(1).assign_clock,
        switchboard::domain::conversation::Clock::Breached
    );
    // The clock of one run fires once.
    waits
        .when(assign_timer(1))
        .then([])
        .when_time_passes(60 * MINUTE)
        .then([]);
}

#[test]
fn what_has_no_team_stays_with_nobody() {
    let draft = plan()
        .policy("strict", |policy| {
            policy.assign_within = Some(5 * MINUTE);
            policy.reassign = true;
        })
        .usual_response("strict");
    given(draft)
        .when(turn(1))
        .when_time_passes(5 * MINUTE)
        .then(["strict breached"])
        .owned(1, "nobody");
}

#[test]
fn a_policy_that_the_plan_no_longer_has_tells_its_managers() {
    let told = given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), online("ben"), online("root").admin()])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .when(
            by("root").applies(
                support(Strategy::LeastLoaded, &["ana", "ben"])
                    .keeping()
                    .version(2),
            ),
        )
        .when_time_passes(10 * MINUTE);
    let told = told.then(["strict breached: respond", "the drain begins again"]);
    assert!(tells(&told));
}

#[test]
fn nothing_is_moved_by_a_turn_that_is_read_late_until_its_alarm_goes_off() {
    given(moving(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .after(30 * MINUTE)
        .when(turn(1).at(at(MINUTE)))
        .then(["received"])
        .when_time_passes(std::time::Duration::ZERO)
        .then(["strict breached: respond", "assigned to ben by auto"]);
}
