//! The ingress lane: whatever comes through an open door is read, split, hashed and forwarded to the partitions, in order.
//!
//! It keeps nothing: a message is acknowledged once everything it turned into is confirmed, so a crash repeats it, and
//! the lanes' inbox knows what it has seen.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lapin::BasicProperties;
use tokio::sync::watch;
use tokio::time::{interval, sleep};
use uuid::Uuid;

use super::doors::Door;
use super::gather::Arrival;
use super::lane::Doubt;
use super::links::Pair;
use super::shared::Shared;
use super::steering::Steering;
use super::{letters, reading};
use crate::broker::{Consumer, Exchange, Publication, Publisher, consumer};
use crate::contract::{ArrivedCommand, ArrivedFact, Dead, DeadReason, forward, partition};
use crate::domain::ids::{ConversationId, Tenant};
use crate::retry::Delays;
use crate::store::{aliases, conversations};

/// Shortest and longest wait before the queue is consumed again.
const RETAKE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How often it is sure of its lease while nothing comes.
const POLL: Duration = Duration::from_secs(1);
/// Between looks at whether the consumer before us is gone.
const CONSUMER_GONE_POLL: Duration = Duration::from_millis(150);
/// How long a plan may stay unread after its channel's first message: once per this time an unknown channel asks again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// One door of the ingress lane in this worker's hands.
pub struct Ingress {
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
    door: Door,
    refreshed: Option<Instant>,
    steering: Steering,
}

impl Ingress {
    /// The ingress's lease is ours.
    pub fn new(shared: Arc<Shared>, stop: watch::Receiver<bool>, door: Door) -> Self {
        Self {
            shared,
            stop,
            door,
            refreshed: None,
            steering: Steering::default(),
        }
    }

    /// Works until asked to stop.
    pub async fn run(mut self) {
        let mut delays = Delays::new(RETAKE.0, RETAKE.1);
        while !*self.stop.borrow() {
            let taken = Instant::now();
            match self.work().await {
                Ok(()) => break,
                Err(doubt) => self.door.closed(&doubt),
            }
            if taken.elapsed() > RETAKE.1 {
                delays.reset();
            }
            tokio::select! {
                () = sleep(delays.next_delay()) => {}
                _ = self.stop.changed() => {}
            }
        }
        self.door.note_open(false);
    }

    async fn work(&mut self) -> Result<(), Doubt> {
        let pair = self.shared.links.get().await?;
        let mut publisher = Publisher::open(&pair.publishing, &self.shared.topology).await?;
        self.await_sole_consumer(&pair).await?;
        if *self.stop.borrow() {
            return Ok(());
        }
        let tag = self.door.consumer_tag();
        let mut consumer =
            Consumer::start(&pair.consuming, &self.door.queue, &tag, self.door.prefetch).await?;
        self.door.opened();
        let worked = self.forward_all(&mut consumer, &mut publisher).await;
        consumer.close().await;
        publisher.close().await;
        worked
    }

    /// Waits until nobody consumes the queue, or we are to stop.
    async fn await_sole_consumer(&self, pair: &Pair) -> Result<(), Doubt> {
        let since = Instant::now();
        loop {
            let consumers = consumer::consumers_of(&pair.consuming, &self.door.queue).await;
            if consumers.map_err(|error| self.door.explained(error))? == 0 || *self.stop.borrow() {
                return Ok(());
            }
            self.sure_of_lease()?;
            if self.door.may_be_shared() && since.elapsed() > self.shared.settings.lease {
                return Err(Doubt::Broken(
                    "somebody else consumes the queue, and would take part of its messages",
                ));
            }
            sleep(CONSUMER_GONE_POLL).await;
        }
    }

    async fn forward_all(&mut self, consumer: &mut Consumer, publisher: &mut Publisher) -> Result<(), Doubt> {
        let mut poll = interval(POLL);
        loop {
            self.sure_of_lease()?;
            let deliveries = tokio::select! {
                _ = self.stop.wait_for(|stop| *stop) => return Ok(()),
                deliveries = consumer.receive(self.shared.settings.batch) => deliveries?,
                _ = poll.tick() => continue,
            };
            let Some(last) = deliveries.last().map(|delivery| delivery.tag) else {
                continue;
            };
            let arrivals = reading::read_all(deliveries, self.shared.settings.max_body, |delivery| {
                self.door.adapter(delivery)
            });
            let publications = self.forward(&arrivals).await?;
            publisher.publish_all(publications).await?;
            consumer.acknowledge_through(last).await?;
        }
    }

