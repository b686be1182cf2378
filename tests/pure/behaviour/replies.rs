//! The reply gate, and what is told of messages that went around it.

use std::time::Duration;

use switchboard::domain::input::{Origin, Upsert, Wish};
use switchboard::domain::plan::{Channel, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{by, sent, sent_by, turn};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, support};
use crate::support::scenario::{Scenario, given};
use crate::support::{agent, channel, id, start};

const MINUTE: Duration = Duration::from_secs(60);

fn team() -> Draft {
    support(Strategy::Manual, &["ana", "ben"])
}

fn office_under(draft: Draft) -> Scenario {
    given(draft).agents([
        online("ana"),
        online("ben"),
        offline("carl").manager(),
        offline("boss").admin(),
        online("mute").may_not_reply(),
    ])
}

/// Ana owns the first conversation, the second waits in the queue, nobody has the third, the fourth is closed.
fn office() -> Scenario {
    standing(office_under(team()))
}

fn standing(office: Scenario) -> Scenario {
    office
        .conversation(chat(1).with("ana").of("support").waiting_since(start()))
        .conversation(chat(2).waiting_in("support"))
        .conversation(chat(3))
        .conversation(chat(4).with("ana").of("support").closed())
}

/// The channel's phone is in Ana's hand.
fn anas_phone() -> Scenario {
    let mut plan = team().build();
    let phone_agent = Some(agent("ana"));
    plan.channels.insert(
        channel(),
        Channel {
            phone_agent,
            ..Channel::default()
        },
    );
    standing(office_under(Draft::of(plan)))
}

#[test]
fn the_owners_reply_is_let_through_and_answers_the_customer() {
    let replied = office().when(by("ana").replies(1)).then(["reply authorized"]);
    assert_eq!(replied.chat(1).waiting_since, None);
    assert_eq!(replied.chat(1).replied_at, Some(start()));
}

#[test]
fn nobody_but_the_owner_replies_admins_too() {
    for other in ["ben", "carl", "boss"] {
        office()
            .when(by(other).replies(1))
            .then(["refused: not_assignee"])
            .owned(1, "ana");
    }
}

#[test]
fn the_first_reply_claims_what_nobody_owns() {
    office()
        .when(by("ben").replies(2))
        .then(["assigned to ben by first reply", "reply authorized"])
        .owned(2, "ben");
    office()
        .when(by("ben").replies(3))
        .then(["assigned to ben by first reply", "reply authorized"]);
    office()
        .when(by("boss").replies(2))
        .then(["assigned to boss by first reply", "reply authorized"]);
}

#[test]
fn of_two_first_replies_one_is_let_through() {
    office()
        .when_together([by("ben").replies(2).into(), by("ana").replies(2).into()])
        .then([
            "assigned to ben by first reply",
            "reply authorized",
            "refused: not_assignee",
        ])
        .owned(2, "ben");
}

#[test]
fn an_agent_may_reply_without_a_claim_and_others_may_not() {
    office()
        .when(by("ben").replies_with(2, false, true))
        .then(["reply authorized"])
        .owned(2, "queue of support")
        .when(by("boss").replies_with(2, false, true))
        .then(["refused: not_assignee"])
        .when(by("carl").replies_with(3, false, true))
        .then(["refused: not_assignee"])
        .when(by("ana").replies_with(1, false, true))
        .then(["reply authorized"])
        .owned(1, "ana");
}

#[test]
fn who_may_not_claim_may_not_reply_first() {
    office()
        .when(by("mute").replies(2))
        .then(["refused: not_assignee"])
        .when(by("mute").replies(3))
        .then(["refused: not_permitted"]);
}

#[test]
fn an_owner_who_may_no_longer_reply_does_not() {
    let fields = Upsert {
        may_reply: Some(false),
        ..Upsert::default()
    };
    office()
        .when(by("boss").upserts("ana", fields))
        .when(by("ana").replies(1))
        .then(["refused: not_permitted"]);
}

