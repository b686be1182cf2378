//! A lane: one partition's single thread of work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use metrics::{counter, histogram};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::Instrument;
use uuid::Uuid;

use super::attempt::{self, Job};
use super::batch::{Author, Outcome};
use super::gather::Arrival;
use super::links::Pair;
use super::shared::Shared;
use super::{announce, letters, reading};
use crate::broker::{BrokerError, Consumer, Delivery, Publication, Publisher, consumer};
use crate::contract::{Adapter, Dead, DeadReason, parcel};
use crate::domain::ids::Partition;
use crate::retry::Delays;
use crate::store::{Session, StoreError, lanes, outbox};
use crate::telemetry;

/// How often a lane without messages looks for timers and for rows that others left: a timer fires within a second.
const POLL: Duration = Duration::from_secs(1);
/// Timers taken along in one batch.
const TIMERS: i64 = 200;
/// Outbox rows published at once when a lane is taken.
const LEFT_OVER_ROWS: i64 = 50;
/// Between looks at whether the consumer before us is gone.
const CONSUMER_GONE_POLL: Duration = Duration::from_millis(150);
/// Longest wait for a confirm; not so long where the lease is shorter.
const CONFIRM: Duration = Duration::from_secs(10);
/// A message that was being tried alone in this many crashes is poison.
const MAX_ATTEMPTS: i32 = 5;
/// Shortest and longest wait before a lane is taken again.
const RETAKE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Why a lane has to be taken again, or is lost.
#[derive(Debug, thiserror::Error)]
pub enum Doubt {
    /// The lease may be somebody else's by now.
    #[error("the lease is lost")]
    LeaseLost,
    /// Another worker has raised the epoch.
    #[error("the lane has been taken by another worker")]
    Fenced,
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that should not be.
    #[error("{0}")]
    Broken(&'static str),
}

/// A lane in this worker's hands.
pub struct Lane {
    partition: Partition,
    shared: Arc<Shared>,
    waker: Arc<Notify>,
    stop: watch::Receiver<bool>,
    queue: String,
    epoch: i64,
    /// Rows that are published and confirmed, deleted with the next transaction.
    published: Vec<i64>,
    /// After a crash messages are taken one by one, until those that were in hand then are passed.
    careful: bool,
    now: Timestamp,
    /// When it last looked for rows that others left.
    looked: Instant,
    channels: Option<Channels>,
}

/// One channel to consume, one to publish.
struct Channels {
    consumer: Consumer,
    publisher: Publisher,
}

/// What was received.
struct Batch {
    deliveries: Vec<Delivery>,
    /// Whether to look for rows of other lanes.
    look_for_rows: bool,
    received: Instant,
}

impl Lane {
    /// A lane whose lease is ours. `clean`: its last holder let it go in order.
    pub fn new(partition: Partition, shared: Arc<Shared>, stop: watch::Receiver<bool>, clean: bool) -> Self {
        Self {
            partition,
            queue: shared.topology.partition_queue(partition.0),
            waker: shared.waker(partition),
            shared,
            stop,
            epoch: 0,
            published: Vec::new(),
            careful: !clean,
            now: Timestamp::UNIX_EPOCH,
            looked: Instant::now(),
            channels: None,
        }
    }

    /// Works until asked to stop. At any doubt the lane is taken again. Returns once its channels are closed.
    pub async fn run(mut self) {
        let mut delays = Delays::new(RETAKE.0, RETAKE.1);
        while !*self.stop.borrow() {
            let taken = Instant::now();
            match self.work().await {
                Ok(()) => break,
                Err(doubt) => {
                    tracing::warn!(partition = %self.partition, %doubt, "lane is taken again")
                }
            }
            self.let_go().await;
            if taken.elapsed() > RETAKE.1 {
                delays.reset();
            }
            tokio::select! {
                () = sleep(delays.next_delay()) => {}
                _ = self.stop.changed() => {}
            }
        }
        self.forget_published().await;
        self.let_go().await;
        self.shared.health.gone(self.partition);
    }

    async fn work(&mut self) -> Result<(), Doubt> {
        self.take().await?;
        while let Some(batch) = self.receive().await? {
            let span = tracing::info_span!(
                "batch",
                partition = self.partition.0,
                size = batch.deliveries.len()
            );
            let received = batch.received;
            async {
                let last = batch.deliveries.last().map(|delivery| delivery.tag);
                let outcome = self.decide(batch).await?;
                self.publish(outcome).await?;
                self.acknowledge(last).await
            }
            .instrument(span)
            .await?;
            histogram!(telemetry::BATCH_SECONDS).record(received.elapsed());
        }
        Ok(())
    }

