//! The second step: which person, of those who may take it. Filters first, then the team's strategy, then the tie-break.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::agent::{Agent, Membership, Presence, Skills};
use super::conversation::Conversation;
use super::event::{Candidate, MAX_CANDIDATES, PassedOver};
use super::ids::{AgentId, TeamId};
use super::plan::{Burst, Plan, Strategy};
use super::state::State;

/// An agent without a limit counts as having this capacity where loads are compared.
const UNLIMITED_COUNTS_AS: u64 = 100;

/// What a conversation asks of its future owner.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Whose members are candidates.
    pub team: Option<&'a TeamId>,
    /// A preferred agent, member or not.
    pub agent: Option<&'a AgentId>,
    /// Skill levels they must have.
    pub skills: &'a Skills,
    /// Who had it already in this episode.
    pub excluded: &'a BTreeSet<AgentId>,
    /// Who carries it while it is looked at, and for which team: it makes them no busier than they would be with it.
    pub carried: Option<(&'a AgentId, Option<&'a TeamId>)>,
    /// When the choice is made: hours and the burst guard go by it.
    pub now: Timestamp,
}

impl<'a> Wanted<'a> {
    /// What a conversation in a team's queue asks now; `None` if it is in none.
    pub fn by(conversation: &'a Conversation, now: Timestamp) -> Option<Self> {
        Some(Self {
            team: Some(conversation.owner.queue()?),
            agent: conversation.route.agent.as_ref(),
            skills: &conversation.route.skills,
            excluded: &conversation.excluded,
            carried: None,
            now,
        })
    }

    /// What an agent carries beside it, of all teams.
    fn load(&self, agent: &Agent) -> u32 {
        let carries_it = self.carried.is_some_and(|(carrier, _)| *carrier == agent.id);
        agent.load().saturating_sub(u32::from(carries_it))
    }

    /// What an agent carries beside it, of its team.
    fn load_in_team(&self, agent: &Agent) -> u32 {
        let carries_it = self.carried == Some((&agent.id, self.team));
        agent.load_in(self.team).saturating_sub(u32::from(carries_it))
    }
}

/// How the choice came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Who.
    pub chosen: Option<AgentId>,
    /// The first few candidates.
    pub candidates: Vec<Candidate>,
    /// All who were passed over, by reason.
    pub passed_over: BTreeMap<PassedOver, u32>,
}

/// Chooses the person for a conversation, or finds nobody, and notes why each candidate was passed over.
pub fn choose(state: &State, wanted: Wanted<'_>) -> Choice {
    let members = wanted.team.and_then(|team| state.teams.get(team));
    let candidates = candidates(wanted, members);
    let judged: Vec<(&AgentId, Option<PassedOver>)> = candidates
        .iter()
        .map(|id| (*id, passed_over(state, id, wanted)))
        .collect();
    let eligible = judged
        .iter()
        .filter(|(_, stopped)| stopped.is_none())
        .filter_map(|(id, _)| state.agents.get(*id));
    let strategy = wanted
        .team
        .and_then(|team| state.plan.strategy(team))
        .unwrap_or(Strategy::Ranked);
    let ring = Ring::of(members);
    let chosen = preferred(state, wanted).or_else(|| {
        eligible
            .min_by(|a, b| rank(state, strategy, wanted, &ring, a, b))
            .map(|agent| agent.id.clone())
    });
    record(judged, chosen)
}

/// Everyone who is asked: the rule's agent first, then the members.
pub fn candidates<'a>(wanted: Wanted<'a>, members: Option<&'a Membership>) -> Vec<&'a AgentId> {
    let preferred = wanted.agent.into_iter();
    let others = members
        .into_iter()
        .flat_map(|team| &team.members)
        .map(|member| &member.agent);
    preferred
        .chain(others.filter(|id| Some(*id) != wanted.agent))
        .collect()
}

fn preferred(state: &State, wanted: Wanted<'_>) -> Option<AgentId> {
    wanted
        .agent
        .filter(|id| passed_over(state, id, wanted).is_none())
        .cloned()
}

/// Why this agent cannot have it; `None`: eligible.
pub fn passed_over(state: &State, id: &AgentId, wanted: Wanted<'_>) -> Option<PassedOver> {
    let Some(agent) = state.agents.get(id).filter(|agent| agent.profile.active) else {
        return Some(PassedOver::Inactive);
    };
    if !agent.profile.may_reply {
        return Some(PassedOver::MayNotReply);
    }
    if !takes_new(state, agent) {
        return Some(if agent.presence == Presence::Away {
            PassedOver::Away
        } else {
            PassedOver::Offline
        });
    }
    if wanted.excluded.contains(id) {
        return Some(PassedOver::Excluded);
    }
    if !works(state, agent, wanted.team, wanted.now) {
        return Some(PassedOver::Hours);
    }
    if !is_skilled(agent, wanted.skills) {
        return Some(PassedOver::Skill);
    }
    at_a_limit(state, agent, wanted)
}

/// Whether someone's presence lets them take something new.
pub fn takes_new(state: &State, agent: &Agent) -> bool {
    match agent.presence {
        Presence::Online => true,
        Presence::Away => state.plan.settings.assign_away,
        Presence::Offline => false,
    }
}

/// Whether someone works at this moment, as a member of this team.
pub fn works(state: &State, agent: &Agent, team: Option<&TeamId>, now: Timestamp) -> bool {
    let calendar = state.plan.calendar_of(agent.profile.calendar.as_ref(), team);
    calendar.is_none_or(|calendar| calendar.is_open(now))
}

