//! `switchboard bench`: the full path next to the broker's own limit, on the same queues, in one run.

mod crowd;
mod floor;
mod queue;
mod stage;
mod worker;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::signal::ctrl_c;
use tokio::time::sleep;

use self::floor::Floor;
use self::stage::Stage;
use self::worker::BenchWorker;
use super::print::say;
use super::{CliError, Done};

/// Between looks at how far a run is.
const LOOK: Duration = Duration::from_millis(50);
/// A run that makes no progress for this long is given up.
const STUCK: Duration = Duration::from_secs(60);
/// What a customer's first message leads to: opened, received, assigned.
const EVENTS_OF_A_FIRST: usize = 3;

/// Measure throughput: the full path next to a consume–publish–confirm loop without a database.
///
/// Each round fills the partition queues and drains them three times: by a loop that publishes one event for each
/// message, by one that also publishes a notification as the full path does, and by a worker. Every customer is known
/// and owned by then: the ordinary message is what is measured. Machines differ and are shared: what counts is the ratio
/// within a round.
///
/// Exchanges and queues have a prefix of their own (bench-…) and are deleted afterwards. The tenant "bench" stays in the
/// database: use one that may be thrown away.
///
/// Example: switchboard bench --messages 100000 --rounds 1
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
    /// Messages of each run.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1..))]
    messages: u32,
    /// Customers they come from.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    customers: u32,
    /// Rounds; the median of their ratios counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

#[derive(Debug, clap::Subcommand)]
enum Mode {
    Queue(queue::Arguments),
}

pub async fn run(arguments: Arguments) -> Done {
    if let Some(Mode::Queue(arguments)) = arguments.mode {
        return queue::run(arguments).await;
    }
    let stage = Stage::set_up(arguments.customers as usize).await?;
    let measured = tokio::select! {
        measured = measure(&stage, &arguments) => measured,
        interrupted = ctrl_c() => interrupted.map_err(CliError::from).and(Err("interrupted".into())),
    };
    stage.clean_up().await;
    measured
}

async fn measure(stage: &Stage, arguments: &Arguments) -> Done {
    let (messages, customers) = (arguments.messages as usize, arguments.customers as usize);
    stage.bring_agents_online().await?;
    stage.fill("first", customers).await?;
    let first = full_path(stage, customers * EVENTS_OF_A_FIRST).await?;
    let each = first.rate / EVENTS_OF_A_FIRST as f64;
    say!("first messages (opened, routed, assigned): {each:.0}/s");
    let mut ratios = Vec::new();
    for round in 1..=arguments.rounds {
        stage.fill(&format!("event-{round}"), messages).await?;
        let event = without_database(stage, Floor::Event, messages).await?;
        stage.fill(&format!("both-{round}"), messages).await?;
        let both = without_database(stage, Floor::EventAndNotification, messages).await?;
        stage.fill(&format!("full-{round}"), messages).await?;
        let full = full_path(stage, messages).await?;
        say!("round {round} of {}", arguments.rounds);
        say!("  floor, one event a message:            {event:>7.0}/s");
        say!("  floor, one event and one notification: {both:>7.0}/s");
        say!("  full path, both, with the database:    {:>7.0}/s", full.rate);
        say!(
            "  full path to floor: {:.2} of the first, {:.2} of the second",
            full.rate / event,
            full.rate / both
        );
        full.say_of_worker(messages);
        ratios.push((full.rate / event, full.rate / both));
    }
    let median = |mut of: Vec<f64>| {
        of.sort_by(f64::total_cmp);
        of[of.len() / 2]
    };
    say!(
        "median ratio: {:.2} of the floor with one event a message, {:.2} of the floor that publishes as much",
        median(ratios.iter().map(|ratio| ratio.0).collect()),
        median(ratios.iter().map(|ratio| ratio.1).collect()),
    );
    Ok(ExitCode::SUCCESS)
}

/// How a worker drained its queues.
struct Drained {
    /// Events a second.
    rate: f64,
    at_a_tenth: Option<worker::Usage>,
    at_the_end: Option<worker::Usage>,
}

impl Drained {
    fn say_of_worker(&self, messages: usize) {
        let (Some(tenth), Some(end)) = (&self.at_a_tenth, &self.at_the_end) else {
            return;
        };
        let spent = (end.processor - tenth.processor).as_micros() as f64 / (messages as f64 * 0.9);
        let growth = (end.memory_kib as f64 / tenth.memory_kib as f64 - 1.0) * 100.0;
        say!("  worker: {spent:.0} µs of processor time a message");
        say!(
            "  worker: {} KiB after a tenth, {} KiB at the end ({growth:+.0}%)",
            tenth.memory_kib,
            end.memory_kib
        );
    }
}

/// The whole thing: a worker of its own process drains the queues.
async fn full_path(stage: &Stage, events: usize) -> Result<Drained, CliError> {
    stage.empty_sinks().await?;
    let worker = BenchWorker::start(&stage.prefix)?;
    let (mut at_a_tenth, mut at_the_end) = (None, None);
    let rate = watch(stage, events, |published| {
        if at_a_tenth.is_none() && published >= events / 10 {
            at_a_tenth = worker.usage();
        }
        if published >= events {
            at_the_end = worker.usage();
        }
    })
    .await?;
    worker.stop().await?;
    Ok(Drained {
        rate,
        at_a_tenth,
        at_the_end,
    })
}

/// The broker's own limit on these queues.
async fn without_database(stage: &Stage, floor: Floor, messages: usize) -> Result<f64, CliError> {
    stage.empty_sinks().await?;
    let (rate, ()) = tokio::try_join!(watch(stage, messages, |_| ()), floor.drain(stage))?;
    Ok(rate)
}

/// Waits until so many events are published and confirmed; returns how many came a second from the first one on.
async fn watch(stage: &Stage, events: usize, mut look: impl FnMut(usize)) -> Result<f64, CliError> {
    let mut progress = Instant::now();
    let mut begun = None;
    let mut published = 0;
    loop {
        let now = stage.published().await?;
        if now > published {
            (published, progress) = (now, Instant::now());
            begun.get_or_insert((progress, now));
            look(published);
        }
        if let Some((at, first)) = begun.filter(|_| published >= events) {
            return Ok((published - first) as f64 / (progress - at).as_secs_f64());
        }
        if progress.elapsed() > STUCK {
            return Err(format!("no progress: {published} of {events} events are published").into());
        }
        sleep(LOOK).await;
    }
}
