//! Why something waits: what stops each candidate, and what would make one of them take it.
//!
//! Nothing is judged here. `matching::passed_over` is asked, as it is when conversations are given away; then one lack after
//! the other is mended on a copy of the candidate and it is asked again, until they could take it. So the explanation
//! cannot differ from the decision.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::agent::{Agent, Presence, Profile};
use super::conversation::Conversation;
use super::event::PassedOver;
use super::ids::{AgentId, TeamId};
use super::input::Recipient;
use super::matching::{self, Wanted};
use super::permission::{self, Acting};
use super::plan::Plan;
use super::state::State;

/// How many ways out are named: the nearest ones.
pub const MAX_UNBLOCK: usize = 3;

/// Why what asks for this waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Why {
    /// Everyone who is asked at all.
    pub candidates: u32,
    /// Those who lack neither a skill nor a permission and have not had it before.
    pub able: u32,
    /// Those of them whose presence lets them take something new.
    pub there: u32,
    /// What keeps those from taking it who are there and able, by filter.
    pub busy: BTreeMap<PassedOver, u32>,
    /// Those who could take it now: it is being given out.
    pub free: u32,
    /// All others, by the first filter that stops them.
    pub blocked_by: BTreeMap<PassedOver, u32>,
    /// The nearest ways out, nearest first.
    pub unblock: Vec<Unblock>,
}

/// What would let one candidate take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unblock {
    /// Who.
    pub agent: AgentId,
    /// Everything they lack, in the order of the filters. With all of it mended they are eligible.
    pub lacks: Vec<Lack>,
}

/// Something a candidate lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// They are not in the company any more, or not yet.
    Active,
    /// They may not reply to customers.
    Permission,
    /// They are not there.
    Presence {
        /// How they are.
        is: Presence,
        /// Since when they have not been online, if that is known.
        since: Option<Timestamp>,
    },
    /// They do not work at this hour.
    Hours {
        /// When they work next, if they ever do.
        opens: Option<Timestamp>,
    },
    /// They were given as much as the burst guard allows for a while.
    Burst {
        /// When they may be given the next one.
        ends: Option<Timestamp>,
    },
    /// They had it already in this episode: only a person can give it back to them.
    HadIt,
    /// They do not have these skills at the levels asked for.
    Skills(BTreeMap<Arc<str>, u8>),
    /// They carry as much as they may.
    Room {
        /// Which limit.
        limit: Limit,
        /// What it says.
        capacity: u32,
        /// How many they have to close first.
        close: u32,
    },
}

/// Whose limit on what an agent carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Their own.
    Agent,
    /// The team's.
    Team,
    /// The tenant's.
    Tenant,
}

/// A world of one's own, in which candidates are mended to see what else they lack. Only what filters look at is in it:
/// people, teams and the plan.
#[derive(Debug)]
pub struct Explainer {
    state: State,
    nobody: BTreeSet<AgentId>,
    /// The same plan with everybody always at work.
    around_the_clock: Arc<Plan>,
}

impl Explainer {
    /// For questions about this world.
    pub fn of(state: &State) -> Self {
        let mut own = State::new(state.plan.clone());
        own.agents = state.agents.clone();
        own.teams = state.teams.clone();
        let around_the_clock = Plan {
            calendars: BTreeMap::new(),
            ..(*state.plan).clone()
        };
        Self {
            state: own,
            nobody: BTreeSet::new(),
            around_the_clock: Arc::new(around_the_clock),
        }
    }

