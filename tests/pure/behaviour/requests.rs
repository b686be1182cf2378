//! Requests: offered, answered, or overtaken by what happens meanwhile. One is pending at most; each ends exactly once.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::event::By;
use switchboard::domain::input::{Upsert, Wish};
use switchboard::domain::plan::Strategy;
use uuid::Uuid;

use crate::support::chats::chat;
use crate::support::inputs::{by, cli, recipient_timer, request_timer, sent_by, turn};
use crate::support::people::{away, offline, online};
use crate::support::plans::{plan, support};
use crate::support::scenario::{Scenario, given};
use crate::support::{agent, id};

const TIMEOUT: Duration = Duration::from_secs(120);

/// Ana owns the first conversation; Ben and Cy are colleagues, Boss is the admin.
fn office() -> Scenario {
    given(support(Strategy::RoundRobin, &["ana", "ben", "cy"]))
        .agents([
            online("ana").capacity(1),
            online("ben").capacity(1),
            away("cy"),
            offline("boss").admin(),
        ])
        .conversation(chat(1).with("ana").of("support"))
}

/// Ana has asked Ben.
fn asked() -> Scenario {
    office().when(by("ana").asks(1, "ben")).then(["ana asks ben"])
}

#[test]
fn the_owner_stays_the_owner_until_the_request_is_accepted() {
    asked()
        .owned(1, "ana")
        .when(turn(1))
        .then(["received"])
        .owned(1, "ana")
        .when(by("ben").accepts(1))
        .then(["request accepted", "assigned to ben by request"])
        .owned(1, "ben");
}

#[test]
fn an_acceptance_is_on_the_record_of_its_request() {
    let asked = asked();
    let request = asked.chat(1).request.clone().expect("it is pending");
    let accepted = asked.when(by("ben").accepts(1));
    assert_eq!(accepted.assignment().engagement, request.id);
    assert_eq!(accepted.assignment().by, By::Request);
}

#[test]
fn capacity_is_not_asked_neither_at_the_request_nor_at_its_acceptance() {
    let accepted = office()
        .conversation(chat(2).with("ben").of("support"))
        .when(by("ana").asks(1, "ben"))
        .then(["ana asks ben"])
        .when(by("ben").accepts(1))
        .then(["request accepted", "assigned to ben by request, over capacity"]);
    assert_eq!(accepted.assignment().load, 2);
}

#[test]
fn an_acceptance_frees_the_place_of_whoever_asked() {
    office()
        .conversation(chat(2).waiting_in("support"))
        .conversation(chat(3).with("ben").of("support"))
        .when(by("ana").asks(1, "cy"))
        .when(by("cy").accepts(1))
        .then([
            "request accepted",
            "assigned to cy by request",
            "2: assigned to ana by auto",
        ]);
}

#[test]
fn defect_17_a_declined_offer_does_not_return_to_the_decliner_but_may_be_made_again() {
    let rejected = asked()
        .when(by("ben").rejects(1, "lunch"))
        .then(["request rejected"])
        .owned(1, "ana");
    assert!(rejected.chat(1).excluded.contains(&agent("ben")));
    rejected
        .when(by("ana").gives_to_team(1, "support"))
        .then(["queued in support: transfer"])
        .when(by("boss").asks(1, "ben"))
        .then(["boss asks ben"]);
}

#[test]
fn a_new_episode_forgets_who_declined() {
    let again = asked()
        .when(by("ben").rejects(1, "lunch"))
        .when(by("ana").closes(1))
        .when(turn(1));
    assert!(again.chat(1).excluded.is_empty());
}

#[test]
fn a_request_times_out_after_the_tenants_limit_and_excludes_who_did_not_answer() {
    let timed_out = asked()
        .after(TIMEOUT - Duration::from_secs(1))
        .when(request_timer(1))
        .then([])
        .when_time_passes(Duration::from_secs(1))
        .then(["request timed out"])
        .owned(1, "ana");
    assert!(timed_out.chat(1).excluded.contains(&agent("ben")));
    timed_out.when(request_timer(1)).then([]);
}

