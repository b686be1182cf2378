//! The pure core: who owns a conversation, and why.
//!
//! `decide` looks at the state and an input and says what happens; `evolve` applies what happened; `fold` runs a batch
//! through both. No clock, IO, randomness, serialisation or logging, and no error type: a refused command is an event
//! with a reason. The same core runs in the worker, the command line and the property tests.

// The words, then the steps of a decision in the order they are taken.
pub mod agent;
pub mod bulk;
pub mod calendar;
pub mod conversation;
pub mod decision;
pub mod event;
pub mod identity;
pub mod ids;
pub mod input;
pub mod plan;
pub mod state;

pub mod absence;
pub mod alarm;
pub mod blocked;
pub mod condition;
pub mod decide;
pub mod evolve;
pub mod exclusion;
pub mod fold;
pub mod line;
pub mod matching;
pub mod nearest;
pub mod notify;
pub mod offering;
pub mod permission;
pub mod routing;

// What people ask of all that.
pub mod fairness;
pub mod standing;
pub mod why;
