//! Switchboard decides who owns a WhatsApp conversation.
//!
//! Workers consume customers' messages and people's commands from RabbitMQ, decide ownership in one Postgres transaction
//! per batch, and publish what happened back to RabbitMQ. To find your way, read the modules in this order:
//!
//! 1. [`domain`]: the pure core. What things are called, and who gets what, and why.
//! 2. [`contract`]: the wire. What arrives, normalised; what goes out, rendered.
//! 3. [`store`]: Postgres, one function per statement.
//! 4. [`broker`]: RabbitMQ, bytes and tags.
//! 5. [`worker`]: where the four meet: lanes, batches, leases.
//! 6. [`simulate`]: the core on virtual time.
//! 7. [`cli`]: the command line.
//! 8. [`config`], [`telemetry`], [`retry`]: settings, logs and metrics, delays.
//!
//! Imports go one way: `domain` names none of the others; `contract` and `store` name `domain`; `broker` names nothing;
//! `worker` names all four, `simulate` only `domain`, `config` `contract` and `broker`, `cli` everything. `contract`, `store` and `broker` never name each other. A test holds them to it.

pub mod broker;
pub mod cli;
pub mod config;
pub mod contract;
pub mod domain;
pub mod retry;
pub mod simulate;
pub mod store;
pub mod telemetry;
pub mod worker;
