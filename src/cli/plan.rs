//! `switchboard plan`: check, apply, show.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use uuid::Uuid;

use super::print::say;
use super::{CliError, Done, connect, print};
use crate::contract::plan::{self, Checked};
use crate::domain::ids::Tenant;
use crate::domain::input::Fault;
use crate::store::plans;
use crate::worker::visit::{self, Applied};

/// Check, apply or show a tenant's plan: channels, agents, teams, rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with a plan, and what is doubtful. Needs no server.
    ///
    /// Example: switchboard plan check plan.toml
    Check {
        /// TOML, or JSON if it ends in .json.
        file: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a plan in force. Takes effect at once; needs no running worker.
    ///
    /// Example: switchboard plan apply plan.toml
    Apply {
        /// TOML, or JSON if it ends in .json.
        file: PathBuf,
    },
    /// Print the plan in force, as JSON.
    ///
    /// Example: switchboard plan show --tenant acme
    Show {
        /// Whose; may be left out while there is only one tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// Another version than the one in force.
        #[arg(long = "plan-version")]
        version: Option<u32>,
    },
}

pub async fn run(command: Command) -> Done {
    match command {
        Command::Check { file, json } => check(&file, json),
        Command::Apply { file } => apply(&file).await,
        Command::Show { tenant, version } => show(tenant, version).await,
    }
}

fn read(file: &PathBuf) -> Result<Result<Checked, Vec<Fault>>, CliError> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    Ok(if is_json {
        plan::from_json_text(&text)
    } else {
        plan::from_toml(&text)
    })
}

fn check(file: &PathBuf, json: bool) -> Done {
    let (faults, warnings) = match read(file)? {
        Ok(checked) => (Vec::new(), checked.warnings),
        Err(faults) => (faults, Vec::new()),
    };
    if json {
        let list = |faults: &[Fault]| faults.iter().map(fault_value).collect::<Vec<_>>();
        print::json(&serde_json::json!({ "errors": list(&faults), "warnings": list(&warnings) }))?;
    } else {
        complain(file, &faults, "error");
        complain(file, &warnings, "warning");
        if faults.is_empty() {
            say!("{}: good", file.display());
        }
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn fault_value(fault: &Fault) -> serde_json::Value {
    serde_json::json!({
        "path": fault.path, "line": fault.line, "column": fault.column, "message": fault.message,
    })
}

fn complain(file: &std::path::Path, faults: &[Fault], what: &str) {
    for fault in faults {
        let place = match fault.line {
            0 => String::new(),
            line => format!(":{line}:{}", fault.column),
        };
        say!(
            "{}{place}: {what}: {} {}",
            file.display(),
            fault.path,
            fault.message
        );
    }
}

async fn apply(file: &PathBuf) -> Done {
    let checked = match read(file)? {
        Ok(checked) => checked,
        Err(faults) => {
            complain(file, &faults, "error");
            return Err("the plan was not applied".into());
        }
    };
    complain(file, &checked.warnings, "warning");
    let store = connect::store()?;
    let partitions = connect::partitions(&store).await?;
    let tenant = checked.plan.tenant.clone();
    let cause = format!("cli/{}", Uuid::new_v4());
    match visit::apply_plan(
        &store,
        partitions,
        Arc::new(checked.plan),
        checked.document,
        &cause,
    )
    .await?
    {
        Applied::Activated {
            version,
            unchanged: false,
        } => say!("{tenant}: plan version {version} is in force"),
        Applied::Activated {
            version,
            unchanged: true,
        } => {
            say!("{tenant}: unchanged; agents and teams are as version {version} says again");
        }
        Applied::Refused { message, errors } => {
            complain(file, &errors, "error");
            return Err(format!("the plan was not applied: {message}").into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(tenant: Option<String>, version: Option<u32>) -> Done {
    let session = connect::store()?.session().await?;
    let listing = plans::directory(&session).await?;
    let tenant = match tenant {
        Some(tenant) => Tenant::new(&tenant)?,
        None => match listing.plans.as_slice() {
            [(only, _)] => only.clone(),
            [] => return Err("no plan has been applied yet".into()),
            _ => return Err("there are several tenants: name one with --tenant".into()),
        },
    };
    let in_force = listing
        .plans
        .iter()
        .find(|(other, _)| *other == tenant)
        .map(|(_, version)| *version);
    let version = version
        .or(in_force)
        .ok_or_else(|| format!("{tenant} has no plan"))?;
    let document = plans::document(&session, &tenant, version).await?;
    let document = document.ok_or_else(|| format!("{tenant} has no plan version {version}"))?;
    print::json(&serde_json::json!({ "version": version, "plan": document }))?;
    Ok(ExitCode::SUCCESS)
}
