//! Owners who are away or offline for too long: what moves, what stays, and when.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::event::{Change, PassedOver, Reason};
use switchboard::domain::input::Upsert;
use switchboard::domain::plan::{Moves, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{by, received, turn};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, for_agent, plan, support};
use crate::support::scenario::{Scenario, given};
use crate::support::{MINUTE, at, start};

/// Ana and Ben in one team; people may be gone for five minutes.
fn company() -> Draft {
    support(Strategy::LeastLoaded, &["ana", "ben"])
}

fn moving(away: Moves, offline: Moves) -> Draft {
    company().setting(|settings| {
        settings.on_away = away;
        settings.on_offline = offline;
    })
}

/// Ana owns 1, whose customer waits, and 2, whose customer is answered; both are there.
fn ana_has_two(plan: Draft) -> Scenario {
    given(plan)
        .agents([online("ana"), online("ben"), offline("root").admin()])
        .conversation(chat(1).with("ana").of("support").waiting_since(start()))
        .conversation(chat(2).with("ana").of("support"))
}

fn goes(who: &'static str, how: Presence) -> switchboard::domain::input::Body {
    by(who).sets(who, how).into()
}

/// Time passes, and all that is due then or follows from it happens.
trait Later {
    fn later(self, time: Duration) -> Self;
}

impl Later for Scenario {
    fn later(mut self, time: Duration) -> Self {
        self.world.wait(time);
        let due = self.world.due(&Default::default());
        let batch = self.world.receive(due);
        self.world.run(batch, &Default::default(), &mut |_| {});
        self.world.finish(&mut |_| {});
        self
    }
}

#[test]
fn while_the_grace_lasts_nothing_of_theirs_moves() {
    ana_has_two(moving(Moves::All, Moves::All))
        .when(goes("ana", Presence::Offline))
        .later(5 * MINUTE - Duration::from_millis(1))
        .owned(1, "ana")
        .owned(2, "ana");
}

#[test]
fn after_the_grace_what_is_unanswered_goes_on_and_the_rest_stays() {
    ana_has_two(moving(Moves::Keep, Moves::Unanswered))
        .when_time_passes(5 * MINUTE)
        .then(["owner looked at"])
        .when(goes("ana", Presence::Offline))
        .when_time_passes(5 * MINUTE)
        .then(["ana gone for too long"])
        .when_time_passes(Duration::ZERO)
        .then(["assigned to ben by auto"])
        .owned(2, "ana");
}

#[test]
fn where_the_plan_moves_all_the_answered_ones_go_on_too() {
    ana_has_two(moving(Moves::Keep, Moves::All))
        .when(goes("ana", Presence::Offline))
        .later(5 * MINUTE)
        .owned(1, "ben")
        .owned(2, "ben");
}

#[test]
fn where_the_plan_keeps_nothing_is_looked_at() {
    ana_has_two(moving(Moves::All, Moves::Keep))
        .when(goes("ana", Presence::Offline))
        .when_time_passes(60 * MINUTE)
        .then(["owner looked at"])
        .owned(1, "ana");
}

#[test]
fn away_and_offline_each_have_a_policy_of_their_own() {
    ana_has_two(moving(Moves::Unanswered, Moves::Keep))
        .when(goes("ana", Presence::Away))
        .later(5 * MINUTE)
        .owned(1, "ben")
        .owned(2, "ana");
}

#[test]
fn who_goes_offline_after_being_away_for_long_has_a_grace_from_then() {
    ana_has_two(moving(Moves::Keep, Moves::Unanswered))
        .when(goes("ana", Presence::Away))
        .later(60 * MINUTE)
        .when(goes("ana", Presence::Offline))
        .later(5 * MINUTE - Duration::from_millis(1))
        .owned(1, "ana")
        .later(Duration::from_millis(1))
        .owned(1, "ben");
}

