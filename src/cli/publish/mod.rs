//! `switchboard publish`: facts, commands or foreign bodies through a door, confirmed; or what they would become.

pub mod bodies;
pub mod explain;
pub mod mask;
mod plans;
pub mod routed;
pub mod show;

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;
use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use self::bodies::{Body, Envelope, Split};
use self::explain::Lens;
use self::mask::Personal;
use super::print::say;
use super::{CliError, Done, connect, print};
use crate::broker::{Exchange, Publication, Publisher, Topology};
use crate::config::{self, Environment};
use crate::contract::{Adapter, Incoming, Limits, partition};

const EXAMPLES: &str = "\
Examples:
  switchboard publish webhook.json
  switchboard publish --explain --plan plan.toml samples/
  switchboard publish --explain --at 2026-11-21T10:00:00Z recorded.jsonl --json
  switchboard publish data.json --header 'ce-specversion: 1.0' --header 'ce-id: 1' \\
    --header 'ce-source: test' --header 'ce-type: whatsapp.message.received'";

/// Messages handed to the broker between two lines of progress.
const STEP: usize = 5_000;

/// Publish facts, commands or foreign bodies through a door, and wait until the broker has confirmed them.
///
/// FILE holds JSON values, one after the other or one a line; each is one message. It may be given several times; of a
/// folder every .json, .jsonl and .ndjson file is read; `-` is standard input. Anything a gateway sends is taken: native
/// CloudEvents (structured, or binary with --header), Cloud API webhooks, bodies of UnoAPI, Evolution API, wuzapi and
/// Evolution Go. The ingress door takes all of it; `inbound` and `commands` are for native CloudEvents, whose
/// `partitionkey` decides the partition.
///
/// With --explain nothing is published: each message is read as a worker would read it, and what it would become is
/// printed: what it was recognised as and why, its facts and commands, where they would go, which rule of the plan would
/// match, what would be skipped or dead-lettered and why. That needs no broker, and no database where --plan is given.
/// Customers' identifiers are masked and their words left out, unless --show-personal is given. The exit code is 1 if
/// anything would end as a dead letter or be refused.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Files or folders of JSON; - for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Which door.
    #[arg(long, value_enum, default_value = "ingress")]
    door: Door,
    /// Treat each line as one message, whatever it is: also what is no JSON.
    #[arg(long)]
    lines: bool,
    /// Treat each file as one message, byte for byte.
    #[arg(long, conflicts_with = "lines")]
    raw: bool,
    /// A header of every message, written `name: value`; may be repeated. Four `ce-` headers make a binary CloudEvent.
    #[arg(long, value_name = "HEADER", value_parser = bodies::header)]
    header: Vec<(String, String)>,
    /// The content type of every message, in place of the one that fits.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Publish nothing: say what each message would become.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    view: View,
}

/// How to explain.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With --explain")]
struct View {
    /// The plan whose rules are asked; without it, those in force in DATABASE_URL, if that is set.
    #[arg(long, value_name = "PLAN", requires = "explain")]
    plan: Option<PathBuf>,
    /// How many partitions there are; without it SWITCHBOARD_PARTITIONS, else 8.
    #[arg(long, value_name = "N", requires = "explain", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    partitions: Option<u16>,
    /// Read as a queue that takes this adapter's bodies only.
    #[arg(long = "as", value_name = "ADAPTER", requires = "explain", value_parser = adapter)]
    adapter: Option<Adapter>,
    /// When the messages would arrive; without it now. Old samples are too old to take effect today.
    #[arg(long, value_name = "TIME", requires = "explain")]
    at: Option<Timestamp>,
    /// Show identifiers, names and texts as they are.
    #[arg(long, requires = "explain")]
    show_personal: bool,
    /// As JSON: a list of one object a message.
    #[arg(long, requires = "explain")]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Door {
    Ingress,
    Inbound,
    Commands,
}

fn adapter(word: &str) -> Result<Adapter, String> {
    Adapter::of(word).ok_or_else(|| {
        let words = Adapter::ALL.map(Adapter::wire);
        format!("it is one of {}", words.join(", "))
    })
}

