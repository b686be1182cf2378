//! `switchboard topology`: exchanges, queues and bindings.

use std::process::ExitCode;

use clap::Subcommand;

use super::print::say;
use super::{CliError, Done, connect, print};
use crate::broker::Topology;
use crate::broker::topology::Row;
use crate::config::{self, Environment};
use crate::store::lanes;

/// Declare, show or check exchanges, queues and bindings.
///
/// The number of partitions is SWITCHBOARD_PARTITIONS (8) at the first `declare`, and fixed from then on. The sources of
/// SWITCHBOARD_SOURCES are declared, shown and checked too; one that is taken out of it leaves its queue and bindings
/// behind, to be deleted by hand.
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
    let sources = config::Ingress::from(&Environment)?.feeds();
    let (connection, prefix) = connect::broker().await?;
    let topology = Topology::new(&prefix, partitions).with_sources(sources);
    topology.declare(&connection).await?;
    say!("declared {prefix}.* with {partitions} partitions");
    let missing = topology.declare_sources(&connection).await?;
    for sentence in &missing {
        say!("{sentence}");
    }
    match (topology.sources.len(), missing.len()) {
        (0, _) => Ok(ExitCode::SUCCESS),
        (all, 0) => {
            say!("declared what {all} sources need");
            Ok(ExitCode::SUCCESS)
        }
        (all, missing) => Err(CliError::from(format!(
            "{missing} of {all} sources could not be declared: everything else is"
        ))),
    }
}

async fn show(json: bool) -> Done {
    let ingress = config::Ingress::from(&Environment)?;
    let prefix = config::Broker::from(&Environment)?.prefix;
    // Without a database that answers, what would be declared is shown.
    let topology = match connect::topology(&prefix).await {
        Ok(topology) => topology,
        Err(_) => Topology::new(&prefix, config::partitions(&Environment)?),
    }
    .with_sources(ingress.feeds());
    let mut rows = topology.rows();
    let sources = ingress.sources.iter().map(|taken| Row {
        kind: "source",
        name: taken.source.name.clone(),
        detail: format!(
            "{} from {}",
            taken.adapter.wire(),
            topology.source_queue(&taken.source)
        ),
    });
    rows.extend(sources);
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
    let sources = config::Ingress::from(&Environment)?.feeds();
    let topology = connect::topology(&prefix).await?.with_sources(sources);
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
