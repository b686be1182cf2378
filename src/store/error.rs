//! What can go wrong with Postgres, sorted by what to do about it. Never carries a password or a row's values.

use std::io::{self, ErrorKind};

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::{DbError, SqlState};

/// A failure, sorted by what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No server there, or the connection broke: try again later.
    #[error("the database cannot be reached ({0})")]
    Unreachable(String),
    /// The server said to try again: deadlock, timeout, shutdown. Says nothing about the data.
    #[error("the database asked to try again ({0})")]
    Transient(String),
    /// Another transaction wrote the same key first: try again a few times before blaming the data.
    #[error("another transaction was first ({0})")]
    Conflict(String),
    /// COMMIT was sent and its answer never came: it may have happened.
    #[error("the outcome of a commit is unknown ({0})")]
    Unknown(String),
    /// A statement failed on what it was given.
    #[error("the database refused a statement ({0})")]
    Rejected(String),
    /// A person must fix it: the text says what.
    #[error("{0}")]
    Setup(String),
}

impl StoreError {
    /// Whether trying again later can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Unreachable(_) | StoreError::Transient(_))
    }

    /// The error of a write when COMMIT had been sent behind it. The server's answer to the write is certain, and then
    /// COMMIT did nothing; without an answer COMMIT may have happened.
    pub(super) fn after_commit_was_sent(self) -> Self {
        match self {
            StoreError::Unreachable(text) => StoreError::Unknown(text),
            certain => certain,
        }
    }

    /// The error of COMMIT itself: only what speaks of the transaction's content is certain to mean that it failed.
    pub(super) fn of_commit(self) -> Self {
        match self {
            StoreError::Unreachable(text) => StoreError::Unknown(text),
            StoreError::Transient(text) if !text.starts_with(CLASS_ROLLED_BACK) => StoreError::Unknown(text),
            certain => certain,
        }
    }
}

/// SQLSTATE class: the transaction was rolled back.
const CLASS_ROLLED_BACK: &str = "40";

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(answer) => answered(answer),
            None => unanswered(&error),
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => {
                StoreError::Transient("all connections are busy".into())
            }
            other => StoreError::Unreachable(other.to_string()),
        }
    }
}

/// The server said why.
fn answered(answer: &DbError) -> StoreError {
    let code = answer.code();
    // The message names columns and constraints; the detail quotes values and stays out.
    let text = format!("{}: {}", code.code(), answer.message());
    match code.code().get(..2).unwrap_or_default() {
        // Authentication, unknown database, missing right.
        "28" | "3D" => StoreError::Setup(format!("{}: check DATABASE_URL", answer.message())),
        _ if *code == SqlState::PROTOCOL_VIOLATION => StoreError::Setup(format!(
            "{}: DATABASE_URL has to lead to Postgres itself, not to a pooler",
            answer.message()
        )),
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Setup(format!(
            "{}: grant it to the user of DATABASE_URL",
            answer.message()
        )),
        // Tables, columns and types are not as this version knows them. Says nothing about the data, which must not be
        // blamed; waiting does not help either.
        "42" | "3F" => StoreError::Setup(format!(
            "the schema is missing or does not fit this version ({}): run `switchboard migrate up`",
            answer.message()
        )),
        "0A" => StoreError::Setup(format!(
            "the schema changed under a running process ({text}): restart it"
        )),
        _ if *code == SqlState::UNIQUE_VIOLATION => StoreError::Conflict(text),
        _ if lacks_bucket(answer) => StoreError::Transient("the inbox has no bucket for the day".into()),
        // Rolled back, out of resources, lock not available, operator's intervention, system error, connection, server
        // not writable, snapshot too old.
        CLASS_ROLLED_BACK | "53" | "55" | "57" | "58" | "08" | "25" | "72" => StoreError::Transient(text),
        _ => StoreError::Rejected(text),
    }
}

/// A row that no partition takes: the buckets of the inbox are made ahead, and it is nobody's message's fault if they
/// were not. Unlike a violated check it names no constraint.
fn lacks_bucket(answer: &DbError) -> bool {
    *answer.code() == SqlState::CHECK_VIOLATION && answer.constraint().is_none()
}

/// No answer from a server: it is away, it is not what was expected, or what was sent or came back could not be written
/// or read. The driver tells these apart only in words.
fn unanswered(error: &tokio_postgres::Error) -> StoreError {
    let what = error.to_string();
    let mut text = what.clone();
    let mut cut_off = false;
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = cause.to_string();
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        cut_off |= matches!(
            io,
            Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
        );
        source = cause.source();
    }
    let begins = |with: &[&str]| with.iter().any(|word| what.starts_with(word));
    if begins(&[
        "error serializing",
        "error deserializing",
        "error encoding",
        "invalid column",
        "expected ",
    ]) {
        StoreError::Rejected(format!("{what}: {text}"))
    } else if begins(&[
        "invalid configuration",
        "invalid connection string",
        "authentication error",
    ]) {
        StoreError::Setup(format!("{text}: check DATABASE_URL"))
    } else if begins(&["error performing TLS handshake"]) && !cut_off {
        StoreError::Setup(format!(
            "no TLS with the database ({text}): check sslmode in DATABASE_URL"
        ))
    } else {
        StoreError::Unreachable(text)
    }
}
