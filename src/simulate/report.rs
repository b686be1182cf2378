//! What a simulation comes to: waits, breaches, how busy people were, and whether they were treated alike.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::outcome::{End, Outcome};
use super::world::Played;
use crate::domain::decision::MAX_CANDIDATES;
use crate::domain::fairness::Book;
use crate::domain::ids::{AgentId, PolicyId, TeamId};
use crate::domain::plan::Strategy;

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Conversations (episodes) that began.
    pub conversations: u64,
    /// Arrivals that were further messages of an open conversation.
    pub further: u64,
    /// Where the conversations stood at the end: these add up to all of them.
    pub ends: Ends,
    /// From a customer's message to an owner.
    pub waits: Waits,
    /// From a customer's message to the first answer.
    pub answers: Waits,
    /// Broken response policies, by policy.
    pub breaches: BTreeMap<PolicyId, u64>,
    /// Each team.
    pub teams: Vec<TeamReport>,
    /// Each person.
    pub agents: Vec<AgentReport>,
}

/// Where conversations stood at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    /// Closed.
    pub closed: u64,
    /// A person has them.
    pub in_hand: u64,
    /// They wait in a queue.
    pub queued: u64,
    /// Nobody has them.
    pub unowned: u64,
}

/// How long something took, over many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waits {
    /// Those for whom it came to an end.
    pub ended: u64,
    /// Those who still wait: they are in none of the times below.
    pub never: u64,
    /// Those who waited at all, among the ones it came to an end for.
    pub waited: u64,
    /// The mean.
    pub mean: SignedDuration,
    /// At most this for half of them.
    pub p50: SignedDuration,
    /// For nine of ten.
    pub p90: SignedDuration,
    /// For nineteen of twenty.
    pub p95: SignedDuration,
    /// For ninety-nine of a hundred.
    pub p99: SignedDuration,
    /// For all of them.
    pub max: SignedDuration,
}

/// One team: the conversations that came to it first.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamReport {
    /// Which; `None`: those that came to no team.
    pub team: Option<TeamId>,
    /// How it chooses.
    pub strategy: Option<Strategy>,
    /// How many.
    pub conversations: u64,
    /// From a customer's message to an owner.
    pub waits: Waits,
    /// How often its strategy chose each member, and how often it should have.
    pub turns: Vec<Turns>,
}

/// A member's turns.
#[derive(Debug, Clone, PartialEq)]
pub struct Turns {
    /// Whose.
    pub agent: AgentId,
    /// How often the strategy chose them.
    pub chosen: u64,
    /// How often it would have, had every choice been shared evenly among those who were eligible; `None`: the strategy
    /// means to prefer some.
    pub ideal: Option<f64>,
}

/// One person's day.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentReport {
    /// Who.
    pub agent: AgentId,
    /// Their limit; 0 = unlimited.
    pub capacity: u32,
    /// How long they were there.
    pub there: SignedDuration,
    /// How often they were chosen.
    pub chosen: u64,
    /// How many conversations they closed.
    pub closed: u64,
    /// The most they had open at once.
    pub peak: u32,
    /// The part of their time there in which they had something open; `None`: they never were.
    pub busy: Option<f64>,
    /// The part of their capacity that was used while they were there; `None` where there is no limit.
    pub utilisation: Option<f64>,
    /// Time they had something open though they were not there.
    pub open_while_gone: SignedDuration,
}

impl Report {
    /// Adds up what was played.
    pub fn of(played: &Played) -> Self {
        let counted: Vec<&Outcome> = played
            .outcomes
            .iter()
            .filter(|outcome| outcome.counts())
            .collect();
        let further = played
            .outcomes
            .iter()
            .filter(|outcome| outcome.end == End::Further);
        Self {
            conversations: counted.len() as u64,
            further: further.count() as u64,
            ends: Ends::of(&counted),
            waits: Waits::of(counted.iter().map(|outcome| outcome.wait())),
            answers: Waits::of(counted.iter().map(|outcome| outcome.first_answer())),
            breaches: played.breaches.clone(),
            teams: teams(played, &counted),
            agents: agents(played),
        }
    }
}

impl Ends {
    fn of(counted: &[&Outcome]) -> Self {
        let mut ends = Self::default();
        for outcome in counted {
            match outcome.end {
                End::Closed(_) => ends.closed += 1,
                End::InHand => ends.in_hand += 1,
                End::Queued => ends.queued += 1,
                End::Unowned => ends.unowned += 1,
                End::Further | End::NotReached => {}
            }
        }
        ends
    }
}

