//! What the core does, rule by rule: one sentence each, for SEMANTICS sections 2 to 5 and 7.

mod bots;
mod bulks;
mod clocks;
mod holding;
mod permissions;
mod queues;
mod replies;
mod requests;
mod teams;
