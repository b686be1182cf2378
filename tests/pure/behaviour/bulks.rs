//! Many at once: each conversation of a bulk is decided by itself, with its own right, and taken back if nothing came since.

use std::sync::Arc;

use switchboard::domain::agent::Role;
use switchboard::domain::bulk::{Item, Order, Past, Selection, Task, Was};
use switchboard::domain::conversation::{Owner, Status};
use switchboard::domain::event::Kind;
use switchboard::domain::input::{Action, Actor, Body, Command, Recipient, Timer};
use switchboard::domain::plan::Strategy;
use uuid::Uuid;

use crate::support::chats::chat;
use crate::support::inputs::{by, sent_by};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, support};
use crate::support::scenario::{Scenario, given};
use crate::support::{MINUTE, agent, id, team};

const BULK: Uuid = Uuid::from_u128(7);

fn to_agent(to: &str) -> Recipient {
    Recipient::Agent(agent(to))
}

fn to_team(to: &str) -> Recipient {
    Recipient::Team(team(to))
}

/// The turn of a conversation in a bulk of this person.
fn gives(actor: &str, number: u8, to: Recipient) -> Body {
    item(actor, number, Task::Assign { to, note: None }, None)
}

/// The turn of a conversation in the undoing of a bulk.
fn takes_back(actor: &str, number: u8, was: Option<Was>) -> Body {
    item(actor, number, Task::Undo, was)
}

fn item(actor: &str, number: u8, task: Task, was: Option<Was>) -> Body {
    let order = Order {
        bulk: BULK,
        actor: Actor::Agent(agent(actor)),
        task,
    };
    Body::Timer(Timer::Bulk(Box::new(Item {
        run: BULK,
        order: Arc::new(order),
        place: u32::from(number),
        conversation: id(number),
        was,
    })))
}

fn command(actor: &str, name: &str, action: Action) -> Body {
    Body::Command(Command {
        name: name.into(),
        actor: Actor::Agent(agent(actor)),
        action,
    })
}

fn bulk_assign(actor: &str, selection: Selection, to: Recipient) -> Body {
    let action = Action::BulkAssign {
        bulk: BULK,
        selection,
        to,
        note: None,
        taken: false,
    };
    command(actor, "bulk_assign", action)
}

/// Support with Ana and Ben, sales with Cy; Dora manages support, the boss is an admin.
fn company() -> Scenario {
    given(plan()).agents([
        online("ana"),
        online("ben"),
        online("cy"),
        offline("dora").role(Role::Manager),
        offline("boss").admin(),
    ])
}

fn plan() -> Draft {
    support(Strategy::LeastLoaded, &["ana", "ben"])
        .team("sales", Strategy::LeastLoaded, &["cy"])
        .managed_by("support", &["dora"])
}

/// How the last item was found and left.
fn was(scenario: &Scenario) -> Option<Was> {
    let done = scenario.events().find_map(|recorded| match &recorded.event.kind {
        Kind::BulkItemDone(done) => Some(done),
        _ => None,
    });
    done.expect("an item is done").was.clone()
}

#[test]
fn a_bulk_to_a_person_says_so_and_one_to_a_team_is_balanced_by_its_strategy() {
    company()
        .conversation(chat(1).with("cy").of("sales"))
        .conversation(chat(2).with("cy").of("sales"))
        .conversation(chat(3).with("cy").of("sales"))
        .when(gives("boss", 1, to_agent("ana")))
        .then(["assigned to ana by bulk", "item: assigned"])
        .when(gives("boss", 2, to_team("support")))
        .then(["assigned to ben by bulk", "item: assigned"])
        .when(gives("cy", 3, to_team("support")))
        .then(["assigned to ana by bulk", "item: assigned"]);
}

#[test]
fn what_finds_nobody_waits_and_what_is_there_already_stays() {
    given(support(Strategy::LeastLoaded, &["ana"]))
        .agents([offline("ana"), offline("boss").admin()])
        .conversation(chat(1))
        .when(gives("boss", 1, to_team("support")))
        .then(["queued in support: transfer", "item: queued"])
        .when(gives("boss", 1, to_team("support")))
        .then(["item: unchanged"])
        .when(gives("boss", 1, to_agent("ana")))
        .then(["assigned to ana by bulk", "item: assigned"])
        .when(gives("boss", 1, to_agent("ana")))
        .then(["item: unchanged"]);
}

