//! A corner of RabbitMQ for one test: its own prefix, removed at the end, also when the test fails.

use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ExchangeKind};
use secrecy::SecretString;
use switchboard::broker::topology::Feed;
use switchboard::broker::{Connector, Consumer, Delivery, Exchange, Publication, Publisher, Topology};
use uuid::Uuid;

use super::environment;
use super::finally::finally;
use super::wait::within;

/// Partitions of a test's topology: two show a difference as well as eight.
pub const PARTITIONS: u16 = 2;
/// What a test declares beside the topology goes by this name.
const EXTRA: &str = "extra";

pub struct Rabbit {
    pub prefix: String,
    pub connector: Connector,
    pub connection: Connection,
    pub topology: Topology,
}

/// The URL of the test server.
pub fn url() -> String {
    environment("AMQP_URL")
}

impl Rabbit {
    /// A corner with so many partitions, where nothing is declared yet.
    pub async fn empty(partitions: u16) -> Self {
        let connector = Connector::new(&SecretString::from(url())).expect("AMQP_URL is a URL");
        let connection = connector
            .connect("service test")
            .await
            .expect("RabbitMQ is there");
        let prefix = format!("sbtest_{}", Uuid::now_v7().simple());
        Self {
            topology: Topology::new(&prefix, partitions),
            prefix,
            connector,
            connection,
        }
    }

    pub async fn declare(&self) {
        let declared = self.topology.declare(&self.connection).await;
        declared.expect("nothing is in the way");
    }

    /// Runs a test in a corner of its own, where nothing is declared yet.
    pub async fn bare(test: impl AsyncFnOnce(&Rabbit)) {
        test(&Rabbit::empty(PARTITIONS).await).await;
    }

    /// Runs a test in a corner of its own, with the topology declared.
    pub async fn declared(test: impl AsyncFnOnce(&Rabbit)) {
        Rabbit::bare(async |rabbit| {
            rabbit.declare().await;
            test(rabbit).await;
        })
        .await;
    }

    /// A name for one queue and one exchange outside the topology; they are removed too.
    pub fn extra(&self) -> String {
        self.topology.name(EXTRA)
    }

    pub async fn channel(&self) -> Channel {
        self.connection.create_channel().await.expect("a channel")
    }

    /// Declares a queue beside the topology's own rules.
    pub async fn queue(&self, name: &str, arguments: &[(&'static str, AMQPValue)]) {
        let options = QueueDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let arguments = arguments
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()));
        let table = FieldTable::from(arguments.collect::<std::collections::BTreeMap<_, _>>());
        let declared = self
            .channel()
            .await
            .queue_declare(name.into(), options, table)
            .await;
        declared.expect("the queue can be declared");
    }

    /// Declares an exchange beside the topology's own rules.
    pub async fn exchange(&self, name: &str, kind: ExchangeKind) {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        let declared = self
            .channel()
            .await
            .exchange_declare(name.into(), kind, options, FieldTable::default())
            .await;
        declared.expect("the exchange can be declared");
    }

    pub async fn bind(&self, queue: &str, exchange: &str, key: &str) {
        let options = QueueBindOptions::default();
        let channel = self.channel().await;
        let bound = channel
            .queue_bind(
                queue.into(),
                exchange.into(),
                key.into(),
                options,
                FieldTable::default(),
            )
            .await;
        bound.expect("the queue can be bound");
    }

    pub async fn publisher(&self) -> Publisher {
        Publisher::open(&self.connection, &self.topology)
            .await
            .expect("a publisher")
    }

    /// Publishes messages numbered `from..to` into partition 0.
    pub async fn fill(&self, from: usize, to: usize) {
        let publications: Vec<_> = (from..to).map(numbered).collect();
        self.publisher()
            .await
            .publish_all(publications)
            .await
            .expect("all are confirmed");
    }

    pub async fn consumer(&self, prefetch: u16) -> Consumer {
        let queue = self.topology.partition_queue(0);
        Consumer::start(&self.connection, &queue, "test", prefetch)
            .await
            .expect("a consumer")
    }

    /// Takes exactly one message from a queue, and acknowledges it.
    pub async fn take_one(&self, queue: &str) -> Delivery {
        let mut consumer = Consumer::start(&self.connection, queue, "test", 1)
            .await
            .expect("a consumer");
        let mut batch = within("a message", consumer.receive(1))
            .await
            .expect("the queue is there");
        consumer
            .acknowledge_through(batch[0].tag)
            .await
            .expect("the channel is open");
        consumer.close().await;
        batch.remove(0)
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        finally("removing a test's corner of RabbitMQ", remove(&self.topology));
    }
}

/// Removes everything under a topology's prefix. Deleting what is not there is no error, so all that a test may have made is
/// tried.
async fn remove(topology: &Topology) -> Result<(), lapin::Error> {
    let connector = Connector::new(&SecretString::from(url())).expect("AMQP_URL is a URL");
    let cleaner = connector
        .connect("service test, cleaning")
        .await
        .expect("RabbitMQ is there");
    let channel = cleaner.create_channel().await?;
    let extra = topology.name(EXTRA);
    let queues = topology.queues.iter().map(|queue| queue.name.clone());
    let one_too_many = topology.partition_queue(topology.partitions);
    let sources = topology.sources.iter();
    let sources_queues = sources.clone().map(|source| topology.source_queue(source));
    for queue in queues.chain([one_too_many, extra.clone()]).chain(sources_queues) {
        let name = queue.as_str().into();
        channel.queue_delete(name, QueueDeleteOptions::default()).await?;
    }
    let exchanges = topology.exchanges.iter().map(|exchange| exchange.name.clone());
    let sources_exchanges = sources.filter_map(|source| match &source.feed {
        Feed::Exchange { exchange, .. } => Some(exchange.clone()),
        Feed::Queue(_) => None,
    });
    for exchange in exchanges.chain([extra]).chain(sources_exchanges) {
        let name = exchange.as_str().into();
        channel
            .exchange_delete(name, ExchangeDeleteOptions::default())
            .await?;
    }
    cleaner.close(200, "clean".into()).await
}

/// A message for partition 0 whose body is a number.
pub fn numbered(number: usize) -> Publication {
    Publication {
        exchange: Exchange::Inbound,
        routing_key: "0".into(),
        properties: BasicProperties::default(),
        body: number.to_string().into_bytes(),
    }
}

/// The numbers in the bodies.
pub fn numbers(batch: &[Delivery]) -> Vec<usize> {
    let number = |delivery: &Delivery| std::str::from_utf8(&delivery.body).ok()?.parse().ok();
    batch
        .iter()
        .map(|delivery| number(delivery).expect("a numbered message"))
        .collect()
}

/// Receives until there are `count` of them.
pub async fn receive_exactly(consumer: &mut Consumer, count: usize) -> Vec<Delivery> {
    let mut received = Vec::new();
    while received.len() < count {
        let batch = within("a batch", consumer.receive(count - received.len())).await;
        received.extend(batch.expect("the consumer goes on"));
    }
    received
}
