//! What the tasks of one worker share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use super::directory::Directories;
use super::links::Links;
use crate::broker::Topology;
use crate::config;
use crate::domain::ids::Partition;
use crate::store::Store;
use crate::store::listen::Hint;

/// What the tasks of one worker share.
#[derive(Debug)]
pub struct Shared {
    /// This process: a new one every time.
    pub worker: Uuid,
    /// Settings.
    pub settings: config::Worker,
    /// Postgres.
    pub store: Store,
    /// RabbitMQ.
    pub links: Links,
    /// Names.
    pub topology: Topology,
    /// Plans.
    pub directories: Directories,
    /// Wakes whoever keeps the leases before its next heartbeat.
    pub leases_changed: Notify,
    /// How sure this worker may be of its leases.
    pub lease: LeaseClock,
    /// How it is doing.
    pub health: Health,
    wakers: Mutex<BTreeMap<Partition, Arc<Notify>>>,
}

impl Shared {
    /// Puts it together.
    pub fn new(
        worker: Uuid,
        settings: config::Worker,
        store: Store,
        links: Links,
        topology: Topology,
    ) -> Self {
        Self {
            worker,
            leases_changed: Notify::new(),
            lease: LeaseClock::new(settings.lease),
            settings,
            directories: Directories::new(store.clone()),
            store,
            links,
            topology,
            health: Health::default(),
            wakers: Mutex::default(),
        }
    }

    /// What wakes a lane.
    pub fn waker(&self, lane: Partition) -> Arc<Notify> {
        lock(&self.wakers).entry(lane).or_default().clone()
    }

    /// Passes a hint on to whom it is for.
    pub fn hear(&self, hint: Hint) {
        match hint {
            Hint::Rows(lane) => self.wake(lane),
            Hint::Leases => self.leases_changed.notify_one(),
        }
    }

    /// Wakes a lane, if it is one of ours.
    pub fn wake(&self, lane: Partition) {
        if let Some(waker) = lock(&self.wakers).get(&lane) {
            waker.notify_one();
        }
    }
}

/// When the leases were last renewed, on this process's own clock: who could not renew them for one lease has none.
#[derive(Debug)]
pub struct LeaseClock {
    lease: Duration,
    renewed: Mutex<Instant>,
}

impl LeaseClock {
    fn new(lease: Duration) -> Self {
        Self {
            lease,
            renewed: Mutex::new(Instant::now()),
        }
    }

    /// Renewed, by a statement that was sent at this moment.
    pub fn renewed(&self, sent: Instant) {
        *lock(&self.renewed) = sent;
    }

    /// Whether the leases can still be ours.
    pub fn is_fresh(&self) -> bool {
        lock(&self.renewed).elapsed() < self.lease
    }
}

/// How a worker is doing, for `/readyz`.
#[derive(Debug, Default)]
pub struct Health {
    /// Settings, schema and topology were found good.
    pub started: AtomicBool,
    /// The broker is connected.
    pub broker: AtomicBool,
    /// It is stopping.
    pub stopping: AtomicBool,
    lanes: Mutex<BTreeMap<Partition, bool>>,
    sources: Mutex<BTreeMap<String, bool>>,
}

impl Health {
    /// Says whether a lane consumes.
    pub fn consuming(&self, lane: Partition, consuming: bool) {
        lock(&self.lanes).insert(lane, consuming);
    }

    /// A lane is no longer ours.
    pub fn gone(&self, lane: Partition) {
        lock(&self.lanes).remove(&lane);
    }

    /// The partitions of the lanes that are ours.
    pub fn lanes(&self) -> Vec<Partition> {
        lock(&self.lanes).keys().copied().collect()
    }

    /// Whether every lane that is ours consumes.
    pub fn all_consuming(&self) -> bool {
        lock(&self.lanes).values().all(|consuming| *consuming)
    }

    /// Says whether a source of the ingress is consumed.
    pub fn source(&self, name: &str, consumed: bool) {
        lock(&self.sources).insert(name.to_owned(), consumed);
    }

    /// The ingress is no longer ours.
    pub fn no_sources(&self) {
        lock(&self.sources).clear();
    }

    /// The sources that should be consumed here and are not.
    pub fn sources_away(&self) -> Vec<String> {
        let sources = lock(&self.sources);
        let away = sources.iter().filter(|(_, consumed)| !**consumed);
        away.map(|(name, _)| name.clone()).collect()
    }

    /// Sets one of the flags.
    pub fn set(flag: &AtomicBool, value: bool) {
        flag.store(value, Ordering::Relaxed);
    }

    /// Reads one of the flags.
    pub fn get(flag: &AtomicBool) -> bool {
        flag.load(Ordering::Relaxed)
    }
}

/// A value that no panic can leave half written: every critical section here is one assignment or map operation.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
