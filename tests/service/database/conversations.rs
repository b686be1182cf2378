//! Conversations come back as they were written, and locks mean what they should.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::any as anything;
use proptest::test_runner::{Config, TestRunner};
use switchboard::domain::conversation::{Clock, Contact, Owner};
use switchboard::domain::ids::{ConversationId, PolicyId, Tenant};
use switchboard::store::conversations::{self, Loaded, Saved};
use switchboard::store::{Session, aliases};
use uuid::Uuid;

use super::any::{tenant, then_and_now};
use super::build::{acme, agent_id, conversation, keep, keep_one, second, team_id, waiting};
use crate::support::database::Database;
use crate::support::wait::within;

async fn load(session: &Session, tenant: &Tenant, id: ConversationId) -> Option<Loaded> {
    let ids = [(tenant.clone(), id)];
    conversations::lock(session, &ids)
        .await
        .expect("a lock")
        .into_iter()
        .next()
}

#[test]
fn any_conversation_comes_back_as_it_was_written_and_as_it_was_saved() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let database = runtime.block_on(Database::migrated());
    let store = database.store();
    let mut runner = TestRunner::new(Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    });
    let batches = vec((tenant(), then_and_now(), anything::<bool>()), 1..12);
    let outcome = runner.run(&batches, |batch| {
        runtime.block_on(async {
            let session = store.session().await.expect("a session");
            session.begin().await.expect("a transaction");
            let saved = |now: bool| -> Vec<Saved<'_>> {
                let one = batch.iter().map(|(tenant, (before, after), marked)| Saved {
                    tenant,
                    conversation: if now { after } else { before },
                    marked: *marked ^ now,
                    alarm: now.then_some(after.last_activity),
                });
                one.collect()
            };
            conversations::insert(&session, &saved(false))
                .await
                .expect("inserted");
            assert_kept(&session, &saved(false)).await;
            conversations::save(&session, &saved(true)).await.expect("saved");
            assert_kept(&session, &saved(true)).await;
            session.rollback().await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn assert_kept(session: &Session, written: &[Saved<'_>]) {
    let ids: Vec<_> = written
        .iter()
        .map(|one| (one.tenant.clone(), one.conversation.id))
        .collect();
    let mut read = conversations::lock(session, &ids).await.expect("a lock");
    let mut written: Vec<Loaded> = written
        .iter()
        .map(|one| Loaded {
            tenant: one.tenant.clone(),
            conversation: one.conversation.clone(),
            marked: one.marked,
            alarm: one.alarm,
        })
        .collect();
    let key = |loaded: &Loaded| (loaded.tenant.clone(), loaded.conversation.id);
    read.sort_by_key(key);
    written.sort_by_key(key);
    assert_eq!(read, written);
}

#[tokio::test]
async fn a_touch_writes_what_a_message_changes_and_no_index() {
    let database = Database::migrated().await;
    let before = conversation(Owner::Agent(agent_id("martha")));
    let mut after = before.clone();
    after.sequence += 1;
    after.standby = !before.standby;
    after.waiting_since = Some(second(70));
    after.window_expires_at = Some(second(90_000));
    after.last_activity = second(71);
    after.unechoed = vec![second(70), second(71)];
    after.replied_at = Some(second(71));
    after.respond_clock = Clock::Running {
        policy: PolicyId::new("standard").expect("an id"),
        since: second(70),
        warn: Some(second(72)),
        due: second(73),
    };
    let store = database.store();
    let session = store.session().await.expect("a session");
    session.begin().await.expect("a transaction");
    keep(session, &acme(), std::slice::from_ref(&before)).await;
    let session = store.session().await.expect("a session");
    session.begin().await.expect("a transaction");
    let tenant = acme();
    let touched = Saved {
        tenant: &tenant,
        conversation: &after,
        marked: false,
        alarm: Some(second(80)),
    };
    session
        .commit_after(conversations::touch(&session, &[touched]))
        .await
        .expect("a commit");
    session.begin().await.expect("a transaction");
    assert_eq!(
        load(&session, &tenant, before.id)
            .await
            .expect("it is there")
            .conversation,
        after
    );
    session.commit().await.expect("a commit");
    drop((session, store));
    assert_hot(&database, 1, 1).await;
}

#[tokio::test]
async fn a_full_save_is_as_cheap_where_no_index_is_concerned() {
    let database = Database::migrated().await;
    let owned = conversation(Owner::Agent(agent_id("martha")));
    keep_one(&database, &owned).await;
    let store = database.store();
    let tenant = acme();
    let mut next = owned.clone();
    next.sequence += 1;
    next.contact = Arc::new(Contact {
        name: "Ana".into(),
        ..Contact::default()
    });
    let mut given_back = next.clone();
    given_back.owner = Owner::Team(team_id("support"));
    for conversation in [&next, &given_back] {
        let session = store.session().await.expect("a session");
        session.begin().await.expect("a transaction");
        let saved = [Saved {
            tenant: &tenant,
            conversation,
            marked: false,
            alarm: None,
        }];
        session
            .commit_after(conversations::save(&session, &saved))
            .await
            .expect("a commit");
    }
    drop(store);
    // The second one moved it from one index to another.
    assert_hot(&database, 2, 1).await;
}

/// What the statistics say once the connections that wrote have ended, and reported.
async fn assert_hot(database: &Database, updates: i64, hot: i64) {
    let seen = "select n_tup_upd from pg_stat_user_tables where relname = 'conversation'";
    crate::support::wait::until("the statistics", async || {
        (database.number(seen).await == updates).then_some(())
    })
    .await;
    let sql = "select n_tup_hot_upd from pg_stat_user_tables where relname = 'conversation'";
    assert_eq!(database.number(sql).await, hot);
}

#[tokio::test]
async fn a_lock_waits_and_then_sees_what_it_waited_for() {
    let database = Database::migrated().await;
    let (tenant, before) = (acme(), waiting("support", 0));
    keep(
        database.transaction().await,
        &tenant,
        std::slice::from_ref(&before),
    )
    .await;
    let (first, second) = (database.transaction().await, database.transaction().await);
    load(&first, &tenant, before.id).await.expect("it is there");
    let mut after = before.clone();
    after.owner = Owner::Agent(agent_id("martha"));
    after.epoch += 1;
    let writes = async {
        database.until_waiting(1).await;
        let saved = [Saved {
            tenant: &tenant,
            conversation: &after,
            marked: true,
            alarm: None,
        }];
        first
            .commit_after(conversations::save(&first, &saved))
            .await
            .expect("a commit");
    };
    let (loaded, ()) = within("the lock", async {
        tokio::join!(load(&second, &tenant, before.id), writes)
    })
    .await;
    let loaded = loaded.expect("it is there");
    assert_eq!(loaded.conversation, after);
    assert!(loaded.marked);
    second.commit().await.expect("a commit");
}

#[tokio::test]
async fn batches_that_lock_the_same_conversations_in_any_order_do_not_lock_each_other_up() {
    let database = Database::migrated().await;
    let tenant = acme();
    let all: Vec<_> = (0..100).map(|_| conversation(Owner::Nobody)).collect();
    keep(database.transaction().await, &tenant, &all).await;
    let batch = async |backwards: bool| {
        let mut ids: Vec<_> = all.iter().map(|one| (tenant.clone(), one.id)).collect();
        if backwards {
            ids.reverse();
        }
        let session = database.transaction().await;
        let locked = conversations::lock(&session, &ids)
            .await
            .expect("no deadlock")
            .len();
        session.commit().await.expect("a commit");
        locked
    };
    let locked = tokio::join!(batch(false), batch(true), batch(false), batch(true));
    assert_eq!(locked, (100, 100, 100, 100));
}

#[tokio::test]
async fn conversations_without_a_row_and_those_of_other_tenants_are_not_found() {
    let database = Database::migrated().await;
    let there = conversation(Owner::Nobody);
    keep_one(&database, &there).await;
    let session = database.transaction().await;
    let other = super::build::tenant("other");
    assert_eq!(load(&session, &other, there.id).await, None);
    assert_eq!(
        load(&session, &acme(), ConversationId(Uuid::now_v7())).await,
        None
    );
    let keys = conversations::partition_keys(&session, &[(acme(), there.id), (other, there.id)]).await;
    assert_eq!(keys, Ok(vec![(there.id, there.partition_key.to_string())]));
    session.rollback().await;
}

#[tokio::test]
async fn an_alias_belongs_to_who_was_first() {
    let database = Database::migrated().await;
    let (tenant, key, other_key) = (acme(), Uuid::now_v7(), Uuid::now_v7());
    let (one, other) = (ConversationId(Uuid::now_v7()), ConversationId(Uuid::now_v7()));
    let (first, second) = (database.transaction().await, database.transaction().await);
    let ours = [(tenant.clone(), key, one)];
    assert_eq!(aliases::add(&first, &ours).await, Ok(1));
    let commits = async {
        database.until_waiting(1).await;
        first.commit().await.expect("a commit");
    };
    let theirs = [(tenant.clone(), key, other), (tenant.clone(), other_key, other)];
    let (added, ()) = within("the alias", async {
        tokio::join!(aliases::add(&second, &theirs), commits)
    })
    .await;
    assert_eq!(added, Ok(1), "one of the two was somebody else's by then");
    let mut found = aliases::find(&second, &[(tenant.clone(), key), (tenant.clone(), other_key)])
        .await
        .expect("found");
    found.sort();
    assert_eq!(found, [(tenant.clone(), key, one), (tenant, other_key, other)]);
    second.rollback().await;
}
