//! Chats that a bot holds, and how it lets go of them.

use switchboard::domain::plan::Strategy;

use crate::support::chats::chat;
use crate::support::inputs::{handover, turn};
use crate::support::people::online;
use crate::support::plans::{nobody, plan, support};
use crate::support::scenario::given;

#[test]
fn a_bot_that_lets_go_is_announced_also_where_the_rules_leave_the_chat_with_nobody() {
    let left = given(plan().otherwise(nobody()))
        .conversation(chat(1).standby())
        .when(handover(1))
        .then(["unassigned by plan"])
        .owned(1, "nobody");
    let chat = left.chat(1);
    assert!(!chat.standby && chat.assign_clock.due().is_some());
}

#[test]
fn a_bot_that_lets_go_finds_a_person_where_the_rules_name_a_team() {
    given(support(Strategy::LeastLoaded, &["ana"]))
        .agents([online("ana")])
        .conversation(chat(1).standby())
        .when(handover(1))
        .then(["assigned to ana by auto"]);
}

#[test]
fn a_handover_is_no_standby_whatever_its_fact_says() {
    given(plan().otherwise(nobody()))
        .when(handover(1).standby())
        .then(["opened by handover", "with nobody"]);
}

#[test]
fn a_turn_without_standby_takes_the_chat_from_the_bot() {
    given(plan().otherwise(nobody()))
        .conversation(chat(1).standby())
        .when(turn(1))
        .then(["received", "with nobody"]);
}
