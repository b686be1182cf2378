//! What the tests of the pure core are written with: plans, people, conversations and inputs in a few words each, a world
//! that loads and keeps them the way a worker does, and given/when/then on top.

pub mod chats;
pub mod inputs;
pub mod lines;
pub mod moments;
pub mod oracle;
pub mod people;
pub mod plans;
pub mod scenario;
pub mod step;
pub mod world;

use std::time::Duration;

use jiff::Timestamp;
use switchboard::domain::ids::{AgentId, ChannelKey, ConversationId, PolicyId, TeamId, Tenant};
use uuid::Uuid;

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(60 * 60);

/// When every world begins: a Saturday morning.
pub fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("it is a time")
}

/// This long after the world began.
pub fn at(since_start: Duration) -> Timestamp {
    start() + since_start
}

pub fn tenant() -> Tenant {
    Tenant::new("acme").expect("it is an id")
}

pub fn agent(id: &str) -> AgentId {
    AgentId::new(id).expect("it is an id")
}

pub fn team(id: &str) -> TeamId {
    TeamId::new(id).expect("it is an id")
}

pub fn policy(id: &str) -> PolicyId {
    PolicyId::new(id).expect("it is an id")
}

pub fn channel() -> ChannelKey {
    ChannelKey::new("whatsapp:123456789012345").expect("it is a channel")
}

/// The conversation that tests call by this number.
pub fn id(number: u8) -> ConversationId {
    ConversationId(Uuid::from_u128(u128::from(number)))
}
