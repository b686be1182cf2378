//! A corner of RabbitMQ for one test: its own prefix, removed at the end, also when the test fails.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ExchangeKind};
use secrecy::SecretString;
use switchboard::broker::{Connector, Consumer, Delivery, Exchange, Publication, Publisher, Topology};
use uuid::Uuid;

use super::wait::within;

/// Partitions of a test's topology: two show a difference as well as eight.
pub const PARTITIONS: u16 = 2;

pub struct Rabbit {
    pub connector: Connector,
    pub connection: Connection,
    pub topology: Topology,
}

/// The URL of the test server.
pub fn url() -> String {
    std::env::var("AMQP_URL").ok().filter(|url| !url.is_empty()).expect(
        "AMQP_URL is not set: run the service tests with `./dev test`, or start servers with `./dev up` and run \
         eval \"$(./dev shell-env)\"",
    )
}

impl Rabbit {
    /// Runs a test in a corner of its own, where nothing is declared yet.
    pub async fn bare(test: impl AsyncFnOnce(&Rabbit)) {
        let connector = Connector::new(&SecretString::from(url())).expect("AMQP_URL is a URL");
        let connection = connector
            .connect("service test")
            .await
            .expect("RabbitMQ is there");
        let topology = Topology::new(&format!("test.{}", Uuid::now_v7().simple()), PARTITIONS);
        let rabbit = Rabbit {
            connector,
            connection,
            topology,
        };
        let outcome = AssertUnwindSafe(test(&rabbit)).catch_unwind().await;
        rabbit.clean_up().await;
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    }

    /// Runs a test in a corner of its own, with the topology declared.
    pub async fn declared(test: impl AsyncFnOnce(&Rabbit)) {
        Rabbit::bare(async |rabbit| {
            rabbit
                .topology
                .declare(&rabbit.connection)
                .await
                .expect("nothing is in the way");
            test(rabbit).await;
        })
        .await;
    }

    /// Deleting what is not there is no error, so everything a test may have made is tried.
    async fn clean_up(&self) {
        let cleaner = self
            .connector
            .connect("service test, cleaning")
            .await
            .expect("RabbitMQ is there");
        let channel = cleaner.create_channel().await.expect("a channel");
        let extra = [self.topology.partition_queue(PARTITIONS), self.extra()];
        for queue in self
            .topology
            .queues
            .iter()
            .map(|queue| queue.name.clone())
            .chain(extra)
        {
            let deleted = channel
                .queue_delete(queue.as_str().into(), QueueDeleteOptions::default())
                .await;
            deleted.expect("a queue of the test can be deleted");
        }
        for exchange in self
            .topology
            .exchanges
            .iter()
            .map(|exchange| exchange.name.clone())
            .chain([self.extra()])
        {
            let deleted = channel
                .exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default())
                .await;
            deleted.expect("an exchange of the test can be deleted");
        }
    }

    /// A name for one queue and one exchange outside the topology; they are removed too.
    pub fn extra(&self) -> String {
        self.topology.name("extra")
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