/// Whether someone has these skills at these levels, or higher ones.
pub fn is_skilled(agent: &Agent, skills: &Skills) -> bool {
    let has = |(skill, level): (_, &u8)| agent.profile.skills.get(skill).is_some_and(|has| has >= level);
    skills.iter().all(has)
}

/// The first limit that leaves no room for one more.
fn at_a_limit(state: &State, agent: &Agent, wanted: Wanted<'_>) -> Option<PassedOver> {
    let full = |limit: u32, load: u32| limit > 0 && load >= limit;
    let own = agent.profile.capacity;
    let of_team = wanted
        .team
        .and_then(|id| state.plan.teams.get(id))
        .and_then(|team| team.capacity);
    let of_tenant = state.plan.settings.capacity;
    let burst = state.plan.settings.burst;
    if own.is_some_and(|limit| full(limit, wanted.load(agent))) {
        Some(PassedOver::Capacity)
    } else if of_team.is_some_and(|limit| full(limit, wanted.load_in_team(agent))) {
        Some(PassedOver::TeamCapacity)
    } else if own.is_none() && full(of_tenant, wanted.load(agent)) {
        Some(PassedOver::TenantCapacity)
    } else if burst.is_some_and(|burst| burst_ends(agent, burst, wanted.now).is_some()) {
        Some(PassedOver::Burst)
    } else {
        None
    }
}

/// Until when the burst guard keeps someone from being chosen: the oldest of their last few assignments falls out of its
/// window then. `None`: it lets them be chosen now.
pub fn burst_ends(agent: &Agent, burst: Burst, now: Timestamp) -> Option<Timestamp> {
    let limit = usize::try_from(burst.limit).unwrap_or(usize::MAX);
    let oldest = agent.recent.get(agent.recent.len().checked_sub(limit)?)?;
    let ends = oldest.checked_add(burst.window).unwrap_or(Timestamp::MAX);
    (ends > now).then_some(ends)
}

/// Whether nothing has happened in a conversation for so long that it is left to people.
pub fn is_too_old(plan: &Plan, conversation: &Conversation, now: Timestamp) -> bool {
    let ends = |max_age| conversation.last_activity.checked_add(max_age).ok();
    let end = plan.settings.max_age.and_then(ends);
    end.is_some_and(|end| end <= now)
}

/// Places in the ring and in the list of members.
struct Ring<'a>(BTreeMap<&'a AgentId, (u64, usize)>);

impl<'a> Ring<'a> {
    fn of(members: Option<&'a Membership>) -> Self {
        let members = members.into_iter().flat_map(|team| &team.members).enumerate();
        Self(
            members
                .map(|(position, member)| (&member.agent, (member.turn, position)))
                .collect(),
        )
    }

    fn turn(&self, agent: &Agent) -> (u64, usize) {
        self.0.get(&agent.id).copied().unwrap_or((u64::MAX, usize::MAX))
    }

    fn position(&self, agent: &Agent) -> usize {
        self.turn(agent).1
    }
}

/// `Less` if `a` is preferred. Ties go to who waited longest for an automatic assignment (never: first), then by id.
fn rank(
    state: &State,
    strategy: Strategy,
    wanted: Wanted<'_>,
    ring: &Ring<'_>,
    a: &Agent,
    b: &Agent,
) -> Ordering {
    let by_strategy = match strategy {
        Strategy::RoundRobin => ring.turn(a).cmp(&ring.turn(b)),
        Strategy::LeastLoaded => compare_loads(state, wanted, a, b),
        Strategy::LongestIdle => a.last_assigned.cmp(&b.last_assigned),
        Strategy::Ranked | Strategy::Manual => levels(b, wanted.skills)
            .cmp(&levels(a, wanted.skills))
            .then_with(|| ring.position(a).cmp(&ring.position(b))),
    };
    by_strategy
        .then_with(|| a.last_chosen.cmp(&b.last_chosen))
        .then_with(|| a.id.cmp(&b.id))
}

/// load ÷ capacity of `a` against that of `b`, without fractions.
fn compare_loads(state: &State, wanted: Wanted<'_>, a: &Agent, b: &Agent) -> Ordering {
    let capacity = |agent: &Agent| match state.capacity_of(agent) {
        0 => UNLIMITED_COUNTS_AS,
        limit => u64::from(limit),
    };
    let load = |agent: &Agent| u64::from(wanted.load(agent));
    (load(a) * capacity(b)).cmp(&(load(b) * capacity(a)))
}

fn levels(agent: &Agent, skills: &Skills) -> u32 {
    skills
        .keys()
        .filter_map(|skill| agent.profile.skills.get(skill))
        .map(|level| u32::from(*level))
        .sum()
}

/// Turns judgements into what a decision record keeps.
fn record(judged: Vec<(&AgentId, Option<PassedOver>)>, chosen: Option<AgentId>) -> Choice {
    let mut choice = Choice {
        chosen,
        ..Choice::default()
    };
    for (agent, stopped) in judged {
        let is_chosen = choice.chosen.as_ref() == Some(agent);
        let passed_over = if is_chosen {
            None
        } else {
            Some(stopped.unwrap_or(PassedOver::Outranked))
        };
        if let Some(reason) = passed_over {
            *choice.passed_over.entry(reason).or_default() += 1;
        }
        if is_chosen || choice.candidates.len() < MAX_CANDIDATES {
            choice.candidates.push(Candidate {
                agent: agent.clone(),
                passed_over,
            });
        }
    }
    choice
}
