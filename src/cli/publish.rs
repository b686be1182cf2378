//! `switchboard publish`: facts, commands or foreign bodies through a door, confirmed.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;
use lapin::BasicProperties;
use serde_json::value::RawValue;

use super::print::say;
use super::{Done, connect};
use crate::broker::{Exchange, Publication, Publisher, Topology};
use crate::contract::partition;

/// Messages handed to the broker between two lines of progress.
const STEP: usize = 5_000;

/// Publish facts, commands or foreign bodies through a door, and wait until the broker has confirmed them.
///
/// FILE holds JSON values, one after the other or one a line; `-` is standard input. Each value is one message. The
/// ingress door takes anything; `inbound` and `commands` are for native CloudEvents, whose `partitionkey` decides the
/// partition.
///
/// Example: switchboard publish webhook.json
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// JSON or JSON lines; - for standard input.
    file: PathBuf,
    /// Which door.
    #[arg(long, value_enum, default_value = "ingress")]
    door: Door,
    /// Treat each line as one message, whatever it is: also what is no JSON.
    #[arg(long)]
    lines: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Door {
    Ingress,
    Inbound,
    Commands,
}

pub async fn run(arguments: Arguments) -> Done {
    let bodies = bodies(&arguments)?;
    let (connection, prefix) = connect::broker().await?;
    let topology = match arguments.door {
        Door::Ingress => Topology::new(&prefix, 1),
        Door::Inbound | Door::Commands => connect::topology(&prefix).await?,
    };
    let mut publisher = Publisher::open(&connection, &topology).await?;
    let started = Instant::now();
    let all = bodies.len();
    let mut publications = bodies
        .into_iter()
        .map(|body| publication(arguments.door, body, topology.partitions));
    let mut done = 0;
    while done < all {
        let step: Vec<_> = publications.by_ref().take(STEP).collect();
        let published = step.len();
        publisher.publish_all(step).await?;
        done += published;
        if all > STEP {
            eprintln!("{done} of {all} confirmed");
        }
    }
    say!("{done} confirmed in {:.1} s", started.elapsed().as_secs_f64());
    let _ = connection.close(200, "done".into()).await;
    Ok(ExitCode::SUCCESS)
}

fn bodies(arguments: &Arguments) -> Result<Vec<Vec<u8>>, super::CliError> {
    let mut text = String::new();
    if arguments.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        let file = &arguments.file;
        text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    if arguments.lines {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        return Ok(lines.map(|line| line.as_bytes().to_vec()).collect());
    }
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Box<RawValue>>();
    let mut bodies = Vec::new();
    for (index, value) in values.enumerate() {
        let value = value.map_err(|error| format!("message {}: {error}", index + 1))?;
        bodies.push(value.get().as_bytes().to_vec());
    }
    Ok(bodies)
}

fn publication(door: Door, body: Vec<u8>, partitions: u16) -> Publication {
    #[derive(serde::Deserialize)]
    struct Envelope {
        specversion: Option<String>,
        partitionkey: Option<String>,
    }
    let envelope: Option<Envelope> = serde_json::from_slice(&body).ok();
    let native = envelope
        .as_ref()
        .is_some_and(|envelope| envelope.specversion.is_some());
    let content_type = if native {
        "application/cloudevents+json"
    } else {
        "application/json"
    };
    let key = envelope.and_then(|envelope| envelope.partitionkey);
    let (exchange, routing_key) = match door {
        Door::Ingress => (Exchange::Ingress, "cli".to_owned()),
        // Without a key there is no partition: the door's alternate, ingress, finds one.
        Door::Inbound => (
            Exchange::Inbound,
            key.map_or("-".into(), |key| partition::of(&key, partitions).to_string()),
        ),
        Door::Commands => (
            Exchange::Commands,
            key.map_or("-".into(), |key| partition::of(&key, partitions).to_string()),
        ),
    };
    let properties = BasicProperties::default().with_content_type(content_type.into());
    Publication {
        exchange,
        routing_key,
        properties,
        body,
    }
}
