//! Tests that need no server: everything here is a function of its input.

mod asyncapi;
mod behaviour;
mod calendar;
mod company;
mod condition;
mod contract_in;
mod defects;
mod fuzzed;
mod insight;
mod legible;
mod line;
mod model;
mod nearest;
mod notify;
mod outbound;
mod plan;
mod properties;
mod publish;
mod recipes;
mod releases;
mod schemas;
mod simulate;
mod sources;
#[allow(
    dead_code,
    reason = "a kit for histories: what a test does not need yet, the next one will"
)]
mod support;
mod tidy;
