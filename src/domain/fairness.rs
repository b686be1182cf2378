//! The ledger of turns: who was chosen, who was passed over and why, and how far that is from what would have been even.
//!
//! Of an automatic choice between k eligible people each had an ideal share of 1/k. What someone was chosen more often than
//! their shares add up to is their deviation. Where nobody else is eligible it is nothing; all deviations of a team add
//! up to nothing.

use std::collections::BTreeMap;

use super::event::{Decision, PassedOver};
use super::ids::AgentId;
use super::plan::Strategy;

/// What is known of one agent's turns in one team under one strategy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// How often they were chosen.
    pub turns: u64,
    /// How often they were eligible and another was preferred.
    pub outranked: u64,
    /// How often a filter stopped them while somebody was chosen, by filter.
    pub skips: BTreeMap<PassedOver, u64>,
    /// Their ideal shares.
    pub expected: f64,
    /// How much of that is an estimate: shares of choices whose record does not list them.
    pub estimated: f64,
}

impl Account {
    /// How much more often they were chosen than would have been even.
    pub fn deviation(&self) -> f64 {
        self.turns as f64 - self.expected
    }
}

/// A team's turns under one strategy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Book {
    /// Choices that were made.
    pub decisions: u64,
    /// Every agent that a record lists.
    pub accounts: BTreeMap<AgentId, Account>,
    /// Shares of people whom records count and do not list, not given to anyone yet.
    pub unlisted: f64,
}

impl Book {
    /// Whether an even share means anything: people are ranked so that some get more.
    pub fn has_ideal(strategy: Strategy) -> bool {
        match strategy {
            Strategy::RoundRobin | Strategy::LeastLoaded | Strategy::LongestIdle => true,
            Strategy::Ranked | Strategy::Manual => false,
        }
    }

    /// Writes one choice down; what found nobody is no turn of anyone's.
    pub fn add(&mut self, decision: &Decision) {
        if decision.chosen.is_none() {
            return;
        }
        self.decisions += 1;
        let outranked = decision.passed_over.get(&PassedOver::Outranked).copied();
        let share = share(outranked.unwrap_or(0));
        let mut unlisted = u64::from(outranked.unwrap_or(0));
        for candidate in &decision.candidates {
            let account = self.accounts.entry(candidate.agent.clone()).or_default();
            match candidate.passed_over {
                None => {
                    account.turns += 1;
                    account.expected += share;
                }
                Some(PassedOver::Outranked) => {
                    account.outranked += 1;
                    account.expected += share;
                    unlisted = unlisted.saturating_sub(1);
                }
                Some(reason) => *account.skips.entry(reason).or_default() += 1,
            }
        }
        self.unlisted += share * unlisted as f64;
    }

    /// Gives the shares of those whom records do not list to the members that records cannot list, evenly: an estimate, and
    /// marked as one. Where nobody is left to have been meant, they stay with nobody.
    pub fn spread(&mut self, beyond_the_list: &[AgentId]) {
        if beyond_the_list.is_empty() || self.unlisted <= 0.0 {
            return;
        }
        let each = std::mem::take(&mut self.unlisted) / beyond_the_list.len() as f64;
        for agent in beyond_the_list {
            let account = self.accounts.entry(agent.clone()).or_default();
            account.expected += each;
            account.estimated += each;
        }
    }

    /// The largest deviation of anyone, whichever way.
    pub fn largest_deviation(&self) -> f64 {
        let deviations = self.accounts.values().map(|account| account.deviation().abs());
        deviations.fold(0.0, f64::max)
    }
}

/// Everyone's ideal share of a choice in which so many were eligible beside the one chosen.
fn share(outranked: u32) -> f64 {
    1.0 / (1.0 + f64::from(outranked))
}
