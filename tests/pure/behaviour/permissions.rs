//! Who may what, cell by cell: the seed table, and the settings that widen or narrow it.

use switchboard::domain::conversation::Priority;
use switchboard::domain::event::Kind;
use switchboard::domain::input::{Actor, Recipient, Wish};
use switchboard::domain::permission::{self, Sight};
use switchboard::domain::plan::{MayClaim, MayReassign, Settings, Strategy};

use crate::company::{ask, reply};
use crate::support::chats::chat;
use crate::support::inputs::{by, cli};
use crate::support::lines::of_code;
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, plan};
use crate::support::scenario::{Scenario, given};
use crate::support::{agent, id, team};

/// Ana's, in her team.
const OWNED: u8 = 1;
/// In the queue of Ana's team.
const QUEUED: u8 = 2;
/// In the queue of another team.
const ELSEWHERE: u8 = 3;
/// With nobody, in no team.
const TEAMLESS: u8 = 4;
/// Closed; it was Ana's.
const CLOSED: u8 = 5;

/// The owner, a colleague, an agent of another team, both managers, a manager who is also a member, the admin.
const EVERYONE: [&str; 7] = ["ana", "ben", "olga", "mina", "omar", "max", "root"];

fn office(change: impl FnOnce(&mut Settings)) -> Scenario {
    let draft: Draft = plan()
        .team("support", Strategy::Manual, &["ana", "ben", "max"])
        .managed_by("support", &["mina"])
        .team("sales", Strategy::Manual, &["olga"])
        .managed_by("sales", &["omar", "max"])
        .setting(change);
    given(draft)
        .agents([
            online("ana"),
            online("ben"),
            online("olga"),
            online("mina").manager(),
            online("omar").manager(),
            online("max").manager(),
            online("root").admin(),
            offline("gone").inactive(),
        ])
        .conversation(chat(OWNED).with("ana").of("support"))
        .conversation(chat(QUEUED).waiting_in("support"))
        .conversation(chat(ELSEWHERE).waiting_in("sales"))
        .conversation(chat(TEAMLESS))
        .conversation(chat(CLOSED).with("ana").of("support").closed())
}

/// What comes of this wish of everyone's, each in a world of their own: `who: code` for those who are refused.
fn refused(change: fn(&mut Settings), number: u8, wish: impl Fn(&str) -> Wish) -> Vec<String> {
    let mut refused = Vec::new();
    for who in EVERYONE {
        let happened = office(change).when(by(who).wishes(id(number), wish(who)));
        let code = happened.events().find_map(|recorded| match &recorded.event.kind {
            Kind::CommandRejected(refusal) => Some(of_code(refusal.code)),
            _ => None,
        });
        refused.extend(code.map(|code| format!("{who}: {code}")));
    }
    refused
}

fn usual(_: &mut Settings) {}

fn to_self(who: &str) -> Wish {
    Wish::Assign(Recipient::Agent(agent(who)))
}

fn to(who: &'static str) -> impl Fn(&str) -> Wish {
    move |_| Wish::Assign(Recipient::Agent(agent(who)))
}

fn to_team(name: &'static str) -> impl Fn(&str) -> Wish {
    move |_| Wish::Assign(Recipient::Team(team(name)))
}

fn always(wish: Wish) -> impl Fn(&str) -> Wish {
    move |_| wish.clone()
}

#[test]
fn agents_take_what_is_in_their_teams_or_in_none() {
    assert_eq!(
        refused(usual, QUEUED, to_self),
        ["olga: not_permitted", "omar: not_permitted"]
    );
    assert_eq!(
        refused(usual, ELSEWHERE, to_self),
        ["ana: not_permitted", "ben: not_permitted", "mina: not_permitted"]
    );
    assert_eq!(refused(usual, TEAMLESS, to_self), [""; 0]);
    assert_eq!(
        refused(usual, CLOSED, to_self),
        ["olga: not_permitted", "omar: not_permitted"]
    );
}

#[test]
fn what_somebody_owns_is_taken_only_with_the_right_to_reassign() {
    // A manager who is in no team cannot give it to themselves either: they reach the people of their teams.
    assert_eq!(
        refused(usual, OWNED, to_self),
        [
            "ana: already_assigned",
            "ben: already_assigned",
            "olga: already_assigned",
            "mina: already_assigned",
            "omar: already_assigned",
            "max: already_assigned"
        ]
    );
}

#[test]
fn a_tenant_may_let_agents_take_anything_or_nothing() {
    let any = |settings: &mut Settings| settings.agents_may_claim = MayClaim::Any;
    assert_eq!(refused(any, QUEUED, to_self), ["omar: not_permitted"]);
    let none = |settings: &mut Settings| settings.agents_may_claim = MayClaim::None;
    assert_eq!(
        refused(none, QUEUED, to_self),
        [
            "ana: not_permitted",
            "ben: not_permitted",
            "olga: not_permitted",
            "omar: not_permitted"
        ]
    );
}

