//! What came of each arrival, as the events tell it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::conversation::{Conversation, Owner};
use crate::domain::event::Change;
use crate::domain::ids::{AgentId, TeamId};

/// What came of one arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// When the customer wrote.
    pub at: Timestamp,
    /// Where it stood when the simulation ended.
    pub end: End,
    /// The first team it came to.
    pub team: Option<TeamId>,
    /// The first person who got it, and when.
    pub given: Option<(AgentId, Timestamp)>,
    /// When it was first answered.
    pub answered: Option<Timestamp>,
    /// How often it went to another person after the first.
    pub moves: u32,
    /// How often a response policy was broken.
    pub breaches: u32,
}

/// Where an arrival stood when the simulation ended: exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It was answered and closed.
    Closed(Timestamp),
    /// A person has it.
    InHand,
    /// It waits in a team's queue.
    Queued,
    /// Nobody has it: it waits for a person to take it.
    Unowned,
    /// It was a further message of a conversation that was open: part of the outcome of that.
    Further,
    /// It was not let in: its time lay after the end.
    NotReached,
}

impl Outcome {
    /// Before anything came of it.
    pub fn of(at: Timestamp) -> Self {
        Self {
            at,
            end: End::NotReached,
            team: None,
            given: None,
            answered: None,
            moves: 0,
            breaches: 0,
        }
    }

    /// Whether it began a conversation (or an episode of one): those are counted.
    pub fn counts(&self) -> bool {
        !matches!(self.end, End::Further | End::NotReached)
    }

    /// How long it waited for its first owner.
    pub fn wait(&self) -> Option<SignedDuration> {
        self.given.as_ref().map(|(_, at)| at.duration_since(self.at))
    }

    /// How long it waited for its first answer.
    pub fn first_answer(&self) -> Option<SignedDuration> {
        self.answered.map(|at| at.duration_since(self.at))
    }

    /// Takes in what happened to its conversation, which `after` shows right after it.
    pub fn learn(&mut self, change: &Change, after: &Conversation, at: Timestamp) {
        if self.team.is_none() {
            self.team = after.team.clone();
        }
        match change {
            Change::Assigned(assignment) if self.given.is_none() => {
                self.given = Some((assignment.agent.clone(), at));
            }
            Change::Assigned(_) => self.moves += 1,
            Change::ReplyAuthorized { .. } => {
                self.answered.get_or_insert(at);
            }
            Change::ResponseBreached { .. } => self.breaches += 1,
            _ => {}
        }
        self.end = match (&after.owner, after.is_closed()) {
            (_, true) => End::Closed(at),
            (Owner::Agent(_), false) => End::InHand,
            (Owner::Team(_), false) => End::Queued,
            (Owner::Nobody, false) => End::Unowned,
        };
    }
}
