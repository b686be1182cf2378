//! A drain sees the heads of all queues, in order, however many wait behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchboard::domain::conversation::{Clock, Conversation, Owner};
use switchboard::domain::ids::{AgentId, ConversationId, Partition};
use switchboard::domain::state::Requirement;
use switchboard::store::queue::{self, Page};
use switchboard::store::{Session, conversations};

use super::build::{HOME, acme, agent_id, conversation, keep, keep_one, second, team_id, tenant, waiting};
use crate::support::database::Database;
use crate::support::wait::until;

fn asking_for(skill: &str, since: i64) -> Conversation {
    let mut conversation = waiting("support", since);
    conversation.route.skills.insert(Arc::from(skill), 1);
    conversation
}

async fn load(session: &Session, each: usize) -> Page {
    let teams = [team_id("support"), team_id("sales")];
    queue::load(session, &acme(), &teams, each).await.expect("a page")
}

fn found(page: &Page) -> BTreeSet<ConversationId> {
    page.conversations.iter().map(|one| one.conversation.id).collect()
}

fn ids<'a>(all: impl IntoIterator<Item = &'a Conversation>) -> BTreeSet<ConversationId> {
    all.into_iter().map(|one| one.id).collect()
}

#[tokio::test]
async fn each_requirement_shows_those_that_came_first_and_says_if_there_are_more() {
    let database = Database::migrated().await;
    let french: Vec<_> = (0..5).rev().map(|since| asking_for("french", since)).collect();
    let greek = asking_for("greek", 100);
    let any: Vec<_> = (0..2).map(|since| waiting("sales", since)).collect();
    let all: Vec<_> = french.iter().chain([&greek]).chain(&any).cloned().collect();
    keep(database.transaction().await, &acme(), &all).await;
    let session = database.transaction().await;
    let page = load(&session, 3).await;
    assert_eq!(found(&page), ids(french[2..].iter().chain([&greek]).chain(&any)));
    assert_eq!(page.more, [Requirement::of(&french[0]).expect("it waits")]);
    session.commit().await.expect("a commit");
}

#[tokio::test]
async fn only_those_that_a_strategy_may_give_away_are_found() {
    let database = Database::migrated().await;
    let there = waiting("support", 0);
    let mut closed = waiting("support", 1);
    closed.status = switchboard::domain::conversation::Status::Closed;
    let mut with_bot = waiting("support", 2);
    with_bot.standby = true;
    let mut manual = waiting("support", 3);
    manual.route.manual = true;
    let owned = conversation(Owner::Agent(agent_id("martha")));
    let elsewhere = waiting("billing", 4);
    let all = [there.clone(), closed, with_bot, manual, owned, elsewhere];
    keep(database.transaction().await, &acme(), &all).await;
    keep(
        database.transaction().await,
        &tenant("other"),
        &[waiting("support", 0)],
    )
    .await;
    let session = database.transaction().await;
    assert_eq!(found(&load(&session, 10).await), ids([&there]));
    session.commit().await.expect("a commit");
}

#[tokio::test]
async fn one_that_another_lane_holds_is_passed_over_without_using_up_a_place() {
    let database = Database::migrated().await;
    let all: Vec<_> = (0..6).map(|since| waiting("support", since)).collect();
    keep(database.transaction().await, &acme(), &all).await;
    let holder = database.transaction().await;
    let held: Vec<_> = all[..2].iter().map(|one| (acme(), one.id)).collect();
    assert_eq!(
        conversations::lock(&holder, &held).await.expect("a lock").len(),
        2
    );
    let session = database.transaction().await;
    let page = load(&session, 3).await;
    assert_eq!(found(&page), ids(&all[2..5]));
    assert_eq!(page.more.len(), 1, "there is a sixth");
    // Who only looks sees them all.
    let looked = queue::look(&session, &acme(), &[team_id("support")], 10)
        .await
        .expect("a page");
    assert_eq!(found(&looked), ids(&all));
    session.commit().await.expect("a commit");
    holder.commit().await.expect("a commit");
}

#[tokio::test]
async fn one_drain_holds_what_it_found_until_it_ends() {
    let database = Database::migrated().await;
    let all: Vec<_> = (0..6).map(|since| waiting("support", since)).collect();
    keep(database.transaction().await, &acme(), &all).await;
    let (first, second) = (database.transaction().await, database.transaction().await);
    assert_eq!(found(&load(&first, 4).await), ids(&all[..4]));
    assert_eq!(found(&load(&second, 4).await), ids(&all[4..]));
    first.rollback().await;
    assert_eq!(found(&load(&second, 4).await), ids(&all[..4]));
    second.rollback().await;
}

