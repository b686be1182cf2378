//! A conversation: one customer on one business number, from episode to episode.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::agent::Skills;
use super::ids::{AgentId, ChannelKey, ConversationId, Partition, PolicyId, TeamId};

/// WhatsApp lets a business write freely for this long after the customer's last message.
pub const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Someone should be looking after it.
    Open,
    /// Set aside until a moment, a word of its owner, or the customer's next turn: it is no one's load meanwhile.
    OnHold,
    /// Finished, until the customer writes again.
    Closed,
}

/// Who has a conversation. A team's queue is a place to wait, not an owner with hands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Nobody: it waits for a person.
    Nobody,
    /// It waits in this team's queue.
    Team(TeamId),
    /// A person.
    Agent(AgentId),
}

impl Owner {
    /// The person, if it is one.
    pub fn agent(&self) -> Option<&AgentId> {
        match self {
            Owner::Agent(agent) => Some(agent),
            Owner::Nobody | Owner::Team(_) => None,
        }
    }

    /// The team in whose queue it waits, if it does.
    pub fn queue(&self) -> Option<&TeamId> {
        match self {
            Owner::Team(team) => Some(team),
            Owner::Nobody | Owner::Agent(_) => None,
        }
    }
}

/// How much a waiting conversation is preferred; each step is a head start of the plan's `aging`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// One step behind.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// One step ahead.
    High,
    /// Two steps ahead.
    Urgent,
}

impl Priority {
    /// Steps above [`Priority::Normal`].
    pub fn steps(self) -> i32 {
        match self {
            Priority::Low => -1,
            Priority::Normal => 0,
            Priority::High => 1,
            Priority::Urgent => 2,
        }
    }
}

/// What is known of the customer, as far as rules may ask. Identifiers are not here: they live, hashed, in the alias table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// As the customer calls themselves; "" when unknown.
    pub name: Arc<str>,
    /// ISO 639-1, lower case; "" when unsure.
    pub language: Arc<str>,
    /// ISO 3166-1 alpha-2, upper case; "" when unknown.
    pub country: Arc<str>,
    /// What the gateway or CRM says of them.
    pub attributes: BTreeMap<Arc<str>, Arc<str>>,
}

impl Contact {
    /// Attributes kept per contact: conditions walk them, so their number is bounded.
    pub const MAX_ATTRIBUTES: usize = 64;
}

/// What the rules decided for the present episode.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// The rule that matched; `None` for the default, a person's choice, or none at all.
    pub rule: Option<Arc<str>>,
    /// The agent the rule prefers, member of the team or not.
    pub agent: Option<AgentId>,
    /// Skill levels an agent must have.
    pub skills: Skills,
    /// The response policy the rule names.
    pub response: Option<PolicyId>,
    /// The rule asks that a person claims it from the queue.
    pub manual: bool,
    /// How it asks for less as time goes on, in order.
    pub relax: Arc<[Relaxation]>,
    /// How many of these steps it has taken.
    pub relaxed: usize,
    /// Since when it has waited under this route: steps count from here.
    pub relaxing_since: Option<Timestamp>,
}

/// A step in which a waiting conversation asks for less.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relaxation {
    /// After so much waiting.
    pub after: Duration,
    /// It no longer asks for this skill.
    pub drop: Option<Arc<str>>,
    /// It moves to this team.
    pub team: Option<TeamId>,
    /// It is this urgent from now on.
    pub priority: Option<Priority>,
    /// Managers are told.
    pub notify: bool,
}

/// Which of a conversation's two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockKind {
    /// From becoming unowned to an agent's ownership.
    Assign,
    /// From the first unanswered turn, or the last change of owner, to the owner's reply.
    Respond,
}

/// A clock of a response policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clock {
    /// No clock: nothing is waited for.
    Off,
    /// Running: due then, unless what it waits for happens first.
    Running {
        /// The policy it runs under.
        policy: PolicyId,
        /// Since when it has run.
        since: Timestamp,
        /// When to warn; `None`: not asked for, or done.
        warn: Option<Timestamp>,
        /// When it is breached.
        due: Timestamp,
    },
    /// Breached once; a clock fires once per run.
    Breached,
}

impl Clock {
    /// When it will warn, if it will.
    pub fn warns(&self) -> Option<Timestamp> {
        match self {
            Clock::Running { warn, .. } => *warn,
            Clock::Off | Clock::Breached => None,
        }
    }