#[test]
fn the_plan_says_how_long_a_request_waits() {
    let hour = Duration::from_secs(3600);
    let draft = support(Strategy::Manual, &["ana", "ben"]);
    given(draft.setting(|settings| settings.request_timeout = hour))
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support"))
        .when(by("ana").asks(1, "ben"))
        .when_time_passes(TIMEOUT)
        .then([])
        .when_time_passes(hour - TIMEOUT)
        .then(["request timed out"]);
}

#[test]
fn an_answer_and_the_timeout_in_one_batch_have_one_winner() {
    asked()
        .after(TIMEOUT)
        .when_together([by("ben").accepts(1).into(), request_timer(1)])
        .then(["request accepted", "assigned to ben by request"]);
    asked()
        .after(TIMEOUT)
        .when_together([request_timer(1), by("ben").accepts(1).into()])
        .then(["request timed out", "refused: no_pending_request"])
        .owned(1, "ana");
}

#[test]
fn whoever_asked_or_an_admin_takes_a_request_back() {
    asked()
        .when(by("ana").withdraws(1, "solved"))
        .then(["request withdrawn"]);
    asked()
        .when(by("boss").withdraws(1, "not there"))
        .then(["request withdrawn"]);
    asked()
        .when(by("ben").withdraws(1, "no"))
        .then(["refused: not_permitted"])
        .when(by("cy").withdraws(1, "no"))
        .then(["refused: not_permitted"]);
    let withdrawn = asked().when(by("ana").withdraws(1, "solved"));
    assert!(withdrawn.chat(1).excluded.is_empty(), "nobody declined");
}

#[test]
fn only_the_recipient_answers() {
    for other in ["ana", "cy", "boss"] {
        asked()
            .when(by(other).accepts(1))
            .then(["refused: not_permitted"])
            .when(by(other).rejects(1, "no"))
            .then(["refused: not_permitted"]);
    }
}

#[test]
fn one_request_is_pending_at_most() {
    asked()
        .when(by("ana").asks(1, "cy"))
        .then(["refused: request_pending"])
        .when(by("ben").rejects(1, "busy"))
        .when(by("ana").asks(1, "cy"))
        .then(["ana asks cy"]);
}

#[test]
fn an_answer_may_say_which_request_it_means() {
    let (request, reason) = (Some(Uuid::nil()), "no".into());
    asked()
        .when(by("ben").wishes(id(1), Wish::Accept { request }))
        .then(["refused: no_pending_request"])
        .when(by("ben").wishes(id(1), Wish::Reject { request, reason }))
        .then(["refused: no_pending_request"]);
    let asked = asked();
    let request = asked.chat(1).request.as_ref().map(|request| request.id);
    asked
        .when(by("ben").wishes(id(1), Wish::Accept { request }))
        .then(["request accepted", "assigned to ben by request"]);
}

#[test]
fn without_a_request_there_is_nothing_to_answer_on_what_is_closed_either() {
    let nothing = office()
        .when(by("ben").accepts(1))
        .then(["refused: no_pending_request"])
        .when(by("ana").withdraws(1, "no"))
        .then(["refused: no_pending_request"])
        .when(by("ana").closes(1));
    nothing
        .when(by("ben").accepts(1))
        .then(["refused: no_pending_request"])
        .when(by("ana").asks(1, "ben"))
        .then(["refused: closed"]);
}

#[test]
fn a_rejection_and_a_withdrawal_say_why() {
    asked()
        .when(by("ben").rejects(1, " \t"))
        .then(["refused: reason_required"])
        .when(by("ana").withdraws(1, ""))
        .then(["refused: reason_required"])
        .when(by("ben").rejects(9, ""))
        .then(["refused: reason_required"]);
}

#[test]
fn an_unavailable_person_is_not_asked() {
    office()
        .when(by("ana").asks(1, "boss"))
        .then(["refused: target_unavailable"])
        .when(by("ana").asks(1, "nobody"))
        .then(["refused: unknown_agent"])
        .when(by("ana").asks(1, "ana"))
        .then(["refused: invalid"])
        .when(by("boss").asks(1, "ana"))
        .then(["refused: already_assigned"])
        .when(by("ana").asks(1, "cy"))
        .then(["ana asks cy"]);
}

#[test]
fn who_may_not_reply_is_not_asked() {
    given(support(Strategy::Manual, &["ana", "ben"]))
        .agents([online("ana"), online("ben").may_not_reply()])
        .conversation(chat(1).with("ana"))
        .when(by("ana").asks(1, "ben"))
        .then(["refused: target_unavailable"]);
}

