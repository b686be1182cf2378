//! Tests against a real RabbitMQ and a real Postgres: `./dev test` starts both.

mod absence;
mod answers;
mod audit;
mod bad_input;
mod broker;
mod bulk;
mod clocks;
mod contract;
mod database;
mod defects;
mod faults;
mod identity;
mod illegible;
mod insight;
mod journey;
mod locks;
mod moments;
mod ownership;
mod releases;
mod shares;
mod simulate;
mod start;
mod store;
mod support;
mod timers;
mod trace;