    /// When it will fire, if it will.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Clock::Running { due, .. } => Some(*due),
            Clock::Off | Clock::Breached => None,
        }
    }
}

/// What is remembered of an episode beside its route, so that nothing is done twice and nobody is asked for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Care {
    /// Whom it was taken from automatically, and why, in order: the hop guard counts them.
    pub hops: Vec<Hop>,
    /// Whether the exclusions of this episode were cleared: that happens once.
    pub exclusions_cleared: bool,
    /// An escalation that found nobody there: tried again then.
    pub escalation: Option<PendingEscalation>,
    /// The end of the window that was already escalated.
    pub window_told: Option<Timestamp>,
    /// The first unanswered turn for which it was looked whether the owner is there.
    pub owner_looked_at: Option<Timestamp>,
    /// Too long without activity to be assigned automatically; a turn ends that.
    pub stale: bool,
    /// What was told by the one who sent it to a queue, for whoever gets it from there.
    pub handoff: Option<Arc<str>>,
}

impl Care {
    /// Hops that are remembered: more than anybody lets a conversation move. The oldest is forgotten.
    pub const MAX_HOPS: usize = 100;

    /// Writes down that it was taken from somebody.
    pub fn remember(&mut self, hop: Hop) {
        if self.hops.len() >= Self::MAX_HOPS {
            self.hops.remove(0);
        }
        self.hops.push(hop);
    }
}

/// An automatic move away from someone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// From whom.
    pub from: AgentId,
    /// Why.
    pub why: HopReason,
}

/// Why something was taken from someone without a word of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HopReason {
    /// They did not answer in time.
    Silent,
    /// They were not there.
    Absent,
}

/// An escalation that waits for somebody to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEscalation {
    /// Why it is escalated.
    pub why: EscalationReason,
    /// Whose path it follows.
    pub policy: PolicyId,
    /// When it is tried again.
    pub retry_at: Timestamp,
}

/// Why a conversation goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EscalationReason {
    /// A clock was breached.
    Breach,
    /// It moved too often.
    Hops,
    /// The customer's window is about to close.
    Window,
}

/// An offer that waits for an answer: the owner stays the owner until it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRequest {
    /// Its name, and that of its engagement record.
    pub id: Uuid,
    /// Who asks.
    pub from: AgentId,
    /// Who is asked.
    pub to: AgentId,
    /// Why, in the words of the one who asks.
    pub note: Option<Arc<str>>,
    /// When it is too late to answer.
    pub expires_at: Timestamp,
}

/// Everything that decisions about one conversation read and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// The business number.
    pub channel: ChannelKey,
    /// The publisher's key it was created with; clients echo it.
    pub partition_key: Arc<str>,
    /// The lane that publishes its events.
    pub home: Partition,
    /// Open, on hold or closed.
    pub status: Status,
    /// When it is to be resumed, while it is on hold until a moment.
    pub held_until: Option<Timestamp>,
    /// Who has it; a closed one keeps its last.
    pub owner: Owner,
    /// The team it belongs to, which permissions and managers follow.
    pub team: Option<TeamId>,
    /// The agent who owned it last, for `sticky`.
    pub last_owner: Option<AgentId>,
    /// How urgent.
    pub priority: Priority,
    /// From open to close is one; the first is 1.
    pub episode: u32,
    /// Rises with every change of owner or status.
    pub epoch: u64,
    /// The number of its last event.
    pub sequence: u64,
    /// A bot holds it: no routing, no notification, no clock.
    pub standby: bool,
    /// What the rules said for this episode.
    pub route: Route,
    /// Agents not to be chosen automatically in this episode.
    pub excluded: BTreeSet<AgentId>,
    /// The episode's first unanswered turn, by message time.
    pub waiting_since: Option<Timestamp>,
    /// When it came to the queue it is in.
    pub queued_at: Option<Timestamp>,
    /// The clock on its assignment.
    pub assign_clock: Clock,
    /// The clock on its owner's reply.
    pub respond_clock: Clock,
    /// When it last changed its owner.
    pub owned_since: Option<Timestamp>,
    /// What is remembered of the episode beside its route.
    pub care: Care,
    /// The one request that may be pending.
    pub request: Option<PendingRequest>,
    /// When the replies were authorised whose echo has not come yet, the oldest first. See [`Conversation::ECHO_WITHIN`].
    pub unechoed: Vec<Timestamp>,
    /// When its owner last replied, by our clock: what was replied to is not undone.
    pub replied_at: Option<Timestamp>,
    /// When free-form replies end.
    pub window_expires_at: Option<Timestamp>,
    /// The last thing that happened on it.
    pub last_activity: Timestamp,
    /// Who the customer is, for rules.
    pub contact: Arc<Contact>,
}

