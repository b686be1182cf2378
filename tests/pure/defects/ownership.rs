//! Whose it is: no second owner, no choice overridden, nothing for who is not there, and the right name on each act.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::event::PassedOver;
use switchboard::domain::input::{Actor, Origin, System, Upsert};
use switchboard::domain::plan::Strategy;

use super::by_load;
use crate::support::chats::chat;
use crate::support::inputs::{assign_timer, by, reaction, sent, turn};
use crate::support::people::{away, offline, online};
use crate::support::scenario::{Scenario, given};
use crate::support::{agent, at, team};

#[test]
fn of_two_who_claim_a_conversation_at_once_the_second_is_refused() {
    given(by_load(&["ana", "ben"]))
        .agents([away("ana"), away("ben")])
        .conversation(chat(1).waiting_in("support"))
        .when_together([by("ana").gives(1, "ana").into(), by("ben").gives(1, "ben").into()])
        .then(["assigned to ana by claim", "refused: already_assigned"])
        .owned(1, "ana");
}

#[test]
fn a_command_that_names_an_older_epoch_overwrites_nothing() {
    given(by_load(&["ana", "ben"]))
        .agents([online("ana"), online("ben"), offline("root").admin()])
        .conversation(chat(1).with("ana").of("support"))
        .when_together([
            by("ana").gives(1, "ben").expecting(1).into(),
            by("root").gives(1, "ana").expecting(1).into(),
        ])
        .then(["assigned to ben by manual", "refused: epoch_conflict"])
        .owned(1, "ben");
}

#[test]
fn what_a_person_took_from_the_queue_is_not_given_to_another_who_comes_online_right_after() {
    given(by_load(&["ana", "ben"]))
        .agents([away("ana"), offline("ben")])
        .conversation(chat(1).waiting_in("support"))
        .when_together([
            by("ana").gives(1, "ana").into(),
            by("ben").sets("ben", Presence::Online).into(),
        ])
        .then(["assigned to ana by claim", "ben online, was offline"])
        .owned(1, "ana");
}

#[test]
fn what_was_given_by_hand_is_left_alone_by_whatever_the_customer_or_the_queue_does_next() {
    given(by_load(&["ana", "ben"]))
        .agents([offline("ana"), online("ben"), offline("root").admin()])
        .conversation(chat(1).with("ben").of("support"))
        .when(by("root").gives(1, "ana"))
        .then(["assigned to ana by manual"])
        .when_together([
            turn(1).into(),
            assign_timer(1),
            by("ben").sets("ben", Presence::Offline).into(),
            by("ben").sets("ben", Presence::Online).into(),
        ])
        .then(["received", "ben offline, was online", "ben online, was offline"])
        .owned(1, "ana");
}

#[test]
fn what_a_person_unassigned_waits_for_a_person() {
    given(by_load(&["ana", "ben"]))
        .agents([online("ana"), offline("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .when_together([
            by("ana").unassigns(1).into(),
            by("ben").sets("ben", Presence::Online).into(),
            turn(1).into(),
        ])
        .then(["unassigned by command", "ben online, was offline", "received"])
        .owned(1, "nobody");
}

#[test]
fn who_left_the_team_a_moment_ago_is_given_nothing_of_it() {
    let leaves = Upsert {
        teams: Some([team("other")].into()),
        ..Upsert::default()
    };
    given(by_load(&["ana", "ben"]).team("other", Strategy::LeastLoaded, &[]))
        .agents([online("ana"), offline("ben"), offline("root").admin()])
        .when_together([by("root").upserts("ana", leaves).into(), turn(1).into()])
        .then([
            "ana written",
            "opened by customer",
            "received",
            "queued in support: no agent free",
        ])
        .owned(1, "queue of support");
}

#[test]
fn a_plan_without_them_keeps_a_former_member_from_the_very_next_message() {
    given(by_load(&["ana", "ben"]))
        .agents([online("ana"), online("ben"), offline("root").admin()])
        .when_together([
            by("root").applies(by_load(&["ben"])).into(),
            turn(1).into(),
            turn(2).into(),
        ])
        .then([
            "plan 2 in force",
            "opened by customer",
            "received",
            "assigned to ben by auto",
            "opened by customer",
            "received",
            "assigned to ben by auto",
        ]);
}

#[test]
fn who_is_no_longer_active_is_given_nothing_by_anyone_and_others_may_take_over_what_they_had() {
    let leaves = Upsert {
        active: Some(false),
        ..Upsert::default()
    };
    given(by_load(&["ana", "ben"]))
        .agents([online("ana"), online("ben"), offline("root").admin()])
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).with("ben").of("support"))
        .when(by("root").upserts("ana", leaves))
        .when(turn(3))
        .then(["opened by customer", "received", "assigned to ben by auto"])
        .when(by("root").gives(2, "ana"))
        .then(["refused: unknown_agent"])
        .when(by("root").gives_to_team(1, "support"))
        .then(["assigned to ben by auto"]);
}

