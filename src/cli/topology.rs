//! `switchboard topology`: exchanges, queues and bindings.

use std::process::ExitCode;

use clap::Subcommand;

use super::print::say;
use super::{CliError, Done, connect, print};
use crate::broker::Topology;
use crate::config::{self, Environment};
use crate::store::lanes;

/// Declare, show or check exchanges, queues and bindings.
///
/// The number of partitions is SWITCHBOARD_PARTITIONS (8) at the first `declare`, and fixed from then on.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Declare everything that is missing, and record the number of partitions in the database. Safe to run again.
    Declare,
    /// Print what `declare` makes.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what is missing or declared differently. Exit code 1 if anything is.
    Check,
}

pub async fn run(command: Command) -> Done {
    match command {
        Command::Declare => declare().await,
        Command::Show { json } => show(json).await,
        Command::Check => check().await,
    }
}

async fn declare() -> Done {
    let store = connect::store()?;
    let client = store.lone_client().await?;
    let wanted = config::partitions_given(&Environment)?;
    let recorded = lanes::recorded_partitions(&client).await?;
    let partitions = match (wanted, recorded) {
        (Some(wanted), _) => wanted,
        (None, Some(recorded)) => recorded,
        (None, None) => config::partitions(&Environment)?,
    };
    lanes::declare_partitions(&client, partitions).await?;
    let (connection, prefix) = connect::broker().await?;
    Topology::new(&prefix, partitions).declare(&connection).await?;
    say!("declared {prefix}.* with {partitions} partitions");
    Ok(ExitCode::SUCCESS)
}

async fn show(json: bool) -> Done {
    let prefix = config::Broker::from(&Environment)?.prefix;
    // Without a database that answers, what would be declared is shown.
    let topology = match connect::topology(&prefix).await {
        Ok(topology) => topology,
        Err(_) => Topology::new(&prefix, config::partitions(&Environment)?),
    };
    let rows = topology.rows();
    if json {
        let value: Vec<_> = rows
            .iter()
            .map(|row| serde_json::json!({ "kind": row.kind, "name": row.name, "detail": row.detail }))
            .collect();
        print::json(&serde_json::json!({ "partitions": topology.partitions, "rows": value }))?;
    } else {
        say!("{} partitions", topology.partitions);
        let cells: Vec<_> = rows
            .into_iter()
            .map(|row| [row.kind.to_string(), row.name.clone(), row.detail.clone()])
            .collect();
        print::table(["kind", "name", "detail"], &cells);
    }
    Ok(ExitCode::SUCCESS)
}

async fn check() -> Done {
    let (connection, prefix) = connect::broker().await?;
    let topology = connect::topology(&prefix).await?;
    let differences = topology.differences(&connection).await?;
    for difference in &differences {
        say!("{difference}");
    }
    if differences.is_empty() {
        say!("everything is declared as it should be");
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError::from(format!(
        "{} of the exchanges and queues need attention",
        differences.len()
    )))
}
