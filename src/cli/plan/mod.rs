//! `switchboard plan`: check a plan, put it in force, look at it, compare, and go back.

mod apply;
mod check;
mod diff;
pub(super) mod files;
mod history;
mod rollback;
mod show;
mod stored;

use std::path::PathBuf;

use clap::Subcommand;

use super::Done;

/// Plans of a tenant, its channels, agents, teams and rules: check, apply, show, compare, roll back.
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
    Diff(diff::Arguments),
    History(history::Arguments),
    Rollback(rollback::Arguments),
}

pub async fn run(command: Command) -> Done {
    match command {
        Command::Check { file, json } => check::run(&file, json),
        Command::Apply { file } => apply::run(&file).await,
        Command::Show { tenant, version } => show::run(tenant, version).await,
        Command::Diff(arguments) => diff::run(arguments).await,
        Command::History(arguments) => history::run(arguments).await,
        Command::Rollback(arguments) => rollback::run(arguments).await,
    }
}