    /// Raises the epoch, publishes what was left, then consumes: for start, takeover and every break alike.
    async fn take(&mut self) -> Result<(), Doubt> {
        self.sure_of_lease()?;
        let pair = self.shared.links.get().await?;
        let session = self.shared.store.session().await?;
        let epoch = lanes::raise_epoch(&session, self.partition, self.shared.worker).await?;
        drop(session);
        let (epoch, now) = epoch.ok_or(Doubt::LeaseLost)?;
        self.epoch = epoch;
        self.now = self.now.max(now);
        let publisher = Publisher::open(&pair.publishing, &self.shared.topology).await?;
        let mut publisher = publisher.with_patience(self.shared.settings.lease.min(CONFIRM));
        self.publish_left_over(&mut publisher).await?;
        self.await_sole_consumer(&pair).await?;
        let consumer = self.consume(&pair).await?;
        self.channels = Some(Channels { consumer, publisher });
        self.shared.health.consuming(self.partition, true);
        counter!(telemetry::LANES_TAKEN, "clean" => if self.careful { "no" } else { "yes" }).increment(1);
        tracing::info!(partition = %self.partition, epoch = self.epoch, careful = self.careful, "lane taken");
        Ok(())
    }

    /// Rows of earlier epochs, in order. Nobody can add to them unseen: the epoch is raised already.
    async fn publish_left_over(&mut self, publisher: &mut Publisher) -> Result<(), Doubt> {
        loop {
            let session = self.fenced().await?;
            outbox::delete(&session, self.partition, &self.published).await?;
            let rows = outbox::read(&session, self.partition, &[], LEFT_OVER_ROWS).await?;
            session.commit().await?;
            self.published.clear();
            if rows.is_empty() {
                return Ok(());
            }
            for (id, body) in rows {
                let messages =
                    parcel::unpack(&body).map_err(|_| Doubt::Broken("an outbox row is unreadable"))?;
                let publications = messages.into_iter().map(announce::publication).collect();
                publisher.publish_all(publications).await?;
                self.published.push(id);
            }
        }
    }

    /// Never registers as a second consumer: an orderly close with one waiting delivers out of order.
    async fn await_sole_consumer(&self, pair: &Pair) -> Result<(), Doubt> {
        while consumer::consumers_of(&pair.consuming, &self.queue).await? > 0 {
            self.sure_of_lease()?;
            if *self.stop.borrow() {
                return Err(Doubt::LeaseLost);
            }
            sleep(CONSUMER_GONE_POLL).await;
        }
        Ok(())
    }

    async fn consume(&self, pair: &Pair) -> Result<Consumer, Doubt> {
        // Twice a batch: while one is being decided the next is on its way. Also after a crash, where messages are taken
        // one by one: what the crash gave back must all be in hand, because a queue puts what is given back behind what
        // was given back before, and a second crash would mix them up.
        let full = u16::try_from(self.shared.settings.batch.saturating_mul(2)).unwrap_or(u16::MAX);
        let tag = format!("{}/{}", self.shared.worker, self.partition);
        Ok(Consumer::start(&pair.consuming, &self.queue, &tag, full).await?)
    }

    /// Deliveries, due timers, wake-ups: whatever is ready. `None`: asked to stop.
    async fn receive(&mut self) -> Result<Option<Batch>, Doubt> {
        self.sure_of_lease()?;
        let Some(channels) = &mut self.channels else {
            return Err(Doubt::Broken("a lane without channels"));
        };
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        poll.reset();
        let max = if self.careful {
            1
        } else {
            self.shared.settings.batch
        };
        let (deliveries, woken) = tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => return Ok(None),
            deliveries = channels.consumer.receive(max) => (deliveries?, false),
            () = self.waker.notified() => (Vec::new(), true),
            _ = poll.tick() => (Vec::new(), true),
        };
        // A busy lane looks as often as an idle one: a hint may have been lost.
        let look_for_rows = woken || self.looked.elapsed() >= POLL;
        if look_for_rows {
            self.looked = Instant::now();
        }
        Ok(Some(Batch {
            deliveries,
            look_for_rows,
            received: Instant::now(),
        }))
    }

    /// One fenced transaction around the pure core; more than one where an input is poison.
    async fn decide(&mut self, batch: Batch) -> Result<Outcome, Doubt> {
        if !batch.deliveries.is_empty() {
            histogram!(telemetry::BATCH_SIZE).record(batch.deliveries.len() as f64);
        }
        let poisoned = self.go_carefully(&batch.deliveries).await?;
        let mut arrivals = reading::read_all(batch.deliveries, self.shared.settings.max_body, |_| {
            Adapter::Detect
        });
        if poisoned && let Some(arrival) = arrivals.first_mut() {
            *arrival =
                arrival.without_effect(Dead::new(DeadReason::Poison, "it was in hand in several crashes"));
        }
        let job = Job {
            shared: &self.shared,
            author: Author::Lane {
                partition: self.partition,
                epoch: self.epoch,
            },
            timers: TIMERS,
            look_for_rows: batch.look_for_rows,
            published: &self.published,
            not_before: self.now,
        };
        let mut outcome = attempt::run(&job, &arrivals).await?;
        self.now = outcome.now.unwrap_or(self.now);
        self.published.clear();
        let letters = dead_letters(&arrivals, &outcome, &self.queue);
        outcome.publications.extend(letters);
        if outcome.more {
            self.waker.notify_one();
        }
        Ok(outcome)
    }

