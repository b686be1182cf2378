//! Who is eligible for what, written from the rules alone: a second opinion that calls nothing of the core's matching.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use switchboard::domain::agent::{Agent, Presence};
use switchboard::domain::conversation::{Conversation, Owner, Route, Status};
use switchboard::domain::event::PassedOver;
use switchboard::domain::ids::{AgentId, TeamId};
use switchboard::domain::plan::{Outcome, Strategy};

use super::world::World;

/// Longer than anything waits: the head start of a step of priority where priority always wins.
const ALWAYS: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 50);

/// What a conversation asks of a person.
#[derive(Debug, Clone, Copy)]
pub struct Asks<'a> {
    pub team: Option<&'a TeamId>,
    pub route: &'a Route,
    pub excluded: &'a BTreeSet<AgentId>,
}

/// What a conversation asks of whoever takes it out of a queue.
pub fn asks(conversation: &Conversation) -> Asks<'_> {
    Asks {
        team: conversation.owner.queue(),
        route: &conversation.route,
        excluded: &conversation.excluded,
    }
}

/// Open conversations that a person owns.
pub fn load(world: &World, agent: &AgentId) -> u32 {
    count(world, |c| c.owner == Owner::Agent(agent.clone()))
}

/// Open conversations of one team (or of none) that a person owns.
pub fn load_in(world: &World, agent: &AgentId, team: Option<&TeamId>) -> u32 {
    count(world, |c| {
        c.owner == Owner::Agent(agent.clone()) && c.team.as_ref() == team
    })
}

fn count(world: &World, mine: impl Fn(&Conversation) -> bool) -> u32 {
    let open = world.conversations.values().filter(|c| c.status == Status::Open);
    u32::try_from(open.filter(|c| mine(c)).count()).expect("tests have few conversations")
}

/// The limit on all open conversations of a person; 0: none.
pub fn limit(world: &World, agent: &Agent) -> u32 {
    agent.profile.capacity.unwrap_or(world.plan.settings.capacity)
}

/// The limit on a person's open conversations of one team; 0: none.
pub fn team_limit(world: &World, team: Option<&TeamId>) -> u32 {
    let team = team.and_then(|team| world.plan.teams.get(team));
    team.and_then(|team| team.capacity).unwrap_or(0)
}

/// Everything that stands between a person and a conversation, membership apart.
pub fn obstacles(world: &World, id: &AgentId, asks: Asks<'_>) -> BTreeSet<PassedOver> {
    let Some(agent) = world.agents.get(id) else {
        return [PassedOver::Inactive].into();
    };
    let away = agent.presence == Presence::Away && !world.plan.settings.assign_away;
    let (limit, load) = (limit(world, agent), load(world, id));
    let full = limit > 0 && load >= limit;
    let (team_limit, team_load) = (team_limit(world, asks.team), load_in(world, id, asks.team));
    let skill = |name: &str| agent.profile.skills.get(name).copied().unwrap_or(0);
    let own_limit = agent.profile.capacity.is_some();
    let all = [
        (!agent.profile.active, PassedOver::Inactive),
        (!agent.profile.may_reply, PassedOver::MayNotReply),
        (agent.presence == Presence::Offline, PassedOver::Offline),
        (away, PassedOver::Away),
        (asks.excluded.contains(id), PassedOver::Excluded),
        (!works(world, agent, asks.team), PassedOver::Hours),
        (
            asks.route.skills.iter().any(|(name, level)| skill(name) < *level),
            PassedOver::Skill,
        ),
        (full && own_limit, PassedOver::Capacity),
        (full && !own_limit, PassedOver::TenantCapacity),
        (
            team_limit > 0 && team_load >= team_limit,
            PassedOver::TeamCapacity,
        ),
        (is_in_burst(world, id), PassedOver::Burst),
    ];
    all.into_iter()
        .filter(|(stands, _)| *stands)
        .map(|(_, why)| why)
        .collect()
}

/// Whether it is a person's working time: by their own calendar, else the team's, else the tenant's.
pub fn works(world: &World, agent: &Agent, team: Option<&TeamId>) -> bool {
    let plan = &world.plan;
    let of_team = team
        .and_then(|team| plan.teams.get(team))
        .and_then(|team| team.calendar.as_ref());
    let calendars = [
        agent.profile.calendar.as_ref(),
        of_team,
        plan.settings.calendar.as_ref(),
    ];
    let known = calendars
        .into_iter()
        .flatten()
        .find_map(|id| plan.calendars.get(id));
    known.is_none_or(|calendar| calendar.is_open(world.now))
}

/// Whether a person was given as much in the window before now as the burst guard allows.
pub fn is_in_burst(world: &World, id: &AgentId) -> bool {
    world.plan.settings.burst.is_some_and(|burst| {
        let given = world
            .given
            .iter()
            .filter(|(who, at)| who == id && *at + burst.window > world.now);
        given.count() >= usize::try_from(burst.limit).expect("tests have small limits")
    })
}

