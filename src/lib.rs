//! Switchboard decides who owns a WhatsApp conversation.

pub mod config;
pub mod domain;
pub mod store;
pub mod telemetry;
