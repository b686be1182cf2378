//! What reaches the core: facts from gateways, commands from people, timers that came due.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::agent::{Presence, Role, Skills};
use super::bulk;
use super::conversation::{Contact, Priority};
use super::identity::Leading;
use super::ids::{AgentId, ChannelKey, ConversationId, TeamId};
use super::plan::Plan;

/// One input of the fold.
#[derive(Debug, Clone)]
pub struct Input {
    /// What people call it: the CloudEvent's id, the message id of a foreign body, `timer/<uuid>`, `sweep/<uuid>`, `cli/<uuid>`.
    pub cause: Arc<str>,
    /// Its dedupe key: names of events without a sequence derive from it.
    pub key: Uuid,
    /// What it says.
    pub body: Body,
}

/// What an input says.
#[derive(Debug, Clone)]
pub enum Body {
    /// Something a gateway reports about a conversation.
    Fact(Fact),
    /// Something a person wants.
    Command(Command),
    /// Something whose time came.
    Timer(Timer),
}

/// Something a gateway reports. The worker has already resolved which conversation it belongs to (perhaps a new one).
#[derive(Debug, Clone)]
pub struct Fact {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The business number.
    pub channel: ChannelKey,
    /// Where the customer's identifiers lead if they disagree, this conversation first; empty if they do not.
    pub conflict: Vec<Leading>,
    /// What is known of the customer.
    pub contact: Contact,
    /// When it happened, by the gateway (clocks run from here).
    pub at: Timestamp,
    /// A bot holds the chat.
    pub standby: bool,
    /// What happened.
    pub what: What,
}

/// What a fact reports.
#[derive(Debug, Clone)]
pub enum What {
    /// The customer did something.
    Received(Message),
    /// The business wrote, outside our gate.
    Sent {
        /// What was written.
        message: Message,
        /// By whom.
        origin: Origin,
        /// Does not claim what nobody owns.
        leave_unassigned: bool,
    },
    /// A bot hands the conversation over to people.
    Handover {
        /// Why, in the bot's words.
        reason: Arc<str>,
    },
}

/// A message, as far as routing needs it.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// As the gateway calls it.
    pub id: Arc<str>,
    /// `text`, `image`, `reaction`, …
    pub kind: Arc<str>,
    /// Whether it counts as the customer's turn (reactions, edits, receipts and the like do not).
    pub turn: bool,
    /// Its text, if a rule of the plan reads texts; never stored.
    pub text: Arc<str>,
    /// The advertisement it came from; "" when none.
    pub referral: Arc<str>,
    /// The message it answers; "" when none.
    pub reply_to: Arc<str>,
}

/// Who wrote a message that was sent outside our gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A known person.
    Agent(AgentId),
    /// The phone app: a person, but it does not say who.
    Phone,
    /// A greeting or another automatic message.
    Automation,
}

/// A reply as its sender wrote it, to be passed through: opaque, and never shown, since a customer's number and words
/// are in it. It is on its way only: an event holds it, and the outbox until that is confirmed.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyBody(pub Arc<str>);

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyBody({} bytes)", self.0.len())
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person of the tenant.
    Agent(AgentId),
    /// One of our own: `router`, `timer`, `sweep`, `cli`.
    System(System),
    /// The customer.
    Customer,
    /// The gateway.
    Gateway,
}

/// Our own actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Automatic choices.
    Router,
    /// A clock that ran out.
    Timer,
    /// The search for what was left behind.
    Sweep,
    /// The command line, which may do everything.
    Cli,
}

/// Something a person wants.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its wire name, for the outcome (`assign`, `plan.apply`, …).
    pub name: Arc<str>,
    /// Who wants it.
    pub actor: Actor,
    /// What.
    pub action: Action,
}

impl Command {
    /// The name of the one whose refusal its sender is notified of: what they wrote has not been sent.
    pub const REPLY: &str = "reply";
}