    /// What these arrivals turn into, in order.
    async fn forward(&mut self, arrivals: &[Arrival]) -> Result<Vec<Publication>, Doubt> {
        let keys = self.look_up(arrivals).await?;
        let directory = self.shared.directories.current();
        let mut publications = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            let mut dead = arrival.arrived.dead.clone();
            for fact in &arrival.arrived.facts {
                match directory.tenant_of(&fact.channel) {
                    Some(tenant) => publications.push(self.fact(fact, tenant, &keys)),
                    None => {
                        let detail = format_args!("no plan names the channel {}", fact.channel);
                        dead.get_or_insert_with(|| Dead::new(DeadReason::UnknownChannel, detail));
                    }
                }
            }
            for command in &arrival.arrived.commands {
                publications.push(self.command(command, arrival, &keys));
            }
            publications.extend(dead.map(|dead| self.letter(arrival, &dead)));
        }
        Ok(publications)
    }

    /// Asks the database about all of them.
    async fn look_up(&mut self, arrivals: &[Arrival]) -> Result<Keys, Doubt> {
        let turn = self.door.turn().await;
        self.know_channels(arrivals).await?;
        let keys = self.known_keys(arrivals).await;
        drop(turn);
        keys
    }

    /// A channel that nobody knows may be in a plan that was activated a moment ago.
    async fn know_channels(&mut self, arrivals: &[Arrival]) -> Result<(), Doubt> {
        let directory = self.shared.directories.current();
        let mut facts = arrivals.iter().flat_map(|arrival| &arrival.arrived.facts);
        let unknown = facts.any(|fact| directory.tenant_of(&fact.channel).is_none());
        if unknown && self.refreshed.is_none_or(|at| at.elapsed() > ASK_AGAIN) {
            self.shared.directories.refresh(directory.version + 1).await?;
            self.refreshed = Some(Instant::now());
        }
        Ok(())
    }

    /// The partition keys of conversations that exist: a contact whose identifier changed stays on its home lane.
    async fn known_keys(&self, arrivals: &[Arrival]) -> Result<Keys, Doubt> {
        let directory = self.shared.directories.current();
        let facts = arrivals.iter().flat_map(|arrival| &arrival.arrived.facts);
        let wanted: BTreeSet<(Tenant, Uuid)> = facts
            .filter_map(|fact| Some((directory.tenant_of(&fact.channel)?, fact)))
            .flat_map(|(tenant, fact)| {
                fact.identifiers()
                    .map(|alias| (tenant.clone(), alias.key(&fact.channel)))
            })
            .collect();
        let commands = arrivals.iter().flat_map(|arrival| &arrival.arrived.commands);
        let mut ids: BTreeSet<(Tenant, ConversationId)> = commands
            .filter(|command| command.partition_key.is_none())
            .filter_map(|command| Some((command.tenant.clone(), command.conversation()?)))
            .collect();
        let session = self.shared.store.session().await?;
        let mut keys = Keys::default();
        if !wanted.is_empty() {
            let wanted: Vec<_> = wanted.into_iter().collect();
            for (tenant, key, id) in aliases::find(&session, &wanted).await? {
                ids.insert((tenant.clone(), id));
                keys.conversations.insert((tenant, key), id);
            }
        }
        if !ids.is_empty() {
            let ids: Vec<_> = ids.into_iter().collect();
            keys.keys = conversations::partition_keys(&session, &ids)
                .await?
                .into_iter()
                .collect();
        }
        Ok(keys)
    }

    fn fact(&mut self, fact: &ArrivedFact, tenant: &Tenant, keys: &Keys) -> Publication {
        let key = self.steering.key(fact, |alias| {
            let id = keys.conversations.get(&(tenant.clone(), alias))?;
            keys.keys.get(id).map(String::as_str)
        });
        let forwarded = forward(fact, &key);
        let properties = BasicProperties::default()
            .with_content_type(forwarded.content_type.into())
            .with_type(forwarded.event_type.into())
            .with_message_id(forwarded.message_id.into());
        self.to_partition(Exchange::Inbound, &key, properties, forwarded.body)
    }

    /// A command goes on as it came; only its place is found for it.
    fn command(&self, command: &ArrivedCommand, arrival: &Arrival, keys: &Keys) -> Publication {
        let given = command.partition_key.as_ref().map(|key| key.to_string());
        let known = || command.conversation().and_then(|id| keys.keys.get(&id).cloned());
        let key = given.or_else(known).unwrap_or_else(|| command.own_key());
        let delivery = &arrival.delivery;
        self.to_partition(
            Exchange::Commands,
            &key,
            delivery.properties.clone(),
            delivery.body.clone(),
        )
    }

    fn to_partition(
        &self,
        exchange: Exchange,
        key: &str,
        properties: BasicProperties,
        body: Vec<u8>,
    ) -> Publication {
        let partition = partition::of(key, self.shared.topology.partitions);
        Publication {
            exchange,
            routing_key: partition.to_string(),
            properties,
            body,
        }
    }

    fn letter(&self, arrival: &Arrival, dead: &Dead) -> Publication {
        letters::letter(arrival, &self.door.queue, dead, &Timestamp::now().to_string())
    }

    fn sure_of_lease(&self) -> Result<(), Doubt> {
        if self.shared.lease.is_fresh() {
            Ok(())
        } else {
            Err(Doubt::LeaseLost)
        }
    }
}

/// What the database knows of a batch's customers.
#[derive(Default)]
struct Keys {
    conversations: HashMap<(Tenant, Uuid), ConversationId>,
    keys: HashMap<ConversationId, String>,
}
