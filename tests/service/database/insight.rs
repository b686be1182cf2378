//! What people ask, as statements: positions, pace, sums, and a ledger that is the one counted by hand.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use switchboard::domain::conversation::{Conversation, Owner, Priority, Status};
use switchboard::domain::event::{By, Candidate, Decision, PassedOver};
use switchboard::domain::fairness::Book;
use switchboard::domain::plan::{Plan, Strategy};
use switchboard::domain::standing;
use switchboard::store::insight::{self, MOST_QUEUES, Outside};
use switchboard::store::ledger::{self, Asked};
use switchboard::store::records::{self, DecisionRecord, Engagement, EngagementStatus};
use switchboard::store::{Session, read};
use uuid::Uuid;

use super::build::{acme, agent_id, conversation, keep, second, team_id, waiting};
use crate::support::database::Database;
use crate::support::wait::until;

fn asking(skill: &str, priority: Priority, since: i64) -> Conversation {
    let mut one = waiting("support", since);
    one.priority = priority;
    one.route.skills.insert(skill.into(), 1);
    one
}

#[tokio::test]
async fn queues_and_what_is_outside_of_them_add_up_to_everything_unowned() {
    let database = Database::migrated().await;
    let all = [
        asking("french", Priority::Normal, 3),
        asking("french", Priority::Urgent, 5),
        asking("french", Priority::Low, 4),
        asking("greek", Priority::Normal, 1),
        waiting("sales", 2),
        Conversation {
            standby: true,
            ..conversation(Owner::Nobody)
        },
        conversation(Owner::Nobody),
        {
            let mut by_hand = waiting("support", 0);
            by_hand.route.manual = true;
            by_hand
        },
        {
            let mut old = waiting("sales", 0);
            old.care.stale = true;
            old
        },
        conversation(Owner::Agent(agent_id("ana"))),
        Conversation {
            status: Status::Closed,
            ..waiting("support", 0)
        },
    ];
    keep(database.transaction().await, &acme(), &all).await;
    let session = database.session().await;
    insight::begin(&session).await.expect("a look");
    let queues = insight::queues(&session, &acme(), None).await.expect("queues");
    let told: Vec<_> = queues
        .iter()
        .map(|one| (one.head.owner.clone(), one.waiting))
        .collect();
    let support = Owner::Team(team_id("support"));
    assert_eq!(
        told,
        [
            (support.clone(), 3),
            (support, 1),
            (Owner::Team(team_id("sales")), 1)
        ]
    );
    let urgent = [(Priority::Low, 1), (Priority::Normal, 1), (Priority::Urgent, 1)];
    assert_eq!(queues[0].priorities, urgent);
    assert_eq!(queues[0].oldest, all[0].waits_from());
    let outside = insight::outside(&session, &acme(), None).await.expect("others");
    let kinds: BTreeSet<_> = outside.iter().map(|one| (one.outside, one.waiting)).collect();
    assert_eq!(
        kinds,
        [
            (Outside::Bot, 1),
            (Outside::Nobody, 1),
            (Outside::Manual, 1),
            (Outside::Stale, 1)
        ]
        .into()
    );
    let only = insight::outside(&session, &acme(), Some(&team_id("sales")))
        .await
        .expect("others");
    assert_eq!(only.len(), 1);
    let counted: i64 = queues
        .iter()
        .map(|one| one.waiting)
        .chain(outside.iter().map(|one| one.waiting))
        .sum();
    let unowned = "select count(*) from conversation where status = 'open' and owner_agent is null";
    assert_eq!(counted, database.number(unowned).await);
    session.commit().await.expect("a commit");
}

#[tokio::test]
async fn more_kinds_of_queues_than_are_told_apart_are_counted_all_the_same() {
    let database = Database::migrated().await;
    let more = 7;
    let all: Vec<_> = (0..MOST_QUEUES + more)
        .map(|n| asking(&format!("skill{n}"), Priority::Normal, n))
        .collect();
    keep(database.transaction().await, &acme(), &all).await;
    let session = database.session().await;
    let queues = insight::queues(&session, &acme(), None).await.expect("queues");
    let short = insight::short_queues(&session, &acme(), None)
        .await
        .expect("others");
    assert_eq!(queues.len() as i64, MOST_QUEUES);
    assert_eq!(short.iter().map(|one| one.waiting).collect::<Vec<_>>(), [more]);
}