#[test]
fn a_change_of_owner_or_a_close_ends_the_request_first() {
    asked()
        .when(by("boss").gives(1, "cy"))
        .then(["request superseded: owner changed", "assigned to cy by manual"]);
    asked()
        .when(by("boss").unassigns(1))
        .then(["request superseded: owner changed", "unassigned by command"]);
    asked()
        .when(by("ana").gives_to_team(1, "support"))
        .then(["request superseded: owner changed", "assigned to ben by auto"]);
    asked()
        .when(by("ana").closes(1))
        .then(["request superseded: closed", "closed by command"]);
}

#[test]
fn routing_goes_on_while_a_request_for_what_nobody_has_is_pending() {
    given(support(Strategy::RoundRobin, &["ana"]))
        .agents([offline("ana"), online("ben"), online("boss").admin()])
        .conversation(chat(1).waiting_in("support"))
        .when(by("boss").asks(1, "ben"))
        .then(["boss asks ben"])
        .when(by("ana").sets("ana", Presence::Online))
        .then([
            "ana online, was offline",
            "1: request superseded: owner changed",
            "1: assigned to ana by auto",
        ]);
}

#[test]
fn a_reply_that_claims_ends_the_request_too() {
    given(plan())
        .agents([online("ana"), online("ben"), online("boss").admin()])
        .conversation(chat(1))
        .when(by("boss").asks(1, "ben"))
        .when(sent_by(1, "ana"))
        .then([
            "request superseded: owner changed",
            "assigned to ana by first reply",
            "sent by ana",
        ]);
}

#[test]
fn a_hold_does_not_end_the_request() {
    asked()
        .when(by("ana").holds(1, None))
        .then(["held"])
        .when(by("ben").accepts(1))
        .then(["request accepted", "assigned to ben by request"]);
}

#[test]
fn defect_17_a_recipient_who_goes_is_not_waited_for() {
    asked()
        .when(by("ben").sets("ben", Presence::Away))
        .when(recipient_timer(1))
        .then([])
        .when(by("ben").sets("ben", Presence::Offline))
        .when_time_passes(Duration::ZERO)
        .then(["request superseded: recipient unavailable"])
        .owned(1, "ana")
        .when(recipient_timer(1))
        .then([]);
}

#[test]
fn a_recipient_who_is_deactivated_is_not_waited_for() {
    for fields in [
        Upsert {
            active: Some(false),
            ..Upsert::default()
        },
        Upsert {
            may_reply: Some(false),
            ..Upsert::default()
        },
    ] {
        asked()
            .when(by("boss").upserts("ben", fields))
            .when_time_passes(Duration::ZERO)
            .then(["request superseded: recipient unavailable"]);
    }
}

#[test]
fn who_went_before_they_accepted_is_not_given_anything() {
    let fields = Upsert {
        may_reply: Some(false),
        ..Upsert::default()
    };
    for gone in [
        by("ben").sets("ben", Presence::Offline),
        by("boss").upserts("ben", fields),
    ] {
        asked()
            .when_together([gone.into(), by("ben").accepts(1).into(), recipient_timer(1)])
            .then_last([
                "refused: target_unavailable",
                "request superseded: recipient unavailable",
            ])
            .owned(1, "ana");
    }
}

#[test]
fn a_recipient_who_comes_back_in_time_may_still_answer() {
    asked()
        .when(by("ben").sets("ben", Presence::Offline))
        .when(by("ben").sets("ben", Presence::Online))
        .when(recipient_timer(1))
        .then([])
        .when(by("ben").accepts(1))
        .then(["request accepted", "assigned to ben by request"]);
}

#[test]
fn a_stale_epoch_conflicts_before_anything_is_said_of_the_request() {
    asked()
        .when(by("ben").accepts(1).expecting(7))
        .then(["refused: epoch_conflict"])
        .when(by("ben").accepts(1).expecting(1))
        .then(["request accepted", "assigned to ben by request"]);
}

#[test]
fn a_request_needs_someone_who_can_be_answered() {
    office()
        .when(cli().asks(1, "ben"))
        .then(["refused: not_permitted"]);
}
