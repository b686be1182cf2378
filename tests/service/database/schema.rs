//! The schema is brought up to date once, and what is wrong with it, or with the URL, is a sentence.

use std::time::Duration;

use secrecy::SecretString;
use switchboard::store::{Store, StoreError, StoreSettings, migrate};

use crate::support::database::{Database, LEASE, store, with_database};

fn sentence<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Setup(sentence)) => sentence,
        other => panic!("not a matter of setting up: {other:?}"),
    }
}

#[tokio::test]
async fn migrations_are_applied_once_and_their_state_is_told() {
    let database = Database::empty().await;
    let store = database.store();
    let before = migrate::status(&store).await.expect("a status");
    assert!(!before.is_empty() && before.iter().all(|migration| !migration.applied));
    let applied = migrate::up(&store).await.expect("applied");
    assert_eq!(applied.len(), before.len());
    assert_eq!(migrate::up(&store).await, Ok(vec![]));
    assert_eq!(migrate::status(&store).await, Ok(applied));
    assert_eq!(migrate::check(&store).await, Ok(()));
    for migration in before {
        assert!(
            migrate::sql().contains(&migration.name),
            "{migration:?} is printed too"
        );
    }
}

#[tokio::test]
async fn two_that_migrate_at_once_wait_for_each_other() {
    let database = Database::empty().await;
    let store = database.store();
    let (one, other) = tokio::join!(migrate::up(&store), migrate::up(&store));
    let mut applied = [one.expect("applied").len(), other.expect("applied").len()];
    applied.sort();
    assert_eq!(
        applied,
        [0, migrate::status(&store).await.expect("a status").len()]
    );
}

#[tokio::test]
async fn a_missing_or_newer_migration_says_what_to_do() {
    let database = Database::empty().await;
    let store = database.store();
    let missing = sentence(migrate::check(&store).await);
    assert!(missing.ends_with("run `switchboard migrate up`"), "{missing}");
    migrate::up(&store).await.expect("applied");
    database
        .run("insert into refinery_schema_history select 999, 'later', applied_on, checksum from refinery_schema_history limit 1")
        .await;
    let newer = sentence(migrate::check(&store).await);
    assert!(
        newer.contains("999") && newer.ends_with("use a newer version of switchboard"),
        "{newer}"
    );
}

#[tokio::test]
async fn a_session_on_an_empty_database_asks_for_the_migration() {
    let database = Database::empty().await;
    let missing = sentence(database.store().session().await);
    assert!(missing.contains("run `switchboard migrate up`"), "{missing}");
}

#[tokio::test]
async fn a_database_or_a_user_that_is_not_there_is_named_and_no_password_is() {
    let database = Database::empty().await;
    let nowhere = with_database(&database.url, "sb_test_nowhere");
    for attempt in [
        store(&nowhere, LEASE).session().await.err(),
        store(&nowhere, LEASE).lone_client().await.err(),
    ] {
        let told = sentence(attempt.map_or(Ok(()), Err));
        assert!(
            told.contains("sb_test_nowhere") && told.contains("check DATABASE_URL"),
            "{told}"
        );
    }
    let (scheme, rest) = database.url.split_once("://").expect("a URL");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let stranger = format!("{scheme}://sb_test_stranger:very-secret@{host}");
    let told = sentence(store(&stranger, LEASE).session().await);
    assert!(
        told.contains("sb_test_stranger") && !told.contains("very-secret"),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_no_url_is_not_repeated() {
    let url = SecretString::from("postgres://user:very-secret@[nonsense");
    let settings = StoreSettings {
        url,
        pool: 1,
        lease: LEASE,
        name: "test".into(),
    };
    assert!(!format!("{settings:?}").contains("very-secret"));
    let told = sentence(Store::new(&settings));
    assert!(
        told.contains("DATABASE_URL") && !told.contains("very-secret"),
        "{told}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_can_be_tried_again() {
    // A port that was free a moment ago, and that nobody listens on.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = listener.local_addr().expect("an address");
    drop(listener);
    let away = store(&format!("postgres://postgres@{place}/nothing"), LEASE);
    let failure = away.session().await.expect_err("nobody is there");
    assert!(matches!(failure, StoreError::Unreachable(_)), "{failure:?}");
    let failure = away.lone_client().await.expect_err("nobody is there");
    assert!(matches!(failure, StoreError::Unreachable(_)), "{failure:?}");
}

#[tokio::test]
async fn a_pool_whose_connections_are_all_lent_can_be_tried_again() {
    let database = Database::migrated().await;
    let store = database.store();
    let mut lent = Vec::new();
    for _ in 0..4 {
        lent.push(store.session().await.expect("a session"));
    }
    let failure = store.session().await.expect_err("all are lent");
    assert!(matches!(failure, StoreError::Transient(_)), "{failure:?}");
    drop(lent);
    store.session().await.expect("they are back");
}

#[tokio::test]
async fn nothing_a_session_does_outlives_half_a_lease() {
    let database = Database::empty().await;
    let client = store(&database.url, Duration::from_secs(4))
        .lone_client()
        .await
        .expect("a client");
    for setting in [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "tcp_user_timeout",
    ] {
        let sql = format!("select setting::bigint from pg_settings where name = '{setting}'");
        let milliseconds: i64 = client.query_one(&sql, &[]).await.expect("a setting").get(0);
        assert!((1..2_000).contains(&milliseconds), "{setting} is {milliseconds}");
    }
}
