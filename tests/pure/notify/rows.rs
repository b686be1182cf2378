//! The table, row by row.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::Priority;
use switchboard::domain::ids::PolicyId;
use switchboard::domain::input::{Actor, Origin, System, Timer, Upsert, What, Wish};
use switchboard::domain::plan::{Outcome, Reopen, ResponsePolicy, Target};

use super::{asked_martha, heard, owned_by_mark, plan_of_claims, plan_to_nobody};
use crate::company::{
    CHAT, Company, OTHER_CHAT, accept, agent, ask, message, plan, reject, reply, team, to_agent, to_team,
    withdraw,
};

// Row: opened, reopened, unassigned ending with nobody.

#[test]
fn every_subscriber_is_told_of_a_conversation_that_opens_with_nobody() {
    let mut company = Company::with(plan_to_nobody());
    let happened = company.turn(CHAT);
    assert_eq!(
        heard(&company, &happened),
        ["ana <- new_conversation", "mark <- new_conversation"]
    );
}

#[test]
fn every_subscriber_is_told_of_a_conversation_that_reopens_with_nobody() {
    let mut plan = plan();
    plan.settings.reopen = Reopen::Unassign;
    let mut company = Company::with(plan);
    company.presence(Actor::System(System::Cli), "mark", Presence::Online);
    company.turn(CHAT);
    company.wish("mark", CHAT, Wish::Close);
    let happened = company.turn(CHAT);
    assert_eq!(
        heard(&company, &happened),
        ["ana <- new_conversation", "mark <- new_conversation"]
    );
}

#[test]
fn every_subscriber_is_told_of_a_conversation_that_is_unassigned_to_nobody() {
    let mut company = owned_by_mark();
    let happened = company.wish("root", CHAT, Wish::Unassign);
    assert_eq!(
        heard(&company, &happened),
        [
            "ana <- new_conversation",
            "mark <- new_conversation",
            "mark <- unassigned_from_you"
        ]
    );
}

#[test]
fn an_opening_that_ends_with_a_person_is_no_new_conversation_for_subscribers() {
    let mut company = Company::with_online(&["mark"]);
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened), ["mark <- assigned"]);
}

#[test]
fn a_command_that_reopens_and_assigns_tells_the_new_owner_only() {
    let mut company = owned_by_mark();
    company.wish("mark", CHAT, Wish::Close);
    let happened = company.wish("root", CHAT, to_agent("martha"));
    assert_eq!(heard(&company, &happened), ["martha <- assigned"]);
}

// Row: queued.

#[test]
fn team_and_subscribers_are_told_of_a_conversation_that_is_queued_and_managers_that_nobody_can_serve_it() {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    assert_eq!(
        heard(&company, &happened),
        [
            "team support <- new_conversation",
            "ana <- new_conversation",
            "mark <- new_conversation",
            "boss <- queue_blocked"
        ]
    );
}

#[test]
fn a_transfer_to_a_sleeping_team_tells_team_and_subscribers_but_not_the_one_who_sent_it() {
    let mut company = Company::with(plan_of_claims());
    company.turn(CHAT);
    company.wish("mark", CHAT, to_agent("mark"));
    let happened = company.wish("mark", CHAT, to_team("support"));
    assert_eq!(
        heard(&company, &happened),
        ["team support <- new_conversation", "ana <- new_conversation"]
    );
}

#[test]
fn a_manual_rule_tells_the_team_it_names() {
    let mut plan = plan();
    let target = Target {
        team: Some(team("support")),
        outcome: Outcome::Manual,
        ..Target::default()
    };
    plan.default = Some(target);
    let mut company = Company::with(plan);
    company.presence(Actor::System(System::Cli), "martha", Presence::Online);
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened)[0], "team support <- new_conversation");
}

// Row: message.received.

#[test]
fn the_owner_alone_is_told_of_a_turn_on_what_they_own() {
    let mut company = owned_by_mark();
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened), ["mark <- message"]);
}

#[test]
fn subscribers_are_told_of_a_turn_on_what_nobody_has() {
    let mut company = Company::with(plan_to_nobody());
    company.turn(CHAT);
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened), ["ana <- message", "mark <- message"]);
}

#[test]
fn team_and_subscribers_are_told_of_a_turn_on_what_waits_in_a_queue() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let happened = company.turn(CHAT);
    assert_eq!(
        heard(&company, &happened),
        ["team support <- message", "ana <- message", "mark <- message"]
    );
}

#[test]
fn the_owner_is_told_of_a_turn_although_the_roster_is_not_loaded() {
    let mut company = owned_by_mark();
    company.state.agents.clear();
    company.state.teams.clear();
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened), ["mark <- message"]);
}

