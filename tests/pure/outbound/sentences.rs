//! The sentences people read.

use switchboard::domain::agent::Presence;
use switchboard::domain::input::{Actor, System, Timer, Wish};
use switchboard::domain::plan::{ResponsePolicy, Strategy};

use super::{json, notifications};
use crate::company::{CHAT, Company, Happened, agent, plan, team, to_agent, to_team};

/// The sentence for this recipient.
#[track_caller]
fn sentence(company: &Company, happened: &Happened, recipient: &str) -> String {
    let bodies: Vec<_> = notifications(company, happened).iter().map(json).collect();
    let told = bodies
        .iter()
        .find(|body| body["data"]["recipient"]["id"] == recipient);
    let text = told.map(|body| body["data"]["text"].as_str().unwrap().to_owned());
    text.unwrap_or_else(|| panic!("{recipient} is not told: {bodies:#?}"))
}

fn owned_by_mark() -> Company {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    company
}

#[test]
fn a_new_conversation_says_where_it_waits() {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "support"),
        "A new conversation waits in support."
    );

    let mut nobodys = plan();
    nobodys.default = None;
    let mut company = Company::with(nobodys);
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "ana"),
        "A new conversation waits for someone to take it."
    );
}

#[test]
fn a_returning_customer_is_not_called_new() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    company.wish("root", CHAT, to_agent("mark"));
    company.wish("mark", CHAT, Wish::Close);
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "support"),
        "A returning customer's conversation waits in support."
    );
}

#[test]
fn an_assignment_by_a_person_names_them_and_quotes_their_note() {
    let mut company = owned_by_mark();
    let happened = company.wish_with_note("boss", CHAT, to_agent("martha"), Some("Speaks\nGerman. "));
    assert_eq!(
        sentence(&company, &happened, "martha"),
        "Bianca assigned a conversation to you: \"Speaks German.\""
    );
    assert_eq!(
        sentence(&company, &happened, "mark"),
        "A conversation of yours was assigned to Martha by Bianca."
    );
}

#[test]
fn a_long_note_is_cut_in_the_sentence_and_whole_beside_it() {
    let mut company = owned_by_mark();
    let note = "é".repeat(200);
    let happened = company.wish_with_note("boss", CHAT, to_agent("martha"), Some(&note));
    let expected = format!("Bianca assigned a conversation to you: \"{}…\"", "é".repeat(160));
    assert_eq!(sentence(&company, &happened, "martha"), expected);
    let told = json(&notifications(&company, &happened)[0]);
    assert_eq!(told["data"]["note"], note);
}

#[test]
fn an_automatic_assignment_names_nobody() {
    let mut company = Company::with_online(&["mark"]);
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "mark"),
        "A conversation was assigned to you."
    );
}

#[test]
fn an_automatic_assignment_because_someone_sent_it_to_the_team_says_so() {
    let mut company = owned_by_mark();
    company.presence(Actor::System(System::Cli), "martha", Presence::Online);
    let happened = company.wish("mark", CHAT, to_team("support"));
    assert_eq!(
        sentence(&company, &happened, "martha"),
        "Mark sent a conversation to support, and it was assigned to you."
    );
}

#[test]
fn a_returning_customer_is_announced_to_their_last_owner() {
    let mut company = owned_by_mark();
    company.wish("mark", CHAT, Wish::Close);
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "mark"),
        "A customer of yours is back."
    );
}

#[test]
fn a_turn_says_whose_conversation_it_is_and_not_what_was_written() {
    let mut company = owned_by_mark();
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "mark"),
        "A customer wrote in a conversation of yours."
    );
    let mut company = Company::asleep();
    company.turn(CHAT);
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "support"),
        "A customer wrote in a conversation that waits in support."
    );
    let mut company = owned_by_mark();
    company.wish("mark", CHAT, Wish::Unassign);
    let happened = company.turn(CHAT);
    assert_eq!(
        sentence(&company, &happened, "ana"),
        "A customer wrote in a conversation that nobody has taken."
    );
}

#[test]
fn who_loses_a_conversation_reads_what_became_of_it() {
    let mut company = owned_by_mark();
    let happened = company.wish("root", CHAT, to_agent("root"));
    assert_eq!(
        sentence(&company, &happened, "mark"),
        "A conversation of yours was taken over by Ruth."
    );

    let mut manual = plan();
    manual.teams.get_mut(&team("support")).unwrap().strategy = Strategy::Manual;
    let mut company = Company::with(manual);
    company.turn(CHAT);
    company.wish("martha", CHAT, to_agent("martha"));
    let happened = company.wish("root", CHAT, to_team("support"));
    assert_eq!(
        sentence(&company, &happened, "martha"),
        "A conversation of yours was sent to support by Ruth."
    );
    assert_eq!(
        sentence(&company, &happened, "ana"),
        "Ruth sent a conversation to support."
    );

    company.wish("martha", CHAT, to_agent("martha"));
    let happened = company.wish_with_note("boss", CHAT, Wish::Unassign, Some("not ours"));
    assert_eq!(
        sentence(&company, &happened, "martha"),
        "A conversation of yours was taken from you by Bianca."
    );
    assert_eq!(
        sentence(&company, &happened, "ana"),
        "A conversation waits for someone to take it, given back by Bianca: \"not ours\""
    );
}

