//! Postgres: inbox, conversations, people, timers, outbox, leases, plans.
//!
//! One function per statement, verb and object, set-based. Functions that a batch pipelines put their statement on the
//! wire when first polled, so `try_join!` sends them in the order they are written: every statement is prepared when its
//! connection is first used, and a prepared one is found without waiting.

pub mod agents;
pub mod aliases;
pub mod audit;
mod codec;
pub mod conversations;
mod error;
pub mod inbox;
pub mod lanes;
pub mod listen;
pub mod matching;
pub mod migrate;
pub mod outbox;
pub mod plans;
pub mod queue;
pub mod read;
pub mod records;
mod session;
pub mod timers;

pub use error::StoreError;
pub use session::{Session, Store, StoreSettings};
