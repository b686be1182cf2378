//! What a plan may say, and probably does not mean.

use std::collections::BTreeSet;

use super::mentions::Named;
use super::node::Place;
use super::reader::{Reading, Spot};
use super::settings::{MAX_AGE, ON_AWAY};
use crate::domain::agent::{Profile, Role, Skills};
use crate::domain::condition::Condition;
use crate::domain::ids::{AgentId, TeamId};
use crate::domain::plan::{Moves, Outside, Plan, ResponsePolicy, Rule, Target};

/// Members who are looked at for the skills that rules ask, at most: a plan can name the same ones over and over.
const MAX_LOOKS: usize = 1_000_000;

/// Looks through a plan that could be read.
pub(super) fn look(plan: &Plan, reading: &mut Reading) {
    document(plan, reading);
    rules(plan, reading);
    teams(plan, reading);
    agents(plan, reading);
    capacities(plan, reading);
    skills(plan, reading);
    hours(plan, reading);
    ages(plan, reading);
    absences(plan, reading);
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
}

/// Nothing keeps whoever comes online first from the whole backlog: neither a capacity nor the burst guard.
fn capacities(plan: &Plan, reading: &mut Reading) {
    if plan.settings.burst.is_some() {
        return;
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
        let message = format!(
            "has no capacity{others}, and there is no burst guard: whoever comes online first is given all that waits"
        );
        reading.warn(&at, message);
    }
}

/// Skills asked of a team that has them not: what is sent there waits for ever. Where steps follow, the last one counts.
fn skills(plan: &Plan, reading: &mut Reading) {
    let mut looks = MAX_LOOKS;
    for rule in &plan.rules {
        let mut skills = rule.target.skills.clone();
        for dropped in rule.target.relax.iter().filter_map(|step| step.drop.as_ref()) {
            skills.remove(dropped);
        }
        for team in asked(plan, &rule.target) {
            let members = plan.teams.get(team).map_or(&[][..], |team| &team.members);
            let Some(left) = looks.checked_sub(members.len()) else {
                return;
            };
            looks = left;
            if !skills.is_empty() && !members.iter().any(|member| may_have(plan, member, &skills)) {
                let at = spot(reading, Named::Rule, &rule.name);
                reading.warn(&at, format!("asks for skills that nobody of the team {team} has"));
                break;
            }
        }
    }
}

/// The teams in which what comes here waits in the end: the last step's, or its own and those it falls back on.
fn asked<'a>(plan: &'a Plan, target: &'a Target) -> Vec<&'a TeamId> {
    let Some(own) = &target.team else {
        return Vec::new();
    };
    if !target.relax.is_empty() {
        let last = target.relax.iter().rev().find_map(|step| step.team.as_ref());
        return vec![last.unwrap_or(own)];
    }
    let of_team = plan.teams.get(own).map(|team| &team.fallback);
    let fallback = target.fallback.as_ref().or(of_team);
    std::iter::once(own)
        .chain(fallback.into_iter().flatten())
        .collect()
}

/// Whether someone has these skills, or is not listed and so may have them.
fn may_have(plan: &Plan, member: &AgentId, skills: &Skills) -> bool {
    let has = |agent: &Profile| {
        let level = |skill| agent.skills.get(skill);
        skills.iter().all(|(skill, wanted)| level(skill) >= Some(wanted))
    };
    plan.agents.get(member).is_none_or(has)
}

/// Hours that are asked for and do not exist.
fn hours(plan: &Plan, reading: &mut Reading) {
    for (id, _) in plan
        .calendars
        .iter()
        .filter(|(_, calendar)| calendar.is_never_open())
    {
        let at = spot(reading, Named::Calendar, id.as_str());
        reading.warn(&at, "is a calendar that never opens");
    }
    let tenant_has_one = plan.settings.calendar.is_some();
    for (id, team) in plan
        .teams
        .iter()
        .filter(|(_, team)| team.outside == Outside::Fallback)
    {
        let at = spot(reading, Named::Team, id.as_str());
        if team.calendar.is_none() && !tenant_has_one {
            reading.warn(
                &at,
                "falls back outside its hours, but has no calendar: it is always open",
            );
        }
        let of_rules = targets(plan).filter(|target| target.team.as_ref() == Some(id));
        let mut fallbacks = of_rules
            .filter_map(|target| target.fallback.as_ref())
            .chain([&team.fallback]);
        if fallbacks.all(Vec::is_empty) {
            reading.warn(
                &at,
                "falls back outside its hours, but names no fallback team: what comes then waits",
            );
        }
    }
    let a_team_has_one = plan.teams.values().any(|team| team.calendar.is_some());
    let an_agent_has_one = plan.agents.values().any(|agent| agent.calendar.is_some());
    if tenant_has_one || a_team_has_one || an_agent_has_one {
        return;
    }
    for (id, _) in plan.responses.iter().filter(|(_, policy)| policy.working_hours) {
        let at = spot(reading, Named::Policy, id.as_str());
        reading.warn(&at, "counts working hours, but neither the settings nor any team or agent name a calendar: every hour counts");
    }
}

/// What is given up before it is late.
fn ages(plan: &Plan, reading: &mut Reading) {
    let Some(max_age) = plan.settings.max_age else {
        return;
    };
    let windows = |policy: &ResponsePolicy| {
        policy
            .assign_within
            .into_iter()
            .chain(policy.respond_within)
            .max()
    };
    let longer = plan
        .responses
        .iter()
        .find(|(_, policy)| windows(policy) > Some(max_age));
    if let Some((id, _)) = longer {
        let at = noted(reading, MAX_AGE);
        let message = format!(
            "is shorter than the response policy {id} allows: what waits is left to people before it is late"
        );
        reading.warn(&at, message);
    }
}

/// Moves that never happen, since nobody is gone by being away.
fn absences(plan: &Plan, reading: &mut Reading) {
    if plan.settings.assign_away && plan.settings.on_away != Moves::Keep {
        let at = noted(reading, ON_AWAY);
        reading.warn(
            &at,
            "never happens: with assign_away whoever is away counts as there",
        );
    }
}

/// All places where rules send conversations.
fn targets(plan: &Plan) -> impl Iterator<Item = &Target> {
    plan.rules.iter().map(|rule| &rule.target).chain(&plan.default)
}

/// Where something of the plan stands.
fn spot(reading: &Reading, what: Named, id: &str) -> Spot {
    let declared = reading.declared.get(&(what, id.to_owned()));
    declared.cloned().unwrap_or_else(|| missing(id))
}

/// Where a setting stands.
fn noted(reading: &Reading, setting: &'static str) -> Spot {
    let spot = reading.noted.get(setting);
    spot.cloned().unwrap_or_else(|| missing(setting))
}

/// Where something would stand that does not.
fn missing(path: &str) -> Spot {
    Spot {
        path: path.to_owned(),
        place: Place::UNKNOWN,
    }
}
