//! Switchboard decides who owns a WhatsApp conversation.

pub mod domain;
