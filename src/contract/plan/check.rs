//! What the sections of a plan say of each other.

use std::collections::BTreeSet;

use super::node::{Kind, Node, Place};
use super::reader::{Faults, suggestion};
use crate::domain::ids::{AgentId, PolicyId, TeamId};
use crate::domain::plan::{Outcome, Plan, Target};

/// Every team and policy that is named must be there.
pub fn references(plan: &Plan, root: &Node, faults: &mut Faults) {
    let mut see = References { plan, root, faults };
    see.policy("settings.response", plan.settings.response.as_ref());
    for (index, (id, _)) in listed(root, "teams").iter().enumerate() {
        let Some(team) = TeamId::new(id).ok().and_then(|id| plan.teams.get_key_value(&id)) else {
            continue;
        };
        see.policy(&format!("teams[{index}].response"), team.1.response.as_ref());
        see.teams(&format!("teams[{index}].fallback"), &team.1.fallback);
        if team.1.fallback.contains(team.0) {
            see.complain(
                &format!("teams[{index}].fallback"),
                "names the team itself".into(),
            );
        }
    }
    for (index, rule) in plan.rules.iter().enumerate() {
        see.target(&format!("rules[{index}]"), &rule.target);
    }
    if let Some(default) = &plan.default {
        see.target("default", default);
    }
}

/// What is allowed and probably not meant.
pub fn doubts(plan: &Plan, faults: &mut Faults) {
    let nowhere = Place::default();
    let known = |id: &AgentId| plan.agents.contains_key(id);
    for (id, team) in &plan.teams {
        if team.members.is_empty() {
            faults.warning(
                format!("teams.{id}"),
                nowhere,
                "has no members: what is sent there waits",
            );
        }
        for agent in team.members.iter().chain(&team.managers).filter(|id| !known(id)) {
            let message =
                format!("{agent} is not among the plan's agents: they count once they are upserted");
            faults.warning(format!("teams.{id}"), nowhere, message);
        }
    }
    let members: BTreeSet<&AgentId> = plan
        .teams
        .values()
        .flat_map(|team| team.members.iter().chain(&team.managers))
        .collect();
    for (id, profile) in &plan.agents {
        if !members.contains(id) && profile.role == crate::domain::agent::Role::Agent {
            faults.warning(format!("agents.{id}"), nowhere, "is in no team");
        }
    }
    let always = plan.rules.iter().position(|rule| rule.when.is_none());
    if let Some(first) = always.filter(|first| first + 1 < plan.rules.len()) {
        let message = format!(
            "has no condition: the rules after \"{}\" are never asked",
            plan.rules[first].name
        );
        faults.warning(format!("rules[{first}]"), nowhere, message);
    }
    if plan.default.is_none() && always.is_none() {
        faults.warning(
            "default",
            nowhere,
            "is missing: what no rule matches stays with nobody",
        );
    }
}

struct References<'a> {
    plan: &'a Plan,
    root: &'a Node,
    faults: &'a mut Faults,
}

impl References<'_> {
    fn target(&mut self, path: &str, target: &Target) {
        self.teams(&format!("{path}.team"), target.team.as_slice());
        self.teams(
            &format!("{path}.fallback"),
            target.fallback.as_deref().unwrap_or_default(),
        );
        self.policy(&format!("{path}.response"), target.response.as_ref());
        let goes_nowhere = target.team.is_none() && target.agent.is_none();
        match target.outcome {
            Outcome::Auto if goes_nowhere => {
                self.complain(
                    path,
                    "names neither a team nor an agent; outcome = \"nobody\" says so openly".into(),
                );
            }
            Outcome::Manual if target.team.is_none() => {
                self.complain(path, "is manual without a team in whose queue to wait".into());
            }
            Outcome::Auto | Outcome::Manual | Outcome::Nobody => {}
        }
    }

    fn teams(&mut self, path: &str, teams: &[TeamId]) {
        let known: Vec<&str> = self.plan.teams.keys().map(TeamId::as_str).collect();
        for team in teams.iter().filter(|team| !self.plan.teams.contains_key(team)) {
            let message = format!(
                "names the team {team}, which is not in the plan{}",
                suggestion(team.as_str(), &known)
            );
            self.complain(path, message);
        }
    }

    fn policy(&mut self, path: &str, policy: Option<&PolicyId>) {
        if let Some(policy) = policy.filter(|policy| !self.plan.responses.contains_key(policy)) {
            let known: Vec<&str> = self.plan.responses.keys().map(PolicyId::as_str).collect();
            let hint = suggestion(policy.as_str(), &known);
            self.complain(
                path,
                format!("names the response policy {policy}, which is not in the plan{hint}"),
            );
        }
    }

    fn complain(&mut self, path: &str, message: String) {
        let place = place_of(self.root, path);
        self.faults.error_at(path.into(), place, message);
    }
}

/// The entries of a list of tables, by id.
fn listed<'a>(root: &'a Node, section: &str) -> Vec<(&'a str, &'a Node)> {
    let Some(Node {
        kind: Kind::List(items),
        ..
    }) = field(root, section)
    else {
        return Vec::new();
    };
    let id = |node: &'a Node| match field(node, "id").map(|id| &id.kind) {
        Some(Kind::Text(id)) => id.as_str(),
        _ => "",
    };
    items.iter().map(|node| (id(node), node)).collect()
}

/// Where a path such as `teams[2].fallback` leads, as far as it goes.
fn place_of(root: &Node, path: &str) -> Place {
    let mut node = root;
    for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
        let next = match &node.kind {
            Kind::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => field(node, step),
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    node.place
}

fn field<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Kind::Table(fields) = &node.kind else {
        return None;
    };
    fields
        .iter()
        .find(|(name, _, _)| name == key)
        .map(|(_, _, node)| node)
}