/// Whether a conversation is too old to be given away by a strategy.
pub fn is_too_old(world: &World, conversation: &Conversation) -> bool {
    let max_age = world.plan.settings.max_age;
    max_age.is_some_and(|max_age| conversation.last_activity + max_age <= world.now)
}

/// Whether a person belongs to the team, or is the one the rule names.
pub fn is_candidate(world: &World, id: &AgentId, asks: Asks<'_>) -> bool {
    let members = asks
        .team
        .and_then(|team| world.teams.get(team))
        .map(|team| &team.members);
    let member = members.is_some_and(|members| members.iter().any(|member| &member.agent == id));
    member || asks.route.agent.as_ref() == Some(id)
}

/// Whether a person is eligible.
pub fn is_eligible(world: &World, id: &AgentId, asks: Asks<'_>) -> bool {
    is_candidate(world, id, asks) && obstacles(world, id, asks).is_empty()
}

/// Whom a strategy prefers of the team's eligible members; `None` where there is none, and for the ring, which is a
/// property of its own.
pub fn preferred(world: &World, strategy: Strategy, asks: Asks<'_>) -> Option<AgentId> {
    let members = asks.team.and_then(|team| world.teams.get(team))?;
    let places = members.members.iter().enumerate();
    let eligible = places.filter_map(|(place, member)| Some((place, world.agents.get(&member.agent)?)));
    let eligible = eligible.filter(|(_, agent)| is_eligible(world, &agent.id, asks));
    let share = |agent: &Agent| {
        let limit = limit(world, agent);
        f64::from(load(world, &agent.id)) / f64::from(if limit == 0 { 100 } else { limit })
    };
    let levels = |agent: &Agent| -> u32 {
        let known = |skill| agent.profile.skills.get(skill).copied().map(u32::from);
        asks.route.skills.keys().filter_map(known).sum()
    };
    let ties = |agent: &Agent| (agent.last_chosen, agent.id.clone());
    let best = match strategy {
        Strategy::LeastLoaded => eligible.min_by(|(_, a), (_, b)| {
            let shares = share(a).total_cmp(&share(b));
            shares.then_with(|| ties(a).cmp(&ties(b)))
        }),
        Strategy::LongestIdle => eligible.min_by_key(|(_, agent)| (agent.last_assigned, ties(agent))),
        Strategy::Ranked => eligible.min_by_key(|(place, agent)| (std::cmp::Reverse(levels(agent)), *place)),
        Strategy::RoundRobin | Strategy::Manual => None,
    };
    best.map(|(_, agent)| agent.id.clone())
}

/// Whether a conversation waits for a strategy to give it away.
pub fn waits(world: &World, conversation: &Conversation) -> bool {
    let strategy = conversation
        .owner
        .queue()
        .and_then(|team| world.plan.strategy(team));
    conversation.status == Status::Open
        && !conversation.standby
        && !conversation.route.manual
        && !conversation.care.stale
        && !is_too_old(world, conversation)
        && !world.dropped.contains(&conversation.id)
        && strategy.is_some_and(|strategy| strategy != Strategy::Manual)
}

/// Whether what this rule routes waits in a queue that a strategy empties, if nobody is free.
pub fn would_wait(world: &World, route: &Route) -> bool {
    let rules = &world.plan.rules;
    let rule = route
        .rule
        .as_ref()
        .and_then(|name| rules.iter().find(|rule| rule.name == *name));
    let target = rule.map(|rule| &rule.target).or(world.plan.default.as_ref());
    target.is_some_and(|target| {
        let strategy = target.team.as_ref().and_then(|team| world.plan.strategy(team));
        target.outcome == Outcome::Auto && strategy.is_some_and(|strategy| strategy != Strategy::Manual)
    })
}

/// People who are eligible for what waits, with what they are eligible for.
pub fn idle_hands(world: &World) -> Vec<(AgentId, &Conversation)> {
    let waiting = world.conversations.values().filter(|c| waits(world, c));
    let pairs = waiting.flat_map(|c| world.agents.keys().map(move |agent| (agent.clone(), c)));
    pairs
        .filter(|(agent, c)| is_eligible(world, agent, asks(c)))
        .collect()
}

/// Whether the first comes before the second in the order of all queues: earlier arrival, each step of priority being a
/// head start.
pub fn comes_before(world: &World, first: &Conversation, second: &Conversation) -> bool {
    place(world, first) < place(world, second)
}

fn place(world: &World, conversation: &Conversation) -> (SignedDuration, Timestamp, u128) {
    let aging = world.plan.settings.aging;
    let step = if aging.is_zero() { ALWAYS } else { aging };
    let step = SignedDuration::try_from(step).expect("head starts are short");
    let since = conversation
        .waiting_since
        .or(conversation.queued_at)
        .expect("what waits in a queue came to it");
    let age = since.duration_since(Timestamp::UNIX_EPOCH);
    (
        age - step * conversation.priority.steps(),
        since,
        conversation.id.0.as_u128(),
    )
}