#[test]
fn after_the_window_only_templates_are_let_through() {
    let ends = start() + MINUTE;
    let standing =
        || office_under(team()).conversation(chat(1).with("ana").of("support").writable_until(ends));
    standing()
        .after(MINUTE)
        .when(by("ana").replies(1))
        .then(["reply authorized"]);
    standing()
        .after(2 * MINUTE)
        .when(by("ana").replies(1))
        .then(["refused: window_closed"])
        .when(by("ana").replies_with(1, true, false))
        .then(["reply authorized"])
        .when(by("ben").replies(1))
        .then(["refused: not_assignee"]);
}

#[test]
fn a_refused_first_reply_claims_nothing() {
    office_under(team())
        .conversation(chat(1).of("support").writable_until(start()))
        .after(MINUTE)
        .when(by("ana").replies(1))
        .then(["refused: window_closed"])
        .owned(1, "nobody");
}

#[test]
fn what_is_closed_takes_no_reply() {
    office().when(by("ana").replies(4)).then(["refused: closed"]);
}

#[test]
fn the_owner_replies_to_what_is_on_hold_and_it_stays_there() {
    office()
        .when(by("ana").holds(1, None))
        .when(by("ana").replies(1))
        .then(["reply authorized"])
        .when(by("ana").resumes(1))
        .then(["resumed by command"]);
}

#[test]
fn an_agents_message_around_the_gate_claims_what_nobody_owns() {
    office()
        .when(sent_by(2, "ben"))
        .then(["assigned to ben by first reply", "sent by ben"]);
    office().when(sent_by(4, "ben")).then([
        "reopened by agent",
        "assigned to ben by first reply",
        "sent by ben",
    ]);
    office()
        .when(sent_by(9, "ben"))
        .then(["opened by agent", "assigned to ben by first reply", "sent by ben"])
        .owned(9, "ben");
}

#[test]
fn an_agents_message_that_leaves_unassigned_claims_and_opens_nothing() {
    office()
        .when(sent_by(2, "ben").leaving_unassigned())
        .then(["sent by ben"])
        .owned(2, "queue of support")
        .when(sent_by(4, "ben").leaving_unassigned())
        .then(["skipped: sent_while_closed"])
        .when(sent_by(9, "ben").leaving_unassigned())
        .then(["skipped: sent_while_closed"]);
}

#[test]
fn the_owners_message_around_the_gate_answers_the_customer() {
    let replied = office().when(sent_by(1, "ana")).then(["sent by ana"]);
    assert_eq!(replied.chat(1).waiting_since, None);
}

#[test]
fn defect_01_somebody_elses_message_is_reported_and_the_owner_stays() {
    let reported = office()
        .when(sent_by(1, "ben"))
        .then(["sent by ben", "reply unauthorized"])
        .owned(1, "ana");
    assert_eq!(reported.chat(1).waiting_since, Some(start()));
}

#[test]
fn who_may_not_reply_claims_nothing_around_the_gate_either() {
    office()
        .when(sent_by(2, "mute"))
        .then(["sent by mute"])
        .owned(2, "queue of support");
}

#[test]
fn a_message_from_a_phone_whose_owner_is_named_is_theirs() {
    anas_phone()
        .when(sent(2, Origin::Phone))
        .then(["assigned to ana by first reply", "sent by ana"])
        .when(sent(1, Origin::Phone))
        .then(["sent by ana"]);
    anas_phone()
        .when(by("boss").gives(1, "ben"))
        .when(sent(1, Origin::Phone))
        .then(["sent by ana", "reply unauthorized"])
        .when(sent(9, Origin::Phone))
        .then(["opened by agent", "assigned to ana by first reply", "sent by ana"]);
}

