//! The wire: what arrives, normalised, and what goes out. Knows the domain's words and JSON; knows no broker and no database.
//!
//! A body comes through the door and is recognised: a CloudEvent in one of its modes, or a foreign body. It turns into
//! facts (one per message, with who the customer is), commands (good or malformed), things to count, and at most one
//! reason to dead-letter it. Nothing here fails, waits or keeps anything: the same body always reads the same.
//!
//! Architecture invariant: no complaint, hash or key written here shows an identifier or a text of a customer.

// In: recognise, then read.
mod adapter;
mod arrived;
mod dead;
mod door;
mod form;

// In: the shapes.
mod cloud_api;
mod cloudevent;
mod command;
mod evolution;
mod fact;
pub mod plan;
mod unoapi;
mod whatsmeow;

// In: what the shapes share.
pub mod derive;
pub mod duration;
mod each;
pub mod identity;
mod json;
mod linked;
mod message;
pub mod partition;
mod place;
mod reading;
mod time;
mod web_message;

// In: what may be kept of it.
pub mod redact;

// From ingress to the partitions.
mod forward;

// Through: from what arrives to all it causes.
mod trace;

// Out: events, who is told of them, and answers; then what they share.
pub mod event;
mod event_data;
mod event_parts;
pub mod notification;
pub mod outcome;
pub mod parcel;
mod sentence;

pub mod envelope;
mod parties;
mod routing_key;
pub mod words;

pub use adapter::Adapter;
pub use arrived::{
    Arrived, ArrivedCommand, ArrivedFact, Dedupe, Direction, Incoming, Limits, MAX_FACTS, Skip,
};
pub use command::{TYPE_PREFIX as COMMAND_PREFIX, names_of_commands};
pub use dead::{Dead, DeadReason};
pub use door::read;
pub use fact::{HANDOVER, RECEIVED, SENT};
pub use form::{Announced, Carries, Form};
pub use forward::{Forwarded, forward};
pub use message::MAX_TEXT_CHARS;
pub use redact::redacted;
pub use time::{AHEAD, STALE_AFTER};
pub use trace::Trace;
