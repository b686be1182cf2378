//! What can go wrong with Postgres, sorted by what to do about it. Never carries a password or a row's values.

use tokio_postgres::error::SqlState;

/// A failure, sorted by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No server there, or the connection broke: try again later.
    #[error("the database cannot be reached ({0})")]
    Unreachable(String),
    /// The server said to try again: deadlock, timeout, shutdown.
    #[error("the database asked to try again ({0})")]
    Transient(String),
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
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(answer) = error.as_db_error() else {
            return without_answer(&error);
        };
        // The message names columns and constraints; the detail quotes values and stays out.
        let text = format!("{}: {}", answer.code().code(), answer.message());
        match answer.code() {
            code if needs_a_person(code) => {
                StoreError::Setup(format!("{}: check DATABASE_URL", answer.message()))
            }
            code if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::UNDEFINED_COLUMN => {
                StoreError::Setup("the schema is missing or old: run `switchboard migrate up`".into())
            }
            code if says_try_again(code) => StoreError::Transient(text),
            _ => StoreError::Rejected(text),
        }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            other => StoreError::Transient(other.to_string()),
        }
    }
}

/// No answer from a server: it is away, or what came back could not be read.
fn without_answer(error: &tokio_postgres::Error) -> StoreError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    let unreadable = error.to_string().contains("deserializ") || error.to_string().contains("serializing");
    if unreadable {
        StoreError::Rejected(text)
    } else {
        StoreError::Unreachable(text)
    }
}

fn needs_a_person(code: &SqlState) -> bool {
    *code == SqlState::INVALID_PASSWORD
        || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
        || *code == SqlState::INVALID_CATALOG_NAME
        || *code == SqlState::INSUFFICIENT_PRIVILEGE
}

/// Classes 40 (rolled back), 53 (out of resources), 55 (lock not available), 57 (operator intervention), 58 (system
/// error) and 25 (a statement after one that failed): none of them says anything about the data.
fn says_try_again(code: &SqlState) -> bool {
    ["40", "53", "55", "57", "58", "08", "25"].contains(&code.code().get(..2).unwrap_or_default())
}
