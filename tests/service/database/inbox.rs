//! Keys are claimed once, wherever they are looked for, and the days that hold them come and go.

use jiff::{SignedDuration, Timestamp};
use switchboard::store::inbox::{self, Claim};
use switchboard::store::{Session, StoreError};
use uuid::Uuid;

use super::build::{acme, tenant};
use crate::support::database::Database;
use crate::support::wait::within;

async fn claim(session: &Session, key: Uuid, own_time: Option<Timestamp>) -> Vec<Uuid> {
    let tenant = acme();
    inbox::claim(
        session,
        &[Claim {
            tenant: &tenant,
            key,
            own_time,
        }],
    )
    .await
    .expect("a claim")
}

async fn now(database: &Database) -> Timestamp {
    database
        .client()
        .await
        .query_one("select clock_timestamp()", &[])
        .await
        .expect("a time")
        .get(0)
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn a_key_is_new_once_however_old_its_message_is() {
    let database = Database::migrated().await;
    let now = now(&database).await;
    let own_times = [
        None,
        Some(now),
        Some(now - hours(8 * 24)),
        Some(now + hours(23)),
        Some(now + hours(30 * 24)),
    ];
    for own_time in own_times {
        let key = Uuid::now_v7();
        let session = database.transaction().await;
        assert_eq!(claim(&session, key, own_time).await, [key], "{own_time:?}");
        session.commit().await.expect("a commit");
        let session = database.transaction().await;
        assert!(claim(&session, key, own_time).await.is_empty(), "{own_time:?}");
        session.rollback().await;
    }
}

#[tokio::test]
async fn messages_lie_in_the_bucket_of_their_own_day_and_the_rest_among_the_timeless() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let now = now(&database).await;
    claim(&session, Uuid::now_v7(), Some(now - hours(3 * 24))).await;
    claim(&session, Uuid::now_v7(), None).await;
    claim(&session, Uuid::now_v7(), Some(now + hours(13 * 24))).await;
    session.commit().await.expect("a commit");
    let three_days_old =
        "select count(*) from inbox where day = (clock_timestamp() at time zone 'UTC')::date - 3";
    assert_eq!(database.number(three_days_old).await, 1);
    assert_eq!(database.number("select count(*) from inbox").await, 1);
    assert_eq!(database.number("select count(*) from inbox_timeless").await, 2);
}

#[tokio::test]
async fn a_message_ahead_of_its_time_is_still_known_when_its_day_comes_into_reach() {
    let database = Database::migrated().await;
    let own_time = now(&database).await + hours(11 * 24);
    // Eight days, in which a gateway may redeliver it, from when it was out of reach.
    for days_later in [0, 2, 5, 8] {
        let key = Uuid::now_v7();
        let session = database.transaction().await;
        assert_eq!(claim(&session, key, Some(own_time)).await, [key]);
        session.commit().await.expect("a commit");
        let session = database.transaction().await;
        let then = own_time - hours(days_later * 24);
        assert!(
            claim(&session, key, Some(then)).await.is_empty(),
            "{days_later} days later"
        );
        session.rollback().await;
    }
}

#[tokio::test]
async fn a_key_twice_in_one_batch_is_new_once_and_each_tenant_has_its_own() {
    let database = Database::migrated().await;
    let (acme, other, key) = (acme(), tenant("other"), Uuid::now_v7());
    let own_time = Some(now(&database).await);
    let claims = [
        Claim {
            tenant: &acme,
            key,
            own_time,
        },
        Claim {
            tenant: &acme,
            key,
            own_time,
        },
        Claim {
            tenant: &other,
            key,
            own_time,
        },
    ];
    let session = database.transaction().await;
    assert_eq!(
        inbox::claim(&session, &claims).await.expect("a claim"),
        [key, key]
    );
    session.commit().await.expect("a commit");
    assert_eq!(
        database.texts("select tenant from inbox order by 1").await,
        ["acme", "other"]
    );
}

#[tokio::test]
async fn a_key_in_another_batch_is_waited_for_and_free_again_if_that_is_given_up() {
    let database = Database::migrated().await;
    for given_up in [false, true] {
        let (key, own_time) = (Uuid::now_v7(), Some(now(&database).await));
        let (first, second) = (database.transaction().await, database.transaction().await);
        assert_eq!(claim(&first, key, own_time).await, [key]);
        let ends = async {
            database.until_waiting(1).await;
            if given_up {
                first.rollback().await
            } else {
                first.commit().await.expect("a commit")
            }
        };
        let (claimed, ()) = within("the claim", async {
            tokio::join!(claim(&second, key, own_time), ends)
        })
        .await;
        assert_eq!(claimed.is_empty(), !given_up);
        second.rollback().await;
    }
}