    /// The world it was made for.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Explains why what asks for this is not given away.
    pub fn explain(&mut self, wanted: Wanted<'_>) -> Why {
        let members = wanted.team.and_then(|team| self.state.teams.get(team)).cloned();
        let candidates = matching::candidates(wanted, members.as_ref());
        let mut why = Why {
            candidates: u32::try_from(candidates.len()).unwrap_or(u32::MAX),
            ..Why::default()
        };
        let mut ways: Vec<(Distance, Unblock)> = Vec::new();
        for id in candidates {
            let stopped_by = matching::passed_over(&self.state, id, wanted);
            match stopped_by {
                None => why.free += 1,
                Some(reason) => *why.blocked_by.entry(reason).or_default() += 1,
            }
            let lacks = self.lacks(id, wanted);
            let able = lacks.iter().all(Lack::passes);
            let there = !lacks.iter().any(|lack| matches!(lack, Lack::Presence { .. }));
            why.able += u32::from(able);
            why.there += u32::from(able && there);
            if let Some(reason) = stopped_by.filter(|_| able && there) {
                *why.busy.entry(reason).or_default() += 1;
            }
            if !lacks.is_empty() {
                let agent = id.clone();
                ways.push((distance(&self.state, id, &lacks), Unblock { agent, lacks }));
            }
        }
        ways.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.agent.cmp(&other.agent)));
        why.unblock = ways.into_iter().map(|(_, way)| way).take(MAX_UNBLOCK).collect();
        why
    }

    /// Everything this candidate lacks. What was mended is put back.
    fn lacks(&mut self, id: &AgentId, wanted: Wanted<'_>) -> Vec<Lack> {
        let (before, plan) = (self.state.agents.get(id).cloned(), self.state.plan.clone());
        let mut lacks = Vec::new();
        let mut had_it = wanted.excluded.contains(id);
        let mut mended = BTreeSet::new();
        while let Some(reason) = self.stopped_by(id, wanted, had_it) {
            if !mended.insert(reason) {
                break;
            }
            had_it &= reason != PassedOver::Excluded;
            lacks.push(self.mend(id, wanted, reason));
        }
        self.state.plan = plan;
        match before {
            Some(agent) => drop(self.state.agents.insert(id.clone(), agent)),
            None => drop(self.state.agents.remove(id)),
        }
        lacks
    }

    fn stopped_by(&self, id: &AgentId, wanted: Wanted<'_>, had_it: bool) -> Option<PassedOver> {
        let excluded = if had_it { wanted.excluded } else { &self.nobody };
        matching::passed_over(&self.state, id, Wanted { excluded, ..wanted })
    }
    /// People who may claim this one, which waits for a person: those who are there first, of them the members of its team,
    /// of them who carries least.
    pub fn takers(&self, conversation: &Conversation) -> Vec<AgentId> {
        let may_claim = |agent: &&Agent| {
            let acting = Acting::Person {
                id: &agent.id,
                role: agent.profile.role,
            };
            let to_self = Recipient::Agent(agent.id.clone());
            agent.profile.active
                && agent.profile.may_reply
                && permission::assign(&self.state, acting, conversation, &to_self).is_ok()
        };
        let mut all: Vec<&Agent> = self.state.agents.values().filter(may_claim).collect();
        let team = conversation
            .team
            .as_ref()
            .and_then(|team| self.state.teams.get(team));
        let is_outsider = |agent: &Agent| !team.is_some_and(|team| team.has_member(&agent.id));
        all.sort_by_key(|agent| {
            let (there, outsider) = (agent.presence, is_outsider(agent));
            (there, outsider, agent.load(), agent.id.clone())
        });
        all.into_iter()
            .map(|agent| agent.id.clone())
            .take(MAX_UNBLOCK)
            .collect()
    }

    /// Mends what stops a candidate first, and says what it was.
    fn mend(&mut self, id: &AgentId, wanted: Wanted<'_>, reason: PassedOver) -> Lack {
        let team = wanted.team;
        let plan = self.state.plan.clone();
        let tenant_limit = plan.settings.capacity;
        let team_limit = team
            .and_then(|team| plan.teams.get(team))
            .and_then(|team| team.capacity)
            .unwrap_or(0);
        let agents = &mut self.state.agents;
        let agent = agents
            .entry(id.clone())
            .or_insert_with(|| Agent::new(id.clone(), Profile::named(id)));
        match reason {
            PassedOver::Inactive => {
                agent.profile.active = true;
                Lack::Active
            }
            PassedOver::MayNotReply => {
                agent.profile.may_reply = true;
                Lack::Permission
            }
            PassedOver::Offline | PassedOver::Away => {
                let is = std::mem::replace(&mut agent.presence, Presence::Online);
                Lack::Presence {
                    is,
                    since: agent.absent_since,
                }
            }
            PassedOver::Hours => {
                let calendar = plan.calendar_of(agent.profile.calendar.as_ref(), team);
                let opens = calendar.and_then(|calendar| calendar.next_opening(wanted.now));
                self.state.plan = self.around_the_clock.clone();
                Lack::Hours { opens }
            }
            PassedOver::Burst => {
                let guard = plan.settings.burst;
                let ends = guard.and_then(|burst| matching::burst_ends(agent, burst, wanted.now));
                agent.recent.clear();
                Lack::Burst { ends }
            }
            PassedOver::Skill => {
                let has = |skill: &Arc<str>| agent.profile.skills.get(skill).copied();
                let lacking = wanted
                    .skills
                    .iter()
                    .filter(|(skill, level)| has(skill).is_none_or(|has| has < **level));
                let lacking: BTreeMap<Arc<str>, u8> =
                    lacking.map(|(skill, level)| (skill.clone(), *level)).collect();
                agent.profile.skills.extend(lacking.clone());
                Lack::Skills(lacking)
            }
            PassedOver::Capacity => {
                let own = agent.profile.capacity.unwrap_or(tenant_limit);
                room(agent, team, Limit::Agent, own)
            }
            PassedOver::TenantCapacity => room(agent, team, Limit::Tenant, tenant_limit),
            PassedOver::TeamCapacity => {
                let load = agent.load_in(team);
                let close = load.saturating_sub(team_limit.saturating_sub(1));
                agent.carry(team, -i32::try_from(close).unwrap_or(i32::MAX));
                Lack::Room {
                    limit: Limit::Team,
                    capacity: team_limit,
                    close,
                }
            }
            // Nobody has to mend what is no lack.
            PassedOver::Excluded | PassedOver::Outranked => Lack::HadIt,
        }
    }
}