#[test]
fn owners_managers_and_admins_give_to_colleagues() {
    assert_eq!(
        refused(usual, OWNED, to("ben")),
        [
            "ben: already_assigned",
            "olga: not_permitted",
            "omar: not_permitted",
            "max: not_permitted"
        ]
    );
    assert_eq!(
        refused(usual, OWNED, to_team("support")),
        [
            "ben: not_permitted",
            "olga: not_permitted",
            "omar: not_permitted",
            "max: not_permitted"
        ]
    );
}

#[test]
fn a_manager_gives_to_their_own_teams_and_people_only() {
    let mina_and_below = |refused: Vec<String>| refused.contains(&"mina: not_permitted".to_owned());
    assert!(mina_and_below(refused(usual, OWNED, to("olga"))));
    assert!(mina_and_below(refused(usual, OWNED, to_team("sales"))));
    assert!(!mina_and_below(refused(usual, TEAMLESS, to("ben"))));
    assert!(mina_and_below(refused(usual, ELSEWHERE, to("ben"))));
    assert!(!refused(usual, OWNED, to("olga")).contains(&"ana: not_permitted".to_owned()));
}

#[test]
fn a_tenant_may_let_any_member_reassign_or_not_even_the_owner() {
    let any = |settings: &mut Settings| settings.agents_may_reassign = MayReassign::Any;
    assert_eq!(
        refused(any, OWNED, to_team("support")),
        ["olga: not_permitted", "omar: not_permitted"],
    );
    let none = |settings: &mut Settings| settings.agents_may_reassign = MayReassign::None;
    assert_eq!(
        refused(none, OWNED, to_team("support")),
        [
            "ana: not_permitted",
            "ben: not_permitted",
            "olga: not_permitted",
            "omar: not_permitted",
            "max: not_permitted"
        ]
    );
}

#[test]
fn unassigning_asks_for_the_same_right_as_reassigning() {
    assert_eq!(
        refused(usual, OWNED, always(Wish::Unassign)),
        [
            "ben: not_permitted",
            "olga: not_permitted",
            "omar: not_permitted",
            "max: not_permitted"
        ]
    );
}

#[test]
fn a_request_is_always_open_to_the_owner() {
    let none = |settings: &mut Settings| settings.agents_may_reassign = MayReassign::None;
    assert_eq!(
        refused(none, OWNED, always(ask("ben"))),
        [
            "ben: invalid",
            "olga: not_permitted",
            "omar: not_permitted",
            "max: not_permitted"
        ]
    );
}

#[test]
fn only_the_owner_closes_holds_resumes_and_reopens() {
    let others = [
        "ben: not_assignee",
        "olga: not_assignee",
        "mina: not_assignee",
        "omar: not_assignee",
        "max: not_assignee",
        "root: not_assignee",
    ];
    assert_eq!(refused(usual, OWNED, always(Wish::Close)), others);
    assert_eq!(refused(usual, OWNED, always(Wish::Hold { until: None })), others);
    assert_eq!(refused(usual, CLOSED, always(Wish::Reopen)), others);
}

#[test]
fn a_tenant_may_let_supervisors_close_and_hold_what_they_look_after() {
    let any = |settings: &mut Settings| settings.supervisors_may_close = true;
    let others = [
        "ben: not_assignee",
        "olga: not_assignee",
        "omar: not_assignee",
        "max: not_assignee",
    ];
    assert_eq!(refused(any, OWNED, always(Wish::Close)), others);
    assert_eq!(refused(any, OWNED, always(Wish::Hold { until: None })), others);
    assert_eq!(refused(any, CLOSED, always(Wish::Reopen)), others);
    office(any)
        .when(by("ana").holds(OWNED, None))
        .when(by("mina").resumes(OWNED))
        .then(["resumed by command"]);
}

#[test]
fn only_the_owner_replies_and_to_what_nobody_owns_whoever_may_claim_it() {
    assert_eq!(
        refused(usual, OWNED, always(reply("hi"))),
        [
            "ben: not_assignee",
            "olga: not_assignee",
            "mina: not_assignee",
            "omar: not_assignee",
            "max: not_assignee",
            "root: not_assignee"
        ]
    );
    assert_eq!(
        refused(usual, QUEUED, always(reply("hi"))),
        ["olga: not_assignee", "omar: not_assignee"]
    );
}

#[test]
fn the_owner_and_whoever_stands_above_the_team_say_how_urgent_it_is() {
    assert_eq!(
        refused(usual, OWNED, always(Wish::Prioritize(Priority::High))),
        [
            "ben: not_permitted",
            "olga: not_permitted",
            "omar: not_permitted",
            "max: not_permitted"
        ]
    );
    let teamless = refused(usual, TEAMLESS, always(Wish::Prioritize(Priority::High)));
    assert_eq!(teamless.len(), 6, "only the admin: {teamless:?}");
}

