//! What the core says happened. `evolve` applies events, the contract renders them, the store keeps what they leave.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::agent::{Agent, Presence};
use super::blocked::Ask;
use super::bulk;
use super::conversation::{
    Clock, ClockKind, Contact, Conversation, EscalationReason, Hop, Owner, PendingEscalation, PendingRequest,
    Priority, Route,
};
use super::identity::Leading;
use super::ids::{AgentId, ChannelKey, ConversationId, Partition, PolicyId, TeamId};
use super::input::{Actor, Fault, Message, Origin, Recipient, ReplyBody};
use super::plan::{Plan, Strategy};

pub use super::decision::{Candidate, Decision, MAX_CANDIDATES, PassedOver};

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
    /// An agent was taken out for good.
    AgentRemoved {
        /// As they are now: inactive, in no team.
        agent: Arc<Agent>,
    },
    /// A customer was erased: from one conversation, or from none because there was none.
    ContactForgotten {
        /// The conversation.
        conversation: Option<ConversationId>,
        /// The key it had.
        partition_key: Arc<str>,
    },
    /// A customer's identifiers lead to different conversations. Nothing is merged: people decide what that means.
    IdentityConflict(Box<IdentityConflict>),
    /// Not announced: someone has been away or offline for too long; their conversations are looked at.
    GraceOver {
        /// Who.
        agent: AgentId,
    },
    /// Not announced: a bulk will be carried out.
    BulkAccepted(BulkAccepted),
    /// Not announced: an item of a bulk is done.
    BulkItemDone(Box<bulk::ItemDone>),
    /// All items of a bulk are done.
    BulkDone(Arc<bulk::Report>),
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
    /// Not announced: somebody could serve this again.
    QueueServable(Ask),
}

/// Identifiers of one message that lead to different conversations.
#[derive(Debug, Clone)]
pub struct IdentityConflict {
    /// The one the message went to.
    pub conversation: ConversationId,
    /// Its business number.
    pub channel: ChannelKey,
    /// Its key.
    pub partition_key: Arc<str>,
    /// The lane that tells of it.
    pub home: Partition,
    /// All of them, that one first.
    pub leads: Vec<Leading>,
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
        /// The clock on the owner's reply that this turn starts, if it does.
        respond_clock: Option<Box<Clock>>,
    },
    /// The business wrote outside our gate.
    MessageSent {
        /// What, without its text.
        message: MessageRef,
        /// By whom.
        origin: Origin,
        /// When the reply was authorised that it is the echo of, if it is one.
        echo_of: Option<Timestamp>,
    },
    /// It waits in a team's queue.
    Queued {
        /// Whose.
        team: TeamId,
        /// Why nobody has it.
        reason: Reason,
        /// What the rules said.
        route: Box<Route>,
        /// With which priority.
        priority: Priority,
        /// A former owner not to be chosen again in this episode.
        exclude: Option<AgentId>,
        /// It was taken from somebody without a word of theirs.
        hop: Option<Hop>,
        /// Told by the one who sent it here.
        note: Option<Arc<str>>,
        /// The clock that runs now.
        assign_clock: Clock,
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
        assign_clock: Clock,
    },
    /// It is finished.
    Closed {
        /// Why.
        reason: Reason,
        /// Told by the one who did it.
        note: Option<Arc<str>>,
    },
    /// It is set aside.
    Held {
        /// Until then at the latest.
        until: Option<Timestamp>,
        /// Told by the one who did it.
        note: Option<Arc<str>>,
    },
    /// It is taken up again, by whoever had it.
    Resumed {
        /// What brought it about.
        reason: Reason,
        /// Told by the one who did it.
        note: Option<Arc<str>>,
    },
    /// It is more urgent now, or less.
    Prioritized {
        /// How urgent.
        priority: Priority,
        /// Told by the one who said so.
        note: Option<Arc<str>>,
    },
    /// Someone wrote something down for colleagues.
    NoteAdded {
        /// Its name.
        id: Uuid,
        /// What.
        text: Arc<str>,
    },
    /// Its owner (or whoever may) asked a colleague to take it.
    Requested(PendingRequest),
    /// The request has come to an end.
    RequestEnded {
        /// Which.
        request: PendingRequest,
        /// How.
        outcome: RequestOutcome,
    },
    /// A reply may be sent, and by whom it was written owns the conversation (or was let leave it unassigned).
    ReplyAuthorized {
        /// What, passed through.
        message: ReplyBody,
        /// Whether it is a template.
        template: bool,
    },
    /// Someone who is not the owner wrote outside our gate.
    ReplyUnauthorized {
        /// What, without its text.
        message: MessageRef,
        /// By whom.
        origin: Origin,
    },
    /// Something that only concerns how it is looked after. Not announced.
    Quiet(Quiet),
    /// A response policy will be broken soon.
    ResponseWarned {
        /// Which of its clocks.
        clock: ClockKind,
        /// Which policy.
        policy: PolicyId,
        /// When it is due.
        due: Timestamp,
    },
    /// It goes up.
    Escalated {
        /// Why.
        why: EscalationReason,
        /// To whom; `None`: nobody on the path is there, and it is tried again.
        to: Option<AgentId>,
    },
    /// A response policy was broken.
    ResponseBreached {
        /// Which of its clocks.
        clock: ClockKind,
        /// Which policy.
        policy: PolicyId,
        /// When it was due.
        due: Timestamp,
        /// Whether the policy asks to tell the managers.
        notify: bool,
    },
}