#[test]
fn what_a_turn_tells_its_owner_does_not_depend_on_what_else_is_loaded() {
    let mut company = owned_by_mark();
    company.upsert(
        "mark",
        Upsert {
            active: Some(false),
            ..Upsert::default()
        },
    );
    let happened = company.turn(CHAT);
    let loaded = heard(&company, &happened);
    company.state.agents.clear();
    assert_eq!(loaded, heard(&company, &happened));
    assert_eq!(loaded, ["mark <- message"]);
}

#[test]
fn nobody_is_told_of_a_reaction() {
    let mut company = owned_by_mark();
    let happened = company.fact(CHAT, false, What::Received(message("reaction", false)));
    assert_eq!(happened.events.len(), 1);
    assert!(heard(&company, &happened).is_empty());
}

#[test]
fn a_turn_that_came_after_a_drain_had_found_its_conversation_an_owner_is_told_beside_it() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let mark = company.state.agents.get_mut(&agent("mark")).unwrap();
    mark.presence = Presence::Online; // as loaded by a later batch
    company.state.unsettled = true;
    let happened = company.turn(CHAT);
    assert_eq!(
        heard(&company, &happened),
        ["mark <- assigned", "mark <- message"]
    );
}

// Row: assigned, and any owner change.

#[test]
fn old_and_new_owner_are_told_of_a_reassignment() {
    let mut company = owned_by_mark();
    let happened = company.wish("boss", CHAT, to_agent("martha"));
    assert_eq!(
        heard(&company, &happened),
        ["martha <- assigned", "mark <- unassigned_from_you"]
    );
}

#[test]
fn the_old_owner_is_told_when_their_conversation_is_sent_to_a_team() {
    let mut company = Company::with(plan_of_claims());
    company.turn(CHAT);
    company.wish("martha", CHAT, to_agent("martha"));
    let happened = company.wish("root", CHAT, to_team("support"));
    assert!(heard(&company, &happened).contains(&"martha <- unassigned_from_you".to_owned()));
}

#[test]
fn a_reopening_takes_nothing_from_anybody() {
    let mut company = owned_by_mark();
    company.wish("mark", CHAT, Wish::Close);
    company.presence(Actor::System(System::Cli), "mark", Presence::Offline);
    company.presence(Actor::System(System::Cli), "martha", Presence::Online);
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened), ["martha <- assigned"]);
}

#[test]
fn each_drained_conversation_is_told_on_its_own() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    company.turn(OTHER_CHAT);
    let happened = company.presence(Actor::System(System::Cli), "martha", Presence::Online);
    assert_eq!(
        heard(&company, &happened),
        ["martha <- assigned", "martha <- assigned"]
    );
}

// Row: response.breached.

#[test]
fn the_teams_managers_are_told_of_a_breach() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let happened = company.assign_due(CHAT);
    assert_eq!(heard(&company, &happened), ["boss <- response_breach"]);
}

#[test]
fn the_admins_are_told_of_a_breach_where_there_is_no_team() {
    let mut company = Company::with(plan_to_nobody());
    company.turn(CHAT);
    let happened = company.assign_due(CHAT);
    assert_eq!(heard(&company, &happened), ["root <- response_breach"]);
}

#[test]
fn the_admins_are_told_of_a_breach_where_no_manager_is_active() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    company.upsert(
        "boss",
        Upsert {
            active: Some(false),
            ..Upsert::default()
        },
    );
    let happened = company.assign_due(CHAT);
    assert_eq!(heard(&company, &happened), ["root <- response_breach"]);
}

#[test]
fn nobody_is_told_of_a_breach_whose_policy_does_not_say_notify() {
    let mut plan = plan();
    let quiet = ResponsePolicy {
        notify: false,
        ..ResponsePolicy::built_in()
    };
    let id = PolicyId::new("quiet").unwrap();
    plan.responses.insert(id.clone(), quiet);
    plan.settings.response = Some(id);
    let mut company = Company::with(plan);
    company.turn(CHAT);
    let happened = company.assign_due(CHAT);
    assert_eq!(happened.events.len(), 1);
    assert!(heard(&company, &happened).is_empty());
}

// Row: closed, presence, plan: nobody. And what is no event.

#[test]
fn nobody_is_told_of_a_close_a_presence_a_plan_an_upsert_or_a_refusal() {
    let mut company = owned_by_mark();
    let refused = company.wish("martha", CHAT, Wish::Close);
    let closed = company.wish("mark", CHAT, Wish::Close);
    let gone = company.presence(Actor::Agent(agent("mark")), "mark", Presence::Offline);
    let upserted = company.upsert("mark", Upsert::default());
    let planned = company.apply(plan());
    for happened in [refused, closed, gone, upserted, planned] {
        assert!(!happened.events.is_empty());
        assert!(heard(&company, &happened).is_empty(), "{:?}", happened.input);
    }
}

