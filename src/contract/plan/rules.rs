//! `[[rules]]` and `[default]`: which conversations go where.

use std::sync::Arc;

use super::mentions::{self, Named};
use super::people::{fallback, response, skills};
use super::reader::{Fields, Item, Reading, Spot};
use super::settings::REOPEN;
use crate::domain::condition::Condition;
use crate::domain::conversation::{Priority, Relaxation};
use crate::domain::ids::{AgentId, TeamId};
use crate::domain::plan::{Outcome, Rule, Target};

/// Most rules: they are asked one after the other.
const MAX_RULES: usize = 1_000;
/// Most that all conditions together may cost, in the units of [`Condition::work`]: fifty milliseconds, if every rule
/// is asked and each answer takes as long as it can.
const MAX_RULES_WORK: u64 = 50_000_000;
/// Most regular expressions of all conditions together: each keeps memory in every worker.
const MAX_RULES_PATTERNS: usize = 256;
/// Most steps a waiting conversation relaxes in.
const MAX_RELAXATIONS: usize = 16;

const OUTCOMES: [(&str, Outcome); 3] = [
    ("auto", Outcome::Auto),
    ("manual", Outcome::Manual),
    ("nobody", Outcome::Nobody),
];
const PRIORITIES: [(&str, Priority); 4] = [
    ("low", Priority::Low),
    ("normal", Priority::Normal),
    ("high", Priority::High),
    ("urgent", Priority::Urgent),
];

/// Reads the rules, in order.
pub(super) fn rules(list: Option<Item<'_>>, reading: &mut Reading) -> Vec<Rule> {
    let Some(list) = list else { return Vec::new() };
    let items = list.list(MAX_RULES, reading);
    let rules: Vec<Rule> = items.iter().filter_map(|item| rule(item, reading)).collect();
    let conditions = || rules.iter().filter_map(|rule| rule.when.as_ref());
    if conditions().map(Condition::work).sum::<u64>() > MAX_RULES_WORK {
        reading.error(
            &list.spot,
            "could together take too long to answer: shorten what looks through whole texts",
        );
    }
    if conditions().map(Condition::patterns).sum::<usize>() > MAX_RULES_PATTERNS {
        reading.error(
            &list.spot,
            format!("have together more than {MAX_RULES_PATTERNS} regular expressions"),
        );
    }
    rules
}

fn rule(item: &Item<'_>, reading: &mut Reading) -> Option<Rule> {
    let mut fields = item.fields(reading)?;
    let at_name = fields.need("name", reading);
    let name = at_name.as_ref().and_then(|item| item.name(reading));
    if let (Some(item), Some(name)) = (at_name, &name) {
        reading.declare(Named::Rule, name, &item.spot);
    }
    let when = fields.take("when").map(|item| condition(&item, reading));
    let target = target(&mut fields, reading);
    fields.close(reading);
    // A rule whose condition is wrong is not a rule without one.
    let when = match when {
        None => None,
        Some(condition) => Some(condition?),
    };
    Some(Rule {
        name: name?,
        when,
        target,
    })
}

/// Reads where conversations go that no rule matches.
pub(super) fn default(item: &Item<'_>, reading: &mut Reading) -> Target {
    let Some(mut fields) = item.fields(reading) else {
        return Target::default();
    };
    let target = target(&mut fields, reading);
    fields.close(reading);
    target
}

fn condition(item: &Item<'_>, reading: &mut Reading) -> Option<Condition> {
    let error = match Condition::compile(item.text(reading)?) {
        Ok(condition) => return Some(condition),
        Err(error) => error,
    };
    let path = item.spot.path.clone();
    match item.place_inside(error.line, error.column) {
        Some(place) => reading.error(&Spot { path, place }, format!("is no condition: {error}")),
        None => {
            let (line, column) = (error.line, error.column);
            let place = if line == 1 {
                format!("column {column}")
            } else {
                format!("line {line}, column {column}")
            };
            reading.error(&item.spot, format!("is no condition: {error} (at its {place})"));
        }
    }
    None
}