impl Conversation {
    /// The echo of a reply comes within this time of its authorisation, or is taken for another message.
    pub const ECHO_WITHIN: Duration = Duration::from_secs(10 * 60);
    /// Messages carry whole seconds of another clock: an echo may seem to be this much older than its authorisation.
    pub const ECHO_SKEW: Duration = Duration::from_secs(60);
    /// Replies that can wait for their echo at once: more than a person writes in ten minutes. The oldest is forgotten.
    pub const MAX_UNECHOED: usize = 64;

    /// A conversation that does not exist until its `opened` event is evolved: sequence, epoch and episode are 0.
    pub fn unborn(id: ConversationId, channel: ChannelKey, partition_key: Arc<str>, home: Partition) -> Self {
        Self {
            id,
            channel,
            partition_key,
            home,
            status: Status::Closed,
            held_until: None,
            owner: Owner::Nobody,
            team: None,
            last_owner: None,
            priority: Priority::Normal,
            episode: 0,
            epoch: 0,
            sequence: 0,
            standby: false,
            route: Route::default(),
            excluded: BTreeSet::new(),
            waiting_since: None,
            queued_at: None,
            assign_clock: Clock::Off,
            respond_clock: Clock::Off,
            owned_since: None,
            care: Care::default(),
            request: None,
            unechoed: Vec::new(),
            replied_at: None,
            window_expires_at: None,
            last_activity: Timestamp::UNIX_EPOCH,
            contact: Arc::default(),
        }
    }

    /// Whether it has been opened at all.
    pub fn exists(&self) -> bool {
        self.sequence > 0
    }

    /// Whether it is open: not on hold and not closed.
    pub fn is_open(&self) -> bool {
        self.status == Status::Open
    }

    /// Keeps nothing that tells who the customer was, nor a key derived from it.
    pub fn forget(&mut self) {
        self.contact = Arc::default();
        self.partition_key = self.key_when_forgotten();
    }

    /// Whether its customer was erased: nothing of theirs may come to it any more.
    pub fn is_forgotten(&self) -> bool {
        self.partition_key == self.key_when_forgotten()
    }

    fn key_when_forgotten(&self) -> Arc<str> {
        format!("forgotten/{}", self.id).into()
    }

    /// Whether its episode is over (or has not begun).
    pub fn is_closed(&self) -> bool {
        self.status == Status::Closed
    }

    /// The agent who owns it, open or on hold. A closed one only remembers its owner.
    pub fn owned_by(&self) -> Option<&AgentId> {
        if self.is_closed() {
            None
        } else {
            self.owner.agent()
        }
    }

    /// The agent whose load it counts for: an open conversation's owner.
    pub fn carried_by(&self) -> Option<&AgentId> {
        if self.is_open() { self.owner.agent() } else { None }
    }

    /// The reply whose echo a message of this time is: when it was authorised.
    pub fn echoed_by(&self, sent_at: Timestamp) -> Option<Timestamp> {
        let is_echo = |authorized: &Timestamp| {
            let earliest = authorized.checked_sub(Self::ECHO_SKEW).unwrap_or(Timestamp::MIN);
            let latest = authorized
                .checked_add(Self::ECHO_WITHIN)
                .unwrap_or(Timestamp::MAX);
            (earliest..=latest).contains(&sent_at)
        };
        self.unechoed
            .iter()
            .find(|authorized| is_echo(authorized))
            .copied()
    }

    /// Whether only templates may be sent: the customer's last message is too long ago. Where none is known (an episode
    /// that the business or a bot began) nothing is said to have run out.
    pub fn window_is_closed(&self, now: Timestamp) -> bool {
        self.window_expires_at.is_some_and(|expires| expires < now)
    }

    /// Whether it stands in a queue that a strategy may empty (whether the team's strategy is manual is the plan's to say).
    pub fn may_be_matched(&self) -> bool {
        self.is_open()
            && self.owner.queue().is_some()
            && !self.standby
            && !self.route.manual
            && !self.care.stale
    }

    /// When its wait began, for the order of queues.
    pub fn waits_from(&self) -> Timestamp {
        self.waiting_since
            .or(self.queued_at)
            .unwrap_or(self.last_activity)
    }
}
