//! Logs and metrics. Messages are constant and lower case, values are fields; labels are bounded; neither ever carries a
//! message text, a phone number, a name or a secret. Every metric is declared here, once, with its help and unit.

use std::io::IsTerminal;
use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Inputs that took effect, by `kind` (fact, command, timer).
pub const INPUTS: &str = "switchboard_inputs_total";
/// Inputs met again and left alone.
pub const DUPLICATES: &str = "switchboard_duplicates_total";
/// Facts that mean nothing to routing, by `reason`.
pub const SKIPPED: &str = "switchboard_skipped_total";
/// Commands refused, by `code`.
pub const REJECTED: &str = "switchboard_rejected_total";
/// Messages dead-lettered, by `reason`.
pub const DEAD_LETTERS: &str = "switchboard_dead_letters_total";
/// Messages published and confirmed, by `exchange` (events, notifications, other).
pub const PUBLISHED: &str = "switchboard_published_total";
/// Rule conditions that failed to answer.
pub const RULE_FAILURES: &str = "switchboard_rule_failures_total";
/// Batches redone, by `reason` (plan_changed, alias_race, transient).
pub const BATCHES_REDONE: &str = "switchboard_batches_redone_total";
/// Inputs in a batch.
pub const BATCH_SIZE: &str = "switchboard_batch_size";
/// From receiving a batch to its acknowledgement.
pub const BATCH_SECONDS: &str = "messaging_process_duration_seconds";
/// Publishing and confirming what a batch led to.
pub const PUBLISH_SECONDS: &str = "switchboard_publish_duration_seconds";
/// From the customer's message, by its own time, to the decision on it.
pub const LAG_SECONDS: &str = "switchboard_message_lag_seconds";
/// Lanes this worker holds.
pub const LANES: &str = "switchboard_lanes";
/// Times a lane was taken, by `clean` (whether its last holder let it go in order).
pub const LANES_TAKEN: &str = "switchboard_lanes_taken_total";
/// Stranded conversations found and healed.
pub const HEALED: &str = "switchboard_healed_total";
/// Conversations waiting in queues, by `tenant` and `team`.
pub const WAITING: &str = "switchboard_waiting_conversations";
/// Events that no queue was bound for.
pub const UNROUTED: &str = "switchboard_unrouted_messages";
/// Whether the database answers (1) or not (0).
pub const DATABASE_UP: &str = "switchboard_database_up";
/// Whether the broker is connected (1) or not (0).
pub const BROKER_UP: &str = "switchboard_broker_up";
/// Whether the queue of an ingress source is consumed (1) or not (0), by `source`.
pub const SOURCE_UP: &str = "switchboard_source_up";

/// How a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// Every metric: name, kind, unit, help.
pub const METRICS: &[(&str, Kind, Unit, &str)] = &[
    (
        INPUTS,
        Kind::Counter,
        Unit::Count,
        "Inputs that took effect, by kind",
    ),
    (
        DUPLICATES,
        Kind::Counter,
        Unit::Count,
        "Inputs met again and left alone",
    ),
    (
        SKIPPED,
        Kind::Counter,
        Unit::Count,
        "Facts that mean nothing to routing, by reason",
    ),
    (REJECTED, Kind::Counter, Unit::Count, "Commands refused, by code"),
    (
        DEAD_LETTERS,
        Kind::Counter,
        Unit::Count,
        "Messages dead-lettered, by reason",
    ),
    (
        PUBLISHED,
        Kind::Counter,
        Unit::Count,
        "Messages published and confirmed",
    ),
    (
        RULE_FAILURES,
        Kind::Counter,
        Unit::Count,
        "Rule conditions that failed to answer",
    ),
    (
        BATCHES_REDONE,
        Kind::Counter,
        Unit::Count,
        "Batches redone, by reason",
    ),
    (BATCH_SIZE, Kind::Histogram, Unit::Count, "Inputs in a batch"),
    (
        BATCH_SECONDS,
        Kind::Histogram,
        Unit::Seconds,
        "From receiving a batch to its acknowledgement",
    ),
    (
        PUBLISH_SECONDS,
        Kind::Histogram,
        Unit::Seconds,
        "Publishing and confirming what a batch led to",
    ),
    (
        LAG_SECONDS,
        Kind::Histogram,
        Unit::Seconds,
        "From the customer's message, by its own time, to the decision on it",
    ),
    (LANES, Kind::Gauge, Unit::Count, "Lanes this worker holds"),
    (
        LANES_TAKEN,
        Kind::Counter,
        Unit::Count,
        "Times a lane was taken, by whether its last holder let it go in order",
    ),
    (
        HEALED,
        Kind::Counter,
        Unit::Count,
        "Stranded conversations found and healed",
    ),
    (
        WAITING,
        Kind::Gauge,
        Unit::Count,
        "Conversations waiting in queues, by tenant and team",
    ),
    (
        UNROUTED,
        Kind::Gauge,
        Unit::Count,
        "Events that no queue was bound for, as kept in the unrouted queue",
    ),
    (
        DATABASE_UP,
        Kind::Gauge,
        Unit::Count,
        "Whether the database answers (1) or not (0)",
    ),
    (
        BROKER_UP,
        Kind::Gauge,
        Unit::Count,
        "Whether the broker is connected (1) or not (0)",
    ),
    (
        SOURCE_UP,
        Kind::Gauge,
        Unit::Count,
        "Whether an ingress source is consumed by this worker (1) or not (0), by source",
    ),
];

/// Upper bounds of the histograms of times, in seconds.
const SECONDS_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Upper bounds of the histogram of batch sizes.
const SIZE_BUCKETS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
/// How often histograms drop what they no longer need.
pub const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the recorder; the handle renders `/metrics`. `None` if a recorder is there already (a second worker in one
/// test process): its metrics then go to the first.
pub fn install_metrics() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets(SECONDS_BUCKETS)
        .and_then(|builder| {
            let sizes = metrics_exporter_prometheus::Matcher::Full(BATCH_SIZE.into());
            builder.set_buckets_for_metric(sizes, SIZE_BUCKETS)
        })
        .ok()?;
    let handle = builder.install_recorder().ok()?;
    for (name, kind, unit, help) in METRICS {
        match kind {
            Kind::Counter => describe_counter!(*name, *unit, *help),
            Kind::Gauge => describe_gauge!(*name, *unit, *help),
            Kind::Histogram => describe_histogram!(*name, *unit, *help),
        }
    }
    Some(handle)
}

/// Starts logging to standard error: text for a terminal, JSON lines otherwise, or as `format` says.
pub fn start_logging(format: Option<&str>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,lapin=off"));
    let json = match format {
        Some("json") => true,
        Some("text") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    // Colours are for a terminal whose owner has not said otherwise: in a file they are noise.
    let colours =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr);
    // A second start (two workers in one test process) keeps the first.
    let _ = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
}