#[test]
fn who_goes_from_offline_to_away_has_been_absent_all_the_time() {
    ana_has_two(moving(Moves::Unanswered, Moves::Keep))
        .when(goes("ana", Presence::Offline))
        .later(4 * MINUTE)
        .when(goes("ana", Presence::Away))
        .owned(1, "ana")
        .later(MINUTE)
        .owned(1, "ben");
}

#[test]
fn a_presence_that_runs_out_begins_the_grace() {
    ana_has_two(moving(Moves::Keep, Moves::Unanswered))
        .when(by("ana").sets_for("ana", Presence::Online, MINUTE))
        .later(MINUTE)
        .owned(1, "ana")
        .later(5 * MINUTE)
        .owned(1, "ben");
}

#[test]
fn who_says_again_that_they_are_offline_gains_no_time() {
    ana_has_two(moving(Moves::Keep, Moves::Unanswered))
        .when(goes("ana", Presence::Offline))
        .later(3 * MINUTE)
        .when(goes("ana", Presence::Offline))
        .later(2 * MINUTE)
        .owned(1, "ben");
}

#[test]
fn defect_11_a_presence_that_flaps_for_an_hour_moves_nothing() {
    let mut flapping = ana_has_two(moving(Moves::All, Moves::All));
    for _ in 0..15 {
        flapping = flapping
            .when(goes("ana", Presence::Offline))
            .later(4 * MINUTE)
            .when(goes("ana", Presence::Online))
            .owned(1, "ana")
            .owned(2, "ana");
    }
}

#[test]
fn who_is_back_before_it_is_their_conversations_turn_keeps_it() {
    ana_has_two(moving(Moves::Keep, Moves::All))
        .when(goes("ana", Presence::Offline))
        .when_time_passes(5 * MINUTE)
        .then_last(["ana gone for too long"])
        .when(goes("ana", Presence::Online))
        .later(Duration::ZERO)
        .owned(2, "ana");
}

#[test]
fn where_nobody_is_free_it_waits_because_its_owner_is_gone_and_they_may_have_it_again() {
    let alone = support(Strategy::LeastLoaded, &["ana"]);
    let waits = given(alone)
        .agents([online("ana")])
        .conversation(chat(1).with("ana").of("support").waiting_since(start()))
        .when(goes("ana", Presence::Offline))
        .when_time_passes(5 * MINUTE)
        .then(["queued in support: owner offline", "ana gone for too long"]);
    assert_eq!(waits.passed_over("ana"), Some(PassedOver::Offline));
    let hops = &waits.chat(1).care.hops;
    assert_eq!(hops.len(), 1, "it is remembered from whom it was taken");
    waits
        .when(goes("ana", Presence::Online))
        .then(["ana online, was offline", "1: assigned to ana by auto"]);
}

#[test]
fn what_is_on_hold_stays_and_is_looked_at_when_it_is_taken_up_again() {
    let until = at(10 * MINUTE);
    given(moving(Moves::Keep, Moves::Unanswered))
        .agents([online("ana"), online("ben")])
        .conversation(
            chat(1)
                .with("ana")
                .of("support")
                .waiting_since(start())
                .on_hold(Some(until)),
        )
        .when(goes("ana", Presence::Offline))
        .later(9 * MINUTE)
        .owned(1, "ana")
        .later(MINUTE)
        .later(Duration::ZERO)
        .owned(1, "ben");
}

#[test]
fn an_owner_who_was_there_when_it_was_looked_and_left_while_it_was_on_hold_is_missed_afterwards() {
    given(moving(Moves::Keep, Moves::Unanswered))
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(1))
        .later(6 * MINUTE)
        .when(by("ana").holds(1, Some(at(30 * MINUTE))))
        .when(goes("ana", Presence::Offline))
        .later(6 * MINUTE)
        .owned(1, "ana")
        .later(20 * MINUTE)
        .later(Duration::ZERO)
        .owned(1, "ben");
}