#[test]
fn a_bulk_reopens_what_is_closed_and_leaves_on_hold_what_is_on_hold() {
    let scenario = company()
        .conversation(chat(1).with("ana").of("support").closed())
        .conversation(chat(2).with("ana").of("support").on_hold(None))
        .when(gives("boss", 1, to_agent("cy")))
        .then(["reopened by command", "assigned to cy by bulk", "item: assigned"])
        .when(gives("boss", 2, to_agent("cy")))
        .then(["assigned to cy by bulk", "item: assigned"]);
    assert_eq!(scenario.chat(2).status, Status::OnHold);
}

#[test]
fn every_conversation_of_a_bulk_needs_its_own_right() {
    company()
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).with("cy").of("sales"))
        .conversation(chat(3))
        // An agent: what they own.
        .when(gives("ana", 1, to_agent("ben")))
        .then(["assigned to ben by bulk", "item: assigned"])
        .when(gives("ana", 1, to_agent("cy")))
        .then(["item: rejected, not_permitted"])
        .when(gives("ana", 3, to_agent("ana")))
        .then(["item: rejected, not_permitted"])
        // A manager: within their teams.
        .when(gives("dora", 1, to_agent("ana")))
        .then(["assigned to ana by bulk", "item: assigned"])
        .when(gives("dora", 2, to_agent("ana")))
        .then(["item: rejected, not_permitted"])
        .when(gives("dora", 1, to_team("sales")))
        .then(["item: rejected, not_permitted"])
        // Nobody, and about nothing.
        .when(gives("ghost", 1, to_agent("cy")))
        .then(["item: rejected, unknown_agent"])
        .when(gives("boss", 9, to_agent("cy")))
        .then(["item: rejected, not_found"])
        .when(gives("boss", 1, to_agent("ghost")))
        .then(["item: rejected, unknown_agent"])
        .when(gives("boss", 1, to_team("ghosts")))
        .then(["item: rejected, unknown_team"]);
}

#[test]
fn a_bulk_that_cannot_succeed_anywhere_is_refused_as_a_whole() {
    let listed = || Selection::Listed(vec![id(1)]);
    company()
        .when(bulk_assign("ghost", listed(), to_agent("ana")))
        .then(["refused: unknown_agent"])
        .when(bulk_assign("boss", listed(), to_agent("ghost")))
        .then(["refused: unknown_agent"])
        .when(bulk_assign(
            "boss",
            Selection::OwnedBy(agent("ghost")),
            to_agent("ana"),
        ))
        .then(["refused: unknown_agent"])
        .when(bulk_assign("boss", listed(), to_team("ghosts")))
        .then(["refused: unknown_team"])
        .when(bulk_assign(
            "boss",
            Selection::Listed(vec![id(1); 10_001]),
            to_agent("ana"),
        ))
        .then(["refused: invalid"])
        .when(bulk_assign("ana", listed(), to_agent("ben")))
        .then(["bulk accepted"]);
}

#[test]
fn a_bulk_is_undone_by_its_actor_and_by_admins_once_it_is_done() {
    let undo =
        |actor: &str, past: Option<Past>| command(actor, "bulk_undo", Action::BulkUndo { bulk: BULK, past });
    let of_ana = |pending| {
        Some(Past {
            actor: Actor::Agent(agent("ana")),
            pending,
        })
    };
    company()
        .when(undo("ana", of_ana(0)))
        .then(["bulk accepted"])
        .when(undo("boss", of_ana(0)))
        .then(["bulk accepted"])
        .when(undo("ben", of_ana(0)))
        .then(["refused: not_permitted"])
        .when(undo("ana", of_ana(3)))
        .then(["refused: invalid"])
        .when(undo("boss", None))
        .then(["refused: not_found"]);
}