#[test]
fn who_may_not_reply_is_not_chosen() {
    let opened = given(by_load(&["ana", "ben"]))
        .agents([online("ana").may_not_reply(), online("ben")])
        .when(turn(1))
        .then(["opened by customer", "received", "assigned to ben by auto"]);
    assert_eq!(opened.passed_over("ana"), Some(PassedOver::MayNotReply));
}

#[test]
fn who_may_not_reply_cannot_be_given_a_conversation_by_hand_either() {
    given(by_load(&["ana", "ben"]))
        .agents([
            online("ana").may_not_reply(),
            online("ben"),
            offline("root").admin(),
        ])
        .conversation(chat(1).with("ben").of("support"))
        .when(by("root").gives(1, "ana"))
        .then(["refused: target_unavailable"])
        .owned(1, "ben");
}

#[test]
fn a_presence_that_flaps_moves_no_conversation() {
    given(by_load(&["ana", "ben"]))
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .when_together([
            by("ana").sets("ana", Presence::Offline).into(),
            turn(1).into(),
            by("ana").sets("ana", Presence::Online).into(),
            by("ana").sets("ana", Presence::Away).into(),
        ])
        .then([
            "ana offline, was online",
            "received",
            "ana online, was offline",
            "ana away, was online",
        ])
        .owned(1, "ana");
}

#[test]
fn an_automatic_reply_leaves_the_owner_and_is_nobodys() {
    let replied = given(by_load(&["ana"]))
        .agents([online("ana")])
        .conversation(
            chat(1)
                .with("ana")
                .of("support")
                .waiting_since(at(Duration::ZERO)),
        )
        .when(sent(1, Origin::Automation))
        .then(["sent by automation"])
        .owned(1, "ana");
    assert!(replied.events().all(|event| event.event.actor == Actor::Gateway));
    assert!(
        replied.chat(1).waiting_since.is_some(),
        "the customer still waits for a person"
    );
}

#[test]
fn what_is_no_turn_moves_neither_owner_nor_clock_nor_window() {
    let before = given(by_load(&["ana"]))
        .agents([online("ana")])
        .conversation(chat(1).with("ana").of("support"));
    let (window, epoch) = (before.chat(1).window_expires_at, before.chat(1).epoch);
    let after = before
        .when(reaction(1))
        .then(["received, no turn"])
        .owned(1, "ana");
    let chat = after.chat(1);
    assert_eq!(
        (chat.window_expires_at, chat.epoch, chat.waiting_since),
        (window, epoch, None)
    );
}

#[test]
fn each_event_names_who_did_it() {
    let actors = |scenario: &Scenario| {
        scenario
            .events()
            .map(|event| event.event.actor.clone())
            .collect::<Vec<_>>()
    };
    let router = Actor::System(System::Router);
    let person = |id: &str| Actor::Agent(agent(id));
    let opened = given(by_load(&["ana", "ben"]))
        .agents([online("ana"), online("ben"), offline("root").admin()])
        .when(turn(1))
        .then(["opened by customer", "received", "assigned to ana by auto"]);
    assert_eq!(
        actors(&opened),
        [Actor::Customer, Actor::Customer, router.clone()]
    );
    let sent_on = opened
        .when(by("root").gives_to_team(1, "support"))
        .then(["assigned to ben by auto"]);
    assert_eq!(
        actors(&sent_on),
        [person("root")],
        "chosen because a person sent it there"
    );
    let handed_back = sent_on
        .when(by("ben").unassigns(1))
        .then(["unassigned by command"]);
    assert_eq!(actors(&handed_back), [person("ben")]);
}

#[test]
fn who_gave_it_away_does_not_get_it_back_from_the_strategy_in_this_episode() {
    given(by_load(&["ana"]))
        .agents([online("ana")])
        .conversation(chat(1).with("ana").of("support"))
        .when(by("ana").gives_to_team(1, "support"))
        .then(["queued in support: transfer"])
        .when(by("ana").sets("ana", Presence::Online))
        .then(["ana online, was online"])
        .owned(1, "queue of support")
        .when(by("ana").gives(1, "ana"))
        .then(["assigned to ana by claim"]);
}
