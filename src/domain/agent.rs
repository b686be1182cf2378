//! People: who they are, whether they are there, and how much they carry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::ids::{AgentId, CalendarId, ChannelKey, TeamId};

/// What a person may do beyond their own conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Role {
    /// Answers customers.
    #[default]
    Agent,
    /// Also looks after the teams they manage.
    Manager,
    /// May reassign anything and change the plan.
    Admin,
}

/// Whether a person is there. Agents start offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Presence {
    /// Takes new conversations.
    Online,
    /// There, but takes no new ones (unless the plan says `assign_away`).
    Away,
    /// Not there.
    #[default]
    Offline,
}

/// Skill name → level.
pub type Skills = BTreeMap<Arc<str>, u8>;

/// Who a person is: what plans and upserts write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Shown to people.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// Open conversations they may own; 0 = unlimited; `None` = the tenant's setting.
    pub capacity: Option<u32>,
    /// What they are good at.
    pub skills: Skills,
    /// Inactive agents can neither act nor be chosen.
    pub active: bool,
    /// Whether they may reply at all; those who may not are never assigned.
    pub may_reply: bool,
    /// Channels whose unowned conversations they are told about.
    pub subscriptions: BTreeSet<ChannelKey>,
    /// When they work; `None`: as their team.
    pub calendar: Option<CalendarId>,
}

impl Profile {
    /// A new agent before any field is written.
    pub fn named(id: &AgentId) -> Self {
        Self {
            name: id.as_str().into(),
            role: Role::default(),
            capacity: None,
            skills: Skills::new(),
            active: true,
            may_reply: true,
            subscriptions: BTreeSet::new(),
            calendar: None,
        }
    }
}

/// A person with what changes all day: presence, load, turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Who.
    pub id: AgentId,
    /// What plans and upserts say of them.
    pub profile: Profile,
    /// Whether they were removed. They are kept while anything remembers them; a plan or an upsert brings them back.
    pub removed: bool,
    /// Whether they are there.
    pub presence: Presence,
    /// When a presence given with a `ttl` runs out.
    pub presence_expires: Option<Timestamp>,
    /// Since when they have not been online; `None` while they are, and for those who never were.
    pub absent_since: Option<Timestamp>,
    /// Since when they have been offline; `None` while they are not, and for those who never were anything else.
    pub offline_since: Option<Timestamp>,
    /// Open conversations they own, by the conversation's team. No zero entries.
    pub loads: BTreeMap<Option<TeamId>, u32>,
    /// When they last became owner of anything: `longest_idle` reads it.
    pub last_assigned: Option<Timestamp>,
    /// When they were last chosen automatically: ties go to who waited longest for a turn.
    pub last_chosen: Option<Timestamp>,
    /// Their last automatic assignments, the oldest first: as many as the burst guard counts.
    pub recent: Vec<Timestamp>,
}

impl Agent {
    /// An agent nobody has heard from yet.
    pub fn new(id: AgentId, profile: Profile) -> Self {
        Self {
            id,
            profile,
            removed: false,
            presence: Presence::Offline,
            presence_expires: None,
            absent_since: None,
            offline_since: None,
            loads: BTreeMap::new(),
            last_assigned: None,
            last_chosen: None,
            recent: Vec::new(),
        }
    }

    /// One more automatic assignment; the guard looks at so many of the last ones.
    pub fn remember_turn(&mut self, at: Timestamp, guarded: u32) {
        self.recent.push(at);
        // Two lanes' clocks are read before they take turns: a little of an order may be lost between them.
        self.recent.sort();
        let kept = usize::try_from(guarded).unwrap_or(usize::MAX);
        let too_many = self.recent.len().saturating_sub(kept);
        self.recent.drain(..too_many);
    }

    /// They say whether they are there. Who says the same again has been so since they first did.
    pub fn set_presence(&mut self, presence: Presence, at: Timestamp) {
        let since = |was_so: bool, since: Option<Timestamp>| if was_so { since } else { Some(at) };
        let was_absent = self.presence != Presence::Online;
        let was_offline = self.presence == Presence::Offline;
        (self.absent_since, self.offline_since) = match presence {
            Presence::Online => (None, None),
            Presence::Away => (since(was_absent, self.absent_since), None),
            Presence::Offline => (
                since(was_absent, self.absent_since),
                since(was_offline, self.offline_since),
            ),
        };
        self.presence = presence;
    }

    /// Open conversations they own.
    pub fn load(&self) -> u32 {
        self.loads.values().sum()
    }

    /// Open conversations of this team they own.
    pub fn load_in(&self, team: Option<&TeamId>) -> u32 {
        self.loads.get(&team.cloned()).copied().unwrap_or(0)
    }

    /// One more, or one fewer, conversation of this team.
    pub fn carry(&mut self, team: Option<&TeamId>, change: i32) {
        let load = self.load_in(team).saturating_add_signed(change);
        if load == 0 {
            self.loads.remove(&team.cloned());
        } else {
            self.loads.insert(team.cloned(), load);
        }
    }
}

/// Who is in a team, and whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    /// Members in the order the plan lists them; later joiners follow.
    pub members: Vec<Member>,
    /// Who looks after the team; being only here makes nobody eligible.
    pub managers: Vec<AgentId>,
}

/// A member's place in the team's ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub agent: AgentId,
    /// The ring is ordered by this, then by the order of members: whoever is chosen gets the highest number and
    /// goes last; whoever is skipped keeps their number and so their place.
    pub turn: u64,
}

impl Membership {
    /// Whether this agent is a member.
    pub fn has_member(&self, agent: &AgentId) -> bool {
        self.members.iter().any(|m| &m.agent == agent)
    }

    /// Whether this agent manages the team.
    pub fn has_manager(&self, agent: &AgentId) -> bool {
        self.managers.contains(agent)
    }

    /// The number that puts its holder last in the ring.
    pub fn last_turn(&self) -> u64 {
        self.members.iter().map(|m| m.turn).max().unwrap_or(0) + 1
    }

    /// Makes the members these, in this order. Who stays keeps their turn; who is new goes last in the ring,
    /// unless the whole ring is new.
    pub fn set_members(&mut self, agents: &[AgentId]) {
        let newcomer = if self.members.is_empty() {
            0
        } else {
            self.last_turn()
        };
        let turn = |agent: &AgentId| {
            self.members
                .iter()
                .find(|m| &m.agent == agent)
                .map_or(newcomer, |m| m.turn)
        };
        self.members = agents
            .iter()
            .map(|agent| Member {
                agent: agent.clone(),
                turn: turn(agent),
            })
            .collect();
    }

    /// Adds one member at the end.
    pub fn join(&mut self, agent: &AgentId) {
        if !self.has_member(agent) {
            let turn = if self.members.is_empty() {
                0
            } else {
                self.last_turn()
            };
            self.members.push(Member {
                agent: agent.clone(),
                turn,
            });
        }
    }

    /// Takes one member out.
    pub fn leave(&mut self, agent: &AgentId) {
        self.members.retain(|m| &m.agent != agent);
    }
}
