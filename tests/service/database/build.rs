//! Conversations, people and the like, for tests to begin with.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use switchboard::domain::agent::{Agent, Presence, Profile};
use switchboard::domain::conversation::{Conversation, Owner, Status};
use switchboard::domain::ids::{AgentId, ChannelKey, ConversationId, Partition, TeamId, Tenant};
use switchboard::store::Session;
use switchboard::store::conversations::{self, Saved};
use uuid::Uuid;

use crate::support::database::Database;

pub const HOME: Partition = Partition(3);

pub fn tenant(name: &str) -> Tenant {
    Tenant::new(name).expect("a tenant")
}

pub fn acme() -> Tenant {
    tenant("acme")
}

pub fn agent_id(name: &str) -> AgentId {
    AgentId::new(name).expect("an agent id")
}

pub fn team_id(name: &str) -> TeamId {
    TeamId::new(name).expect("a team id")
}

pub fn channel() -> ChannelKey {
    ChannelKey::new("whatsapp:1").expect("a channel")
}

/// A moment, in seconds after one that is long past.
pub fn second(seconds: i64) -> Timestamp {
    "2026-03-01T12:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_secs(seconds)
}

/// An open conversation that this owner has.
pub fn conversation(owner: Owner) -> Conversation {
    let id = ConversationId(Uuid::now_v7());
    let mut conversation = Conversation::unborn(id, channel(), Arc::from("a4739f991883260a"), HOME);
    conversation.status = Status::Open;
    conversation.team = owner.queue().cloned();
    conversation.owner = owner;
    conversation.episode = 1;
    conversation.epoch = 2;
    conversation.sequence = 3;
    conversation.waiting_since = Some(second(0));
    conversation.last_activity = second(1);
    conversation.window_expires_at = Some(second(86_400));
    conversation
}

/// An open conversation in this team's queue, waiting since this second.
pub fn waiting(team: &str, since: i64) -> Conversation {
    let mut conversation = conversation(Owner::Team(team_id(team)));
    conversation.waiting_since = Some(second(since));
    conversation
}

/// An agent who is online.
pub fn agent(name: &str) -> Agent {
    let id = agent_id(name);
    let profile = Profile::named(&id);
    Agent {
        presence: Presence::Online,
        ..Agent::new(id, profile)
    }
}

/// Writes conversations of one tenant and commits.
/// A conversation of Acme's that is there already.
pub async fn keep_one(database: &Database, conversation: &Conversation) {
    keep(
        database.transaction().await,
        &acme(),
        std::slice::from_ref(conversation),
    )
    .await;
}

pub async fn keep(session: Session, tenant: &Tenant, all: &[Conversation]) {
    let saved: Vec<Saved<'_>> = all
        .iter()
        .map(|conversation| Saved {
            tenant,
            conversation,
            marked: false,
            alarm: None,
        })
        .collect();
    conversations::insert(&session, &saved)
        .await
        .expect("conversations can be written");
    session.commit().await.expect("a commit");
}