/// Puts so many beside one that waits, each asking for one of so many things.
async fn crowd(database: &Database, waiting: i64, requirements: i64) {
    let example = asking_for("french", 0);
    keep_one(database, &example).await;
    database
        .run(&format!(
            "insert into conversation select (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),
                 'requirement', '0 +skill' || n % {requirements} || ':1',
                 'route', jsonb_build_object('skills', jsonb_build_object('skill' || n % {requirements}, 1)),
                 'waits_from', c.waits_from + n * interval '1 s'))).*
             from conversation c, generate_series(1, {waiting}) n"
        ))
        .await;
}

#[tokio::test]
async fn a_page_is_bounded_however_many_wait_and_however_many_different_things_they_ask_for() {
    for (waiting, requirements, most) in [(200, 2, 101), (5_000, 2, 101), (5_000, 200, 4), (5_000, 1_500, 2)]
    {
        let database = Database::migrated().await;
        crowd(&database, waiting, requirements).await;
        let session = database.transaction().await;
        let page = load(&session, 101).await;
        let mut found: BTreeMap<Requirement, usize> = BTreeMap::new();
        for one in &page.conversations {
            let requirement = Requirement::of(&one.conversation).expect("it waits");
            *found.entry(requirement).or_default() += 1;
        }
        assert_eq!(found.len() as i64, requirements + 1, "none is left out");
        let expected = usize::try_from(waiting / requirements).unwrap().min(most);
        let short = found.values().filter(|count| **count < expected).count();
        assert_eq!(
            short, 1,
            "of each requirement {expected}, but for the one that is alone"
        );
        assert_eq!(found.values().max(), Some(&expected));
        let full = found.values().filter(|count| **count >= most).count();
        assert_eq!(page.more.len(), full, "who may have more behind them");
        session.commit().await.expect("a commit");
    }
}

#[tokio::test]
async fn defect_20_a_depth_counts_whoever_waits_whatever_they_ask_and_whoever_holds_them() {
    let database = Database::migrated().await;
    crowd(&database, 3_000, 500).await;
    let mut by_hand = waiting("support", 1);
    by_hand.route.manual = true;
    keep(database.transaction().await, &acme(), &[by_hand]).await;
    // A drain holds some of them.
    let drain = database.transaction().await;
    load(&drain, 2).await;
    let depths = queue::depths(&database.session().await).await;
    assert_eq!(depths, Ok(vec![(acme(), team_id("support"), 3_002)]));
    drain.rollback().await;
}

/// Rows that a drain of a queue this long reads from the index, and sequential scans it makes.
async fn cost(waiting: i64) -> (i64, i64) {
    let database = Database::migrated().await;
    let example = asking_for("french", 0);
    keep_one(&database, &example).await;
    let columns =
        "channel, partition_key, home, status, owner_queue, team, priority, episode, epoch, sequence, clock,
      last_activity";
    database
        .run(&format!(
            "insert into conversation (tenant, id, {columns}, requirement, waits_from)
             select tenant, gen_random_uuid(), {columns}, requirement || ' -agent' || n % 20, waits_from + n * interval '1 s'
             from conversation, generate_series(1, {waiting}) n"
        ))
        .await;
    // As it is found on a bad day: nobody has looked at the table for its statistics yet.
    let counts = "select coalesce(sum(idx_tup_read), 0)::bigint from pg_stat_user_indexes where relname = 'conversation'";
    let scans = "select seq_scan from pg_stat_user_tables where relname = 'conversation'";
    let written = "select n_tup_ins from pg_stat_user_tables where relname = 'conversation'";
    until("the statistics", async || {
        (database.number(written).await == waiting + 1).then_some(())
    })
    .await;
    let before = (database.number(counts).await, database.number(scans).await);
    let store = database.store();
    let session = store.session().await.expect("a session");
    session.begin().await.expect("a transaction");
    assert_eq!(load(&session, 10).await.conversations.len(), 201);
    session.commit().await.expect("a commit");
    drop((session, store));
    until("the statistics", async || {
        (database.number(counts).await > before.0).then_some(())
    })
    .await;
    (
        database.number(counts).await - before.0,
        database.number(scans).await - before.1,
    )
}

#[tokio::test]
async fn a_drain_costs_as_much_however_many_wait() {
    let (few, few_scans) = cost(1_000).await;
    let (many, many_scans) = cost(50_000).await;
    assert_eq!((few_scans, many_scans), (0, 0));
    // Twenty-one requirements: one jump to each, and ten of each.
    assert!(few <= 400 && many <= 400, "{few} rows of 1,000, {many} of 50,000");
}

