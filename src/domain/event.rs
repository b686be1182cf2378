//! What the core says happened. `evolve` applies events, the contract renders them, the store keeps what they leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::agent::{Agent, Presence};
use super::conversation::{Contact, Conversation, Owner, Route};
use super::ids::{AgentId, ConversationId, PolicyId, TeamId};
use super::input::{Actor, Fault, Message, Origin};
use super::plan::{Plan, Strategy};

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// When it was decided.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The automatic decision behind it, if there was one.
    pub decision: Option<Box<Decision>>,
    /// What happened.
    pub kind: Kind,
}

/// What happened, to what.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Something that belongs to a conversation's history: it has a place in its `sequence`.
    Conversation(ConversationId, Change),
    /// An agent was written.
    AgentUpserted {
        /// As they are now.
        agent: Arc<Agent>,
        /// Teams they are a member of now.
        member_of: Vec<TeamId>,
        /// Teams they manage now.
        manages: Vec<TeamId>,
    },
    /// Someone came or went (or said so again).
    PresenceChanged {
        /// Who.
        agent: AgentId,
        /// As it is now.
        presence: Presence,
        /// As it was.
        previous: Presence,
        /// When it runs out, if it was given a `ttl`.
        expires: Option<Timestamp>,
    },
    /// A plan is in force.
    PlanActivated {
        /// It, with the version it got.
        plan: Arc<Plan>,
        /// Whether it says the same as the one before.
        unchanged: bool,
    },
    /// A command was refused; nothing changed.
    CommandRejected(Refusal),
    /// Not announced: a fact that means nothing here, counted under this label.
    Skipped(&'static str),
    /// Not announced: whether a drain stopped at its bound with work left, so that newcomers queue behind it.
    DrainPending(bool),
}

/// What happened to a conversation.
#[derive(Debug, Clone)]
pub enum Change {
    /// It began.
    Opened {
        /// What brought it about.
        reason: Reason,
        /// It as a conversation that holds nothing yet, with channel, key and home.
        as_new: Box<Conversation>,
        /// A bot holds it.
        standby: bool,
    },
    /// It began again: a new episode.
    Reopened {
        /// What brought it about.
        reason: Reason,
        /// A bot holds it.
        standby: bool,
        /// Whether the last owner keeps it.
        kept: bool,
        /// What is now known of the customer, if that changed.
        contact: Option<Arc<Contact>>,
    },
    /// The customer did something.
    MessageReceived {
        /// What, without its text.
        message: MessageRef,
        /// Whether it counts as a turn.
        turn: bool,
        /// What is now known of the customer, if that changed.
        contact: Option<Arc<Contact>>,
        /// A turn without `standby` ends the bot's hold.
        standby: bool,
    },
    /// The business wrote outside our gate.
    MessageSent {
        /// What, without its text.
        message: MessageRef,
        /// By whom.
        origin: Origin,
    },
    /// It waits in a team's queue.
    Queued {
        /// Whose.
        team: TeamId,
        /// Why nobody has it.
        reason: Reason,
        /// What the rules said.
        route: Route,
        /// With which priority.
        priority: super::conversation::Priority,
        /// A former owner not to be chosen again in this episode.
        exclude: Option<AgentId>,
        /// Told by the one who sent it here.
        note: Option<Arc<str>>,
        /// The clock that runs now.
        assign_clock: super::conversation::AssignClock,
        /// What it was decided by.
        terms: Terms,
    },
    /// A person has it.
    Assigned(Box<Assignment>),
    /// Nobody has it.
    Unassigned {
        /// Why.
        reason: Reason,
        /// Told by the one who did it.
        note: Option<Arc<str>>,
        /// The clock that runs now.
        assign_clock: super::conversation::AssignClock,
    },
    /// It is finished.
    Closed {
        /// Why.
        reason: Reason,
        /// Told by the one who did it.
        note: Option<Arc<str>>,
    },
    /// A clock that starts, or is written down again, without any other event (a conversation left with nobody by the rules,
    /// or found stranded). Not announced.
    ClockStarted(super::conversation::AssignClock),
    /// A response policy was broken.
    ResponseBreached {
        /// Which.
        policy: PolicyId,
        /// When it was due.
        due: Timestamp,
        /// Whether the policy asks to tell the managers.
        notify: bool,
    },
}

/// A message by its outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// As the gateway calls it.
    pub id: Arc<str>,
    /// `text`, `image`, …
    pub kind: Arc<str>,
    /// By message time.
    pub at: Timestamp,
}

impl MessageRef {
    /// The outside of this message.
    pub fn of(message: &Message, at: Timestamp) -> Self {
        Self {
            id: message.id.clone(),
            kind: message.kind.clone(),
            at,
        }
    }
}

/// A person gets a conversation.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Who.
    pub agent: AgentId,
    /// The conversation's team from now on.
    pub team: Option<TeamId>,
    /// Which way.
    pub by: By,
    /// What the rules said.
    pub route: Route,
    /// Its priority from now on.
    pub priority: super::conversation::Priority,
    /// A former owner not to be chosen again in this episode.
    pub exclude: Option<AgentId>,
    /// Told by the one who gave it.
    pub note: Option<Arc<str>>,
    /// Above the owner's limit, which only a person may do.
    pub over_capacity: bool,
    /// The new owner's load with it.
    pub load: u32,
    /// The new owner's limit; 0 = unlimited.
    pub capacity: u32,
    /// The engagement record.
    pub engagement: Uuid,
    /// When the owner should have answered, if a turn waits for an answer.
    pub respond_due: Option<Timestamp>,
    /// What it was decided by.
    pub terms: Terms,
}

