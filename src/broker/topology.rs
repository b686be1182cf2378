//! Exchanges, queues and bindings, as data: declared, checked and shown from one list.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use super::BrokerError;

/// Only keeps a requeued message's place: 3.10 puts it last without a limit, 4.x has a default of 20 that would
/// dead-letter bystanders of a crash. We dead-letter ourselves.
const DELIVERY_LIMIT: i32 = 1_000_000;
/// Messages kept of those that no queue was bound for: enough to look at, never a burden.
const UNROUTED_KEPT: i32 = 1_000;

/// An exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSpec {
    /// Its name.
    pub name: String,
    /// `direct`, `topic` or `fanout`.
    pub kind: &'static str,
    /// Where messages go that nothing is bound for.
    pub alternate: Option<String>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// One consumer at a time, so that order holds.
    pub single_consumer: bool,
    /// Where the broker puts what it gives up on.
    pub dead_letter: Option<String>,
    /// Most messages kept, the oldest dropped first; `None`: all.
    pub keeps: Option<i32>,
}

/// Which exchange leads to which queue, under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// From.
    pub exchange: String,
    /// To.
    pub queue: String,
    /// Under.
    pub key: String,
}

/// Everything under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    prefix: String,
    /// How many partition queues there are.
    pub partitions: u16,
    /// Exchanges.
    pub exchanges: Vec<ExchangeSpec>,
    /// Queues.
    pub queues: Vec<QueueSpec>,
    /// Bindings.
    pub bindings: Vec<Binding>,
}

impl Topology {
    /// The topology for this prefix and number of partitions.
    pub fn new(prefix: &str, partitions: u16) -> Self {
        let name = |word: &str| format!("{prefix}.{word}");
        let exchange = |word, kind, alternate: Option<&str>| ExchangeSpec {
            name: name(word),
            kind,
            alternate: alternate.map(name),
        };
        let work = |queue: String| QueueSpec {
            name: queue,
            single_consumer: true,
            dead_letter: Some(name("dead")),
            keeps: None,
        };
        let binding = |from: &str, queue: String, key: String| Binding {
            exchange: name(from),
            queue,
            key,
        };
        let mut queues = vec![
            work(name("ingress")),
            QueueSpec {
                name: name("dead"),
                single_consumer: false,
                dead_letter: None,
                keeps: None,
            },
            QueueSpec {
                name: name("unrouted"),
                single_consumer: false,
                dead_letter: None,
                keeps: Some(UNROUTED_KEPT),
            },
        ];
        let mut bindings = vec![
            binding("ingress", name("ingress"), "#".into()),
            binding("dead", name("dead"), String::new()),
            binding("unrouted", name("unrouted"), String::new()),
        ];
        for number in 0..partitions {
            let queue = format!("{prefix}.partition.{number}");
            queues.push(work(queue.clone()));
            bindings.push(binding("inbound", queue.clone(), number.to_string()));
            bindings.push(binding("commands", queue, number.to_string()));
        }
        Self {
            prefix: prefix.into(),
            partitions,
            exchanges: vec![
                exchange("ingress", "topic", None),
                // A wrong partition costs a hop and never a message.
                exchange("inbound", "direct", Some("ingress")),
                exchange("commands", "direct", Some("ingress")),
                exchange("events", "topic", Some("unrouted")),
                exchange("notifications", "topic", Some("unrouted")),
                exchange("dead", "fanout", None),
                exchange("unrouted", "fanout", None),
            ],
            queues,
            bindings,
        }
    }

    /// The full name of one of our exchanges or queues.
    pub fn name(&self, word: &str) -> String {
        format!("{}.{word}", self.prefix)
    }

    /// The queue of a partition.
    pub fn partition_queue(&self, partition: u16) -> String {
        format!("{}.partition.{partition}", self.prefix)
    }

    /// Declares all of it; what is there in the same way already is left alone.
    pub async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        let channel = connection.create_channel().await?;
        for exchange in &self.exchanges {
            declare_exchange(&channel, exchange).await?;
        }
        for queue in &self.queues {
            declare_queue(&channel, queue).await?;
        }
        for binding in &self.bindings {
            let (queue, exchange) = (
                binding.queue.as_str().into(),
                binding.exchange.as_str().into(),
            );
            let key = binding.key.as_str().into();
            channel
                .queue_bind(
                    queue,
                    exchange,
                    key,
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await?;
        }
        Ok(())
    }

    /// Whether all of it is there and declared in our way. Makes nothing that is missing.
    pub async fn check(&self, connection: &Connection) -> Result<(), BrokerError> {
        // A failed declare closes its channel: each check that can fail for another reason has one of its own.
        let there = connection.create_channel().await?;
        for exchange in &self.exchanges {
            let passive = ExchangeDeclareOptions {
                passive: true,
                ..ExchangeDeclareOptions::default()
            };
            let name = exchange.name.as_str().into();
            there
                .exchange_declare(name, kind_of(exchange), passive, FieldTable::default())
                .await?;
        }
        for queue in &self.queues {
            let passive = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            there
                .queue_declare(queue.name.as_str().into(), passive, FieldTable::default())
                .await?;
        }
        // Everything is there: declaring it again changes nothing, and fails where it is declared differently.
        let same = connection.create_channel().await?;
        for exchange in &self.exchanges {
            declare_exchange(&same, exchange).await?;
        }
        for queue in &self.queues {
            declare_queue(&same, queue).await?;
        }
        let _ = there.close(200, "checked".into()).await;
        let _ = same.close(200, "checked".into()).await;
        Ok(())
    }
}

fn kind_of(exchange: &ExchangeSpec) -> ExchangeKind {
    match exchange.kind {
        "direct" => ExchangeKind::Direct,
        "fanout" => ExchangeKind::Fanout,
        _ => ExchangeKind::Topic,
    }
}

async fn declare_exchange(channel: &Channel, exchange: &ExchangeSpec) -> Result<(), BrokerError> {
    let mut arguments = FieldTable::default();
    if let Some(alternate) = &exchange.alternate {
        arguments.insert("alternate-exchange".into(), text(alternate));
    }
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(
            exchange.name.as_str().into(),
            kind_of(exchange),
            durable,
            arguments,
        )
        .await?;
    Ok(())
}

async fn declare_queue(channel: &Channel, queue: &QueueSpec) -> Result<(), BrokerError> {
    let mut arguments = FieldTable::default();
    match queue.keeps {
        Some(kept) => {
            arguments.insert("x-queue-type".into(), text("classic"));
            arguments.insert("x-max-length".into(), AMQPValue::LongInt(kept));
            arguments.insert("x-overflow".into(), text("drop-head"));
        }
        None => {
            arguments.insert("x-queue-type".into(), text("quorum"));
            arguments.insert(
                "x-delivery-limit".into(),
                AMQPValue::LongInt(DELIVERY_LIMIT),
            );
        }
    }
    if queue.single_consumer {
        arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    }
    if let Some(exchange) = &queue.dead_letter {
        arguments.insert("x-dead-letter-exchange".into(), text(exchange));
        // At-least-once dead-lettering works only where a full queue refuses instead of dropping.
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-overflow".into(), text("reject-publish"));
    }
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(queue.name.as_str().into(), durable, arguments)
        .await?;
    Ok(())
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
