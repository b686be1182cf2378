//! The timers of what time alone makes eligible, kept the way a worker keeps them; and whom the router gave something.

use std::collections::BTreeMap;

use jiff::Timestamp;
use switchboard::domain::agent::Agent;
use switchboard::domain::event::{By, Change, Kind, Recorded};
use switchboard::domain::ids::AgentId;
use switchboard::domain::matching::burst_ends;
use switchboard::domain::plan::Plan;

/// One timer for each person whom the burst guard keeps, and one for the next shift.
#[derive(Debug, Clone, Default)]
pub struct Moments {
    bursts: BTreeMap<AgentId, Timestamp>,
    opens: Option<Timestamp>,
}

impl Moments {
    /// Those of a plan that is put in force now.
    pub fn of(plan: &Plan, now: Timestamp) -> Self {
        Self {
            bursts: BTreeMap::new(),
            opens: next_opening(plan, now),
        }
    }

    /// Sets what an input leads to: for whoever is given something, and for everyone under a new plan.
    pub fn note(
        &mut self,
        plan: &Plan,
        agents: &BTreeMap<AgentId, Agent>,
        events: &[Recorded],
        now: Timestamp,
    ) {
        let mut touched: Vec<&AgentId> = Vec::new();
        for recorded in events {
            match &recorded.event.kind {
                Kind::Conversation(_, Change::Assigned(assignment)) => touched.push(&assignment.agent),
                Kind::PlanActivated { .. } => {
                    touched.extend(agents.keys());
                    self.opens = next_opening(plan, now);
                }
                _ => {}
            }
        }
        for id in touched {
            let ends = plan.settings.burst.zip(agents.get(id));
            let ends = ends.and_then(|(burst, agent)| burst_ends(agent, burst, now));
            self.bursts.extend(ends.map(|ends| (id.clone(), ends)));
        }
    }

    /// Whether one of them is due.
    pub fn have_come(&self, now: Timestamp) -> bool {
        let mut all = self.bursts.values().chain(&self.opens);
        all.any(|at| *at <= now)
    }

    /// A drain takes those that are due; the next shift is waited for.
    pub fn claim(&mut self, plan: &Plan, now: Timestamp) {
        self.bursts.retain(|_, ends| *ends > now);
        if self.opens.is_some_and(|opens| opens <= now) {
            self.opens = next_opening(plan, now);
        }
    }
}

fn next_opening(plan: &Plan, now: Timestamp) -> Option<Timestamp> {
    let all = plan.calendars.values().map(|calendar| calendar.next_opening(now));
    all.flatten().min()
}

/// Whom an event gives something because a strategy or a rule says so.
pub fn given_in(recorded: &Recorded) -> Option<(AgentId, Timestamp)> {
    match &recorded.event.kind {
        Kind::Conversation(_, Change::Assigned(assignment)) => {
            let automatic =
                matches!(assignment.by, By::Auto | By::Sticky) || assignment.terms.strategy.is_some();
            automatic.then(|| (assignment.agent.clone(), recorded.event.at))
        }
        _ => None,
    }
}
