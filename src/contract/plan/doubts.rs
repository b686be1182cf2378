//! What a plan may say, and probably does not mean.

use std::collections::BTreeSet;

use super::mentions::Named;
use super::node::Place;
use super::reader::{Reading, Spot};
use crate::domain::agent::{Profile, Role};
use crate::domain::condition::Condition;
use crate::domain::ids::AgentId;
use crate::domain::plan::{Plan, Rule};

/// Looks through a plan that could be read.
pub(super) fn look(plan: &Plan, reading: &mut Reading) {
    document(plan, reading);
    rules(plan, reading);
    teams(plan, reading);
    agents(plan, reading);
}

fn document(plan: &Plan, reading: &mut Reading) {
    if plan.channels.is_empty() {
        reading.warn(
            &missing("channels"),
            "are missing: no message reaches this tenant",
        );
    }
    let is_admin = |agent: &Profile| agent.role == Role::Admin && agent.active;
    if !plan.agents.values().any(is_admin) {
        reading.warn(
            &missing("agents"),
            "name no active admin: a tenant's first plan must",
        );
    }
}

fn rules(plan: &Plan, reading: &mut Reading) {
    let always = |rule: &Rule| rule.when.as_ref().is_none_or(Condition::is_always);
    let first = plan.rules.iter().position(always);
    match first.and_then(|first| Some((plan.rules.get(first)?, plan.rules.get(first + 1)?))) {
        Some((always, next)) => {
            let message = format!(
                "can never match, nor can what follows: the rule {} always does",
                always.name
            );
            let at = spot(reading, Named::Rule, &next.name);
            reading.warn(&at, message);
        }
        None if first.is_none() && plan.default.is_none() => {
            reading.warn(
                &missing("default"),
                "is missing: what no rule matches stays with nobody",
            );
        }
        None => {}
    }
}

fn teams(plan: &Plan, reading: &mut Reading) {
    for (id, team) in &plan.teams {
        if team.members.is_empty() {
            let at = spot(reading, Named::Team, id.as_str());
            reading.warn(
                &at,
                "is a team without members: what is sent there waits for an upsert",
            );
        }
    }
}

fn agents(plan: &Plan, reading: &mut Reading) {
    let members: BTreeSet<&AgentId> = plan.teams.values().flat_map(|team| &team.members).collect();
    let managers: BTreeSet<&AgentId> = plan.teams.values().flat_map(|team| &team.managers).collect();
    let preferred: BTreeSet<&AgentId> = plan
        .rules
        .iter()
        .filter_map(|rule| rule.target.agent.as_ref())
        .collect();
    for (id, agent) in &plan.agents {
        let placed = members.contains(id) || managers.contains(id) || preferred.contains(id);
        if agent.role == Role::Agent && !placed {
            let at = spot(reading, Named::Agent, id.as_str());
            reading.warn(
                &at,
                "is an agent in no team: nothing is ever assigned to them automatically",
            );
        }
    }
    // Teams that set no limit of their own to what each member may have of them.
    let open = plan.teams.values().filter(|team| team.capacity.unwrap_or(0) == 0);
    let drawn_on: BTreeSet<&AgentId> = open.flat_map(|team| &team.members).collect();
    let unlimited = |(id, agent): &(&AgentId, &Profile)| {
        drawn_on.contains(id) && agent.capacity.unwrap_or(plan.settings.capacity) == 0
    };
    let mut unlimited = plan.agents.iter().filter(unlimited);
    if let Some((id, _)) = unlimited.next() {
        let others = match unlimited.count() {
            0 => String::new(),
            others => format!(" (and {others} more)"),
        };
        let at = spot(reading, Named::Agent, id.as_str());
        let message = format!("has no capacity{others}: whoever comes online first is given all that waits");
        reading.warn(&at, message);
    }
}

/// Where something of the plan stands.
fn spot(reading: &Reading, what: Named, id: &str) -> Spot {
    let declared = reading.declared.get(&(what, id.to_owned()));
    declared.cloned().unwrap_or_else(|| missing(id))
}

/// Where something would stand that does not.
fn missing(path: &str) -> Spot {
    Spot {
        path: path.to_owned(),
        place: Place::UNKNOWN,
    }
}