    /// After a crash: one message at a time, and a message that is alone in hand in every crash is the cause of them.
    /// Says whether this is such a message.
    async fn go_carefully(&mut self, deliveries: &[Delivery]) -> Result<bool, Doubt> {
        let Some(only) = deliveries.first().filter(|_| self.careful) else {
            return Ok(false);
        };
        let session = self.shared.store.session().await?;
        if only.redelivered {
            let key = Uuid::new_v5(&Uuid::NAMESPACE_OID, &only.body);
            return Ok(lanes::note_attempt(&session, self.partition, key).await? > MAX_ATTEMPTS);
        }
        lanes::clear_attempt(&session, self.partition).await?;
        self.careful = false;
        Ok(false)
    }

    /// In order, confirmed.
    async fn publish(&mut self, outcome: Outcome) -> Result<(), Doubt> {
        let Some(channels) = &mut self.channels else {
            return Err(Doubt::Broken("a lane without channels"));
        };
        let published = outcome.publications.len() as u64;
        if published > 0 {
            let span = tracing::info_span!("publish", partition = self.partition.0, messages = published);
            let started = Instant::now();
            channels
                .publisher
                .publish_all(outcome.publications)
                .instrument(span)
                .await?;
            histogram!(telemetry::PUBLISH_SECONDS).record(started.elapsed());
            counter!(telemetry::PUBLISHED).increment(published);
        }
        self.published.extend(outcome.rows);
        Ok(())
    }

    /// After commit and confirms.
    async fn acknowledge(&mut self, last: Option<u64>) -> Result<(), Doubt> {
        let Some(channels) = &mut self.channels else {
            return Err(Doubt::Broken("a lane without channels"));
        };
        if let Some(last) = last {
            channels.consumer.acknowledge_through(last).await?;
        }
        Ok(())
    }

    /// Deletes the rows of the last batch, which no next transaction will: the next owner would publish them again.
    async fn forget_published(&mut self) {
        if self.published.is_empty() {
            return;
        }
        if let Err(doubt) = self.delete_published().await {
            tracing::warn!(partition = %self.partition, %doubt, "the last events may be published twice");
        }
    }

    async fn delete_published(&mut self) -> Result<(), Doubt> {
        let session = self.fenced().await?;
        outbox::delete(&session, self.partition, &self.published).await?;
        session.commit().await?;
        self.published.clear();
        Ok(())
    }

    /// A transaction in which this lane is ours.
    async fn fenced(&self) -> Result<Session, Doubt> {
        let session = self.shared.store.session().await?;
        session.begin().await?;
        match lanes::fence(&session, self.partition, self.epoch).await? {
            Some(_) => Ok(session),
            None => {
                session.rollback().await;
                Err(Doubt::Fenced)
            }
        }
    }

    fn sure_of_lease(&self) -> Result<(), Doubt> {
        if self.shared.lease.is_fresh() {
            Ok(())
        } else {
            Err(Doubt::LeaseLost)
        }
    }

    /// Closes both channels: what is unacknowledged goes back to its place.
    async fn let_go(&mut self) {
        self.shared.health.consuming(self.partition, false);
        if let Some(channels) = self.channels.take() {
            channels.consumer.close().await;
            channels.publisher.close().await;
        }
    }
}

/// The dead letters of a batch.
fn dead_letters(arrivals: &[Arrival], outcome: &Outcome, queue: &str) -> Vec<Publication> {
    let at = outcome.now.unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    let letter = |(place, dead): &(usize, Dead)| {
        let arrival = arrivals.get(*place)?;
        Some(letters::letter(arrival, queue, dead, &at))
    };
    outcome.dead.iter().filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::Lane;

    /// Most bytes of a lane's future; at 130 KiB a build that is not optimised overflowed its stack of 2 MiB.
    const MOST: usize = 16 * 1024;

    fn size_of_future<A, F: Future>(_: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_lane_waits_for_little_at_a_time() {
        let size = size_of_future(Lane::run);
        assert!(
            size <= MOST,
            "{size} bytes: box what is large where it is awaited"
        );
    }
}
