//! Chats that a bot holds: nobody is assigned, nobody is told, no clock runs, and how it lets go of them.

use std::collections::BTreeMap;
use std::time::Duration;

use switchboard::domain::alarm;
use switchboard::domain::conversation::{Clock, Contact};
use switchboard::domain::identity::{AliasKind, Leading};
use switchboard::domain::input::{Body, Origin};
use switchboard::domain::notify::told;
use switchboard::domain::plan::{Reopen, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{by, cli, found_stranded, handover, reaction, sent, sent_by, turn};
use crate::support::people::online;
use crate::support::plans::{nobody, plan, support, to};
use crate::support::scenario::{Scenario, given};
use crate::support::{MINUTE, at, id};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Ana and Bob are there for everything that comes, if a person is wanted.
fn office() -> Scenario {
    given(support(Strategy::LeastLoaded, &["ana", "bob"])).agents([online("ana"), online("bob").capacity(1)])
}

/// The bot has the chat, and nothing reminds anybody of it.
#[track_caller]
fn the_bot_has_it(scenario: &Scenario) {
    let chat = scenario.chat(1);
    assert!(chat.standby && chat.owner.agent().is_none() && chat.owner.queue().is_none());
    assert_eq!(
        (&chat.assign_clock, &chat.respond_clock),
        (&Clock::Off, &Clock::Off)
    );
    assert_eq!((chat.waiting_since, chat.queued_at), (None, None));
    assert_eq!(alarm::next(chat, &scenario.world.plan), None);
    assert!(!chat.may_be_matched());
    let events: Vec<_> = scenario.events().cloned().collect();
    assert!(
        told(&scenario.world.whole_state(), &events).is_empty(),
        "nobody is told"
    );
}

#[test]
fn a_chat_that_a_bot_holds_opens_with_nobody_and_stays_so_for_days() {
    let held = office()
        .when(turn(1).standby())
        .then(["opened by customer, held by a bot", "received"]);
    the_bot_has_it(&held);
    let held = held.when(turn(1).standby()).then(["received"]);
    the_bot_has_it(&held);
    // Neither a clock nor the end of the customer's window wakes anybody.
    let held = held.when_time_passes(2 * DAY).then([]);
    the_bot_has_it(&held);
    // And whoever looks for what was left behind leaves it to the bot.
    the_bot_has_it(&held.when(found_stranded(1)));
}

#[test]
fn what_the_bot_sends_and_what_is_no_turn_leave_it_with_the_bot() {
    let held = office().when(turn(1).standby());
    let held = held.when(sent(1, Origin::Phone).standby());
    the_bot_has_it(&held.then(["sent by automation"]));
    let held = office().when(turn(1).standby()).when(reaction(1));
    the_bot_has_it(&held.then(["received, no turn"]));
}

#[test]
fn people_who_come_are_given_nothing_that_a_bot_holds() {
    let held = given(support(Strategy::LeastLoaded, &["ana"]))
        .agents([online("ana").capacity(1)])
        .conversation(chat(1).standby())
        .conversation(chat(2).with("ana").of("support"))
        .conversation(chat(3).waiting_in("support"))
        .when(cli().closes(2));
    held.then_last(["3: assigned to ana by auto"]).owned(1, "nobody");
}

#[test]
fn a_bot_holds_what_comes_back_to_it_whoever_had_it_last() {
    for reopen in [Reopen::Sticky, Reopen::Reroute, Reopen::Unassign] {
        let plan = support(Strategy::LeastLoaded, &["ana"]).reopen(reopen);
        let back = given(plan)
            .agents([online("ana")])
            .conversation(chat(1).with("ana").of("support").closed())
            .when(turn(1).standby());
        let back = back.then(["reopened by customer, held by a bot", "received"]);
        the_bot_has_it(&back);
    }
}

#[test]
fn who_had_it_last_gets_it_back_when_the_bot_lets_go() {
    let plan = support(Strategy::LeastLoaded, &["ana", "bob"]).reopen(Reopen::Sticky);
    let held = || {
        given(plan.clone())
            .agents([online("ana"), online("bob")])
            .conversation(chat(1).with("bob").of("support").closed())
            .conversation(chat(2).with("bob").of("support"))
            .when(turn(1).standby())
    };
    held().when(handover(1)).then(["assigned to bob by sticky"]);
    held()
        .when(turn(1))
        .then(["received", "assigned to bob by sticky"]);
}

#[test]
fn a_turn_without_standby_ends_it_as_if_the_customer_had_just_come() {
    let free = office()
        .when(turn(1).standby())
        .after(MINUTE)
        .when(turn(1).at(at(MINUTE)));
    let free = free.then(["received", "assigned to ana by auto"]);
    let chat = free.chat(1);
    assert!(!chat.standby);
    assert_eq!(
        chat.waiting_since,
        Some(at(MINUTE)),
        "since the first turn that waits for a person"
    );
}

#[test]
fn a_bot_that_let_go_does_not_take_it_back_in_the_same_episode() {
    // Gateways redeliver and overtake: what the bot still held may be told late.
    let late = office()
        .when(turn(1).standby())
        .when(handover(1))
        .then(["assigned to ana by auto"])
        .when(turn(1).standby())
        .then(["received"])
        .owned(1, "ana");
    assert!(!late.chat(1).standby);
    let queued = given(support(Strategy::LeastLoaded, &["ana"]))
        .when(turn(1).standby())
        .when(handover(1))
        .when(turn(1).standby())
        .then(["received"])
        .owned(1, "queue of support");
    assert!(queued.chat(1).may_be_matched());
}

#[test]
fn a_person_may_set_aside_what_a_bot_holds_and_the_bot_still_holds_it() {
    let aside = office()
        .when(turn(1).standby())
        .when(cli().holds(1, Some(at(MINUTE))))
        .then(["held until then"]);
    let back = aside.when_time_passes(2 * MINUTE).then(["resumed by until"]);
    the_bot_has_it(&back);
    let taken_up = office()
        .when(turn(1).standby())
        .when(cli().holds(1, None))
        .when(cli().resumes(1))
        .then(["resumed by command"]);
    assert!(taken_up.chat(1).standby);
    assert_eq!(taken_up.chat(1).assign_clock, Clock::Off);
    // The customer goes on with the bot.
    let goes_on = office()
        .when(turn(1).standby())
        .when(cli().holds(1, None))
        .when(turn(1).standby())
        .then(["resumed by customer", "received"]);
    the_bot_has_it(&goes_on);
    // And a bot that lets go while it is set aside has it taken up.
    office()
        .when(turn(1).standby())
        .when(cli().holds(1, None))
        .when(handover(1))
        .then(["resumed by customer", "assigned to ana by auto"]);
}

#[test]
fn a_person_may_close_what_a_bot_holds_and_the_next_turn_is_whose_it_says() {
    let closed = || {
        office()
            .when(turn(1).standby())
            .when(cli().closes(1))
            .then(["closed by command"])
    };
    assert!(!closed().chat(1).standby);
    the_bot_has_it(&closed().when(turn(1).standby()));
    closed()
        .when(turn(1))
        .then(["reopened by customer", "received", "assigned to ana by auto"]);
    closed()
        .when(handover(1))
        .then(["reopened by handover", "assigned to ana by auto"]);
}

#[test]
fn a_person_may_take_it_from_the_bot_by_hand_or_by_writing_first() {
    let by_hand = office().when(turn(1).standby()).when(by("bob").gives(1, "bob"));
    let by_hand = by_hand.then(["assigned to bob by claim"]);
    assert!(!by_hand.chat(1).standby);
    let to_team = office()
        .when(turn(1).standby())
        .when(cli().gives_to_team(1, "support"));
    assert!(!to_team.then(["assigned to ana by auto"]).chat(1).standby);
    let first_reply = office().when(turn(1).standby()).when(sent_by(1, "bob"));
    let first_reply = first_reply.then(["assigned to bob by first reply", "sent by bob"]);
    assert!(!first_reply.chat(1).standby);
}

#[test]
fn a_handover_of_what_a_person_has_or_waits_for_one_changes_nothing_but_what_is_known_of_the_customer() {
    let owned = || office().conversation(chat(1).with("ana").of("support"));
    let waiting =
        || given(support(Strategy::LeastLoaded, &["ana"])).conversation(chat(1).waiting_in("support"));
    let known = || Contact {
        name: "Gloria".into(),
        language: "pt".into(),
        attributes: BTreeMap::from([("order".into(), "4711".into())]),
        ..Contact::default()
    };
    for scenario in [owned(), waiting()] {
        let before = scenario.chat(1).clone();
        let after = scenario.when(handover(1)).then(["skipped: handover_of_owned"]);
        assert_eq!(*after.chat(1), before);
        let after = after.when(handover(1).from(known()));
        let after = after.then(["learned", "skipped: handover_of_owned"]);
        let learned = after.chat(1).clone();
        assert_eq!(*learned.contact, known());
        let mut as_before = learned;
        as_before.contact = before.contact.clone();
        assert_eq!(
            as_before, before,
            "owner, clocks, epoch and sequence are what they were"
        );
        // The same once more teaches nothing.
        after
            .when(handover(1).from(known()))
            .then(["skipped: handover_of_owned"]);
    }
}

#[test]
fn rules_see_what_the_bot_learned() {
    let plan = support(Strategy::LeastLoaded, &["ana"])
        .team("billing", Strategy::LeastLoaded, &["bob"])
        .rule("money", "contact.attributes['topic'] == 'money'", to("billing"));
    let known = Contact {
        attributes: BTreeMap::from([("topic".into(), "money".into())]),
        ..Contact::default()
    };
    given(plan)
        .agents([online("ana"), online("bob")])
        .when(turn(1).standby())
        .when(handover(1).from(known))
        .then(["learned", "assigned to bob by auto"]);
}

#[test]
fn a_handover_begins_what_nobody_has_heard_of() {
    office()
        .when(handover(1))
        .then(["opened by handover", "assigned to ana by auto"]);
    given(support(Strategy::LeastLoaded, &["ana"]))
        .when(handover(1))
        .then(["opened by handover", "queued in support: no agent free"]);
}

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

/// A fact whose identifiers lead here and to these others.
fn in_conflict(fact: impl Into<Body>, others: &[u8]) -> Body {
    let mut body = fact.into();
    if let Body::Fact(fact) = &mut body {
        let kinds = [AliasKind::Phone, AliasKind::Bsuid, AliasKind::Lid];
        let all = std::iter::once(&1).chain(others).zip(kinds);
        fact.conflict = all
            .map(|(number, kind)| Leading {
                conversation: id(*number),
                identifiers: vec![kind],
            })
            .collect();
    }
    body
}

#[test]
fn identifiers_that_disagree_are_told_with_every_fact_that_shows_it_after_what_it_leads_to() {
    let office = || office().conversation(chat(1).with("ana").of("support"));
    let told = office().when(in_conflict(turn(1), &[2, 3]));
    let told = told.then(["received", "3 conversations in conflict"]);
    let again = told.when(in_conflict(sent_by(1, "ana"), &[2]));
    again.then(["sent by ana", "2 conversations in conflict"]);
    // Also where it means nothing else.
    let closed = office().when(cli().closes(1));
    let reacted = closed.when(in_conflict(reaction(1), &[2]));
    reacted.then(["skipped: not_a_turn", "2 conversations in conflict"]);
    let handed_over = office().when(in_conflict(handover(1), &[2]));
    handed_over.then(["skipped: handover_of_owned", "2 conversations in conflict"]);
}

#[test]
fn what_came_to_nothing_in_its_own_batch_is_in_no_conflict() {
    // Conversation 2 is somebody's who was only written to by a stranger: it has never begun.
    let told = office().when_together([sent_by(2, "stranger").into(), in_conflict(turn(1), &[2])]);
    told.then([
        "skipped: sent_while_closed",
        "opened by customer",
        "received",
        "assigned to ana by auto",
    ]);
}
