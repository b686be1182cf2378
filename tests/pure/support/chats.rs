//! Conversations in a few words, as they stand before anything happens.

use jiff::Timestamp;
use switchboard::domain::conversation::{Conversation, Owner, Priority, Status};
use switchboard::domain::ids::{ConversationId, Partition};

use super::{agent, channel, id, start, team};

/// A conversation being set up: open, with nobody, in no team, its customer answered.
#[derive(Debug, Clone)]
pub struct Chat(Conversation);

pub fn chat(number: u8) -> Chat {
    let mut conversation = unborn(id(number));
    conversation.status = Status::Open;
    conversation.episode = 1;
    conversation.epoch = 1;
    conversation.sequence = 1;
    conversation.last_activity = start();
    Chat(conversation)
}

/// One that nobody has written to yet, as a batch prepares it.
pub fn unborn(id: ConversationId) -> Conversation {
    Conversation::unborn(id, channel(), format!("key-{id}").into(), Partition(4))
}

impl Chat {
    /// An agent owns it.
    pub fn with(mut self, owner: &str) -> Self {
        self.0.owner = Owner::Agent(agent(owner));
        self.0.last_owner = Some(agent(owner));
        self
    }

    /// It waits in a team's queue, since the world began.
    pub fn waiting_in(mut self, queue: &str) -> Self {
        self.0.owner = Owner::Team(team(queue));
        self.0.queued_at = Some(start());
        self.waiting_since(start()).of(queue)
    }

    /// Whoever has it set it aside, perhaps until then.
    pub fn on_hold(mut self, until: Option<Timestamp>) -> Self {
        self.0.status = Status::OnHold;
        self.0.held_until = until;
        self
    }

    /// The window for free replies ends then.
    pub fn writable_until(mut self, until: Timestamp) -> Self {
        self.0.window_expires_at = Some(until);
        self
    }

    /// The team it belongs to.
    pub fn of(mut self, of: &str) -> Self {
        self.0.team = Some(team(of));
        self
    }

    /// It was closed by whoever had it.
    pub fn closed(mut self) -> Self {
        self.0.status = Status::Closed;
        self.0.waiting_since = None;
        self.0.queued_at = None;
        self
    }

    /// Who owned it last, whatever became of it since.
    pub fn last_with(mut self, owner: &str) -> Self {
        self.0.last_owner = Some(agent(owner));
        self
    }

    /// The customer waits for an answer since then.
    pub fn waiting_since(mut self, since: Timestamp) -> Self {
        self.0.waiting_since = Some(since);
        self
    }

    pub fn priority(mut self, priority: Priority) -> Self {
        self.0.priority = priority;
        self
    }

    pub fn excluding(mut self, excluded: &str) -> Self {
        self.0.excluded.insert(agent(excluded));
        self
    }

    pub fn needing(mut self, skill: &str, level: u8) -> Self {
        self.0.route.skills.insert(skill.into(), level);
        self
    }

    /// A rule asks that a person claims it.
    pub fn by_hand(mut self) -> Self {
        self.0.route.manual = true;
        self
    }

    /// A bot holds it.
    pub fn standby(mut self) -> Self {
        self.0.standby = true;
        self
    }

    pub fn build(self) -> Conversation {
        self.0
    }
}
