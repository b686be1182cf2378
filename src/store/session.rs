//! A connection on loan, its prepared statements, and transactions that are sure of their end.

use std::future::{Future, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::{future, poll};
use tokio::sync::SetOnce;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::StoreError;

/// Every statement that batches pipeline, by the file that owns it.
const PIPELINED: &[&[&str]] = &[
    super::agents::STATEMENTS,
    super::aliases::STATEMENTS,
    super::bulk::STATEMENTS,
    super::conversations::STATEMENTS,
    super::inbox::STATEMENTS,
    super::lanes::STATEMENTS,
    super::leaving::STATEMENTS,
    super::matching::STATEMENTS,
    super::outbox::STATEMENTS,
    super::queue::STATEMENTS,
    super::records::STATEMENTS,
    super::timers::STATEMENTS,
];

/// What is prepared when a connection is made: only what is prepared already goes on the wire at the first poll.
pub(super) fn pipelined() -> impl Iterator<Item = &'static str> {
    PIPELINED.iter().copied().flatten().copied()
}

/// COMMIT answers ROLLBACK, and no error, in a transaction that has failed; a statement before it does not.
const COMMIT: &str = "select 1; commit";

/// How long a statement that failed only because an earlier one had waits to be told how that one failed. Its answer is
/// here already and its future is about to be polled, unless it was dropped.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// A connection on loan. If it is dropped inside a transaction it is closed, never lent again: a query may be in flight.
pub struct Session {
    /// `None` only while it is dropped.
    connection: Option<Object>,
    in_transaction: AtomicBool,
    /// What the transaction failed on. The statements behind it in the pipeline fail too, saying no more than that one
    /// has failed, and `try_join!` may look at any of them first.
    failure: SetOnce<StoreError>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("in_transaction", &self.in_transaction)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(connection: Object) -> Self {
        Self {
            connection: Some(connection),
            in_transaction: AtomicBool::new(false),
            failure: SetOnce::new(),
        }
    }

    /// Begins a transaction; may lead a pipeline. READ COMMITTED, so that a read after a wait sees what was waited for.
    pub async fn begin(&self) -> Result<(), StoreError> {
        // Before anything is sent: whatever becomes of this future, the connection is not lent again half-way.
        self.in_transaction.store(true, Ordering::Relaxed);
        let begun = self.connection().batch_execute("begin").await;
        self.seen(begun).await
    }

    /// Begins a transaction that looks at one moment and changes nothing, each statement no longer than this.
    pub(super) async fn begin_look(&self, timeout: &str) -> Result<(), StoreError> {
        self.in_transaction.store(true, Ordering::Relaxed);
        let sql = format!(
            "begin isolation level repeatable read read only; set local statement_timeout = '{timeout}'"
        );
        let begun = self.connection().batch_execute(&sql).await;
        self.seen(begun).await
    }

    /// Begins a transaction that only reads, and sees one moment throughout. `timeout` bounds each of its statements, which
    /// may look at whole tables and are planned as that is best done.
    pub(super) async fn begin_snapshot(&self, timeout: &str) -> Result<(), StoreError> {
        self.in_transaction.store(true, Ordering::Relaxed);
        let sql = format!(
            "begin isolation level repeatable read read only; set local statement_timeout = '{timeout}';
             set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on"
        );
        let begun = self.connection().batch_execute(&sql).await;
        self.seen(begun).await
    }

    /// Sends these writes and COMMIT in one go, and looks at every result: `Ok` means that all of it happened. `writes`
    /// is one pipeline (a `try_join!`): all its statements are on the wire once it has been polled.
    ///
    /// `Unknown`: COMMIT was sent and no answer came. Any other error: nothing happened, and `rollback` should follow.
    pub async fn commit_after<T>(
        &self,
        writes: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut writes = pin!(writes);
        let first = match poll!(writes.as_mut()) {
            // A write that could not even be sent: then COMMIT must not be.
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Ready(Ok(written)) => Some(written),
            Poll::Pending => None,
        };
        let rest = async {
            match first {
                Some(written) => Ok(written),
                None => writes.await,
            }
        };
        // COMMIT is polled first, so that it is on its way even if a write's failure is here already.
        let (committed, written) = future::join(self.connection().batch_execute(COMMIT), rest).await;
        let written = written.map_err(StoreError::after_commit_was_sent)?;
        match committed {
            Err(error) if is_consequence(&error) => self.seen(Err(error)).await?,
            certain => certain.map_err(|error| StoreError::from(error).of_commit())?,
        }
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(written)
    }

    /// Commits, with nothing more to write.
    pub async fn commit(&self) -> Result<(), StoreError> {
        self.commit_after(ready(Ok(()))).await
    }

    /// Gives the transaction up; if even that fails the connection is closed.
    pub async fn rollback(self) {
        if self.connection().batch_execute("rollback").await.is_ok() {
            self.in_transaction.store(false, Ordering::Relaxed);
        }
    }

    fn connection(&self) -> &Object {
        self.connection
            .as_ref()
            .expect("a session holds its connection until it is dropped")
    }

    /// What came of a statement: where it failed only because the transaction had, what that had failed on.
    async fn seen<T>(&self, result: Result<T, Error>) -> Result<T, StoreError> {
        let error = match result {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if is_consequence(&error) {
            if let Ok(failure) = timeout(TOLD_WITHIN, self.failure.wait()).await {
                return Err(failure.clone());
            }
            return Err(error.into());
        }
        let error = StoreError::from(error);
        if self.in_transaction.load(Ordering::Relaxed) {
            // Only the first one counts.
            let _ = self.failure.set(error.clone());
        }
        Err(error)
    }

    /// Runs a statement for its rows. One of `pipelined()` is on the wire once this has been polled.
    pub(super) async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        let client = self.connection();
        let result = async { client.query(&client.prepare_cached(sql).await?, parameters).await };
        self.seen(result.await).await
    }

    /// The same, for one row or none.
    pub(super) async fn query_opt(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, StoreError> {
        let client = self.connection();
        let result = async {
            client
                .query_opt(&client.prepare_cached(sql).await?, parameters)
                .await
        };
        self.seen(result.await).await
    }

    /// The same, for exactly one row.
    pub(super) async fn query_one(&self, sql: &str, parameters: Parameters<'_>) -> Result<Row, StoreError> {
        let client = self.connection();
        let result = async {
            client
                .query_one(&client.prepare_cached(sql).await?, parameters)
                .await
        };
        self.seen(result.await).await
    }

    /// The same, for the number of rows it wrote.
    pub(super) async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, StoreError> {
        let client = self.connection();
        let result = async {
            client
                .execute(&client.prepare_cached(sql).await?, parameters)
                .await
        };
        self.seen(result.await).await
    }
}

/// What a statement is given.
pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Whether a statement failed only because an earlier one of its transaction had.
fn is_consequence(error: &Error) -> bool {
    error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

impl Drop for Session {
    fn drop(&mut self) {
        let left_open = self.in_transaction.load(Ordering::Relaxed);
        if let Some(connection) = self.connection.take().filter(|_| left_open) {
            drop(Object::take(connection));
        }
    }
}
