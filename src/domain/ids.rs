//! The names things go by: small, cheap to clone, impossible to mix up.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// Longest tenant, agent, team or policy id, in characters.
pub const MAX_ID_CHARS: usize = 64;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("an id must not be empty")]
    Empty,
    /// The text is longer than [`MAX_ID_CHARS`].
    #[error("an id has at most {MAX_ID_CHARS} characters")]
    TooLong,
    /// The text holds a space or a control character.
    #[error("an id must not contain spaces or control characters")]
    BadCharacter,
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.chars().count() > MAX_ID_CHARS {
        return Err(IdError::TooLong);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(IdError::BadCharacter);
    }
    Ok(())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a text from outside; the error says what is wrong with it.
            pub fn new(text: &str) -> Result<Self, IdError> {
                check(text).map(|()| Self(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// One company using the deployment.
    Tenant
);
text_id!(
    /// A person (or integration) that can act; unique within its tenant.
    AgentId
);
text_id!(
    /// A team; unique within its tenant.
    TeamId
);
text_id!(
    /// A response policy of a plan.
    PolicyId
);

text_id!(
    /// A calendar of a plan.
    CalendarId
);

/// One business number: provider word, colon, the provider's id of the number (`whatsapp:123456789012345`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey(Arc<str>);

/// Longest channel key, in bytes: a provider word and the longest instance name seen, with room.
pub const MAX_CHANNEL_BYTES: usize = 200;

impl ChannelKey {
    /// Checks a text from outside: `provider:id`, both parts present, no spaces or control characters.
    pub fn new(text: &str) -> Option<Self> {
        let (provider, id) = text.split_once(':')?;
        let fits = text.len() <= MAX_CHANNEL_BYTES && !provider.is_empty() && !id.is_empty();
        let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        (fits && clean).then(|| Self(text.into()))
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the first colon: what routing keys call the channel id.
    pub fn channel_id(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, id)| id)
    }
}

impl fmt::Display for ChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A conversation: one per channel and contact, reopened rather than recreated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub Uuid);

impl ConversationId {
    /// A name for something that belongs to this conversation and happened at this point of its history:
    /// the same for the same history, so that a redone batch writes the same ids.
    pub fn derive(self, what: &str, sequence: u64) -> Uuid {
        Uuid::new_v5(&self.0, format!("{what}/{sequence}").as_bytes())
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a partition, `0..P`: a lane, and the queue it consumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u16);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
