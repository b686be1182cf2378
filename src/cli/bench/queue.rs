//! `switchboard bench queue`: whether a queue's length costs those who are assigned from it anything.

use std::collections::HashMap;
use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::signal::ctrl_c;
use tokio::time::{interval, sleep, timeout};

use super::super::print::{say, table};
use super::super::{CliError, Done};
use super::crowd::{self, Crowd, Size};
use super::stage::{self, Stage};
use super::worker::BenchWorker;
use super::{LOOK, STUCK};
use crate::broker::Consumer;
use crate::store::lanes;

/// Events taken from the broker at once.
const PREFETCH: u16 = 500;
/// Closes before anything is measured: the worker's statements are prepared and its plans read by then.
const WARM: usize = 20;

/// Measure what the length of a queue costs: places become free, and those who wait get them.
///
/// A team whose members are all busy, and a queue. Members close what they have, first at a steady pace, then many at once,
/// through the broker and a worker process as always. Measured: from each close to the assignment that fills the place, as
/// events; and how many a second where many close at once. All of it for each length, next to the shortest.
///
/// Only the closes and what follows go the real way. The people and conversations before them are made by the core, as of
/// first messages, and written by the worker's own statements, but neither messages nor events are behind them: they have no
/// identifiers, no engagements and no decisions.
///
/// Exchanges and queues have a prefix of their own (bench-…) and are deleted afterwards. The tenants "bench-…" stay in the
/// database: it has to be empty, and one that may be thrown away.
///
/// Example: switchboard bench queue --agents 2000 --waiting 1000,10000,100000 --requirements 200
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Members of the team.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    agents: u32,
    /// Conversations that wait: one measurement each.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000],
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    waiting: Vec<u32>,
    /// Different skills that those who wait ask for; each member has one of them. 1: none.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    requirements: u32,
    /// Closes at a steady pace.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    paced: u32,
    /// So many of them a second.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pace: u32,
    /// Closes at once.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..))]
    burst: u32,
}

pub async fn run(arguments: Arguments) -> Done {
    let closes = WARM + (arguments.paced + arguments.burst) as usize;
    if closes > arguments.agents as usize {
        return Err(format!("{closes} closes need as many agents: each closes one conversation").into());
    }
    if let Some(few) = arguments
        .waiting
        .iter()
        .find(|waiting| (**waiting as usize) < closes)
    {
        return Err(format!("{few} who wait are too few for {closes} closes").into());
    }
    let stage = Stage::bare().await?;
    let measured = tokio::select! {
        measured = measure(&stage, &arguments) => measured,
        interrupted = ctrl_c() => interrupted.map_err(CliError::from).and(Err("interrupted".into())),
    };
    stage.clean_up().await;
    measured
}

async fn measure(stage: &Stage, arguments: &Arguments) -> Done {
    let client = stage.store.lone_client().await?;
    let taken = client.query_one("select exists (select from plan)", &[]).await?;
    if taken.get(0) {
        return Err("the database has a plan in it already: use an empty one that may be thrown away".into());
    }
    let mut measured: Vec<Measured> = Vec::new();
    for waiting in &arguments.waiting {
        let size = Size {
            agents: arguments.agents as usize,
            waiting: *waiting as usize,
            requirements: arguments.requirements as usize,
        };
        let crowd = Crowd::gather(stage, size).await?;
        say!("{} agents, {waiting} who wait", size.agents);
        measured.push(one_length(stage, &crowd, *waiting, arguments).await?);
    }
    let heading = [
        "waiting",
        "at once",
        "of shortest",
        "p50",
        "p95",
        "p99",
        "of shortest",
        "processor",
    ];
    let shortest = measured
        .iter()
        .min_by_key(|one| one.waiting)
        .cloned()
        .unwrap_or_default();
    let rows: Vec<_> = measured.iter().map(|one| one.row(&shortest)).collect();
    table(heading, &rows);
    say!(
        "at once: assignments a second where many close at once; p50 to p99: from one close to its assignment"
    );
    say!("processor: what the worker took for an assignment at a steady pace");
    Ok(ExitCode::SUCCESS)
}

/// What came out for one length.
#[derive(Debug, Clone, Default)]
struct Measured {
    waiting: u32,
    rate: f64,
    /// From close to assignment, the shortest first.
    latencies: Vec<Duration>,
    /// Of the worker, for an assignment.
    processor: Option<Duration>,
}

impl Measured {
    fn percentile(&self, percent: usize) -> Duration {
        let place = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(place).copied().unwrap_or_default()
    }

    fn row(&self, shortest: &Self) -> [String; 8] {
        let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1_000.0);
        let median = self.percentile(50).as_secs_f64() / shortest.percentile(50).as_secs_f64();
        [
            self.waiting.to_string(),
            format!("{:.0}/s", self.rate),
            format!("{:.2}", self.rate / shortest.rate),
            milliseconds(self.percentile(50)),
            milliseconds(self.percentile(95)),
            milliseconds(self.percentile(99)),
            format!("{median:.2}"),
            self.processor.map_or_else(|| "-".into(), milliseconds),
        ]
    }
}