#[tokio::test]
async fn queues_are_counted_and_those_with_nobody_are_not_among_them() {
    let database = Database::migrated().await;
    let all = [
        waiting("support", 0),
        waiting("support", 1),
        waiting("sales", 2),
        conversation(Owner::Nobody),
    ];
    keep(database.transaction().await, &acme(), &all).await;
    let depths = queue::depths(&database.session().await).await;
    assert_eq!(
        depths,
        Ok(vec![
            (acme(), team_id("sales"), 1),
            (acme(), team_id("support"), 2)
        ])
    );
}

#[tokio::test]
async fn those_in_teams_that_are_gone_are_found_by_their_home() {
    let database = Database::migrated().await;
    let (stays, goes) = (waiting("support", 0), waiting("dropped", 1));
    let mut elsewhere = waiting("dropped", 2);
    elsewhere.home = Partition(HOME.0 + 1);
    let owned = Conversation {
        team: Some(team_id("dropped")),
        ..conversation(Owner::Agent(agent_id("martha")))
    };
    let all = [stays, goes.clone(), elsewhere.clone(), owned];
    keep(database.transaction().await, &acme(), &all).await;
    let session = database.session().await;
    let teams = [team_id("support")];
    assert_eq!(
        queue::in_other_teams(&session, &acme(), HOME, &teams, 10).await,
        Ok(vec![goes.id])
    );
    assert_eq!(
        queue::in_other_teams(&session, &acme(), elsewhere.home, &teams, 10).await,
        Ok(vec![elsewhere.id])
    );
    assert_eq!(
        queue::in_other_teams(&session, &acme(), HOME, &teams, 0).await,
        Ok(vec![])
    );
    assert_eq!(
        queue::in_other_teams(&session, &tenant("other"), HOME, &teams, 10).await,
        Ok(vec![])
    );
}

#[tokio::test]
async fn whoever_would_wait_for_ever_is_stranded_and_nobody_else() {
    let database = Database::migrated().await;
    let lost = conversation(Owner::Nobody);
    let answered = Conversation {
        waiting_since: None,
        ..conversation(Owner::Nobody)
    };
    let with_bot = Conversation {
        standby: true,
        ..conversation(Owner::Nobody)
    };
    let breached = Conversation {
        assign_clock: Clock::Breached,
        ..conversation(Owner::Nobody)
    };
    let policy = switchboard::domain::ids::PolicyId::new("standard").expect("an id");
    let running = Clock::Running {
        policy,
        since: second(0),
        warn: None,
        due: second(60),
    };
    let timed = Conversation {
        assign_clock: running.clone(),
        ..conversation(Owner::Nobody)
    };
    let without_timer = Conversation {
        assign_clock: running,
        ..conversation(Owner::Nobody)
    };
    let unalarmed = Conversation {
        assign_clock: Clock::Breached,
        ..conversation(Owner::Nobody)
    };
    let mut by_hand = waiting("support", 1);
    by_hand.route.manual = true;
    let out_of_queue = waiting("support", 2);
    let owned: AgentId = agent_id("martha");
    let all = [
        lost.clone(),
        answered,
        with_bot,
        breached,
        timed.clone(),
        without_timer.clone(),
        unalarmed.clone(),
        by_hand,
        out_of_queue.clone(),
        waiting("support", 0),
        conversation(Owner::Agent(owned)),
    ];
    keep(database.transaction().await, &acme(), &all).await;
    let (timed, out, silent) = (timed.id, out_of_queue.id, unalarmed.id);
    database
        .run(&format!(
            "update conversation set requirement = null, waits_from = null where id = '{out}';
             update conversation set alarm = '2026-03-01' where id in ('{silent}', '{timed}');
             insert into timer values ('acme', 'alarm', '{timed}', gen_random_uuid(), 3, clock_timestamp());
             insert into timer values ('acme', 'assign', '{timed}', gen_random_uuid(), 3, clock_timestamp())"
        ))
        .await;
    let session = database.session().await;
    // Ids begin with their time.
    let stranded = [lost.id, without_timer.id, silent, out].map(|id| (acme(), id));
    assert_eq!(queue::stranded(&session, HOME, 10).await, Ok(stranded.to_vec()));
    assert_eq!(
        queue::stranded(&session, Partition(HOME.0 + 1), 10).await,
        Ok(vec![])
    );
}