#[tokio::test]
async fn so_many_are_ahead_as_come_before_in_the_order_of_all_queues() {
    let database = Database::migrated().await;
    let mut plan = Plan::empty(acme());
    plan.settings.aging = Duration::from_secs(10);
    let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    let all: Vec<_> = (0..40u8)
        .map(|n| {
            let skill = if n % 3 == 0 { "french" } else { "greek" };
            asking(skill, priorities[usize::from(n) * 7 % 4], i64::from(n % 8) * 5)
        })
        .collect();
    keep(database.transaction().await, &acme(), &all).await;
    keep(database.transaction().await, &acme(), &[waiting("sales", 0)]).await;
    let session = database.session().await;
    let head_start = |one: &Conversation| SignedDuration::from_secs(10) * one.priority.steps();
    let mut order: Vec<&Conversation> = all.iter().collect();
    order.sort_by_key(|one| (one.waits_from() - head_start(one), one.waits_from(), one.id));
    for (position, one) in order.into_iter().enumerate() {
        let before = standing::before(&plan, one);
        let ahead = insight::ahead(&session, &acme(), &team_id("support"), &before).await;
        assert_eq!(ahead, Ok(position as i64));
    }
}

fn decision(conversation: &Conversation, chosen: Option<&str>, others: &[(&str, PassedOver)]) -> Decision {
    let chosen_one = chosen.map(|who| Candidate {
        agent: agent_id(who),
        passed_over: None,
    });
    let listed = others.iter().map(|(who, why)| Candidate {
        agent: agent_id(who),
        passed_over: Some(*why),
    });
    let mut decision = Decision {
        id: Uuid::now_v7(),
        conversation: conversation.id,
        rule: None,
        plan_version: 1,
        team: Some(team_id("support")),
        strategy: Some(Strategy::RoundRobin),
        chosen: chosen.map(agent_id),
        candidates: listed.chain(chosen_one).collect(),
        passed_over: Default::default(),
        failed_rules: Vec::new(),
    };
    for (_, why) in others {
        *decision.passed_over.entry(*why).or_default() += 1;
    }
    decision
}

async fn add(session: &Session, decisions: &[(Timestamp, Decision)]) {
    let acme = acme();
    let records: Vec<_> = decisions
        .iter()
        .map(|(at, decision)| DecisionRecord {
            tenant: &acme,
            cause: "wamid",
            at: *at,
            asked_by: None,
            epoch: None,
            decision,
        })
        .collect();
    records::add_decisions(session, &records).await.expect("added");
}

#[tokio::test]
async fn only_what_a_strategy_took_out_of_the_queue_lately_sets_the_pace() {
    let database = Database::migrated().await;
    let session = database.session().await;
    let (acme, ana) = (acme(), agent_id("ana"));
    let now = read::now(&session).await.expect("now");
    let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
    let support = Owner::Team(team_id("support"));
    // At once, out of the queue, too long ago, and found nobody.
    let cases = [
        (5, Owner::Nobody, Some("ana")),
        (10, support.clone(), Some("ana")),
        (20, support.clone(), Some("ana")),
        (61, support.clone(), Some("ana")),
        (3, support.clone(), None),
    ];
    for (minutes, from, chosen) in cases {
        let one = waiting("support", 0);
        let decision = decision(&one, chosen, &[]);
        let engagement = Engagement {
            tenant: &acme,
            id: Uuid::now_v7(),
            conversation: one.id,
            by: By::Auto,
            from: &from,
            to: Some(&ana),
            requester: None,
            status: EngagementStatus::Done,
            note: None,
            decision: Some(decision.id),
            at: ago(minutes),
        };
        if chosen.is_some() {
            records::add_engagements(&session, &[engagement])
                .await
                .expect("added");
        }
        add(&session, &[(ago(minutes), decision)]).await;
    }
    let pace = insight::pace(&session, &acme, &team_id("support"))
        .await
        .expect("a pace");
    assert_eq!((pace.assigned, pace.within), (2, standing::LOOK_BACK));
    let other = insight::pace(&session, &acme, &team_id("sales"))
        .await
        .expect("a pace");
    assert_eq!(other.assigned, 0);
}

