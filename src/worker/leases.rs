//! Which lanes are ours: heartbeat, fair share, and the tasks that run them.
//!
//! Lanes move only by release or expiry, one at a time, and only when the share has been unfair for a heartbeat: a worker
//! that comes and goes must not shake all the others. From then on they move as fast as lanes close and open: whoever
//! releases or takes one gives all workers a hint, and the next is released once nobody's lane is free.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use metrics::gauge;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::doors;
use super::lane::Lane;
use super::shared::{Health, Shared};
use crate::domain::ids::Partition;
use crate::store::lanes::{self, INGRESS, LaneRow};
use crate::store::{StoreError, inbox, listen};
use crate::telemetry;

/// Heartbeats per lease: two may be missed.
const BEATS_PER_LEASE: u32 = 3;
/// Shortest time between two looks at the leases, however many hints come.
const BREATH: Duration = Duration::from_millis(20);
/// How often buckets of the inbox are made and dropped.
const MAINTENANCE: Duration = Duration::from_secs(600);

/// The lanes of this worker.
pub struct Leases {
    shared: Arc<Shared>,
    client: Option<Client>,
    running: BTreeMap<Partition, Running>,
    /// Since when we have had more than our share.
    over_share: Option<Instant>,
    /// For how long there was no broker, when we last looked.
    away: Duration,
    /// Whether we share the lanes with the others, as far as they know.
    counted: bool,
    /// Whether the others do not know yet of something that this round changed.
    changed: bool,
    /// After a time without the database its owners renew first; takers wait.
    no_claims_before: Instant,
    maintained: Option<Instant>,
}

/// A lane's task. Once it is told to stop it is leaving: its lease goes when the task has ended.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    fn is_leaving(&self) -> bool {
        *self.stop.borrow()
    }
}