#[test]
fn a_turn_that_comes_after_the_owner_was_missed_waits_for_the_grace_and_then_goes_on() {
    ana_has_two(moving(Moves::Keep, Moves::Unanswered))
        .when(goes("ana", Presence::Offline))
        .later(20 * MINUTE)
        .owned(2, "ana")
        .when(turn(2).at(at(20 * MINUTE)))
        .then(["received"])
        .later(5 * MINUTE - Duration::from_millis(1))
        .owned(2, "ana")
        .when_time_passes(Duration::from_millis(1))
        .then_last(["assigned to ben by auto"]);
}

#[test]
fn an_owner_who_is_there_is_only_looked_at() {
    ana_has_two(moving(Moves::Keep, Moves::Unanswered))
        .when(turn(2))
        .when_time_passes(5 * MINUTE)
        .then(["owner looked at", "owner looked at"])
        .when_time_passes(5 * MINUTE)
        .then([]);
}

#[test]
fn what_a_person_gave_to_someone_offline_stays_for_a_grace_and_moves_then() {
    given(moving(Moves::Keep, Moves::Unanswered))
        .agents([offline("ana"), online("ben"), offline("root").admin()])
        .conversation(chat(1).with("ben").of("support").waiting_since(start()))
        .later(60 * MINUTE)
        .when(by("root").gives(1, "ana"))
        .then(["assigned to ana by manual"])
        .later(5 * MINUTE - Duration::from_millis(1))
        .owned(1, "ana")
        .later(Duration::from_millis(1))
        .owned(1, "ben");
}

#[test]
fn a_new_plan_reaches_those_who_are_gone_already() {
    let shorter = moving(Moves::Keep, Moves::Unanswered)
        .setting(|settings| settings.offline_after = MINUTE)
        .version(2);
    ana_has_two(moving(Moves::Keep, Moves::Keep))
        .when(goes("ana", Presence::Offline))
        .later(2 * MINUTE)
        .when(by("root").applies(shorter))
        .later(Duration::ZERO)
        .owned(1, "ben")
        .owned(2, "ana");
}

#[test]
fn where_people_who_are_away_are_given_new_ones_they_keep_what_they_have() {
    let both = moving(Moves::All, Moves::Keep).setting(|settings| settings.assign_away = true);
    ana_has_two(both)
        .when(goes("ana", Presence::Away))
        .later(60 * MINUTE)
        .owned(1, "ana")
        .owned(2, "ana");
}

#[test]
fn without_a_team_the_rules_say_where_it_goes() {
    let gone = given(moving(Moves::Keep, Moves::Unanswered))
        .agents([online("ana"), offline("ben")])
        .conversation(chat(1).with("ana").waiting_since(start()))
        .when(goes("ana", Presence::Offline))
        .later(5 * MINUTE)
        .owned(1, "queue of support");
    assert_eq!(gone.chat(1).care.hops.len(), 1);
}

#[test]
fn where_neither_team_nor_rule_is_left_everyone_sees_that_nobody_has_it() {
    let only_ana = plan().otherwise(for_agent("ana"));
    let left = given(only_ana)
        .agents([online("ana")])
        .conversation(chat(1).with("ana").waiting_since(start()))
        .when(goes("ana", Presence::Offline))
        .later(5 * MINUTE)
        .owned(1, "nobody");
    assert!(left.chat(1).assign_clock.due().is_some(), "it has a clock");
}

#[test]
fn in_a_team_whose_people_choose_it_waits_for_a_claim() {
    let manual = support(Strategy::Manual, &["ana", "ben"]);
    given(manual)
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support").waiting_since(start()))
        .when(goes("ana", Presence::Offline))
        .when_time_passes(5 * MINUTE)
        .then(["queued in support: owner offline", "ana gone for too long"]);
}

