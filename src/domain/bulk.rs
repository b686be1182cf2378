//! Many conversations at once: what is asked for all of them, what becomes of each, and what is reported at the end.
//!
//! A bulk is accepted as one command and carried out item by item, each in the home lane of its conversation.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::conversation::{Conversation, Owner, Status};
use super::event::Code;
use super::ids::{AgentId, ConversationId, TeamId};
use super::input::{Actor, Recipient};

/// Conversations of one bulk, at most: its result is one message.
pub const MAX_ITEMS: usize = 10_000;

/// Which conversations a bulk is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These, each once.
    Listed(Vec<ConversationId>),
    /// Whatever this person owns, open or on hold; the first [`MAX_ITEMS`] of them.
    OwnedBy(AgentId),
}

/// Who made assignments that are to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The plan they were made under.
    pub version: u32,
    /// The rule that made them; `None`: any, and the default.
    pub rule: Option<Arc<str>>,
}

/// A bulk that was accepted, as far as a later command has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Who gave the command.
    pub actor: Actor,
    /// Items that are not done yet.
    pub pending: u32,
}

/// What is asked for every item of a bulk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The bulk that people see: for an undo, the one that is undone.
    pub bulk: Uuid,
    /// Who gave the command.
    pub actor: Actor,
    /// What they asked.
    pub task: Task,
}

/// What a bulk does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Gives every conversation away.
    Assign {
        /// To whom.
        to: Recipient,
        /// Told by the one who gave them.
        note: Option<Arc<str>>,
    },
    /// Gives every conversation back.
    Undo,
    /// Routes every conversation again, by the rules of the plan in force.
    Reroute,
}

/// One conversation of a bulk, whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The name under which its bulk's progress is kept: for an undo, its own.
    pub run: Uuid,
    /// What is asked.
    pub order: Arc<Order>,
    /// Its place in the selection, from 0.
    pub place: u32,
    /// Which conversation.
    pub conversation: ConversationId,
    /// For an undo: how the bulk found and left it. For routing again: how the assignment left it that is taken back.
    pub was: Option<Was>,
}

/// How a bulk found a conversation, and how it left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Was {
    /// Open, on hold or closed.
    pub status: Status,
    /// Who had it.
    pub owner: Owner,
    /// The team it belonged to.
    pub team: Option<TeamId>,
    /// The epoch it had afterwards: another one means that somebody has changed it since.
    pub epoch: u64,
    /// The record of what the bulk did to it.
    pub engagement: Uuid,
    /// When the bulk got to it: a reply since then is not undone.
    pub at: Timestamp,
}

impl Was {
    /// How a bulk finds this conversation. How it leaves it is known once that is decided.
    pub fn found(conversation: &Conversation, at: Timestamp) -> Self {
        Self {
            status: conversation.status,
            owner: conversation.owner.clone(),
            team: conversation.team.clone(),
            epoch: conversation.epoch,
            engagement: Uuid::nil(),
            at,
        }
    }
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemOutcome {
    /// A person has it now.
    Assigned,
    /// It waits in the team's queue now.
    Queued,
    /// It was refused.
    Rejected(Code),
    /// It was there already.
    Unchanged,
    /// It is back where it was.
    Undone,
    /// It was not there any more to be moved back.
    Skipped,
}

/// An item that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemDone {
    /// The name under which its bulk's progress is kept.
    pub run: Uuid,
    /// Its place in the selection.
    pub place: u32,
    /// What became of it.
    pub outcome: ItemOutcome,
    /// How it was found and left, where something changed: what an undo has to know.
    pub was: Option<Was>,
    /// The engagement record that was taken back.
    pub undone: Option<Uuid>,
}

/// What became of all items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The bulk that people see.
    pub bulk: Uuid,
    /// Who gave the command.
    pub actor: Actor,
    /// Whether it is an undo that is done.
    pub undo: bool,
    /// In the order of the selection.
    pub results: Vec<(ConversationId, ItemOutcome)>,
}
