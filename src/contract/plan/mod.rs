//! Plans as people write them: TOML in files, the same as JSON in commands.
//!
//! However it is written, a plan becomes one tree of nodes that know where they stand (`toml_text`, `json_text`, `node`).
//! The sections are read from it key by key (`settings`, `people`, `policies`, `calendars`, `rules`, with `reader`); what
//! they say of each other is compared when all are read (`mentions`), and last comes what is allowed and probably not
//! meant (`doubts`). All that is wrong is said at once, each with its path, line and column. `diff`
//! compares plans that were read.
//!
//! Architecture invariant: a plan that comes out of here is valid. Whatever it names is there, or is an agent who may
//! still come by upsert; nothing later has to doubt it.

mod calendars;
pub mod diff;
mod doubts;
mod json_text;
mod mentions;
mod node;
mod people;
mod policies;
mod reader;
mod rules;
mod settings;
mod toml_text;

use serde_json::Value;

use crate::domain::ids::Tenant;
use crate::domain::input::Fault;
use crate::domain::plan::Plan;
use node::{Node, Place};
use reader::{Item, Reading};

/// Longest plan, in bytes of text: what a command can carry through the door by default, with 64 KiB around it. A plan that
/// is good in a file is never too large in a command; ten thousand agents with their skills fit.
pub const MAX_PLAN_BYTES: usize = (4 << 20) - (64 << 10);

/// A plan without faults.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The plan; its version is 0 until it is activated.
    pub plan: Plan,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Fault>,
    /// The document as it is stored and shown: the same, however it was written, so that an unchanged plan is recognised.
    pub document: Value,
}

/// Reads a plan written as TOML, or says everything that is wrong with it.
pub fn from_toml(text: &str) -> Result<Checked, Vec<Fault>> {
    bounded(text.len())?;
    read(&toml_text::tree(text).map_err(|fault| vec![fault])?)
}

/// Reads a plan written as JSON, or says everything that is wrong with it.
pub fn from_json_text(text: &str) -> Result<Checked, Vec<Fault>> {
    bounded(text.len())?;
    read(&json_text::tree(text).map_err(|fault| vec![fault])?)
}

/// Reads a plan from a JSON value: as from its text, but lines and columns are not known and are 0.
pub fn from_json(value: &Value) -> Result<Checked, Vec<Fault>> {
    bounded(node::weight(value))?;
    read(&Node::from_value(value))
}

fn bounded(bytes: usize) -> Result<(), Vec<Fault>> {
    if bytes <= MAX_PLAN_BYTES {
        return Ok(());
    }
    Err(vec![node::fault(
        "",
        Place::UNKNOWN,
        format!("the plan is longer than {MAX_PLAN_BYTES} bytes"),
    )])
}

fn read(root: &Node) -> Result<Checked, Vec<Fault>> {
    let mut reading = Reading::default();
    let plan = document(&Item::root(root), &mut reading);
    mentions::check(&mut reading);
    if let Some(plan) = &plan {
        doubts::look(plan, &mut reading);
    }
    let (errors, warnings) = reading.finish();
    match plan {
        Some(plan) if errors.is_empty() => Ok(Checked {
            plan,
            warnings,
            document: root.to_value(),
        }),
        _ => Err(errors),
    }
}

/// The whole document; `None` when it has no tenant, which is said by then.
fn document(root: &Item<'_>, reading: &mut Reading) -> Option<Plan> {
    let mut fields = root.fields(reading)?;
    let tenant = fields
        .need("tenant", reading)
        .and_then(|item| item.id(Tenant::new, reading));
    let settings = fields.take("settings").map(|item| settings::read(&item, reading));
    let channels = people::channels(fields.take("channels"), reading);
    let agents = people::agents(fields.take("agents"), reading);
    let teams = people::teams(fields.take("teams"), reading);
    let responses = policies::responses(fields.take("responses"), reading);
    let settings = settings.unwrap_or_default();
    let calendars = calendars::read(fields.take("calendars"), &settings.timezone, reading);
    let rules = rules::rules(fields.take("rules"), reading);
    let default = fields.take("default").map(|item| rules::default(&item, reading));
    fields.close(reading);
    Some(Plan {
        tenant: tenant?,
        version: 0,
        settings,
        channels,
        agents,
        teams,
        responses,
        calendars,
        rules,
        default,
    })
}
