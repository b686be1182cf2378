//! The store alone, against a real Postgres.

mod any;
mod audit;
mod build;
mod conversations;
mod costs;
mod inbox;
mod insight;
mod lanes;
mod people;
mod pipeline;
mod plans;
mod queue;
mod read;
mod recorded;
mod schema;
mod session;
mod timers_and_outbox;
