//! Waiting: in which order places are given away, and that a freed one never stays free.

use switchboard::domain::agent::Presence;
use switchboard::domain::input::Body;
use switchboard::domain::plan::{Reopen, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{by, cli, turn};
use crate::support::people::{offline, online};
use crate::support::plans::{nobody, support};
use crate::support::scenario::given;
use crate::support::{MINUTE, at};

#[test]
fn what_a_page_leaves_out_is_not_overtaken_by_what_came_later_and_asks_for_something_else() {
    let drain_goes_on = given(support(Strategy::LeastLoaded, &["ana"]))
        .agents([offline("ana").capacity(2).skill("french", 1)])
        .conversation(chat(1).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .conversation(
            chat(3)
                .waiting_in("support")
                .waiting_since(at(3 * MINUTE))
                .needing("french", 1),
        )
        .page(1)
        .when(by("ana").sets("ana", Presence::Online))
        .then([
            "ana online, was offline",
            "1: assigned to ana by auto",
            "the drain goes on",
        ]);
    drain_goes_on
        .when_time_passes(MINUTE)
        .then([
            "the drain begins again",
            "2: assigned to ana by auto",
            "the drain goes on",
        ])
        .owned(3, "queue of support");
}

#[test]
fn a_customer_who_writes_again_does_not_overtake_those_a_pending_drain_has_still_to_serve() {
    given(support(Strategy::LeastLoaded, &["ana"]))
        .agents([offline("ana").capacity(2)])
        .conversation(chat(1).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .conversation(chat(3).waiting_in("support").waiting_since(at(3 * MINUTE)))
        .page(1)
        .when(by("ana").sets("ana", Presence::Online))
        .when(turn(3).at(at(4 * MINUTE)))
        .then(["received"])
        .when_time_passes(MINUTE)
        .then([
            "the drain begins again",
            "2: assigned to ana by auto",
            "the drain goes on",
        ]);
}

#[test]
fn a_returning_customer_does_not_overtake_those_a_pending_drain_has_still_to_serve() {
    given(support(Strategy::LeastLoaded, &["ana"]).reopen(Reopen::Sticky))
        .agents([offline("ana").capacity(2)])
        .conversation(chat(1).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .conversation(chat(3).with("ana").of("support").closed())
        .page(1)
        .when(by("ana").sets("ana", Presence::Online))
        .when(turn(3).at(at(4 * MINUTE)))
        .then([
            "reopened by customer",
            "received",
            "queued in support: no agent free",
        ])
        .when_time_passes(MINUTE)
        .then([
            "the drain begins again",
            "2: assigned to ana by auto",
            "the drain goes on",
        ])
        .owned(3, "queue of support");
}

#[test]
fn a_returning_customer_who_has_no_queue_to_wait_in_is_not_lost_to_a_pending_drain() {
    let nowhere = support(Strategy::LeastLoaded, &["ana"]).reopen(Reopen::Sticky);
    given(nowhere.rule("quiet", "message.text == 'psst'", nobody()))
        .agents([offline("ana").capacity(2)])
        .conversation(chat(1).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .conversation(chat(3).with("ana").of("support").closed())
        .page(1)
        .when(by("ana").sets("ana", Presence::Online))
        .when(turn(3).saying("psst").at(at(4 * MINUTE)))
        .then(["reopened by customer", "received", "assigned to ana by sticky"]);
}

#[test]
fn a_newcomer_of_the_same_batch_does_not_overtake_what_a_page_left_out() {
    let handed_back: Body = cli().closes(4).into();
    given(support(Strategy::LeastLoaded, &["ana"]))
        .agents([online("ana").capacity(1)])
        .conversation(chat(4).with("ana").of("support"))
        .conversation(chat(1).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .page(1)
        .when_together([
            turn(3).at(at(3 * MINUTE)).into(),
            handed_back,
            cli().closes(1).into(),
        ])
        .then([
            "opened by customer",
            "received",
            "queued in support: no agent free",
            "closed by command",
            "1: assigned to ana by auto",
            "the drain goes on",
            "closed by command",
        ])
        .when_time_passes(MINUTE)
        .then([
            "the drain begins again",
            "2: assigned to ana by auto",
            "the drain goes on",
        ])
        .owned(3, "queue of support");
}

#[test]
fn a_plan_that_begins_to_empty_a_queue_serves_who_waits_there_before_any_newcomer() {
    let by_hand = support(Strategy::Manual, &["ana"]);
    let by_strategy = support(Strategy::LeastLoaded, &["ana"]);
    given(by_hand)
        .agents([online("ana").capacity(1), offline("root").admin()])
        .conversation(chat(1).waiting_in("support"))
        .when(by("root").applies(by_strategy))
        .then(["plan 2 in force", "the drain goes on"])
        .when(turn(2).at(at(MINUTE)))
        .then([
            "opened by customer",
            "received",
            "queued in support: no agent free",
        ])
        .when_time_passes(MINUTE)
        .then(["the drain begins again", "1: assigned to ana by auto"]);
}