/// What a command asks for.
#[derive(Debug, Clone)]
pub enum Action {
    /// Something about one conversation.
    Conversation {
        /// Which; it need not exist.
        conversation: ConversationId,
        /// Conflict instead of overwriting when its epoch is another.
        expected_epoch: Option<u64>,
        /// For the one who takes over.
        note: Option<Arc<str>>,
        /// What to do with it.
        wish: Wish,
    },
    /// Say whether someone is there.
    Presence {
        /// Who.
        agent: AgentId,
        /// Whether.
        presence: Presence,
        /// Offline when it runs out unrepeated.
        ttl: Option<Duration>,
    },
    /// Write an agent, field by field.
    UpsertAgent {
        /// Who.
        agent: AgentId,
        /// What is written of them.
        fields: Upsert,
    },
    /// Give many conversations away at once.
    BulkAssign {
        /// What people call it.
        bulk: Uuid,
        /// Which conversations.
        selection: bulk::Selection,
        /// To whom.
        to: Recipient,
        /// For whoever gets one.
        note: Option<Arc<str>>,
        /// Whether there is a bulk of this name already; the worker knows.
        taken: bool,
    },
    /// Give back what a bulk gave away.
    BulkUndo {
        /// Which bulk.
        bulk: Uuid,
        /// It, if there is one; the worker knows.
        past: Option<bulk::Past>,
    },
    /// Take back what a plan or a rule gave away, and route it again.
    Reroute {
        /// What people call it: a name that nothing else has.
        bulk: Uuid,
        /// Who made it.
        made: bulk::Made,
        /// The records of what is taken back, as the worker found them; at most [`bulk::MAX_ITEMS`].
        engagements: Arc<[Uuid]>,
    },
    /// Take an agent out for good.
    RemoveAgent {
        /// Whom.
        agent: AgentId,
    },
    /// Erase a customer.
    ForgetContact {
        /// Their conversations, as the worker found them by their identifiers.
        conversations: Vec<ConversationId>,
        /// The keys their conversations would have: what is said to be forgotten where there are none.
        keys: Vec<Arc<str>>,
    },
    /// Make this the plan.
    ApplyPlan {
        /// Validated; its version is set when it is activated.
        plan: Arc<Plan>,
        /// Whether its document says the same as the one in force.
        unchanged: bool,
    },
    /// It could not be read; the text says why. Refused as `invalid` (after nothing: it is the first code in precedence).
    Malformed {
        /// The conversation it names, if one could be read.
        conversation: Option<ConversationId>,
        /// For people.
        message: Arc<str>,
        /// What is wrong where, for plans.
        errors: Vec<Fault>,
    },
}

/// One thing wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place by keys: `teams[2].members[0]`.
    pub path: String,
    /// The line in the text, from 1; 0 when unknown.
    pub line: u32,
    /// The column in the line, from 1; 0 when unknown.
    pub column: u32,
    /// What is wrong, for people.
    pub message: String,
}

/// What to do with a conversation.
#[derive(Debug, Clone)]
pub enum Wish {
    /// Give it to someone.
    Assign(Recipient),
    /// Take it from whoever has it.
    Unassign,
    /// Finish it.
    Close,
    /// Open it again.
    Reopen,
    /// Set it aside.
    Hold {
        /// Until then at the latest.
        until: Option<Timestamp>,
    },
    /// Take it up again.
    Resume,
    /// Ask a colleague to take it.
    Request {
        /// Whom.
        to: AgentId,
    },
    /// Take what was offered.
    Accept {
        /// The request that is meant, if it is said: another one is not accepted.
        request: Option<Uuid>,
    },
    /// Decline what was offered.
    Reject {
        /// The request that is meant, if it is said.
        request: Option<Uuid>,
        /// Why: it must be said.
        reason: Arc<str>,
    },
    /// Take the offer back.
    Withdraw {
        /// The request that is meant, if it is said.
        request: Option<Uuid>,
        /// Why: it must be said.
        reason: Arc<str>,
    },
    /// Write to the customer.
    Reply {
        /// What, passed through.
        message: ReplyBody,
        /// Whether it is a template, which may be sent outside the window.
        template: bool,
        /// Do not claim what nobody owns.
        leave_unassigned: bool,
    },
    /// Write something down for colleagues.
    Note {
        /// What.
        text: Arc<str>,
    },
    /// Say how urgent it is.
    Prioritize(Priority),
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A person.
    Agent(AgentId),
    /// A team.
    Team(TeamId),
}