/// The plan and strategy a choice was made by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The plan in force.
    pub plan_version: u32,
    /// The team's strategy, where one was asked.
    pub strategy: Option<Strategy>,
}

/// Which way a person came to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// A strategy chose.
    Auto,
    /// A reopened conversation went back to its last owner.
    Sticky,
    /// Somebody else gave it.
    Manual,
    /// They took it.
    Claim,
}

/// Why: the closed set of words events carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The customer wrote.
    Customer,
    /// A bot handed over.
    Handover,
    /// A person said so.
    Command,
    /// The plan said so.
    Plan,
    /// Everyone eligible is full or away.
    NoAgentFree,
    /// The team or rule wants a person to claim it.
    ManualTeam,
    /// A person sent it to the team, where nobody is free.
    Transfer,
}

/// A refused command.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Its wire name.
    pub command: Arc<str>,
    /// The conversation as it stands, if it named one that exists.
    pub conversation: Option<ConversationId>,
    /// The stable code.
    pub code: Code,
    /// For people.
    pub message: Arc<str>,
    /// What is wrong where, for documents.
    pub errors: Vec<Fault>,
}

/// Why a command was refused, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A field is missing or malformed, or it is impossible in this status and no other code says so.
    Invalid,
    /// No such conversation in this tenant.
    NotFound,
    /// The actor, or else the target, is unknown, inactive or removed.
    UnknownAgent,
    /// The target team is not in the plan.
    UnknownTeam,
    /// The epoch is another than expected.
    EpochConflict,
    /// It is closed.
    Closed,
    /// The target has it already.
    AlreadyAssigned,
    /// The actor is not the owner.
    NotAssignee,
    /// Any other right that is missing.
    NotPermitted,
    /// The target may not reply.
    TargetUnavailable,
}

/// Why an automatic choice came out as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its name.
    pub id: Uuid,
    /// For which conversation.
    pub conversation: ConversationId,
    /// The rule that matched; `None`: the default or none.
    pub rule: Option<Arc<str>>,
    /// The plan in force.
    pub plan_version: u32,
    /// Whose members were candidates.
    pub team: Option<TeamId>,
    /// How one was chosen.
    pub strategy: Option<Strategy>,
    /// Who; nobody if the conversation waits.
    pub chosen: Option<AgentId>,
    /// The first [`MAX_CANDIDATES`] of them, in the order they were looked at.
    pub candidates: Vec<Candidate>,
    /// All of them, counted by why they were passed over.
    pub passed_over: BTreeMap<PassedOver, u32>,
    /// Rules whose condition failed to answer.
    pub failed_rules: Vec<Arc<str>>,
}

/// Candidates a decision record lists one by one: a record must stay small where teams are large.
pub const MAX_CANDIDATES: usize = 20;

/// One candidate of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub agent: AgentId,
    /// Why not them; `None`: chosen.
    pub passed_over: Option<PassedOver>,
}

/// Why a candidate was passed over: the first filter that stopped them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassedOver {
    /// Deactivated or unknown.
    Inactive,
    /// Has no permission to reply.
    MayNotReply,
    /// Not there.
    Offline,
    /// There, but takes nothing new.
    Away,
    /// Had it already in this episode.
    Excluded,
    /// Lacks a skill.
    Skill,
    /// At their own limit.
    Capacity,
    /// At the team's limit.
    TeamCapacity,
    /// At the tenant's limit.
    TenantCapacity,
    /// Eligible, but the strategy preferred another.
    Outranked,
}

/// An event as it is announced: with what caused it and the conversation right after it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What happened.
    pub event: Event,
    /// The input's cause.
    pub cause: Arc<str>,
    /// The input's dedupe key.
    pub input: Uuid,
    /// Its place among the events of its input, from 0.
    pub ordinal: u32,
    /// The conversation right after it; for a refusal, as it stands.
    pub after: Option<Arc<Conversation>>,
    /// Who had it before, if the event changed that.
    pub previous_owner: Option<Owner>,
    /// The team it belonged to under that owner.
    pub previous_team: Option<TeamId>,
    /// Whether the conversation was open before it: nobody loses what was closed.
    pub was_open: bool,
}

impl Recorded {
    /// The conversation and its change, if it belongs to a conversation's history.
    pub fn change(&self) -> Option<(&Conversation, &Change)> {
        match (&self.event.kind, &self.after) {
            (Kind::Conversation(_, change), Some(after)) => Some((after, change)),
            _ => None,
        }
    }
}

impl Change {
    /// Whether it is announced and so has a number in the conversation's sequence.
    pub fn is_announced(&self) -> bool {
        !matches!(self, Change::ClockStarted(_))
    }

    /// Whether it raises the epoch: every change of owner or status does.
    pub fn raises_epoch(&self) -> bool {
        match self {
            Change::Opened { .. }
            | Change::Reopened { .. }
            | Change::Queued { .. }
            | Change::Assigned(_)
            | Change::Unassigned { .. }
            | Change::Closed { .. } => true,
            Change::MessageReceived { .. }
            | Change::MessageSent { .. }
            | Change::ClockStarted(_)
            | Change::ResponseBreached { .. } => false,
        }
    }
}