impl Waits {
    /// Of these times; `None`: it has not come to an end.
    pub fn of(times: impl Iterator<Item = Option<SignedDuration>>) -> Self {
        let mut never = 0;
        let mut ended = Vec::new();
        for time in times {
            match time {
                Some(time) => ended.push(time),
                None => never += 1,
            }
        }
        ended.sort_unstable();
        // The nearest rank: a time that someone really waited.
        let rank = |percent: usize| {
            let place = (ended.len() * percent).div_ceil(100).saturating_sub(1);
            ended.get(place).copied().unwrap_or_default()
        };
        let total: i128 = ended.iter().map(SignedDuration::as_nanos).sum();
        let mean = total / (ended.len().max(1) as i128);
        Self {
            ended: ended.len() as u64,
            never,
            waited: ended.iter().filter(|time| time.is_positive()).count() as u64,
            mean: SignedDuration::from_nanos(i64::try_from(mean).unwrap_or(i64::MAX)),
            p50: rank(50),
            p90: rank(90),
            p95: rank(95),
            p99: rank(99),
            max: rank(100),
        }
    }

    /// The part of those it came to an end for who waited at all.
    pub fn fraction_waited(&self) -> f64 {
        fraction(self.waited as f64, self.ended as f64).unwrap_or(0.0)
    }
}

impl TeamReport {
    /// The greatest distance between a member's part of all turns and their ideal part; `None` without an ideal.
    pub fn unevenness(&self) -> Option<f64> {
        let all: u64 = self.turns.iter().map(|turns| turns.chosen).sum();
        let distances = self
            .turns
            .iter()
            .map(|turns| Some((turns.chosen as f64 - turns.ideal?).abs()));
        let greatest = distances
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .fold(0.0, f64::max);
        fraction(greatest, all as f64)
    }
}

fn teams(played: &Played, counted: &[&Outcome]) -> Vec<TeamReport> {
    let mut by_team: BTreeMap<Option<&TeamId>, Vec<&Outcome>> = BTreeMap::new();
    for team in played.plan.teams.keys() {
        by_team.insert(Some(team), Vec::new());
    }
    for outcome in counted {
        by_team.entry(outcome.team.as_ref()).or_default().push(outcome);
    }
    let report = |(team, outcomes): (Option<&TeamId>, Vec<&Outcome>)| TeamReport {
        team: team.cloned(),
        strategy: team.and_then(|team| played.plan.strategy(team)),
        conversations: outcomes.len() as u64,
        waits: Waits::of(outcomes.iter().map(|outcome| outcome.wait())),
        turns: team.map(|team| turns(played, team)).unwrap_or_default(),
    };
    by_team.into_iter().map(report).collect()
}

/// The ledger of a team's turns. Its records list the first candidates one by one, the others share what is left.
fn turns(played: &Played, team: &TeamId) -> Vec<Turns> {
    let Some(mut book) = played.books.get(team).cloned() else {
        return Vec::new();
    };
    let members = played.plan.teams.get(team).map(|team| team.members.as_slice());
    book.spread(
        members
            .and_then(|members| members.get(MAX_CANDIDATES..))
            .unwrap_or_default(),
    );
    let has_ideal = played.plan.strategy(team).is_some_and(Book::has_ideal);
    let turns = book.accounts.into_iter().map(|(agent, account)| Turns {
        agent,
        chosen: account.turns,
        ideal: has_ideal.then_some(account.expected),
    });
    turns.collect()
}

fn agents(played: &Played) -> Vec<AgentReport> {
    let members = played.plan.teams.values().flat_map(|team| &team.members);
    let takes_part = |agent: &AgentId| members.clone().any(|member| member == agent);
    let report = played.workdays.iter().map(|(agent, day)| {
        let capacity = played.capacities.get(agent).copied().unwrap_or(0);
        let there = day.there.as_secs_f64();
        AgentReport {
            agent: agent.clone(),
            capacity,
            there: day.there,
            chosen: day.chosen,
            closed: day.closed,
            peak: day.peak,
            busy: fraction(day.busy.as_secs_f64(), there),
            utilisation: fraction(day.carried.as_secs_f64(), there * f64::from(capacity)),
            open_while_gone: day.open_while_gone,
        }
    });
    // Who is in no team and got nothing (an admin, a manager) has no day to report.
    report
        .filter(|day| day.peak > 0 || takes_part(&day.agent))
        .collect()
}

fn fraction(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
