//! What a plan gave away is taken back: routed again under the plan in force, unless somebody has made it theirs.

use std::sync::Arc;

use switchboard::domain::bulk::{Item, Made, Order, Task, Was};
use switchboard::domain::conversation::{Owner, Status};
use switchboard::domain::event::Kind;
use switchboard::domain::input::{Action, Actor, Body, Command, System, Timer};
use switchboard::domain::plan::Strategy;
use uuid::Uuid;

use crate::support::chats::{Chat, chat};
use crate::support::inputs::{by, sent_by};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, by_hand, nobody, plan, support, to};
use crate::support::scenario::{Scenario, given};
use crate::support::{MINUTE, agent, id, start};

const BULK: Uuid = Uuid::from_u128(7);
const ENGAGEMENT: Uuid = Uuid::from_u128(8);

/// The turn of a conversation whose assignment, when the world began, left it in this epoch.
fn again(number: u8, epoch: u64) -> Body {
    let order = Order {
        bulk: BULK,
        actor: Actor::System(System::Cli),
        task: Task::Reroute,
    };
    let was = Was {
        status: Status::Open,
        owner: Owner::Agent(agent("cy")),
        team: None,
        epoch,
        engagement: ENGAGEMENT,
        at: start(),
    };
    Body::Timer(Timer::Bulk(Box::new(Item {
        run: BULK,
        order: Arc::new(order),
        place: u32::from(number),
        conversation: id(number),
        was: Some(was),
    })))
}

/// By default to support, with Ana and Ben; Cy is in sales.
fn restored() -> Draft {
    support(Strategy::LeastLoaded, &["ana", "ben"])
        .team("sales", Strategy::LeastLoaded, &["cy"])
        .version(3)
}

fn company(plan: Draft) -> Scenario {
    given(plan).agents([
        online("ana"),
        online("ben"),
        online("cy"),
        offline("boss").admin(),
    ])
}

/// A bad rule gave it to sales.
fn astray(number: u8) -> Chat {
    chat(number).with("cy").of("sales").waiting_since(start())
}

#[test]
fn it_goes_where_the_restored_plan_says_with_one_event_each_and_the_strategy_balances() {
    let scenario = company(restored())
        .conversation(astray(1))
        .conversation(astray(2))
        .after(MINUTE)
        .when(again(1, 1))
        .then(["assigned to ana by bulk", "item: assigned"]);
    let assignment = scenario.assignment();
    assert_eq!(
        (
            assignment.exclude.as_ref(),
            assignment.load,
            assignment.terms.plan_version
        ),
        (None, 1, 3)
    );
    assert_eq!(scenario.decision().plan_version, 3);
    let done = scenario.events().find_map(|recorded| match &recorded.event.kind {
        Kind::BulkItemDone(done) => Some(done),
        _ => None,
    });
    let done = done.expect("an item is done");
    assert_eq!(
        done.undone,
        Some(ENGAGEMENT),
        "the bad assignment is on record as undone"
    );
    let left = done.was.as_ref().expect("it can be undone in its turn");
    assert_eq!(left.owner, Owner::Agent(agent("cy")));
    scenario
        .in_team(1, "support")
        .when(again(2, 1))
        .then(["assigned to ben by bulk", "item: assigned"]);
}

#[test]
fn what_finds_nobody_waits_and_what_the_plan_wants_with_nobody_goes_there() {
    let away = |plan: Draft| {
        given(plan)
            .agents([offline("ana"), offline("ben"), online("cy")])
            .conversation(astray(1))
            .after(MINUTE)
    };
    away(restored())
        .when(again(1, 1))
        .then(["queued in support: no agent free", "item: queued"]);
    away(restored().otherwise(by_hand("support")))
        .when(again(1, 1))
        .then(["queued in support: manual team", "item: queued"]);
    away(restored().otherwise(nobody()))
        .when(again(1, 1))
        .then(["unassigned by plan", "item: queued"]);
}

