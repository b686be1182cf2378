//! What one body turns into, whatever door and shape it came by.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::dead::Dead;
use super::form::Form;
use super::identity::{self, Alias, Identity};
use super::trace::Trace;
use crate::domain::conversation::Contact;
use crate::domain::ids::{ChannelKey, ConversationId, Tenant};
use crate::domain::input::{Action, Command, What};

/// Most facts read from one body: Meta puts at most a thousand updates into one. A body with more is refused whole,
/// because a part of it that took effect could not be told from the rest.
pub const MAX_FACTS: usize = 1_000;

/// A message off the wire. The contract knows no broker: headers are texts here (the worker writes numbers and times
/// out), and nothing else of the message's properties is looked at, because foreign gateways set none.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The content type, if the publisher gave one.
    pub content_type: Option<&'a str>,
    /// Application headers, by name.
    pub headers: &'a [(&'a str, Cow<'a, str>)],
    /// The body.
    pub body: &'a [u8],
}

/// How much is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Larger bodies are `too_large`. In bytes.
    pub max_body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A webhook of a thousand updates fits; a body with media inside does not belong here.
            max_body_bytes: 1024 * 1024,
        }
    }
}

/// Everything one body turns into. One bad part does not spoil the others: they are here, and `dead` says what was bad.
#[derive(Debug, Clone, Default)]
pub struct Arrived {
    /// What the body was recognised as.
    pub form: Form,
    /// What gateways report, in the order of the body; first, whose identifiers changed.
    pub facts: Vec<ArrivedFact>,
    /// What people want.
    pub commands: Vec<ArrivedCommand>,
    /// What is understood and means nothing to ownership, with how often.
    pub skipped: BTreeMap<Skip, u32>,
    /// The body goes to the dead letters, once, for this.
    pub dead: Option<Dead>,
    /// The trace of the message, for log lines about the whole of it.
    pub trace: Option<Trace>,
}

/// Why a part of a body is passed over. Each is a label of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// Sent, delivered, read: the fate of a message we sent.
    Receipt,
    /// Chats imported from the phone app.
    Import,
    /// Something done without a message (a button that opens a page).
    UserAction,
    /// A voice or video call.
    Call,
    /// A message in a group.
    Group,
    /// An error the provider reports about itself.
    Error,
    /// News about the business account, its templates or its subscribers.
    Notice,
    /// A body with nothing in it.
    Empty,
}

impl Skip {
    /// Every reason to skip.
    pub const ALL: [Self; 8] = [
        Self::Receipt,
        Self::Import,
        Self::UserAction,
        Self::Call,
        Self::Group,
        Self::Error,
        Self::Notice,
        Self::Empty,
    ];

    /// Its label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Import => "import",
            Self::UserAction => "user_action",
            Self::Call => "call",
            Self::Group => "group",
            Self::Error => "error",
            Self::Notice => "notice",
            Self::Empty => "empty",
        }
    }
}

/// Something a gateway reports about one customer on one business number. Which conversation that is, and whose the
/// number is, the worker looks up.
#[derive(Clone)]
pub struct ArrivedFact {
    /// What people call it: the CloudEvent's id; for foreign bodies the message id.
    pub cause: Arc<str>,
    /// What makes it the same as a fact that was here before.
    pub dedupe: Dedupe,
    /// The message's own time, if it has one: decides the inbox bucket, so that a redelivery looks into the same one.
    pub own_time: Option<Timestamp>,
    /// The business number.
    pub channel: ChannelKey,
    /// Who the customer is.
    pub identity: Identity,
    /// Who they were before, when the message says that an identifier changed.
    pub previous: Vec<Alias>,
    /// The partition key, as the publisher gave it.
    pub partition_key: Option<Arc<str>>,
    /// What is said of the customer.
    pub contact: Contact,
    /// When it happened, as far as it is believed: clocks run from here.
    pub at: Timestamp,
    /// A bot holds the chat.
    pub standby: bool,
    /// What happened.
    pub what: What,
    /// The trace it belongs to; nothing depends on it.
    pub trace: Option<Trace>,
}

/// Shows nothing of the customer, so that no log line can.
impl fmt::Debug for ArrivedFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrivedFact")
            .field("key", &self.dedupe.key())
            .field("channel", &self.channel)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl ArrivedFact {
    /// Every identifier that leads to the customer's conversation: who they are goes before who they were, since whatever
    /// they write next says only who they are.
    pub fn identifiers(&self) -> impl Iterator<Item = &Alias> {
        self.identity.aliases().chain(&self.previous)
    }

    /// The publisher's partition key, or the one everybody would compute.
    pub fn home_key(&self) -> Arc<str> {
        match &self.partition_key {
            Some(key) => key.clone(),
            None => identity::partition_key(&self.channel, self.identity.identifier()).into(),
        }
    }
}

/// Something a person wants.
#[derive(Debug, Clone)]
pub struct ArrivedCommand {
    /// The CloudEvent's id.
    pub cause: Arc<str>,
    /// What makes it the same as a command that was here before.
    pub dedupe: Dedupe,
    /// Whose people and conversations it is about; whether there is such a tenant, the worker knows.
    pub tenant: Tenant,
    /// The partition key, as the publisher gave it.
    pub partition_key: Option<Arc<str>>,
    /// The command; one that could not be read is [`Action::Malformed`] and will be refused.
    pub command: Command,
    /// For `plan.apply`: the plan's document in its canonical form, to be stored with its version.
    pub document: Option<serde_json::Value>,
    /// For `contact.forget`: whom. The core is only told of their conversations.
    pub contact: Vec<Alias>,
    /// The trace it belongs to; nothing depends on it.
    pub trace: Option<Trace>,
}

impl ArrivedCommand {
    /// The conversation it is about, if it is about one.
    pub fn conversation(&self) -> Option<ConversationId> {
        self.command.action.conversation()
    }

    /// The key of a command that is about no conversation: its agent's for presence, else its tenant's.
    pub fn own_key(&self) -> String {
        match &self.command.action {
            Action::Presence { agent, .. } => format!("agent/{agent}"),
            _ => format!("tenant/{}", self.tenant),
        }
    }
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the customer.
    Received,
    /// To the customer.
    Sent,
}

impl Direction {
    /// Its word in the dedupe key.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// What makes two inputs the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Dedupe {
    /// A message is the same whatever wrapped it, and whatever its kind.
    Message {
        /// The business number.
        channel: ChannelKey,
        /// Which way it went.
        direction: Direction,
        /// As the gateway calls it.
        id: Arc<str>,
    },
    /// Everything else is what its CloudEvent is.
    Event {
        /// The CloudEvent's source.
        source: Arc<str>,
        /// The CloudEvent's id.
        id: Arc<str>,
    },
}

/// Shows the hash only: a message id can hold a phone number.
impl fmt::Debug for Dedupe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dedupe({})", self.key())
    }
}

impl Dedupe {
    /// The key of the inbox: a hash, because message ids can hold a phone number.
    pub fn key(&self) -> Uuid {
        match self {
            Self::Message {
                channel,
                direction,
                id,
            } => identity::hashed(&["message", channel.as_str(), direction.wire(), id]),
            Self::Event { source, id } => identity::hashed(&["event", source, id]),
        }
    }
}
