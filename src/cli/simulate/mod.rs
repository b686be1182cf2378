//! `switchboard simulate`: what a plan would do with a day's conversations, before it is in force.

mod arguments;
pub mod files;
mod recorded;
mod show;
pub mod trace_lines;
mod value;
pub mod words;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{CliError, Done, print};
use crate::contract::plan;
use crate::domain::plan::Plan;
use crate::simulate::compare::{Comparison, compare};
use crate::simulate::report::Report;
use crate::simulate::shifts::Shifts;
use crate::simulate::trace::Arrival;
use crate::simulate::world::Played;
use crate::simulate::{Progress, Scenario, play};
pub use arguments::Arguments;

/// How often a long simulation says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// What is played, whichever plans it is played under.
struct Material {
    /// What it is, for people.
    source: String,
    arrivals: Vec<Arrival>,
    begins: Timestamp,
    /// When the last may come.
    closes: Timestamp,
    /// What the simulation cannot know, for people.
    unknown: Vec<String>,
}

/// A plan and what came of it.
struct Run {
    name: String,
    played: Played,
    report: Report,
}

/// Everything that is shown.
struct Findings {
    seed: u64,
    material: Material,
    runs: Vec<Run>,
    comparison: Option<Comparison>,
}

pub async fn run(arguments: Arguments) -> Done {
    let mut plans = vec![read_plan(&arguments.plan)?];
    if let Some(other) = &arguments.against {
        plans.push(read_plan(other)?);
    }
    let shifts = match &arguments.shifts {
        Some(file) => files::shifts(&text_of(file)?, &plans[0].1.settings.timezone).map_err(in_file(file))?,
        None => Shifts::none(),
    };
    let strangers = strangers(&shifts, &plans);
    if !strangers.is_empty() {
        return Err(format!("no plan has these agents of the shifts: {}", strangers.join(", ")).into());
    }
    let material = arguments.material(&plans[0].1).await?;
    let ends = material.closes.checked_add(arguments.afterwards)?;
    let mut runs = Vec::new();
    for (name, plan) in plans {
        let scenario = Scenario {
            plan,
            arrivals: &material.arrivals,
            shifts: &shifts,
            begins: material.begins,
            closes: material.closes,
            ends,
        };
        let played = play(&scenario, &mut teller(&name)).map_err(|refused| format!("{name}: {refused}"))?;
        let report = Report::of(&played);
        runs.push(Run { name, played, report });
    }
    let comparison = match runs.as_slice() {
        [first, second] => Some(compare(
            &first.played.outcomes,
            &second.played.outcomes,
            arguments.differences,
        )),
        _ => None,
    };
    let findings = Findings {
        seed: arguments.seed,
        material,
        runs,
        comparison,
    };
    if arguments.json {
        print::json(&value::of(&findings))?;
    } else {
        show::findings(&findings);
    }
    Ok(ExitCode::SUCCESS)
}

/// A plan by the name of its file.
fn read_plan(file: &Path) -> Result<(String, Arc<Plan>), CliError> {
    let text = text_of(file)?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let checked = if is_json {
        plan::from_json_text(&text)
    } else {
        plan::from_toml(&text)
    };
    match checked {
        Ok(checked) => Ok((file.display().to_string(), Arc::new(checked.plan))),
        Err(_) => Err(format!("{0} has errors: switchboard plan check {0}", file.display()).into()),
    }
}

fn text_of(file: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Puts the name of a file before what is wrong in it.
fn in_file(file: &Path) -> impl Fn(String) -> CliError {
    move |message| format!("{}: {message}", file.display()).into()
}

/// Agents of the shifts whom no plan has.
fn strangers(shifts: &Shifts, plans: &[(String, Arc<Plan>)]) -> Vec<String> {
    let known = |agent: &&crate::domain::ids::AgentId| {
        let has = |plan: &Plan| {
            plan.agents.contains_key(*agent) || plan.teams.values().any(|team| team.members.contains(agent))
        };
        plans.iter().any(|(_, plan)| has(plan))
    };
    let named = shifts.shifts.iter().flat_map(|shift| &shift.agents);
    named
        .filter(|agent| !known(agent))
        .map(ToString::to_string)
        .collect()
}

/// Says on standard error how far it is, where that takes a while.
fn teller(name: &str) -> impl FnMut(Progress) {
    let name = name.to_owned();
    let mut said = Instant::now();
    move |progress| {
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            eprintln!(
                "simulate: {name}: {} of {} arrivals",
                progress.arrivals, progress.of
            );
        }
    }
}
