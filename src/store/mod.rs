//! Postgres: inbox, conversations, people, timers, outbox, leases, plans.
//!
//! One function per statement, verb and object, set-based. Functions that a batch pipelines put their statement on the
//! wire when first polled, so `try_join!` sends them in the order they are written: every statement is prepared when its
//! connection is made, and a prepared one is found without waiting. With nothing to do they send nothing.

pub mod agents;
pub mod aliases;
pub mod audit;
pub mod bulk;
mod care;
mod codec;
mod connect;
pub mod conversations;
mod error;
pub mod inbox;
pub mod insight;
pub mod lanes;
pub mod leaving;
pub mod ledger;
pub mod listen;
pub mod matching;
pub mod migrate;
pub mod outbox;
pub mod plans;
pub mod queue;
pub mod read;
pub mod recorded;
pub mod records;
pub mod reroute;
mod row;
mod session;
pub mod timers;
mod tls;

pub use connect::{Store, StoreSettings};
pub use error::StoreError;
pub use session::Session;