/// What happens to a conversation without being announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quiet {
    /// The clock on its assignment starts, or is written down again, without any other event (a conversation left with
    /// nobody by the rules, or found stranded).
    ClockStarted(Clock),
    /// It asks for less, or the step that would make it so had nothing to change.
    Relaxed(Route),
    /// It is left to people: nothing has happened in it for too long.
    WentStale,
    /// It was looked whether the owner is there to answer the turn of this time; `None`: it has to be looked again.
    OwnerLookedAt(Option<Timestamp>),
    /// More is known of its customer, and nothing was said that is announced.
    Learned(Arc<Contact>),
    /// It waits for somebody on the path of an escalation.
    EscalationPending(PendingEscalation),
    /// Nobody is excluded any more, since nobody would be left.
    ExclusionsCleared,
    /// Nobody could serve what asks for this: managers are told of the first that waits for it.
    QueueBlocked(Ask),
}

/// How a request came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestOutcome {
    /// The recipient takes the conversation.
    Accepted,
    /// The recipient declined, for this reason.
    Rejected(Arc<str>),
    /// The one who asked took it back, for this reason.
    Withdrawn(Arc<str>),
    /// Nobody answered in time.
    TimedOut,
    /// What happened meanwhile left nothing to be answered.
    Superseded(Reason),
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
    pub priority: Priority,
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
    /// The clock on the new owner's answer, if a turn waits for one.
    pub respond_clock: Clock,
    /// It was taken from somebody without a word of theirs.
    pub hop: Option<Hop>,
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
    /// With many others.
    Bulk,
    /// They wrote to the customer first.
    FirstReply,
    /// They accepted a request.
    Request,
    /// It went up to them.
    Escalation,
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
    /// A person wrote to the customer outside our gate.
    Agent,
    /// The moment came until which it was on hold.
    Until,
    /// The conversation has another owner.
    OwnerChanged,
    /// The conversation is closed.
    Closed,
    /// Whoever was asked is offline, or may not take it any more.
    RecipientUnavailable,
    /// Whoever was asked is no agent any more.
    RecipientRemoved,
    /// Its owner was removed or deactivated, and nobody is free.
    AgentRemoved,
    /// Its customer was erased.
    Forgotten,
    /// Its owner has not been there for too long, and nobody is free.
    OwnerOffline,
    /// Its owner did not answer in time, and nobody is free.
    Breach,
    /// Nothing has happened in it for long.
    Idle,
}

/// A bulk that will be carried out.
#[derive(Debug, Clone)]
pub enum BulkAccepted {
    /// Conversations are given away.
    Assign {
        /// What people call it.
        bulk: Uuid,
        /// Which conversations.
        selection: bulk::Selection,
        /// To whom.
        to: Recipient,
        /// For whoever gets one.
        note: Option<Arc<str>>,
    },
    /// What a bulk gave away is given back.
    Undo {
        /// Which bulk.
        bulk: Uuid,
    },
    /// What a plan or a rule gave away is routed again.
    Reroute {
        /// What people call it.
        bulk: Uuid,
        /// Who made it.
        made: bulk::Made,
        /// The records of what is taken back.
        engagements: Arc<[Uuid]>,
    },
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
    /// A rejection or withdrawal without a reason.
    ReasonRequired,
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
    /// There is no request, or another one than the one that is meant.
    NoPendingRequest,
    /// The target has it already.
    AlreadyAssigned,
    /// The actor is not the owner.
    NotAssignee,
    /// Any other right that is missing.
    NotPermitted,
    /// Another request is pending.
    RequestPending,
    /// The target may not reply, or is asked while offline.
    TargetUnavailable,
    /// The customer's last message is too long ago for anything but a template.
    WindowClosed,
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
    /// The bulk it belongs to, if it does.
    pub bulk: Option<Uuid>,
    /// Its place among the events of its input, from 0.
    pub ordinal: u32,
    /// The conversation right after it; for a refusal, as it stands.
    pub after: Option<Arc<Conversation>>,
    /// Who had it before, if the event changed that.
    pub previous_owner: Option<Owner>,
    /// The team it belonged to under that owner.
    pub previous_team: Option<TeamId>,
    /// Whether the conversation was closed before it: nobody loses what was.
    pub was_closed: bool,
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
        !matches!(self, Change::Quiet(_))
    }

    /// Whether it raises the epoch: every change of owner or status does.
    pub fn raises_epoch(&self) -> bool {
        match self {
            Change::Opened { .. }
            | Change::Reopened { .. }
            | Change::Queued { .. }
            | Change::Assigned(_)
            | Change::Unassigned { .. }
            | Change::Closed { .. }
            | Change::Held { .. }
            | Change::Resumed { .. } => true,
            Change::MessageReceived { .. }
            | Change::MessageSent { .. }
            | Change::Prioritized { .. }
            | Change::NoteAdded { .. }
            | Change::Requested(_)
            | Change::RequestEnded { .. }
            | Change::ReplyAuthorized { .. }
            | Change::ReplyUnauthorized { .. }
            | Change::Quiet(_)
            | Change::ResponseWarned { .. }
            | Change::Escalated { .. }
            | Change::ResponseBreached { .. } => false,
        }
    }
}