#[test]
fn a_message_from_a_phone_that_is_nobodys_claims_nothing() {
    office()
        .when(sent(2, Origin::Phone))
        .then(["sent from the phone"])
        .owned(2, "queue of support")
        .when(sent(1, Origin::Phone))
        .then(["sent from the phone", "reply unauthorized"])
        .when(sent(4, Origin::Phone))
        .then(["skipped: sent_while_closed"])
        .when(sent(9, Origin::Phone))
        .then(["skipped: sent_while_closed"]);
}

#[test]
fn a_name_nobody_knows_counts_as_none() {
    office()
        .when(sent_by(1, "stranger"))
        .then(["sent from the phone", "reply unauthorized"]);
    anas_phone().when(sent_by(1, "stranger")).then(["sent by ana"]);
}

#[test]
fn defect_16_an_automatic_message_changes_nothing() {
    let greeted = anas_phone()
        .when(sent(1, Origin::Automation))
        .then(["sent by automation"])
        .owned(1, "ana")
        .when(sent(2, Origin::Automation))
        .then(["sent by automation"])
        .owned(2, "queue of support")
        .when(sent(4, Origin::Automation))
        .then(["skipped: sent_while_closed"]);
    assert_eq!(greeted.chat(1).waiting_since, Some(start()));
}

#[test]
fn what_is_sent_while_a_bot_holds_the_chat_is_the_bots() {
    office()
        .when(sent(1, Origin::Phone).standby())
        .then(["sent by automation"]);
}

#[test]
fn defect_16_the_echo_of_what_was_authorised_changes_nothing_and_each_reply_has_one() {
    office()
        .when_together([by("ana").replies(1).into(), by("ana").replies(1).into()])
        .then(["reply authorized", "reply authorized"])
        .when(sent(1, Origin::Phone))
        .then(["sent from the phone"])
        .when(sent(1, Origin::Phone))
        .then(["sent from the phone"])
        .when(sent(1, Origin::Phone))
        .then(["sent from the phone", "reply unauthorized"]);
}

#[test]
fn an_echo_comes_within_ten_minutes_by_its_own_time() {
    let replied = |at| {
        office()
            .when(by("ana").replies(1))
            .when(sent(1, Origin::Phone).at(at))
    };
    replied(start() + 10 * MINUTE).then(["sent from the phone"]);
    replied(start() - MINUTE).then(["sent from the phone"]);
    let too_late = start() + 10 * MINUTE + Duration::from_secs(1);
    replied(too_late).then(["sent from the phone", "reply unauthorized"]);
    replied(start() - 2 * MINUTE).then(["sent from the phone", "reply unauthorized"]);
}

#[test]
fn a_greeting_is_no_echo() {
    office()
        .when(by("ana").replies(1))
        .when(sent(1, Origin::Automation))
        .then(["sent by automation"])
        .when(sent(1, Origin::Phone))
        .then(["sent from the phone"]);
}

#[test]
fn an_echo_after_the_close_reopens_nothing() {
    anas_phone()
        .when(by("ana").replies(1))
        .when(by("ana").closes(1))
        .when(sent(1, Origin::Phone))
        .then(["sent from the phone"])
        .when(turn(1))
        .then(["reopened by customer", "received", "assigned to ana by sticky"]);
}

#[test]
fn only_the_last_replies_wait_for_their_echo() {
    let mut office = office();
    let most = switchboard::domain::conversation::Conversation::MAX_UNECHOED;
    for _ in 0..most + 5 {
        office = office.when(by("ana").replies(1));
    }
    assert_eq!(office.chat(1).unechoed.len(), most);
    let later = office.after(11 * MINUTE).when(by("ana").replies(1));
    assert_eq!(later.chat(1).unechoed.len(), 1, "the old ones are forgotten");
}

#[test]
fn a_reply_may_expect_an_epoch() {
    office()
        .when(by("ana").replies(1).expecting(9))
        .then(["refused: epoch_conflict"])
        .when(by("ana").wishes(id(1), Wish::Resume).expecting(9))
        .then(["refused: invalid"]);
}