#[tokio::test]
async fn batches_that_claim_the_same_keys_in_any_order_do_not_lock_each_other_up() {
    let database = Database::migrated().await;
    let (tenant, own_time) = (acme(), Some(now(&database).await));
    let keys: Vec<Uuid> = (0..200).map(|_| Uuid::new_v4()).collect();
    let batch = async |backwards: bool| {
        let mut claims: Vec<_> = keys
            .iter()
            .map(|key| Claim {
                tenant: &tenant,
                key: *key,
                own_time,
            })
            .collect();
        if backwards {
            claims.reverse();
        }
        let session = database.transaction().await;
        let fresh = session
            .commit_after(inbox::claim(&session, &claims))
            .await
            .expect("no deadlock");
        fresh.len()
    };
    let fresh = tokio::join!(batch(false), batch(true), batch(false), batch(true));
    assert_eq!(fresh.0 + fresh.1 + fresh.2 + fresh.3, keys.len());
}

const BUCKETS: &str = "select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'inbox'::regclass order by 1";
const TABLES: &str =
    r"select relname::text from pg_class where relkind = 'r' and relname ~ '^inbox_\d' order by 1";
const WANTED: &str = "select to_char((clock_timestamp() at time zone 'UTC')::date + d, '\"inbox_\"YYYYMMDD')
  from generate_series(-9, 12) d order by 1";

#[tokio::test]
async fn there_is_a_bucket_for_every_day_from_nine_ago_to_twelve_ahead() {
    let database = Database::migrated().await;
    let wanted = database.texts(WANTED).await;
    assert_eq!(database.texts(BUCKETS).await, wanted);
    database
        .run(&format!("drop table {}, {}", wanted[2], wanted[20]))
        .await;
    inbox::make_buckets(&database.store()).await.expect("buckets");
    assert_eq!(database.texts(BUCKETS).await, wanted);
}

#[tokio::test]
async fn days_past_are_dropped_also_where_that_was_cut_short_before() {
    let database = Database::migrated().await;
    let wanted = database.texts(WANTED).await;
    for day in ["2020-01-01", "2020-01-03"] {
        let name = day.replace('-', "");
        let next = format!("date '{day}' + 1");
        let sql = format!(
            "create table inbox_{name} (like inbox including indexes);
             do $$ begin execute format(
               'alter table inbox attach partition inbox_{name} for values from (%L) to (%L)', '{day}', {next});
             end $$"
        );
        database.run(&sql).await;
    }
    // Detached, and not dropped any more.
    database
        .run("create table inbox_20200102 (like inbox including indexes)")
        .await;
    // Half detached: it waits for an older reader, and is called off.
    let reader = database.client().await;
    reader
        .batch_execute("begin; select count(*) from inbox")
        .await
        .expect("a reader");
    let detaching = database.client().await;
    let canceller = detaching.cancel_token();
    let detach = detaching.batch_execute("alter table inbox detach partition inbox_20200103 concurrently");
    let call_off = async {
        database.until_waiting(1).await;
        canceller
            .cancel_query(tokio_postgres::NoTls)
            .await
            .expect("called off");
    };
    let (detached, ()) = within("the detach", async { tokio::join!(detach, call_off) }).await;
    assert!(detached.is_err());
    reader.batch_execute("commit").await.expect("the reader ends");
    assert_eq!(
        database
            .number("select count(*) from pg_inherits where inhdetachpending")
            .await,
        1
    );

    inbox::forget_past(&database.store())
        .await
        .expect("the past is forgotten");
    assert_eq!(database.texts(BUCKETS).await, wanted);
    assert_eq!(database.texts(TABLES).await, wanted);
}

#[tokio::test]
async fn timeless_keys_are_forgotten_after_nine_days() {
    let database = Database::migrated().await;
    database
        .run(
            "insert into inbox_timeless select 'acme', gen_random_uuid(), clock_timestamp() - d * interval '1 day'
             from generate_series(0, 19) d",
        )
        .await;
    inbox::forget_past(&database.store())
        .await
        .expect("the past is forgotten");
    let kept = "select (extract(epoch from clock_timestamp() - min(received_at)) / 86400)::bigint from inbox_timeless";
    assert_eq!(database.number(kept).await, 8);
    assert_eq!(database.number("select count(*) from inbox_timeless").await, 9);
}

#[tokio::test]
async fn several_workers_may_look_after_the_buckets_at_once() {
    let database = Database::migrated().await;
    let wanted = database.texts(WANTED).await;
    database.run(&format!("drop table {}", wanted.join(", "))).await;
    let store = database.store();
    let work = async || {
        inbox::make_buckets(&store).await.expect("buckets");
        inbox::forget_past(&store).await.expect("the past is forgotten");
    };
    tokio::join!(work(), work(), work(), work());
    assert_eq!(database.texts(BUCKETS).await, wanted);
}

#[tokio::test]
async fn a_day_without_a_bucket_is_not_blamed_on_the_message() {
    let database = Database::migrated().await;
    let wanted = database.texts(WANTED).await;
    database.run(&format!("drop table {}", wanted.join(", "))).await;
    let session = database.transaction().await;
    let tenant = acme();
    let claims = [Claim {
        tenant: &tenant,
        key: Uuid::now_v7(),
        own_time: Some(now(&database).await),
    }];
    let failure = inbox::claim(&session, &claims)
        .await
        .expect_err("there is no bucket");
    assert!(matches!(failure, StoreError::Transient(_)), "{failure:?}");
    session.rollback().await;
}
