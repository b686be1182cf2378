//! A database for one test: made from `DATABASE_URL`, migrated, dropped at the end, also when the test fails.

use std::time::Duration;

use secrecy::SecretString;
use switchboard::store::{Session, Store, StoreSettings, inbox, migrate};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::environment;
use super::finally::finally;
use super::wait::until;

/// A lease of a test's store: the bounds that follow from it are longer than anything a passing test waits for.
pub const LEASE: Duration = Duration::from_secs(10);

pub struct Database {
    pub url: String,
    name: String,
}

impl Database {
    /// Empty: not even migrated.
    pub async fn empty() -> Self {
        let name = format!("sb_test_{}", Uuid::now_v7().simple());
        let server = connect(&server_url()).await;
        server
            .batch_execute(&format!("create database {name}"))
            .await
            .expect("a database can be made");
        Self {
            url: with_database(&server_url(), &name),
            name,
        }
    }

    /// Migrated, with the inbox's buckets.
    pub async fn migrated() -> Self {
        let database = Self::empty().await;
        let store = database.store();
        migrate::up(&store).await.expect("the migrations run");
        inbox::make_buckets(&store)
            .await
            .expect("the buckets can be made");
        database
    }

    pub fn store(&self) -> Store {
        store(&self.url, LEASE)
    }

    pub async fn session(&self) -> Session {
        self.store().session().await.expect("a session")
    }

    /// A session inside a transaction.
    pub async fn transaction(&self) -> Session {
        let session = self.session().await;
        session.begin().await.expect("a transaction");
        session
    }

    /// A plain connection, for arranging and looking.
    pub async fn client(&self) -> Client {
        connect(&self.url).await
    }

    /// Runs statements.
    pub async fn run(&self, sql: &str) {
        self.client()
            .await
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The one number that a query answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let row = self.client().await.query_one(sql, &[]).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// The texts that a query answers.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.client().await.query(sql, &[]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until this many of this database's connections wait for a lock.
    pub async fn until_waiting(&self, how_many: i64) {
        let client = self.client().await;
        let sql = "select count(*) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'";
        until("connections that wait for a lock", async || {
            let row = client.query_one(sql, &[]).await.expect("a count");
            (row.get::<_, i64>(0) >= how_many).then_some(())
        })
        .await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        finally("dropping a test's database", async {
            connect(&server_url()).await.batch_execute(&sql).await
        });
    }
}

/// A store with few connections at this URL.
pub fn store(url: &str, lease: Duration) -> Store {
    let settings = StoreSettings {
        url: SecretString::from(url),
        pool: 4,
        lease,
        name: "switchboard test".into(),
    };
    Store::new(&settings).expect("DATABASE_URL is a URL")
}

fn server_url() -> String {
    environment("DATABASE_URL")
}

/// The URL of another database of the same server.
pub fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url
        .split_once('?')
        .map_or((url, None), |(address, options)| (address, Some(options)));
    let (scheme, rest) = address
        .split_once("://")
        .expect("DATABASE_URL is a URL: postgresql://…");
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{scheme}://{host}/{name}{options}")
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("Postgres is there");
    tokio::spawn(connection);
    client
}