#[test]
fn what_somebody_has_answered_moved_held_or_closed_is_left_alone() {
    let story = || company(restored()).conversation(astray(1)).after(MINUTE);
    story()
        .when(sent_by(1, "cy"))
        .after(MINUTE)
        .when(again(1, 1))
        .then(["item: unchanged"]);
    story()
        .when(by("cy").replies(1))
        .when(again(1, 1))
        .then(["item: unchanged"]);
    story()
        .when(by("cy").closes(1))
        .when(again(1, 1))
        .then(["item: unchanged"]);
    story()
        .when(by("cy").holds(1, None))
        .when(again(1, 1))
        .then(["item: unchanged"])
        .when(by("cy").resumes(1))
        .when(again(1, 1))
        .then(["item: unchanged"]);
    story()
        .when(by("boss").gives(1, "ana"))
        .when(by("boss").gives(1, "cy"))
        .when(again(1, 1))
        .then(["item: unchanged"])
        .owned(1, "cy");
    story()
        .when(by("boss").unassigns(1))
        .when(again(1, 1))
        .then(["item: unchanged"]);
    story().when(again(9, 1)).then(["item: rejected, not_found"]);
}

#[test]
fn a_reply_at_the_same_moment_came_after_the_assignment() {
    company(restored())
        .conversation(astray(1))
        .when(by("cy").replies(1))
        .when(again(1, 1))
        .then(["item: unchanged"]);
}

#[test]
fn it_stays_with_whoever_the_restored_plan_would_have_chosen_too() {
    // Cy has one place, and this conversation is in it: it is not held against them.
    given(restored().default_to("sales"))
        .agents([online("ana"), online("ben"), online("cy").capacity(1)])
        .conversation(astray(1))
        .after(MINUTE)
        .when(again(1, 1))
        .then(["item: unchanged"])
        .owned(1, "cy");
    // The strategy was the mistake: the same team, and others in it who have less.
    let shared = support(Strategy::LeastLoaded, &["cy", "ana"]);
    company(shared)
        .conversation(chat(1).with("cy").of("support"))
        .conversation(chat(2).with("cy").of("support"))
        .conversation(chat(3).with("cy").of("support"))
        .after(MINUTE)
        .when(again(1, 1))
        .then(["assigned to ana by bulk", "item: assigned"])
        .when(again(2, 1))
        .then(["item: unchanged"])
        .when(again(3, 1))
        .then(["item: unchanged"]);
}

#[test]
fn where_no_rule_says_anything_it_is_better_off_with_the_person_it_has() {
    let texts = || plan().team("support", Strategy::LeastLoaded, &["ana"]);
    company(texts().rule("bills", "message.text.contains('bill')", to("support")))
        .conversation(astray(1))
        .after(MINUTE)
        .when(again(1, 1))
        .then(["item: unchanged"])
        .owned(1, "cy");
    // Another rule, over what is kept, still matches.
    company(
        texts()
            .rule("bills", "message.text.contains('bill')", nobody())
            .rule("new", "!contact.returning", to("support")),
    )
    .conversation(astray(1))
    .after(MINUTE)
    .when(again(1, 1))
    .then(["assigned to ana by bulk", "item: assigned"]);
}

#[test]
fn a_request_that_was_pending_is_superseded() {
    company(restored())
        .conversation(astray(1))
        .after(MINUTE)
        .when(by("cy").asks(1, "ben"))
        .when(again(1, 1))
        .then([
            "request superseded: owner changed",
            "assigned to ana by bulk",
            "item: assigned",
        ]);
}

#[test]
fn only_admins_and_the_command_line_may_and_only_of_plans_there_were() {
    let reroute = |actor: Actor, version: u32| {
        let made = Made { version, rule: None };
        Body::Command(Command {
            name: "plan.rollback".into(),
            actor,
            action: Action::Reroute {
                bulk: BULK,
                made,
                engagements: Arc::new([ENGAGEMENT]),
            },
        })
    };
    let cli = || Actor::System(System::Cli);
    company(restored())
        .when(reroute(cli(), 2))
        .then(["bulk accepted"])
        .when(reroute(Actor::Agent(agent("boss")), 3))
        .then(["bulk accepted"])
        .when(reroute(Actor::Agent(agent("ana")), 2))
        .then(["refused: not_permitted"])
        .when(reroute(cli(), 4))
        .then(["refused: invalid"])
        .when(reroute(cli(), 0))
        .then(["refused: invalid"]);
}
