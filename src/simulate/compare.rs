//! Two plans over the same arrivals: who would have got what instead, and when.

use jiff::SignedDuration;

use super::outcome::Outcome;
use crate::domain::ids::{AgentId, TeamId};

/// How the second plan's outcomes differ from the first one's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Conversations that began under either.
    pub conversations: u64,
    /// The same person got them, as soon.
    pub same: u64,
    /// The same person got them, sooner or later.
    pub same_agent: u64,
    /// Somebody else of the same team did.
    pub other_agent: u64,
    /// They went to another team first.
    pub other_team: u64,
    /// A person got them under the first plan only.
    pub lost: u64,
    /// A person got them under the second plan only.
    pub gained: u64,
    /// Those that had an owner sooner under the second plan.
    pub sooner: u64,
    /// Those that had one later.
    pub later: u64,
    /// The first of those that are not the same.
    pub differences: Vec<Difference>,
}

/// A conversation that another plan would have treated otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The place of its arrival.
    pub arrival: usize,
    /// What came of it under the first plan.
    pub first: Treated,
    /// And under the second.
    pub second: Treated,
}

/// What came of a conversation, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treated {
    /// The team it came to.
    pub team: Option<TeamId>,
    /// The first person who got it.
    pub agent: Option<AgentId>,
    /// After this long.
    pub wait: Option<SignedDuration>,
}

impl Treated {
    fn of(outcome: &Outcome) -> Self {
        Self {
            team: outcome.team.clone(),
            agent: outcome.given.as_ref().map(|(agent, _)| agent.clone()),
            wait: outcome.wait(),
        }
    }
}

/// Sets the outcomes of the same arrivals side by side, and keeps the first few that differ.
pub fn compare(first: &[Outcome], second: &[Outcome], keep: usize) -> Comparison {
    let mut comparison = Comparison::default();
    for (arrival, (first, second)) in first.iter().zip(second).enumerate() {
        if first.counts() || second.counts() {
            comparison.count(arrival, Treated::of(first), Treated::of(second), keep);
        }
    }
    comparison
}

impl Comparison {
    fn count(&mut self, arrival: usize, first: Treated, second: Treated, keep: usize) {
        self.conversations += 1;
        if first == second {
            self.same += 1;
            return;
        }
        *match (&first.agent, &second.agent) {
            (Some(_), None) => &mut self.lost,
            (None, Some(_)) => &mut self.gained,
            _ if first.team != second.team => &mut self.other_team,
            (first, second) if first != second => &mut self.other_agent,
            _ => &mut self.same_agent,
        } += 1;
        if let (Some(before), Some(after)) = (first.wait, second.wait) {
            self.sooner += u64::from(after < before);
            self.later += u64::from(after > before);
        }
        if self.differences.len() < keep {
            self.differences.push(Difference {
                arrival,
                first,
                second,
            });
        }
    }
}
