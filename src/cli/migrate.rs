//! `switchboard migrate`: the database schema.

use std::process::ExitCode;

use clap::Subcommand;

use super::print::say;
use super::{Done, connect, print};
use crate::store::{inbox, migrate};

/// Bring the database schema up to date, look at it, or print it.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Apply what is missing. Safe to run again, and at the same time from several places.
    Up,
    /// Say which migrations the database has. Exit code 1 if one is missing.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the SQL of all migrations, for other tools. Needs no database.
    Sql,
}

pub async fn run(command: Command) -> Done {
    match command {
        Command::Up => {
            let store = connect::store()?;
            let applied = migrate::up(&store).await?;
            for migration in &applied {
                say!("applied {} {}", migration.version, migration.name);
            }
            if applied.is_empty() {
                say!("the schema is up to date");
            }
            inbox::make_buckets(&store).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Status { json } => {
            let migrations = migrate::status(&connect::store()?).await?;
            if json {
                let rows: Vec<_> = migrations
                    .iter()
                    .map(
                        |m| serde_json::json!({ "version": m.version, "name": m.name, "applied": m.applied }),
                    )
                    .collect();
                print::json(&rows)?;
            } else {
                let state = |applied| if applied { "applied" } else { "missing" };
                let row = |m: &migrate::Migration| {
                    [m.version.to_string(), m.name.clone(), state(m.applied).to_owned()]
                };
                print::table(
                    ["version", "name", "state"],
                    &migrations.iter().map(row).collect::<Vec<_>>(),
                );
            }
            let complete = migrations.iter().all(|migration| migration.applied);
            Ok(if complete {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Sql => {
            print::write(&migrate::sql());
            Ok(ExitCode::SUCCESS)
        }
    }
}
