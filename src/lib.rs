//! Switchboard decides who owns a WhatsApp conversation.

pub mod broker;
pub mod config;
pub mod domain;
pub mod retry;
pub mod store;
pub mod telemetry;