pub async fn run(arguments: Arguments) -> Done {
    let bodies = read(&arguments)?;
    if arguments.explain {
        return explain(&arguments, &bodies).await;
    }
    let names_event = |(name, _): &(String, String)| name.to_ascii_lowercase().ends_with("id");
    if bodies.len() > 1 && arguments.header.iter().any(names_event) {
        return Err("several messages would have the same id: publish one at a time with --header".into());
    }
    publish(&arguments, bodies).await
}

fn read(arguments: &Arguments) -> Result<Vec<Body>, CliError> {
    let split = match (arguments.lines, arguments.raw) {
        (true, _) => Split::Lines,
        (false, true) => Split::Whole,
        (false, false) => Split::Values,
    };
    let mut all = Vec::new();
    for argument in &arguments.files {
        for file in bodies::files(argument)? {
            let content = content(&file)?;
            all.extend(bodies::split(&file.display().to_string(), &content, split)?);
        }
    }
    Ok(all)
}

fn content(file: &Path) -> Result<Vec<u8>, CliError> {
    let mut content = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut content)?;
    } else {
        content = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(content)
}

async fn publish(arguments: &Arguments, bodies: Vec<Body>) -> Done {
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
        .map(|body| publication(arguments, body, topology.partitions));
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

fn publication(arguments: &Arguments, body: Body, partitions: u16) -> Publication {
    let headers = headers(arguments);
    let envelope = Envelope::of(&body.bytes, &headers);
    let content_type = content_type(arguments, &envelope);
    // Without a key there is no partition: the door's alternate, ingress, finds one.
    let partition = || {
        let key = envelope.partition_key.as_ref();
        key.map_or("-".into(), |key| partition::of(key, partitions).to_string())
    };
    let (exchange, routing_key) = match arguments.door {
        Door::Ingress => (Exchange::Ingress, "cli".to_owned()),
        Door::Inbound => (Exchange::Inbound, partition()),
        Door::Commands => (Exchange::Commands, partition()),
    };
    let mut properties = BasicProperties::default().with_content_type(content_type.into());
    if !headers.is_empty() {
        let mut table = FieldTable::default();
        for (name, value) in &headers {
            table.insert((*name).into(), AMQPValue::LongString(value.as_ref().into()));
        }
        properties = properties.with_headers(table);
    }
    Publication {
        exchange,
        routing_key,
        properties,
        body: body.bytes,
    }
}

fn headers(arguments: &Arguments) -> Vec<(&str, Cow<'_, str>)> {
    let given = arguments.header.iter();
    given
        .map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())))
        .collect()
}

fn content_type<'a>(arguments: &'a Arguments, envelope: &Envelope) -> &'a str {
    match &arguments.content_type {
        Some(given) => given,
        None if envelope.is_event => "application/cloudevents+json",
        None => "application/json",
    }
}

async fn explain(arguments: &Arguments, bodies: &[Body]) -> Done {
    let view = &arguments.view;
    let plans = plans::given(view.plan.as_deref()).await?;
    let known = |channel: &_| plans.of(channel);
    let lens = Lens {
        arrival: view.at.unwrap_or_else(Timestamp::now),
        limits: Limits {
            max_body_bytes: config::max_body(&Environment)?,
        },
        adapter: view.adapter.unwrap_or_default(),
        partitions: match view.partitions {
            Some(partitions) => partitions,
            None => config::partitions(&Environment)?,
        },
        plans: &known,
        personal: match view.show_personal {
            true => Personal::Shown,
            false => Personal::Masked,
        },
    };
    let headers = headers(arguments);
    let explanations = bodies.iter().map(|body| {
        let envelope = Envelope::of(&body.bytes, &headers);
        let incoming = Incoming {
            content_type: Some(content_type(arguments, &envelope)),
            headers: &headers,
            body: &body.bytes,
        };
        explain::explain(body.name.clone(), &incoming, &lens)
    });
    let explanations: Vec<_> = explanations.collect();
    if view.json {
        print::json(&explanations)?;
    } else {
        for explanation in &explanations {
            print::write(&show::text(explanation));
        }
        say!("{}", show::total(&explanations));
    }
    Ok(if explanations.iter().all(explain::Explanation::is_good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