#[tokio::test]
async fn the_ledger_added_up_by_the_database_is_the_one_added_up_by_hand() {
    let database = Database::migrated().await;
    let session = database.session().await;
    let now = read::now(&session).await.expect("now");
    let names: Vec<String> = (0..30).map(|n| format!("agent{n:02}")).collect();
    let reasons = [
        PassedOver::Outranked,
        PassedOver::Offline,
        PassedOver::Skill,
        PassedOver::Capacity,
    ];
    let mut book = Book::default();
    let mut all = Vec::new();
    for n in 0..200usize {
        let candidates = 1 + n * 7 % 20;
        let others: Vec<(&str, PassedOver)> = (1..candidates)
            .map(|c| (names[(n + c) % 30].as_str(), reasons[(n * 3 + c * 5) % 4]))
            .collect();
        let chosen = (n % 9 != 0).then(|| names[n % 30].as_str());
        let mut one = decision(&waiting("support", 0), chosen, &others);
        // What a record of a large team counts and does not list.
        *one.passed_over.entry(PassedOver::Outranked).or_default() += (n % 3) as u32;
        book.add(&one);
        all.push((now - SignedDuration::from_secs(n as i64), one));
    }
    add(&session, &all).await;
    // What is older, another team's, of a rule that names its agent, or no strategy's is not in it.
    let mut others = vec![];
    for change in 0..4 {
        let mut one = decision(&waiting("support", 0), Some("agent00"), &[]);
        let mut at = now;
        match change {
            0 => at = now - SignedDuration::from_hours(2),
            1 => one.team = Some(team_id("sales")),
            2 => one.rule = Some("for ana".into()),
            _ => one.strategy = None,
        }
        others.push((at, one));
    }
    add(&session, &others).await;
    let asked = Asked {
        tenant: &acme(),
        team: Some(&team_id("support")),
        since: now - SignedDuration::from_hours(1),
        preferring: &["for ana"],
    };
    insight::begin(&session).await.expect("a look");
    let entries = ledger::entries(&session, asked).await.expect("entries");
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!((entry.strategy, entry.cut), (Strategy::RoundRobin, false));
    assert_eq!(entry.nobody, 23);
    assert_eq!(entry.book.decisions, book.decisions);
    assert!((entry.book.unlisted - book.unlisted).abs() < 1e-9);
    assert_eq!(entry.book.accounts.len(), book.accounts.len());
    for (agent, account) in &book.accounts {
        let summed = &entry.book.accounts[agent];
        assert_eq!(
            (summed.turns, summed.outranked, &summed.skips),
            (account.turns, account.outranked, &account.skips)
        );
        assert!((summed.expected - account.expected).abs() < 1e-9);
    }
    let everywhere = ledger::entries(
        &session,
        Asked {
            team: None,
            preferring: &[],
            ..asked
        },
    )
    .await
    .expect("entries");
    assert_eq!(everywhere.len(), 2);
    session.commit().await.expect("a commit");
}

#[tokio::test]
async fn no_question_reads_a_whole_table() {
    let database = Database::migrated().await;
    keep(database.transaction().await, &acme(), &[waiting("support", 0)]).await;
    let scans = "select relname || ': ' || seq_scan from pg_stat_user_tables
      where relname in ('conversation', 'decision', 'engagement') and seq_scan > 0 order by 1";
    let before = database.texts(scans).await;
    let (store, support) = (database.store(), team_id("support"));
    let session = store.session().await.expect("a session");
    insight::begin(&session).await.expect("a look");
    insight::queues(&session, &acme(), None).await.expect("queues");
    insight::short_queues(&session, &acme(), None)
        .await
        .expect("others");
    insight::outside(&session, &acme(), None).await.expect("others");
    let limits = standing::before(&Plan::empty(acme()), &waiting("support", 0));
    insight::ahead(&session, &acme(), &support, &limits)
        .await
        .expect("a position");
    insight::pace(&session, &acme(), &support).await.expect("a pace");
    let asked = Asked {
        tenant: &acme(),
        team: None,
        since: second(0),
        preferring: &[],
    };
    ledger::entries(&session, asked).await.expect("entries");
    session.commit().await.expect("a commit");
    // Connections report what they did when they end.
    drop((session, store));
    let used = "select coalesce(sum(idx_scan), 0)::int8 from pg_stat_user_tables where relname = 'decision'";
    until("the statistics", async || {
        (database.number(used).await > 0).then_some(())
    })
    .await;
    assert_eq!(database.texts(scans).await, before);
}