#[test]
fn a_breach_names_the_team_and_the_policy() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let happened = company.assign_due(CHAT);
    assert_eq!(
        sentence(&company, &happened, "boss"),
        "A conversation in support has waited longer for an owner than \"built-in\" allows."
    );
}

#[test]
fn people_are_called_by_their_id_where_the_roster_is_not_loaded() {
    let mut company = owned_by_mark();
    let happened = company.wish("boss", CHAT, to_agent("martha"));
    let told = notifications(&company, &happened);
    company.state.agents.remove(&agent("boss"));
    let renamed: Vec<_> = switchboard::domain::notify::told(&company.state, &happened.events);
    assert_eq!(told.len(), renamed.len());
    assert_eq!(
        sentence(&company, &happened, "martha"),
        "boss assigned a conversation to you."
    );
}

/// Mark's customer waits under this policy of the built-in times, and then this much time passes.
fn late(after_minutes: u64, write: impl FnOnce(&mut ResponsePolicy)) -> (Company, Happened) {
    let mut policy = ResponsePolicy::built_in();
    write(&mut policy);
    let mut plan = plan();
    let id = crate::support::policy("strict");
    plan.responses.insert(id.clone(), policy);
    plan.settings.response = Some(id);
    let mut company = Company::with(plan);
    company.presence(Actor::System(System::Cli), "mark", Presence::Online);
    company.turn(CHAT);
    company.presence(Actor::System(System::Cli), "boss", Presence::Online);
    let conversation = CHAT;
    let after = std::time::Duration::from_secs(60 * after_minutes);
    let happened = company.timer(after, Timer::Alarm { conversation });
    (company, happened)
}

#[test]
fn a_warning_says_what_is_waited_for() {
    let (company, happened) = late(25, |policy| {
        policy.warn_before = Some(std::time::Duration::from_secs(5 * 60));
    });
    assert_eq!(
        sentence(&company, &happened, "mark"),
        "A conversation in support will soon have waited longer for an answer than \"strict\" allows."
    );
}

#[test]
fn an_escalation_says_why_and_to_whom_and_tells_whoever_gets_it_what_happened() {
    let (company, happened) = late(30, |policy| {
        policy.escalate = true;
        policy.notify = false;
        policy.escalate_to = vec![agent("boss")];
    });
    let told: Vec<_> = notifications(&company, &happened).iter().map(json).collect();
    let texts: Vec<_> = told
        .iter()
        .map(|one| one["data"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "A conversation in support was not answered in time: it goes to Bianca.",
            "A conversation went up to you: \"Mark did not answer.\"",
            "A conversation of yours was assigned to Bianca.",
        ]
    );
}

#[test]
fn an_escalation_that_finds_nobody_says_so_and_one_that_looks_for_nobody_does_not() {
    let (mut company, _) = late(30, |policy| {
        policy.escalate = true;
        policy.notify = false;
    });
    // It went up to Bianca, who does not answer either: nobody else is there.
    let happened = company.timer(
        std::time::Duration::from_secs(30 * 60),
        Timer::Alarm { conversation: CHAT },
    );
    assert_eq!(
        sentence(&company, &happened, "boss"),
        "A conversation in support was not answered in time, and nobody is there to take it."
    );
    let mut company = owned_by_mark();
    let conversation = CHAT;
    let day = std::time::Duration::from_secs(22 * 60 * 60);
    let happened = company.timer(day, Timer::Alarm { conversation });
    let told: Vec<_> = notifications(&company, &happened).iter().map(json).collect();
    let text = told
        .iter()
        .find(|one| one["data"]["kind"] == "escalated")
        .map(|one| one["data"]["text"].as_str().unwrap().to_owned());
    assert_eq!(
        text.as_deref(),
        Some(
            "A conversation in support can soon be answered by templates only, and its customer waits for an answer."
        )
    );
}

#[test]
fn what_waits_because_it_was_not_answered_is_not_called_new() {
    let (company, happened) = late(30, |policy| policy.reassign = true);
    assert_eq!(
        sentence(&company, &happened, "support"),
        "A conversation that was not answered in time waits in support."
    );
}
