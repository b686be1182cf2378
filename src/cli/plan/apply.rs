//! `switchboard plan apply`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use uuid::Uuid;

use super::files::{complain, read};
use crate::cli::print::say;
use crate::cli::{Done, connect};
use crate::worker::visit::{self, Applied};

pub async fn run(file: &Path) -> Done {
    let name = file.display().to_string();
    let checked = match read(file)? {
        Ok(checked) => checked,
        Err(faults) => {
            complain(&name, &faults, "error");
            return Err("the plan was not applied".into());
        }
    };
    complain(&name, &checked.warnings, "warning");
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
            complain(&name, &errors, "error");
            return Err(format!("the plan was not applied: {message}").into());
        }
    }
    Ok(ExitCode::SUCCESS)
}