#[test]
fn a_conversation_that_moved_too_often_goes_up() {
    let guarded = company().setting(|settings| settings.max_hops = 1);
    given(guarded)
        .agents([online("ana"), online("ben"), online("root").admin()])
        .conversation(chat(1).with("ana").of("support").waiting_since(start()))
        .when(goes("ana", Presence::Offline))
        .later(5 * MINUTE)
        .owned(1, "ben")
        .when(goes("ana", Presence::Online))
        .when(goes("ben", Presence::Offline))
        .later(5 * MINUTE)
        .owned(1, "root");
}

#[test]
fn a_request_that_is_pending_ends_with_the_move() {
    ana_has_two(moving(Moves::Keep, Moves::Unanswered).setting(|s| s.request_timeout = 60 * MINUTE))
        .when(by("ana").asks(1, "ben"))
        .when(goes("ana", Presence::Offline))
        .when_time_passes(5 * MINUTE)
        .then([
            "request superseded: owner changed",
            "assigned to ben by auto",
            "ana gone for too long",
        ]);
}

#[test]
fn defect_17_who_was_asked_and_goes_offline_is_not_waited_for() {
    ana_has_two(company())
        .when(by("ana").asks(1, "ben"))
        .when(goes("ben", Presence::Offline))
        .when_time_passes(Duration::ZERO)
        .then(["request superseded: recipient unavailable"]);
}

#[test]
fn who_was_asked_and_goes_away_may_still_answer_as_people_who_are_away_may_be_asked() {
    ana_has_two(company())
        .when(by("ana").asks(1, "ben"))
        .when(goes("ben", Presence::Away))
        .when_time_passes(Duration::ZERO)
        .then([])
        .when(by("ben").accepts(1))
        .then(["request accepted", "assigned to ben by request"]);
}

#[test]
fn whoever_goes_is_given_nothing_new_from_that_moment() {
    for how in [Presence::Away, Presence::Offline] {
        ana_has_two(company())
            .when_together([goes("ben", how), turn(3).into()])
            .then_last(["opened by customer", "received", "assigned to ana by auto"]);
    }
}

#[test]
fn who_loses_the_right_to_reply_keeps_what_they_have_and_is_given_nothing() {
    let silenced = Upsert {
        may_reply: Some(false),
        ..Upsert::default()
    };
    ana_has_two(company())
        .when(by("root").upserts("ana", silenced))
        .later(Duration::ZERO)
        .owned(1, "ana")
        .when(received(3, "text", true))
        .then_last(["assigned to ben by auto"]);
}

#[test]
fn defect_8_what_reopens_for_someone_who_is_not_there_goes_to_someone_who_is() {
    let cases = [
        goes("ana", Presence::Away),
        goes("ana", Presence::Offline),
        by("root").removes("ana").into(),
    ];
    for case in cases {
        let closed = given(company())
            .agents([online("ana"), online("ben"), offline("root").admin()])
            .conversation(chat(1).last_with("ana").of("support").closed());
        closed
            .when(case)
            .when(turn(1))
            .then(["reopened by customer", "received", "assigned to ben by auto"]);
    }
}

#[test]
fn defect_9_what_someone_leaves_behind_who_is_removed_goes_on() {
    ana_has_two(company())
        .when(by("root").removes("ana"))
        .later(Duration::ZERO)
        .owned(1, "ben")
        .owned(2, "ben");
}

#[test]
fn who_is_removed_while_gone_leaves_no_second_reason_behind() {
    let removed = ana_has_two(moving(Moves::Keep, Moves::Unanswered))
        .when(goes("ben", Presence::Offline))
        .when(goes("ana", Presence::Offline))
        .when(by("root").removes("ana"))
        .when_time_passes(Duration::ZERO);
    let reasons: Vec<Reason> = removed
        .events()
        .filter_map(|event| match event.change()?.1 {
            Change::Queued { reason, .. } => Some(*reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [Reason::AgentRemoved, Reason::AgentRemoved]);
    removed.when_time_passes(10 * MINUTE).owned(1, "queue of support");
}
