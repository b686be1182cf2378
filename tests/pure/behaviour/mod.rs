//! What the core does, rule by rule: one sentence each, for SEMANTICS sections 2 to 5 and 7.

mod bots;
mod clocks;
mod queues;
mod teams;
