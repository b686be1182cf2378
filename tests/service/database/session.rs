//! Pipelines, commits, and connections that are not lent again.

use std::pin::pin;
use std::time::Duration;

use switchboard::domain::conversation::Owner;
use switchboard::domain::ids::{ConversationId, Partition};
use switchboard::store::conversations::{self, Saved};
use switchboard::store::timers::{self, NewTimer, TimerKind};
use switchboard::store::{Session, StoreError, outbox};
use tokio::try_join;
use uuid::Uuid;

use super::build::{acme, conversation, keep, keep_one};
use crate::support::database::{Database, store};
use crate::support::wait::{until, within};
use crate::support::wire::Wire;

const LANE: Partition = Partition(0);

fn row(body: &str) -> [(Partition, String); 1] {
    [(LANE, body.to_owned())]
}

/// An insert that another row's key is in the way of.
async fn fails(
    session: &Session,
    there: &switchboard::domain::conversation::Conversation,
) -> Result<(), StoreError> {
    let tenant = acme();
    conversations::insert(
        session,
        &[Saved {
            tenant: &tenant,
            conversation: there,
            marked: false,
            alarm: None,
        }],
    )
    .await
}

#[tokio::test]
async fn what_a_batch_writes_is_there_once_commit_is_answered() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let writes = async {
        let (first, second) = (row("one"), row("two"));
        try_join!(biased; outbox::add(&session, &first), outbox::add(&session, &second))
    };
    let (first, second) = session.commit_after(writes).await.expect("a commit");
    assert!(first[0].1 < second[0].1);
    let rows = outbox::read(&database.transaction().await, LANE, &[], 10)
        .await
        .expect("rows");
    let bodies: Vec<_> = rows.iter().map(|(_, body)| body.as_str()).collect();
    assert_eq!(bodies, ["one", "two"]);
}

