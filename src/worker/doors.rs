//! The doors of the ingress lane: its own queue and one for each source, all under its one lease.
//!
//! Each is consumed in its own order, with channels and retries of its own: a source that is missing or broken keeps no
//! other waiting. Between two doors there is no order.

use std::sync::Arc;

use futures_util::future::join_all;
use metrics::gauge;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::ingress::Ingress;
use super::lane::Doubt;
use super::shared::Shared;
use crate::broker::topology::Source;
use crate::broker::{BrokerError, Delivery, Exchange};
use crate::contract::Adapter;
use crate::store::lanes::{self, INGRESS};
use crate::telemetry;

/// Batches that may be with this worker unacknowledged, over all doors.
const BATCHES_AHEAD: usize = 2;

/// One queue of the ingress.
pub struct Door {
    /// Its queue.
    pub queue: String,
    /// Most messages it holds unacknowledged: its share of what all doors may.
    pub prefetch: u16,
    adapter: Adapter,
    /// `None`: the ingress's own queue.
    source: Option<Source>,
    shared: Arc<Shared>,
    /// Why it is not open, as it was last logged.
    said: Option<String>,
    /// All doors ask the database by turns: connections are few, and the ingress has one lane's claim on them.
    turns: Arc<Mutex<()>>,
}

/// Works at all doors until asked to stop.
pub async fn run(shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    let lanes = Door::all(&shared).into_iter().map(|door| {
        door.note_open(false);
        Ingress::new(shared.clone(), stop.clone(), door).run()
    });
    join_all(lanes).await;
    shared.health.gone(INGRESS);
    shared.health.no_sources();
}

impl Door {
    fn all(shared: &Arc<Shared>) -> Vec<Self> {
        let settings = &shared.settings;
        let sources = &settings.ingress.sources;
        let share = settings.batch.saturating_mul(BATCHES_AHEAD) / (sources.len() + 1);
        let prefetch = u16::try_from(share.max(1)).unwrap_or(u16::MAX);
        let turns = Arc::default();
        let own = Self {
            queue: shared.topology.name("ingress"),
            prefetch,
            adapter: settings.ingress.adapter,
            source: None,
            shared: shared.clone(),
            said: None,
            turns: Arc::clone(&turns),
        };
        let others = sources.iter().map(|source| Self {
            queue: shared.topology.source_queue(&source.source),
            prefetch,
            adapter: source.adapter,
            source: Some(source.source.clone()),
            shared: shared.clone(),
            said: None,
            turns: Arc::clone(&turns),
        });
        std::iter::once(own).chain(others).collect()
    }

    /// How the broker's tools call its consumer.
    pub fn consumer_tag(&self) -> String {
        let worker = self.shared.worker;
        match &self.source {
            Some(source) => format!("{worker}/ingress/{}", source.name),
            None => format!("{worker}/ingress"),
        }
    }

    /// Who reads this. What missed its partition came by a door of ours and not by a gateway's: a pin is not about it.
    pub fn adapter(&self, delivery: &Delivery) -> Adapter {
        let topology = &self.shared.topology;
        let strays = [Exchange::Inbound, Exchange::Commands];
        let is_stray = |door: Exchange| delivery.exchange == topology.name(door.word());
        if self.source.is_none() && strays.into_iter().any(is_stray) {
            return Adapter::Detect;
        }
        self.adapter
    }

    /// Waits until it is this door's turn to ask the database.
    pub async fn turn(&self) -> OwnedMutexGuard<()> {
        self.turns.clone().lock_owned().await
    }

    /// Whether somebody else may be consuming the queue for ever: nobody but us has a reason to consume one of ours.
    pub fn may_be_shared(&self) -> bool {
        self.source.is_some()
    }

    /// A failure with its queue, in words that say who has to mend it.
    pub fn explained(&self, error: BrokerError) -> BrokerError {
        match &self.source {
            Some(source) => source.explained(error),
            None => error,
        }
    }

    /// It is consumed.
    pub fn opened(&mut self) {
        self.note_open(true);
        self.said = None;
        tracing::info!(partition = lanes::name(INGRESS), queue = self.queue, "lane taken");
    }

    /// It is not consumed any more, or could not be. A source that stays away is logged once for each reason.
    pub fn closed(&mut self, doubt: &Doubt) {
        self.note_open(false);
        let doubt = doubt.to_string();
        let (partition, queue) = (lanes::name(INGRESS), &self.queue);
        if self.source.is_some() && self.said.as_ref() == Some(&doubt) {
            tracing::debug!(partition, queue, doubt, "lane is taken again");
        } else {
            tracing::warn!(partition, queue, doubt, "lane is taken again");
        }
        self.said = Some(doubt);
    }

    /// Shows whether it is consumed. A source that is not keeps no worker from being ready.
    pub fn note_open(&self, open: bool) {
        match &self.source {
            Some(source) => {
                self.shared.health.source(&source.name, open);
                gauge!(telemetry::SOURCE_UP, "source" => source.name.clone()).set(f64::from(u8::from(open)));
            }
            None => self.shared.health.consuming(INGRESS, open),
        }
    }
}