#[test]
fn whoever_may_view_a_conversation_writes_notes_on_it() {
    let note = || always(Wish::Note { text: "vip".into() });
    assert_eq!(
        refused(usual, OWNED, note()),
        ["olga: not_permitted", "omar: not_permitted"]
    );
    assert_eq!(
        refused(usual, ELSEWHERE, note()),
        ["ana: not_permitted", "ben: not_permitted", "mina: not_permitted"]
    );
    assert_eq!(refused(usual, TEAMLESS, note()), [""; 0]);
    assert_eq!(
        refused(usual, CLOSED, note()),
        ["olga: not_permitted", "omar: not_permitted"]
    );
}

#[test]
fn a_tenant_may_let_everyone_view_everything_and_nothing_more() {
    let all = |settings: &mut Settings| settings.agents_view_all = true;
    assert_eq!(
        refused(all, OWNED, always(Wish::Note { text: "vip".into() })),
        [""; 0]
    );
    assert_eq!(refused(all, OWNED, always(reply("hi"))).len(), 6);
    assert_eq!(
        refused(all, QUEUED, to_self),
        ["olga: not_permitted", "omar: not_permitted"]
    );
}

#[test]
fn sight_and_view_say_the_same() {
    let office = office(usual);
    let state = office.world.whole_state();
    for who in EVERYONE {
        let actor = Actor::Agent(agent(who));
        let acting = permission::acting(&state, &actor).expect("they are active");
        let sight = permission::sight(&state, acting);
        for number in [OWNED, QUEUED, ELSEWHERE, TEAMLESS, CLOSED] {
            let conversation = office.chat(number);
            let seen = match &sight {
                Sight::Everything => true,
                Sight::Teams(teams) => {
                    let own = conversation.owner.agent() == Some(&agent(who));
                    own || conversation.team.as_ref().is_none_or(|team| teams.contains(team))
                }
            };
            let viewed = permission::view(&state, acting, conversation).is_ok();
            assert_eq!(seen, viewed, "{who} and {number}");
        }
    }
    let seen = |who: &str| {
        let actor = Actor::Agent(agent(who));
        let acting = permission::acting(&state, &actor).expect("they are active");
        permission::sight(&state, acting)
    };
    assert_eq!(seen("root"), Sight::Everything);
    assert_eq!(seen("ben"), Sight::Teams([team("support")].into()));
    assert_eq!(seen("omar"), Sight::Teams([team("sales")].into()));
    assert_eq!(seen("max"), Sight::Teams([team("sales"), team("support")].into()));
}

#[test]
fn the_inactive_and_the_unknown_may_nothing_and_the_command_line_everything() {
    for who in ["gone", "stranger"] {
        office(usual)
            .when(by(who).notes(OWNED, "hello"))
            .then(["refused: unknown_agent"]);
    }
    office(usual)
        .when(cli().notes(OWNED, "hello"))
        .then(["note added"])
        .when(cli().closes(OWNED))
        .then(["closed by command"]);
}

#[test]
fn the_first_reason_in_the_order_of_precedence_is_given() {
    let wrong_epoch = |says: crate::support::inputs::Says| says.expecting(99);
    let office = || office(usual);
    // Before anything else: what makes no sense, then what says no reason.
    office()
        .when(wrong_epoch(by("stranger").asks(9, "stranger")))
        .then(["refused: invalid"]);
    office()
        .when(wrong_epoch(by("stranger").rejects(9, "")))
        .then(["refused: reason_required"]);
    office()
        .when(wrong_epoch(by("stranger").asks(9, "nobody")))
        .then(["refused: not_found"]);
    office()
        .when(wrong_epoch(by("stranger").asks(CLOSED, "nobody")))
        .then(["refused: unknown_agent"]);
    office()
        .when(wrong_epoch(by("ana").asks(CLOSED, "nobody")))
        .then(["refused: unknown_agent"]);
    office()
        .when(wrong_epoch(by("ana").gives_to_team(CLOSED, "nowhere")))
        .then(["refused: unknown_team"]);
    office()
        .when(wrong_epoch(by("olga").asks(CLOSED, "ben")))
        .then(["refused: epoch_conflict"]);
    office()
        .when(by("olga").asks(CLOSED, "ana"))
        .then(["refused: closed"]);
    office()
        .when(by("olga").accepts(OWNED))
        .then(["refused: no_pending_request"]);
    let asked = || office().when(by("ana").asks(OWNED, "ben"));
    asked()
        .when(by("olga").asks(OWNED, "ana"))
        .then(["refused: already_assigned"]);
    asked()
        .when(by("olga").asks(OWNED, "ben"))
        .then(["refused: not_permitted"]);
    asked()
        .when(by("ben").sets("ben", switchboard::domain::agent::Presence::Offline))
        .when(by("ana").asks(OWNED, "ben"))
        .then(["refused: request_pending"]);
}
