//! Tests against a real RabbitMQ and a real Postgres: `./dev test` starts both.

mod answers;
mod audit;
mod bad_input;
mod broker;
mod contract;
mod database;
mod defects;
mod faults;
mod illegible;
mod journey;
mod locks;
mod shares;
mod start;
mod store;
mod support;
mod timers;
