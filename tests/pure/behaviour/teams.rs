//! Which team a conversation belongs to, and what its members may do with it.

use switchboard::domain::agent::Presence;
use switchboard::domain::plan::{MayReassign, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{by, turn};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, support};
use crate::support::scenario::given;

/// Ana and Bob are in the team that the rules name, Ana also in one that comes before it.
fn two_teams() -> Draft {
    support(Strategy::LeastLoaded, &["ana", "bob"]).team("early", Strategy::LeastLoaded, &["ana"])
}

#[test]
fn a_conversation_that_returns_to_its_last_owner_is_in_the_team_the_rules_name() {
    given(two_teams())
        .agents([online("ana")])
        .conversation(chat(1).with("ana").of("support").closed())
        .when(turn(1))
        .then(["reopened by customer", "received", "assigned to ana by sticky"])
        .in_team(1, "support");
}

#[test]
fn a_closed_conversation_that_is_given_to_a_member_stays_in_its_team() {
    given(two_teams())
        .agents([online("ana"), offline("boss").admin()])
        .conversation(chat(1).with("bob").of("support").closed())
        .when(by("boss").gives(1, "ana"))
        .then(["reopened by command", "assigned to ana by manual"])
        .in_team(1, "support");
}

#[test]
fn where_any_member_may_give_away_a_manager_who_is_a_member_may_too() {
    let any = support(Strategy::Manual, &["ana", "bob", "mia"])
        .setting(|settings| settings.agents_may_reassign = MayReassign::Any);
    given(any)
        .agents([online("ana"), online("bob"), online("mia").manager()])
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).with("ana").of("support"))
        .when(by("mia").gives(1, "bob"))
        .then(["assigned to bob by manual"])
        .when(by("mia").unassigns(2))
        .then(["unassigned by command"]);
}

#[test]
fn what_is_told_to_a_full_team_reaches_whoever_gets_the_conversation_there() {
    let scenario = given(two_teams())
        .agents([online("mia"), offline("ana"), offline("boss").admin()])
        .conversation(chat(1).with("mia"))
        .conversation(chat(2).with("mia"))
        .when(by("boss").gives_to_team(1, "early").saying("her order is late"))
        .then(["queued in early: transfer"])
        .when(by("boss").gives_to_team(2, "early"))
        .then(["queued in early: transfer"])
        .when(by("ana").sets("ana", Presence::Online))
        .then([
            "ana online, was offline",
            "1: assigned to ana by auto",
            "2: assigned to ana by auto",
        ]);
    let notes: Vec<Option<&str>> = scenario
        .assignments()
        .map(|assignment| assignment.note.as_deref())
        .collect();
    assert_eq!(notes, [Some("her order is late"), None]);
}