fn target(fields: &mut Fields<'_>, reading: &mut Reading) -> Target {
    let (at_team, at_agent, at_outcome) = (fields.take("team"), fields.take("agent"), fields.take("outcome"));
    let outcome = at_outcome
        .as_ref()
        .and_then(|item| item.word(&OUTCOMES, reading))
        .unwrap_or_default();
    match outcome {
        Outcome::Auto if at_team.is_none() && at_agent.is_none() => {
            reading.error(
                &fields.spot,
                "names neither a team nor an agent; outcome = \"nobody\" says so openly",
            );
        }
        Outcome::Manual if at_team.is_none() => {
            reading.error(
                &fields.spot,
                "is manual, but names no team in whose queue to wait",
            );
        }
        Outcome::Nobody => {
            for item in at_team.iter().chain(&at_agent) {
                reading.warn(&item.spot, "is never used: the outcome is nobody");
            }
        }
        Outcome::Auto | Outcome::Manual => {}
    }
    let team = at_team.and_then(|item| mentions::one(&item, Named::Team, TeamId::new, reading));
    let mut target = Target {
        agent: at_agent.and_then(|item| mentions::one(&item, Named::Agent, AgentId::new, reading)),
        outcome,
        skills: skills(fields.take("skills"), reading),
        priority: fields
            .take("priority")
            .and_then(|item| item.word(&PRIORITIES, reading))
            .unwrap_or_default(),
        response: response(fields, reading),
        reopen: fields.take("reopen").and_then(|item| item.word(&REOPEN, reading)),
        fallback: fallback(fields, team.as_ref(), reading),
        relax: Arc::default(),
        team,
    };
    if let Some(item) = fields.take("relax") {
        if target.team.is_none() {
            reading.warn(&item.spot, "is never used: without a team it waits in no queue");
        }
        target.relax = relax(&item, &target, reading).into();
    }
    target
}

/// The steps in which a waiting conversation asks for less, in the order they are taken.
fn relax(item: &Item<'_>, target: &Target, reading: &mut Reading) -> Vec<Relaxation> {
    let mut steps: Vec<Relaxation> = Vec::new();
    for item in item.list(MAX_RELAXATIONS, reading) {
        let Some(step) = relaxation(&item, target, reading) else {
            continue;
        };
        if steps.last().is_some_and(|before| step.after < before.after) {
            reading.error(
                &item.spot,
                "comes before the step before it: steps stand in order of `after`",
            );
        }
        steps.push(step);
    }
    steps
}

fn relaxation(item: &Item<'_>, target: &Target, reading: &mut Reading) -> Option<Relaxation> {
    let mut fields = item.fields(reading)?;
    let after = fields
        .need("after", reading)
        .and_then(|item| item.duration(reading));
    let (drop, team) = (fields.take("drop"), fields.take("team"));
    let (priority, notify) = (fields.take("priority"), fields.take("notify"));
    if [&drop, &team, &priority, &notify]
        .iter()
        .all(|item| item.is_none())
    {
        reading.error(
            &item.spot,
            "changes nothing: it wants one of drop, team, priority, notify",
        );
    }
    let drop = drop.and_then(|item| asked_for(&item, target, reading));
    let team = team.and_then(|item| mentions::one(&item, Named::Team, TeamId::new, reading));
    let priority = priority.and_then(|item| item.word(&PRIORITIES, reading));
    let notify = notify.and_then(|item| item.flag(reading));
    fields.close(reading);
    Some(Relaxation {
        after: after?,
        drop,
        team,
        priority,
        notify: notify.unwrap_or(false),
    })
}

/// One of the skills that are asked for.
fn asked_for(item: &Item<'_>, target: &Target, reading: &mut Reading) -> Option<Arc<str>> {
    let skill = item.text(reading)?;
    match target.skills.get_key_value(skill) {
        Some((skill, _)) => Some(skill.clone()),
        None => {
            reading.error(&item.spot, "is not among the skills asked for");
            None
        }
    }
}