async fn one_length(
    stage: &Stage,
    crowd: &Crowd,
    waiting: u32,
    arguments: &Arguments,
) -> Result<Measured, CliError> {
    stage.empty_sinks().await?;
    let worker = BenchWorker::start(&stage.prefix)?;
    until_all_lanes_are_held(stage).await?;
    let mut events = stage.watch_events(PREFETCH).await?;
    let (paced, burst) = (arguments.paced as usize, arguments.burst as usize);
    close(stage, crowd, &mut events, 0..WARM, None).await?;
    let pace = Some(Duration::from_secs(1) / arguments.pace);
    let before = worker.usage();
    let mut latencies = close(stage, crowd, &mut events, WARM..WARM + paced, pace).await?;
    let after = worker.usage();
    let at_once = close(
        stage,
        crowd,
        &mut events,
        WARM + paced..WARM + paced + burst,
        None,
    )
    .await?;
    events.close().await;
    worker.stop().await?;
    latencies.sort_unstable();
    let last = at_once.iter().max().copied().unwrap_or_default();
    let taken = before
        .zip(after)
        .map(|(before, after)| after.processor - before.processor);
    Ok(Measured {
        waiting,
        rate: burst as f64 / last.as_secs_f64(),
        latencies,
        processor: taken.map(|taken| taken / arguments.paced),
    })
}

/// A worker takes its lanes when it starts: nothing of that is measured.
async fn until_all_lanes_are_held(stage: &Stage) -> Result<(), CliError> {
    let client = stage.store.lone_client().await?;
    let started = Instant::now();
    while lanes::list(&client)
        .await?
        .iter()
        .any(|lane| lane.worker.is_none())
    {
        if started.elapsed() > STUCK {
            return Err("the worker takes no lanes".into());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// These members close what they have, at this pace or at once; returns how long it took each time until they had the next
/// one, from the close, or from the first of them if they come at once.
async fn close(
    stage: &Stage,
    crowd: &Crowd,
    events: &mut Consumer,
    members: Range<usize>,
    pace: Option<Duration>,
) -> Result<Vec<Duration>, CliError> {
    let (closed, assigned) = tokio::try_join!(
        send_closes(stage, crowd, members.clone(), pace),
        see_assignments(events, members.len()),
    )?;
    let first = closed.values().min().copied();
    let took = |(agent, at): (&String, &Instant)| {
        let from = if pace.is_some() {
            closed.get(agent).copied()
        } else {
            first
        };
        from.map(|from| at.saturating_duration_since(from))
    };
    Ok(assigned.iter().filter_map(took).collect())
}

async fn send_closes(
    stage: &Stage,
    crowd: &Crowd,
    members: Range<usize>,
    pace: Option<Duration>,
) -> Result<HashMap<String, Instant>, CliError> {
    let channel = stage.publishing_channel().await?;
    let commands = stage.topology.name("commands");
    let mut ticks = pace.map(interval);
    let mut closed = HashMap::new();
    let mut confirms = Vec::new();
    for number in members {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let agent = crowd::agent(number)?.to_string();
        let (key, partition) = crowd.partition_of(number);
        let body = json!({
            "specversion": "1.0", "id": format!("{}-{key}", stage.prefix), "source": "bench",
            "type": "switchboard.command.close", "partitionkey": key,
            "data": {"tenant": crowd.tenant.as_str(), "actor": agent, "conversation": crowd.owned_by(number).to_string()},
        });
        closed.insert(agent, Instant::now());
        confirms.push(stage::publish(&channel, &commands, partition, &serde_json::to_vec(&body)?).await?);
    }
    for confirm in confirms {
        confirm.await?;
    }
    channel.close(200, "closed".into()).await?;
    Ok(closed)
}

/// Waits until so many were assigned: who, and when that was seen.
async fn see_assignments(events: &mut Consumer, wanted: usize) -> Result<HashMap<String, Instant>, CliError> {
    let mut assigned = HashMap::new();
    while assigned.len() < wanted {
        let batch = timeout(STUCK, events.receive(usize::from(PREFETCH))).await;
        let batch =
            batch.map_err(|_| format!("no progress: {} of {wanted} are assigned", assigned.len()))??;
        let seen = Instant::now();
        for delivery in &batch {
            let event: Value = serde_json::from_slice(&delivery.body)?;
            match event["type"].as_str() {
                Some("switchboard.conversation.assigned") => {
                    let owner = event["data"]["owner"]["id"].as_str().unwrap_or_default();
                    assigned.entry(owner.to_owned()).or_insert(seen);
                }
                Some("switchboard.command.rejected") => {
                    return Err(format!("a close was refused: {event}").into());
                }
                _ => {}
            }
        }
        if let Some(last) = batch.last() {
            events.acknowledge_through(last.tag).await?;
        }
    }
    Ok(assigned)
}