#[tokio::test]
async fn a_write_that_fails_takes_the_whole_batch_with_it() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let session = database.transaction().await;
    let writes = async {
        let row = row("lost");
        try_join!(biased; outbox::add(&session, &row), fails(&session, &there), outbox::read(&session, LANE, &[], 1))
    };
    let failure = session.commit_after(writes).await.expect_err("a duplicate key");
    assert!(matches!(failure, StoreError::Conflict(_)), "{failure:?}");
    session.rollback().await;
    assert_eq!(database.number("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn the_statement_that_failed_is_named_and_not_those_behind_it() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let session = database.transaction().await;
    // Sent in this order, and looked at in the other.
    let (read, failing) = {
        let (mut failing, mut read) = (
            pin!(fails(&session, &there)),
            pin!(outbox::read(&session, LANE, &[], 1)),
        );
        assert!(futures_util::poll!(failing.as_mut()).is_pending());
        assert!(futures_util::poll!(read.as_mut()).is_pending());
        tokio::join!(biased; read, failing)
    };
    assert!(matches!(failing, Err(StoreError::Conflict(_))), "{failing:?}");
    assert_eq!(read.err(), failing.err());
    session.rollback().await;
}

#[tokio::test]
async fn a_failure_nobody_looked_at_is_found_at_commit() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let session = database.transaction().await;
    outbox::add(&session, &row("lost")).await.expect("a row");
    let _swallowed = fails(&session, &there).await;
    let failure = session.commit().await.expect_err("there is nothing to commit");
    assert!(matches!(failure, StoreError::Conflict(_)), "{failure:?}");
    session.rollback().await;
    assert_eq!(database.number("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn nothing_is_committed_when_a_write_could_not_even_be_sent() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let writes = async {
        let row = row("lost");
        try_join!(biased; outbox::add(&session, &row), async { Err::<(), _>(StoreError::Rejected("unsendable".into())) })
    };
    let failure = session
        .commit_after(writes)
        .await
        .expect_err("the second write's");
    assert_eq!(failure, StoreError::Rejected("unsendable".into()));
    session.rollback().await;
    assert_eq!(database.number("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn a_connection_that_breaks_behind_commit_leaves_the_outcome_unknown() {
    let database = Database::migrated().await;
    let wire = Wire::over(&database.url).await;
    let session = store(&wire.url, Duration::from_secs(10))
        .session()
        .await
        .expect("a session");
    session.begin().await.expect("a transaction");
    wire.keep_answers();
    let row = row("kept all the same");
    let committed = async {
        let failure = session
            .commit_after(outbox::add(&session, &row))
            .await
            .expect_err("no answer came");
        assert!(matches!(failure, StoreError::Unknown(_)), "{failure:?}");
    };
    let cut = async {
        until("the commit", async || {
            (database.number("select count(*) from outbox").await == 1).then_some(())
        })
        .await;
        wire.cut();
    };
    within("the end of the connection", async {
        tokio::join!(committed, cut)
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_commit_leaves_nothing_and_can_be_tried_again() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    outbox::add(&session, &row("lost")).await.expect("a row");
    database
        .run(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name = 'switchboard test'",
        )
        .await;
    let failure = outbox::add(&session, &row("lost too"))
        .await
        .expect_err("the connection is gone");
    assert!(failure.is_transient(), "{failure:?}");
    session.rollback().await;
    assert_eq!(database.number("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn a_session_dropped_inside_a_transaction_is_not_lent_again_and_its_locks_are_free() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let (store, ids) = (database.store(), [(acme(), there.id)]);
    let session = store.session().await.expect("a session");
    session.begin().await.expect("a transaction");
    assert_eq!(
        conversations::lock(&session, &ids).await.expect("a lock").len(),
        1
    );
    outbox::add(&session, &row("lost")).await.expect("a row");
    drop(session);
    let next = store.session().await.expect("a session");
    next.begin().await.expect("a transaction");
    assert_eq!(
        conversations::lock(&next, &ids)
            .await
            .expect("the lock is free")
            .len(),
        1
    );
    next.commit().await.expect("a commit");
    assert_eq!(database.number("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn a_session_dropped_while_its_statement_waits_is_ended_by_the_server() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let ids = [(acme(), there.id)];
    let holder = database.transaction().await;
    conversations::lock(&holder, &ids).await.expect("a lock");
    let waiter = database.transaction().await;
    {
        let mut waits = pin!(conversations::lock(&waiter, &ids));
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        database.until_waiting(1).await;
    }
    drop(waiter);
    let sql = "select count(*) from pg_stat_activity
      where datname = current_database() and application_name = 'switchboard test'";
    until("one connection is left", async || {
        (database.number(sql).await == 1).then_some(())
    })
    .await;
    holder.commit().await.expect("a commit");
}

#[tokio::test]
async fn a_session_that_ended_its_transaction_is_lent_again() {
    let database = Database::migrated().await;
    let store = database.store();
    for _ in 0..5 {
        let session = store.session().await.expect("a session");
        session.begin().await.expect("a transaction");
        session.commit().await.expect("a commit");
        drop(session);
        let session = store.session().await.expect("a session");
        session.begin().await.expect("a transaction");
        session.rollback().await;
    }
    let sql = "select count(*) from pg_stat_activity
      where datname = current_database() and application_name = 'switchboard test'";
    assert_eq!(database.number(sql).await, 1);
}

#[tokio::test]
async fn failures_name_no_values_of_rows() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let session = database.transaction().await;
    let failure = fails(&session, &there)
        .await
        .expect_err("a duplicate key")
        .to_string();
    assert!(failure.contains("conversation_pkey"), "{failure}");
    assert!(
        !failure.contains(&there.id.to_string()) && !failure.contains("acme"),
        "{failure}"
    );
    session.rollback().await;
}

#[tokio::test]
async fn a_lock_that_is_held_for_too_long_can_be_tried_again() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let ids = [(acme(), there.id)];
    let holder = database.transaction().await;
    conversations::lock(&holder, &ids).await.expect("a lock");
    let hasty = store(&database.url, Duration::from_secs(1))
        .session()
        .await
        .expect("a session");
    hasty.begin().await.expect("a transaction");
    let failure = within("the lock's time", conversations::lock(&hasty, &ids))
        .await
        .expect_err("it is held");
    assert!(matches!(failure, StoreError::Transient(_)), "{failure:?}");
    hasty.rollback().await;
    holder.commit().await.expect("a commit");
}

#[tokio::test]
async fn two_transactions_in_a_deadlock_are_told_apart_from_bad_data() {
    let database = Database::migrated().await;
    let there: Vec<_> = (0..2).map(|_| conversation(Owner::Nobody)).collect();
    keep(database.transaction().await, &acme(), &there).await;
    let ids: Vec<[(_, ConversationId); 1]> = there.iter().map(|one| [(acme(), one.id)]).collect();
    let (one, other) = (database.transaction().await, database.transaction().await);
    conversations::lock(&one, &ids[0]).await.expect("a lock");
    conversations::lock(&other, &ids[1]).await.expect("a lock");
    let (first, second) = within("the deadlock", async {
        tokio::join!(conversations::lock(&one, &ids[1]), async {
            let locked = conversations::lock(&other, &ids[0]).await;
            other.rollback().await;
            locked
        })
    })
    .await;
    // One of them gives way, and the server chooses which.
    let failure = first.err().or(second.err()).expect("one has to give way");
    assert!(matches!(failure, StoreError::Transient(_)), "{failure:?}");
    one.rollback().await;
}

#[tokio::test]
async fn a_timer_given_twice_in_one_batch_is_no_failure() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let timer = NewTimer {
        tenant: acme(),
        kind: TimerKind::Stranded,
        subject: Uuid::now_v7().to_string(),
        lane: LANE,
        due: None,
    };
    session
        .commit_after(timers::set(&session, &[timer.clone(), timer]))
        .await
        .expect("one timer");
    assert_eq!(database.number("select count(*) from timer").await, 1);
}