/// What an upsert writes: `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Upsert {
    /// Shown to people.
    pub name: Option<Arc<str>>,
    /// What they may do.
    pub role: Option<Role>,
    /// The teams they are a member of, all of them.
    pub teams: Option<BTreeSet<TeamId>>,
    /// The teams they manage, all of them.
    pub manages: Option<BTreeSet<TeamId>>,
    /// Skills, all of them.
    pub skills: Option<Skills>,
    /// Own capacity; 0 = unlimited.
    pub capacity: Option<u32>,
    /// Channels they are told about, all of them.
    pub subscriptions: Option<BTreeSet<ChannelKey>>,
    /// Whether they take part at all.
    pub active: Option<bool>,
    /// Whether they may reply.
    pub may_reply: Option<bool>,
}

/// Something whose time came.
#[derive(Debug, Clone)]
pub enum Timer {
    /// Nobody took the conversation within the policy's limit.
    AssignDue {
        /// Which.
        conversation: ConversationId,
    },
    /// A conversation on hold is to be resumed.
    HoldEnds {
        /// Which.
        conversation: ConversationId,
    },
    /// Nobody answered a conversation's request in time.
    RequestDue {
        /// Of which.
        conversation: ConversationId,
    },
    /// Whoever is asked to take the conversation went offline or was deactivated: see whether the request still stands.
    RecipientGone {
        /// Of which.
        conversation: ConversationId,
    },
    /// Something about a conversation may be due: see `domain::alarm`.
    Alarm {
        /// Which.
        conversation: ConversationId,
    },
    /// Someone may have been away or offline for longer than the plan lets pass.
    Absent {
        /// Who.
        agent: AgentId,
    },
    /// A presence given with a `ttl` was not repeated.
    PresenceExpired {
        /// Whose.
        agent: AgentId,
    },
    /// A drain stopped at its bound with work left.
    DrainQueues,
    /// The plan changed: look at this waiting conversation again.
    Reexamine {
        /// Which.
        conversation: ConversationId,
    },
    /// The turn of one conversation of a bulk.
    Bulk(Box<bulk::Item>),
    /// All items of a bulk are done.
    BulkDone(Arc<bulk::Report>),
    /// Whoever owns the conversation was removed or deactivated, or has been gone for too long.
    OwnerGone {
        /// Which.
        conversation: ConversationId,
    },
    /// The search for stranded conversations found this one.
    Stranded {
        /// Which.
        conversation: ConversationId,
    },
}

impl Action {
    /// The conversation it is about, if it is about one.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::Conversation { conversation, .. } => Some(*conversation),
            Self::Malformed { conversation, .. } => *conversation,
            Self::Presence { .. }
            | Self::UpsertAgent { .. }
            | Self::RemoveAgent { .. }
            | Self::BulkAssign { .. }
            | Self::BulkUndo { .. }
            | Self::Reroute { .. }
            | Self::ForgetContact { .. }
            | Self::ApplyPlan { .. } => None,
        }
    }
}

impl Input {
    /// The conversation it is about, if it is about one.
    pub fn conversation(&self) -> Option<ConversationId> {
        match &self.body {
            Body::Fact(fact) => Some(fact.conversation),
            Body::Command(command) => command.action.conversation(),
            Body::Timer(timer) => match timer {
                Timer::AssignDue { conversation }
                | Timer::HoldEnds { conversation }
                | Timer::RequestDue { conversation }
                | Timer::RecipientGone { conversation }
                | Timer::Reexamine { conversation }
                | Timer::OwnerGone { conversation }
                | Timer::Alarm { conversation }
                | Timer::Stranded { conversation } => Some(*conversation),
                Timer::Bulk(item) => Some(item.conversation),
                Timer::PresenceExpired { .. }
                | Timer::Absent { .. }
                | Timer::DrainQueues
                | Timer::BulkDone(_) => None,
            },
        }
    }

    /// The bulk on whose behalf its conversation is changed, if it is one.
    pub fn bulk(&self) -> Option<Uuid> {
        match &self.body {
            Body::Timer(Timer::Bulk(item)) => Some(item.order.bulk),
            _ => None,
        }
    }
}
