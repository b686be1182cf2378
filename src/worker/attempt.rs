//! Trying a batch until it is done: again while the database is away, with newer plans, and in halves where an input is
//! poison, until only the culprit is left out.

use std::time::Duration;

use jiff::Timestamp;
use metrics::counter;
use tokio::time::sleep;

use super::batch::{self, Author, Failure, Order, Outcome};
use super::gather::Arrival;
use super::lane::Doubt;
use super::leaving;
use super::shared::Shared;
use crate::contract::{Dead, DeadReason};
use crate::retry::Delays;
use crate::store::StoreError;
use crate::telemetry;

/// Shortest and longest wait before a batch is tried again.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// A batch redone this often for changes around it is looked at as one that fails on an input.
const MAX_REDONE: u32 = 20;

/// What stays the same over all tries.
pub struct Job<'a> {
    /// The worker.
    pub shared: &'a Shared,
    /// Whose transaction.
    pub author: Author,
    /// Due timers to take along, at most.
    pub timers: i64,
    /// Whether to look for rows of other lanes.
    pub look_for_rows: bool,
    /// Rows to delete.
    pub published: &'a [i64],
    /// Time never goes back.
    pub not_before: Timestamp,
}

/// Runs the batch; in halves where one of its inputs makes it fail. What is committed is in the outcome, in order.
pub async fn run(job: &Job<'_>, arrivals: &[Arrival]) -> Result<Outcome, Doubt> {
    let mut outcome = Outcome::default();
    // Halves yet to do, the first on top.
    let mut to_do = apart(arrivals, job.timers);
    while let Some((part, offset, timers)) = to_do.pop() {
        match whole(job, part, timers).await? {
            Ok(done) => outcome.append(done, offset),
            Err(failure) if part.is_empty() => {
                tracing::error!(%failure, "due timers cannot be handled");
                return Err(Doubt::Broken("due timers cannot be handled"));
            }
            Err(failure) => {
                let trace_id = match part {
                    [culprit] => culprit.trace_id(),
                    _ => None,
                };
                tracing::warn!(%failure, inputs = part.len(), trace_id, "batch failed on one of its inputs");
                match part {
                    [culprit] => {
                        let dead = Dead::new(DeadReason::Poison, &failure);
                        let harmless = [culprit.without_effect(dead)];
                        match whole(job, &harmless, 0).await? {
                            Ok(done) => outcome.append(done, offset),
                            Err(_) => return Err(Doubt::Broken("a batch without inputs fails")),
                        }
                    }
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        to_do.push((second, offset + first.len(), 0));
                        to_do.push((first, offset, 0));
                    }
                }
            }
        }
    }
    Ok(outcome)
}

/// What comes in as batches, the first on top: whoever erases a customer has one alone, the first has the timers.
fn apart(arrivals: &[Arrival], timers: i64) -> Vec<(&[Arrival], usize, i64)> {
    let erases = |arrival: &Arrival| leaving::erases(&arrival.arrived);
    let mut parts = Vec::new();
    let mut offset = 0;
    for part in arrivals.chunk_by(|one, next| !erases(one) && !erases(next)) {
        parts.push((part, offset, if offset == 0 { timers } else { 0 }));
        offset += part.len();
    }
    if parts.is_empty() {
        parts.push((arrivals, 0, timers));
    }
    parts.reverse();
    parts
}

/// Runs these inputs as one batch, until it is done or fails on one of them.
async fn whole(job: &Job<'_>, arrivals: &[Arrival], timers: i64) -> Result<Result<Outcome, Failure>, Doubt> {
    let shared = job.shared;
    let mut delays = Delays::new(AGAIN.0, AGAIN.1);
    let mut redone = 0;
    loop {
        let directory = shared.directories.current();
        let order = Order {
            author: job.author,
            arrivals,
            timers,
            look_for_rows: job.look_for_rows,
            published: job.published,
            not_before: job.not_before,
            directory: &directory,
            partitions: shared.topology.partitions,
        };
        let failure = match batch::run(&shared.store, order).await {
            Ok(outcome) => return Ok(Ok(outcome)),
            Err(failure) => failure,
        };
        let reason = match failure {
            Failure::Fenced => return Err(Doubt::Fenced),
            Failure::Store(error @ (StoreError::Unknown(_) | StoreError::Setup(_))) => {
                return Err(error.into());
            }
            failure @ (Failure::Store(StoreError::Rejected(_)) | Failure::Poison(_) | Failure::Entangled) => {
                return Ok(Err(failure));
            }
            failure @ (Failure::PlanChanged(_)
            | Failure::AliasRace
            | Failure::Store(StoreError::Conflict(_)))
                if redone >= MAX_REDONE =>
            {
                return Ok(Err(failure));
            }
            Failure::PlanChanged(at_least) => {
                redone += 1;
                shared.directories.refresh(at_least).await?;
                "plan_changed"
            }
            Failure::AliasRace => {
                redone += 1;
                "alias_race"
            }
            Failure::Store(StoreError::Conflict(_)) => {
                redone += 1;
                "conflict"
            }
            Failure::Store(error @ (StoreError::Unreachable(_) | StoreError::Transient(_))) => {
                tracing::warn!(%error, "batch is tried again");
                sleep(delays.next_delay()).await;
                "transient"
            }
        };
        counter!(telemetry::BATCHES_REDONE, "reason" => reason).increment(1);
        if matches!(job.author, Author::Lane { .. }) && !shared.lease.is_fresh() {
            return Err(Doubt::LeaseLost);
        }
    }
}

impl Outcome {
    /// Adds what the next part led to; its deliveries begin at `offset` of the batch.
    fn append(&mut self, next: Outcome, offset: usize) {
        self.publications.extend(next.publications);
        self.rows.extend(next.rows);
        self.wake.extend(next.wake);
        self.dead
            .extend(next.dead.into_iter().map(|(place, dead)| (place + offset, dead)));
        self.now = self.now.max(next.now);
        self.more |= next.more;
    }
}