impl Leases {
    /// None yet.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            client: None,
            running: BTreeMap::new(),
            over_share: None,
            away: Duration::ZERO,
            counted: false,
            changed: false,
            no_claims_before: Instant::now(),
            maintained: None,
        }
    }

    /// Keeps the leases until asked to stop, then lets every lane go in order.
    pub async fn keep(mut self, mut stop: watch::Receiver<bool>) {
        let shared = self.shared.clone();
        let beat = self.beat_length();
        let hinted = async || {
            sleep(BREATH).await;
            shared.leases_changed.notified().await;
        };
        while !*stop.borrow() {
            if let Err(error) = timeout(beat, self.beat())
                .await
                .unwrap_or_else(|_| Err(too_slow()))
            {
                tracing::warn!(%error, "leases cannot be renewed");
                gauge!(telemetry::DATABASE_UP).set(0.0);
                self.client = None;
                self.no_claims_before = Instant::now() + self.part_of_lease();
            }
            tokio::select! {
                () = sleep(beat) => {}
                () = hinted() => {}
                _ = stop.changed() => {}
            }
        }
        self.let_all_go().await;
    }

    /// One round: renew, then at most a few changes of who has what.
    async fn beat(&mut self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            _ => shared.store.lone_client().await?,
        };
        let sent = Instant::now();
        // Who has no broker takes no lanes: a share of its own would leave them to nobody.
        let counts = self.away <= shared.settings.lease;
        let held = lanes::renew(&client, shared.worker, shared.settings.lease, counts).await?;
        shared.lease.renewed(sent);
        gauge!(telemetry::DATABASE_UP).set(1.0);
        self.maintain();
        self.changed |= counts != std::mem::replace(&mut self.counted, counts);
        self.match_tasks_to_leases(&client, &held).await?;
        self.away = shared.links.away_for(self.beat_length() / 2).await;
        Health::set(&shared.health.broker, self.away.is_zero());
        if self.away > shared.settings.lease {
            self.ask_all_to_leave();
            lanes::forget_worker(&client, shared.worker).await?;
        } else if self.away.is_zero() {
            self.share(&client).await?;
        }
        gauge!(telemetry::LANES).set(self.running.len() as f64);
        if self.changed {
            listen::notify_leases(&client).await?;
            self.changed = false;
        }
        self.client = Some(client);
        Ok(())
    }

    /// Claims what is free up to our share, or lets one lane go.
    async fn share(&mut self, client: &Client) -> Result<(), StoreError> {
        let all = lanes::list(client).await?;
        let workers = lanes::live_workers(client).await?.max(1);
        let fair = all.len().div_ceil(workers);
        let staying = self
            .running
            .values()
            .filter(|running| !running.is_leaving())
            .count();
        if staying > fair {
            let since = *self.over_share.get_or_insert_with(Instant::now);
            let all_at_rest = staying == self.running.len() && all.iter().all(|lane| lane.worker.is_some());
            if since.elapsed() >= self.beat_length() && all_at_rest {
                self.let_one_go();
            }
            return Ok(());
        }
        self.over_share = None;
        if Instant::now() < self.no_claims_before {
            return Ok(());
        }
        for lane in self.claimable(&all) {
            if self.running.len() >= fair {
                break;
            }
            let claimed = lanes::claim(client, lane, self.shared.worker, self.shared.settings.lease).await?;
            if let Some(clean) = claimed {
                self.start(lane, clean);
                self.changed = true;
            }
        }
        Ok(())
    }

    fn let_one_go(&self) {
        if let Some(last) = self.running.values().rfind(|running| !running.is_leaving()) {
            last.stop.send_replace(true);
        }
    }

    /// Free lanes, beginning at a place of our own: workers that start together do not all reach for the same.
    fn claimable(&self, all: &[LaneRow]) -> Vec<Partition> {
        let free = |lane: &&LaneRow| lane.worker.is_none() && !self.running.contains_key(&lane.partition);
        let mut lanes: Vec<Partition> = all.iter().filter(free).map(|lane| lane.partition).collect();
        if !lanes.is_empty() {
            let first = usize::from(self.shared.worker.as_bytes()[15]) % lanes.len();
            lanes.rotate_left(first);
        }
        lanes
    }

    fn start(&mut self, lane: Partition, clean: bool) {
        let (stop, stopped) = watch::channel(false);
        let shared = self.shared.clone();
        let task = tokio::spawn(async move {
            if lane == INGRESS {
                doors::run(shared.clone(), stopped).await;
            } else {
                Lane::new(lane, shared.clone(), stopped, clean).run().await;
            }
            shared.leases_changed.notify_one();
        });
        self.running.insert(lane, Running { stop, task });
    }

    /// Holds tasks and leases against each other: a lease that has gone to somebody else ends its task; a task that has
    /// ended lets its lease go; a lease without a task (a heartbeat was cut short after claiming it) gets one.
    async fn match_tasks_to_leases(&mut self, client: &Client, held: &[Partition]) -> Result<(), StoreError> {
        self.running.retain(|lane, running| {
            let ours = held.contains(lane);
            if !ours && !running.task.is_finished() {
                tracing::warn!(partition = lanes::name(*lane), "lane is no longer ours");
                running.stop.send_replace(true);
            }
            ours || !running.task.is_finished()
        });
        for lane in held {
            match self.running.get(lane).map(|running| running.task.is_finished()) {
                Some(true) => {
                    let clean = self.ended(*lane).await;
                    lanes::release(client, *lane, self.shared.worker, clean).await?;
                    self.changed = true;
                    tracing::info!(partition = lanes::name(*lane), "lane released");
                }
                Some(false) => {}
                None => self.start(*lane, false),
            }
        }
        Ok(())
    }

    /// Whether a task that has ended did so in order: it was asked to, and did not panic.
    async fn ended(&mut self, lane: Partition) -> bool {
        match self.running.remove(&lane) {
            Some(running) => running.is_leaving() && running.task.await.is_ok(),
            None => false,
        }
    }

    fn ask_all_to_leave(&self) {
        for running in self.running.values() {
            running.stop.send_replace(true);
        }
    }

    /// The end: all lanes stop at once, and their leases go as their tasks end.
    async fn let_all_go(mut self) {
        self.ask_all_to_leave();
        let client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => Ok(client),
            None => self.shared.store.lone_client().await,
        };
        let shared = self.shared;
        let leaving = self.running.into_iter();
        let mut leaving: FuturesUnordered<_> = leaving
            .map(|(lane, running)| async move { (lane, running.task.await) })
            .collect();
        let released = async {
            let client = client?;
            // Not counted any more, so that the others take what we let go as we let it go.
            lanes::forget_worker(&client, shared.worker).await?;
            while let Some((lane, ended)) = leaving.next().await {
                // A task that panicked leaves its lane to be taken carefully.
                lanes::release(&client, lane, shared.worker, ended.is_ok()).await?;
                listen::notify_leases(&client).await?;
            }
            lanes::release_rest(&client, shared.worker).await?;
            listen::notify_leases(&client).await
        };
        if let Err(error) = released.await {
            tracing::warn!(%error, "leases were not released and will run out");
        }
    }

    /// On the side: dropping a day's bucket may wait long for others, and a heartbeat must not.
    fn maintain(&mut self) {
        if self.maintained.is_some_and(|at| at.elapsed() <= MAINTENANCE) {
            return;
        }
        self.maintained = Some(Instant::now());
        let store = self.shared.store.clone();
        tokio::spawn(async move {
            let made = inbox::make_buckets(&store).await;
            if let Err(error) = made.and(inbox::forget_past(&store).await) {
                tracing::warn!(%error, "buckets of the inbox were not looked after");
            }
        });
    }

    fn beat_length(&self) -> Duration {
        self.shared.settings.lease / BEATS_PER_LEASE
    }

    /// A part of the lease that differs from worker to worker.
    fn part_of_lease(&self) -> Duration {
        self.shared.settings.lease * u32::from(self.shared.worker.as_bytes()[14]) / u32::from(u8::MAX)
    }
}

fn too_slow() -> StoreError {
    StoreError::Transient("no answer within a heartbeat".into())
}
