//! Who gets how many: capacities, turns, backlogs, and customers who come back.

use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::Owner;
use switchboard::domain::event::PassedOver;
use switchboard::domain::input::Body;
use switchboard::domain::plan::{Reopen, Strategy};

use super::by_load;
use crate::support::chats::chat;
use crate::support::inputs::{by, turn};
use crate::support::people::{away, offline, online};
use crate::support::plans::support;
use crate::support::scenario::given;
use crate::support::{MINUTE, agent, at, team};

#[test]
fn a_burst_of_customers_in_one_batch_fills_a_capacity_and_no_more() {
    let burst = given(by_load(&["ana", "ben"]))
        .agents([online("ana").capacity(2), online("ben").capacity(1)])
        .when_together([turn(1), turn(2), turn(3), turn(4), turn(5)].map(Body::from));
    let owners = burst.world.conversations.values().map(|c| c.owner.clone());
    let owned_by = |owner: &Owner| owners.clone().filter(|other| other == owner).count();
    assert_eq!(owned_by(&Owner::Agent(agent("ana"))), 2);
    assert_eq!(owned_by(&Owner::Agent(agent("ben"))), 1);
    assert_eq!(owned_by(&Owner::Team(team("support"))), 2);
}

#[test]
fn a_transfer_to_a_team_whose_only_free_member_is_at_the_limit_waits_there() {
    given(by_load(&["ana"]).team("billing", Strategy::LeastLoaded, &["cy"]))
        .agents([online("ana"), online("cy").capacity(1)])
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).with("cy").of("billing"))
        .when(by("ana").gives_to_team(1, "billing"))
        .then(["queued in billing: transfer"])
        .when(by("cy").closes(2))
        .then(["closed by command", "1: assigned to cy by auto"]);
}

#[test]
fn a_returning_customer_does_not_push_the_last_owner_over_the_limit() {
    given(by_load(&["ana", "ben"]).reopen(Reopen::Sticky))
        .agents([online("ana").capacity(1), offline("ben")])
        .conversation(chat(1).with("ana").of("support").closed())
        .conversation(chat(2).with("ana").of("support"))
        .when(turn(1))
        .then([
            "reopened by customer",
            "received",
            "queued in support: no agent free",
        ]);
}

#[test]
fn above_the_limit_goes_only_what_a_person_gives_and_it_is_marked() {
    given(by_load(&["ana"]))
        .agents([online("ana").capacity(1), offline("root").admin()])
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).waiting_in("support"))
        .when(by("root").gives(2, "ana"))
        .then(["assigned to ana by manual, over capacity"])
        .when(turn(3))
        .then([
            "opened by customer",
            "received",
            "queued in support: no agent free",
        ])
        .when(by("ana").closes(1))
        .then(["closed by command"])
        .when(by("ana").closes(2))
        .then(["closed by command", "3: assigned to ana by auto"]);
}

#[test]
fn who_comes_back_to_the_ring_is_not_flooded_to_make_up_for_the_time_away() {
    given(support(Strategy::RoundRobin, &["ana", "ben"]))
        .agents([online("ana"), offline("ben")])
        .when_together([turn(1), turn(2), turn(3), turn(4)].map(Body::from))
        .when(by("ben").sets("ben", Presence::Online))
        .when_together([turn(5), turn(6), turn(7), turn(8)].map(Body::from))
        .owned(5, "ben")
        .owned(6, "ana")
        .owned(7, "ben")
        .owned(8, "ana");
}

#[test]
fn whoever_is_skipped_keeps_their_turn() {
    given(support(Strategy::RoundRobin, &["ana", "ben", "cy"]))
        .agents([online("ana"), away("ben"), online("cy")])
        .when_together([turn(1), turn(2)].map(Body::from))
        .owned(1, "ana")
        .owned(2, "cy")
        .when(by("ben").sets("ben", Presence::Online))
        .when_together([turn(3), turn(4)].map(Body::from))
        .owned(3, "ben")
        .owned(4, "ana");
}

#[test]
fn who_is_full_is_passed_over_instead_of_being_picked_again_and_again() {
    given(support(Strategy::RoundRobin, &["ana", "ben"]))
        .agents([online("ana").capacity(1), online("ben")])
        .when_together([turn(1), turn(2), turn(3), turn(4)].map(Body::from))
        .owned(1, "ana")
        .owned(2, "ben")
        .owned(3, "ben")
        .owned(4, "ben");
}

#[test]
fn the_first_to_come_online_takes_what_there_is_room_for_and_leaves_the_rest_of_the_night_to_others() {
    given(by_load(&["ana", "ben"]))
        .agents([offline("ana").capacity(2), offline("ben").capacity(2)])
        .conversation(chat(1).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .conversation(chat(3).waiting_in("support").waiting_since(at(3 * MINUTE)))
        .when(by("ana").sets("ana", Presence::Online))
        .then([
            "ana online, was offline",
            "1: assigned to ana by auto",
            "2: assigned to ana by auto",
        ])
        .when(by("ben").sets("ben", Presence::Online))
        .then(["ben online, was offline", "3: assigned to ben by auto"]);
}

#[test]
fn a_backlog_is_shared_among_all_who_are_there() {
    given(by_load(&["ana", "ben"]))
        .agents([away("ana"), away("ben"), offline("root").admin()])
        .conversation(chat(1).waiting_in("support").waiting_since(at(MINUTE)))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * MINUTE)))
        .when(by("root").applies(by_load(&["ana", "ben"]).setting(|settings| settings.assign_away = true)))
        .then([
            "plan 2 in force",
            "1: assigned to ana by auto",
            "2: assigned to ben by auto",
        ]);
}

#[test]
fn a_returning_customer_is_not_kept_for_a_last_owner_who_is_offline() {
    let back = given(by_load(&["ana", "ben"]).reopen(Reopen::Sticky))
        .agents([offline("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support").closed())
        .when(turn(1))
        .then(["reopened by customer", "received", "assigned to ben by auto"]);
    assert_eq!(back.passed_over("ana"), Some(PassedOver::Offline));
}

#[test]
fn a_returning_customer_is_not_kept_for_a_last_owner_who_has_left() {
    let back = given(by_load(&["ben"]).reopen(Reopen::Sticky))
        .agents([online("ana").inactive(), online("ben")])
        .conversation(chat(1).with("ana").of("support").closed())
        .when(turn(1))
        .then(["reopened by customer", "received", "assigned to ben by auto"]);
    assert_eq!(back.passed_over("ana"), Some(PassedOver::Inactive));
}