impl Lack {
    /// Whether it passes in the course of a day, without anyone changing what a person may do or can.
    pub fn passes(&self) -> bool {
        match self {
            Lack::Presence { .. } | Lack::Hours { .. } | Lack::Burst { .. } | Lack::Room { .. } => true,
            Lack::Active | Lack::Permission | Lack::HadIt | Lack::Skills(_) => false,
        }
    }

    /// How far away its end is, as far as one can tell: the nearest first.
    fn severity(&self) -> u8 {
        match self {
            Lack::Burst { .. } => 0,
            Lack::Room { .. } => 1,
            Lack::Presence {
                is: Presence::Offline,
                ..
            } => 4,
            Lack::Presence { .. } => 2,
            Lack::Hours { .. } => 3,
            Lack::Skills(_) => 5,
            Lack::HadIt => 6,
            Lack::Permission => 7,
            Lack::Active => 8,
        }
    }
}

/// By the hardest thing first, then how many there are; then when time alone will have done its part, the fewest to close,
/// who was there last, who is fullest.
type Distance = (
    u8,
    usize,
    Timestamp,
    u32,
    Reverse<Option<Timestamp>>,
    Reverse<u32>,
);

fn distance(state: &State, id: &AgentId, lacks: &[Lack]) -> Distance {
    let mut passed = Timestamp::MIN;
    let mut to_close = 0;
    let mut last_there = None;
    for lack in lacks {
        match lack {
            Lack::Hours { opens: end } | Lack::Burst { ends: end } => {
                passed = passed.max(end.unwrap_or(Timestamp::MAX));
            }
            Lack::Room { close, .. } => to_close += close,
            Lack::Presence { since, .. } => last_there = *since,
            Lack::Active | Lack::Permission | Lack::HadIt | Lack::Skills(_) => {}
        }
    }
    let hardest = lacks.iter().map(Lack::severity).max().unwrap_or(0);
    let load = state.agents.get(id).map_or(0, Agent::load);
    (
        hardest,
        lacks.len(),
        passed,
        to_close,
        Reverse(last_there),
        Reverse(load),
    )
}

/// Makes room under a limit on all an agent carries: what they close is of this team as long as there is any, which makes
/// room under the team's limit as well.
fn room(agent: &mut Agent, team: Option<&TeamId>, limit: Limit, capacity: u32) -> Lack {
    let close = agent.load().saturating_sub(capacity.saturating_sub(1));
    let mut left = close;
    let own = team.cloned();
    let others: Vec<Option<TeamId>> = agent.loads.keys().filter(|key| **key != own).cloned().collect();
    for key in std::iter::once(own).chain(others) {
        let here = agent.load_in(key.as_ref()).min(left);
        agent.carry(key.as_ref(), -i32::try_from(here).unwrap_or(i32::MAX));
        left -= here;
    }
    Lack::Room {
        limit,
        capacity,
        close,
    }
}
