//! Switchboard decides who owns a WhatsApp conversation.

pub mod contract;
pub mod domain;
