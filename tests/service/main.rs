//! Tests against a real RabbitMQ and a real Postgres: `./dev test` starts both.

mod answers;
mod audit;
mod bad_input;
mod broker;
mod database;
mod faults;
mod journey;
mod locks;
mod start;
mod store;
mod support;
mod timers;