#[test]
fn nobody_is_told_of_a_message_the_business_sent() {
    let mut company = owned_by_mark();
    let happened = company.sent(CHAT, Origin::Automation);
    assert_eq!(happened.events.len(), 1);
    assert!(heard(&company, &happened).is_empty());
}

// Rows: requests.

#[test]
fn a_request_is_told_to_its_recipient() {
    let mut company = asked_martha();
    let happened = company.wish("mark", CHAT, withdraw("solved"));
    assert_eq!(heard(&company, &happened), ["martha <- request_withdrawn"]);
    let happened = company.wish("mark", CHAT, ask("martha"));
    assert_eq!(heard(&company, &happened), ["martha <- request_received"]);
}

#[test]
fn an_answer_is_told_to_whoever_asked() {
    let mut company = asked_martha();
    let happened = company.wish("martha", CHAT, reject("busy"));
    assert_eq!(heard(&company, &happened), ["mark <- request_rejected"]);
    company.wish("mark", CHAT, ask("martha"));
    let happened = company.wish("martha", CHAT, accept());
    assert_eq!(
        heard(&company, &happened),
        ["mark <- request_accepted", "mark <- unassigned_from_you"]
    );
}

#[test]
fn a_request_that_nobody_ended_is_told_to_both() {
    let mut company = asked_martha();
    let conversation = CHAT;
    let happened = company.timer(Duration::from_secs(120), Timer::RequestDue { conversation });
    let both = ["mark <- request_timed_out", "martha <- request_timed_out"];
    assert_eq!(heard(&company, &happened), both);
    company.wish("mark", CHAT, ask("martha"));
    company.presence(Actor::System(System::Cli), "martha", Presence::Offline);
    let happened = company.timer(Duration::ZERO, Timer::RecipientGone { conversation });
    let both = ["mark <- request_superseded", "martha <- request_superseded"];
    assert_eq!(heard(&company, &happened), both);
}

#[test]
fn whoever_supersedes_a_request_is_not_told_of_it() {
    let mut company = asked_martha();
    let happened = company.wish("mark", CHAT, Wish::Close);
    assert_eq!(heard(&company, &happened), ["martha <- request_superseded"]);
}

// Rows: replies.

#[test]
fn a_reply_that_is_refused_is_told_to_its_writer_and_to_nobody_else() {
    let mut company = owned_by_mark();
    for writer in ["martha", "boss", "root"] {
        let happened = company.wish(writer, CHAT, reply("hello"));
        assert_eq!(heard(&company, &happened), [format!("{writer} <- not_assignee")]);
    }
    let happened = company.wish("martha", CHAT, Wish::Close);
    assert!(heard(&company, &happened).is_empty(), "only of replies");
    let happened = company.wish("martha", OTHER_CHAT, reply("hello"));
    assert!(
        heard(&company, &happened).is_empty(),
        "there is no such conversation"
    );
}

#[test]
fn a_reply_around_the_gate_is_told_to_the_owner() {
    let mut company = owned_by_mark();
    for origin in [Origin::Phone, Origin::Agent(agent("martha"))] {
        let happened = company.sent(CHAT, origin);
        assert_eq!(heard(&company, &happened), ["mark <- reply_unauthorized"]);
    }
    let happened = company.sent(CHAT, Origin::Agent(agent("mark")));
    assert!(heard(&company, &happened).is_empty());
}

// Row: resumed by `until`.

#[test]
fn the_end_of_a_hold_is_told_to_the_owner_unless_somebody_ended_it() {
    let mut company = owned_by_mark();
    let until = Some(company.now + Duration::from_secs(60));
    let conversation = CHAT;
    company.wish("mark", CHAT, Wish::Hold { until });
    let happened = company.timer(Duration::from_secs(60), Timer::HoldEnds { conversation });
    assert_eq!(heard(&company, &happened), ["mark <- resumed"]);
    company.wish("mark", CHAT, Wish::Hold { until: None });
    let happened = company.wish("mark", CHAT, Wish::Resume);
    assert!(heard(&company, &happened).is_empty());
    company.wish("mark", CHAT, Wish::Hold { until: None });
    let happened = company.turn(CHAT);
    assert_eq!(heard(&company, &happened), ["mark <- message"]);
}

#[test]
fn nobody_is_told_of_a_hold_a_note_or_a_priority() {
    let mut company = owned_by_mark();
    for wish in [
        Wish::Hold { until: None },
        Wish::Note { text: "vip".into() },
        Wish::Prioritize(Priority::High),
        reply("hello"),
    ] {
        let happened = company.wish("mark", CHAT, wish);
        assert_eq!(happened.events.len(), 1);
        assert!(heard(&company, &happened).is_empty(), "{:?}", happened.input);
    }
}