#[test]
fn undone_is_what_nobody_has_answered_or_moved_since() {
    let moved =
        company()
            .conversation(chat(1).with("cy").of("sales"))
            .when(gives("boss", 1, to_agent("ana")));
    let left = was(&moved);
    let back = moved
        .after(MINUTE)
        .when(takes_back("boss", 1, left.clone()))
        .then(["assigned to cy by bulk", "item: undone"]);
    // Undone already: its epoch is another.
    let again = back.when(takes_back("boss", 1, left)).then(["item: skipped"]);

    let answered = again.when(gives("boss", 1, to_agent("ana")));
    let left = was(&answered);
    let answered = answered.after(MINUTE).when(sent_by(1, "ana"));
    answered.when(takes_back("boss", 1, left)).then(["item: skipped"]);
}

#[test]
fn undoing_leads_back_into_a_queue_to_nobody_and_into_a_closed_state_but_not_to_who_has_left() {
    let found = |status, owner| Was {
        status,
        owner,
        team: None,
        epoch: 1,
        engagement: BULK,
        at: crate::support::start(),
    };
    let busy = || {
        given(support(Strategy::LeastLoaded, &["ana"]))
            .agents([online("ana").capacity(1), offline("boss").admin()])
            .conversation(chat(1).with("ana").of("support"))
    };
    busy()
        .when(takes_back(
            "boss",
            1,
            Some(found(Status::Open, Owner::Team(team("support")))),
        ))
        .then(["queued in support: transfer", "item: undone"]);
    busy()
        .when(takes_back("boss", 1, Some(found(Status::Open, Owner::Nobody))))
        .then(["unassigned by command", "item: undone"]);
    busy()
        .when(takes_back("boss", 1, Some(found(Status::Closed, Owner::Nobody))))
        .then(["closed by command", "item: undone"]);
    busy()
        .when(takes_back(
            "boss",
            1,
            Some(found(Status::Open, Owner::Agent(agent("ghost")))),
        ))
        .then(["item: skipped"]);
    busy()
        .when(takes_back(
            "boss",
            1,
            Some(found(Status::Open, Owner::Team(team("ghosts")))),
        ))
        .then(["item: skipped"]);
}

#[test]
fn what_a_removed_agent_owns_goes_back_to_their_team_open_or_on_hold() {
    let gone = |number| {
        Body::Timer(Timer::OwnerGone {
            conversation: id(number),
        })
    };
    let remove = |actor: &str| command(actor, "agent.remove", Action::RemoveAgent { agent: agent("ana") });
    company()
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).with("ana").of("support").on_hold(None))
        .conversation(chat(3).with("ana"))
        .conversation(chat(4).with("ana").of("support").closed())
        .when(gone(1))
        .then([])
        .when(remove("ana"))
        .then(["refused: not_permitted"])
        .when(remove("boss"))
        .then(["ana removed"])
        .when(remove("boss"))
        .then(["refused: unknown_agent"])
        .when(gone(1))
        .then(["assigned to ben by auto"])
        .when(gone(2))
        .then(["assigned to ben by auto"])
        .when(gone(3))
        .owned(3, "ben")
        .when(gone(4))
        .then([])
        .owned(4, "ana")
        .when(by("boss").gives(1, "ana"))
        .then(["refused: unknown_agent"])
        .when(by("ana").closes(1))
        .then(["refused: unknown_agent"])
        .when(by("boss").upserts("ana", Default::default()))
        .then(["ana written"])
        .when(by("boss").gives(1, "ana"))
        .then(["assigned to ana by manual"]);
}

#[test]
fn of_a_forgotten_customer_the_conversation_stays_closed_and_empty() {
    let forget = |actor: &str, conversations: Vec<_>| {
        let keys = vec!["key".into()];
        command(
            actor,
            "contact.forget",
            Action::ForgetContact { conversations, keys },
        )
    };
    let scenario = company()
        .conversation(chat(1).with("ana").of("support"))
        .when(forget("ana", vec![id(1)]))
        .then(["refused: not_permitted"])
        .when(forget("boss", vec![id(1)]))
        .then(["1: closed by forgotten", "contact forgotten"])
        .when(forget("boss", vec![]))
        .then(["contact forgotten"]);
    assert!(scenario.chat(1).is_forgotten());
    assert!(
        !scenario.chat(1).partition_key.contains("key-"),
        "its key told who they were"
    );
}
