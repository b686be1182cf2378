//! The pure core: who owns a conversation, and why.
//!
//! `decide` looks at the state and an input and says what happens; `evolve` applies what happened; `fold` runs a batch
//! through both. No clock, IO, randomness, serialisation or logging, and no error type: a refused command is an event
//! with a reason. The same core runs in the worker, the command line and the property tests.

// The words, then the steps of a decision in the order they are taken.
pub mod agent;
pub mod bulk;
pub mod conversation;
pub mod event;
pub mod ids;
pub mod input;
pub mod plan;
pub mod state;

pub mod condition;
pub mod decide;
pub mod evolve;
pub mod fold;
pub mod matching;
pub mod nearest;
pub mod notify;
pub mod permission;
pub mod routing;
