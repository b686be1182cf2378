//! The schema: brought up to date, looked at, printed. The migrations are in `schemas/postgres`.

use refinery::embed_migrations;

use super::{Store, StoreError};

mod embedded {
    super::embed_migrations!("schemas/postgres");
}

/// Two runs at once wait for each other on this number, which nobody else locks on.
const LOCK: i64 = 4_923_811;

/// A migration, and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Applies what is missing; says what it applied.
pub async fn up(store: &Store) -> Result<Vec<Migration>, StoreError> {
    let mut client = store.lone_client().await?;
    // Migrations may take long: the bounds are for batches.
    client
        .batch_execute(
            "set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0",
        )
        .await?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let report = embedded::migrations::runner()
        .run_async(&mut client)
        .await
        .map_err(failed)?;
    let applied = report.applied_migrations().iter();
    Ok(applied
        .map(|m| Migration {
            version: m.version(),
            name: m.name().into(),
            applied: true,
        })
        .collect())
}

/// With its innermost cause: what the server said.
fn failed(error: refinery::Error) -> StoreError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    StoreError::Setup(format!("the migration failed: {text}"))
}

/// Every migration this version knows, and whether the database has it.
pub async fn status(store: &Store) -> Result<Vec<Migration>, StoreError> {
    let session = store.lone_client().await?;
    let applied = applied(&session).await?;
    let known = embedded::migrations::runner();
    let known = known.get_migrations().iter();
    let row = |m: &refinery::Migration| Migration {
        version: m.version(),
        name: m.name().into(),
        applied: applied.contains(&m.version()),
    };
    Ok(known.map(row).collect())
}

/// The SQL of every migration, for other tools.
pub fn sql() -> String {
    let runner = embedded::migrations::runner();
    let parts = runner.get_migrations().iter();
    parts
        .map(|m| format!("-- {m}\n{}\n", m.sql().unwrap_or_default()))
        .collect()
}

/// Whether the database has exactly the migrations this version knows; if not, the error says what to do.
pub async fn check(store: &Store) -> Result<(), StoreError> {
    let client = store.lone_client().await?;
    let applied = applied(&client).await?.into_iter().max().unwrap_or(0);
    let known = embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(|m| m.version())
        .max()
        .unwrap_or(0);
    match applied.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(StoreError::Setup(format!(
            "the schema is at migration {applied}, this version needs {known}: run `switchboard migrate up`"
        ))),
        std::cmp::Ordering::Greater => Err(StoreError::Setup(format!(
            "the schema is at migration {applied}, this version knows only {known}: use a newer version of switchboard"
        ))),
    }
}

async fn applied(client: &tokio_postgres::Client) -> Result<Vec<i32>, StoreError> {
    let there = client
        .query_one("select to_regclass('refinery_schema_history') is not null", &[])
        .await?;
    if !there.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = client
        .query("select version from refinery_schema_history", &[])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
