//! What the core does, rule by rule: one sentence each, for SEMANTICS sections 2 to 5 and 7.

mod absence;
mod blocked;
mod bulks;
mod clocks;
mod clocks_breached;
mod clocks_escalated;
mod holding;
mod moments;
mod permissions;
mod queues;
mod relaxing;
mod replies;
mod requests;
mod reroutes;
mod standby;
mod teams;
