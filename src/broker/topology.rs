//! Exchanges, queues and bindings, as data: declared, checked and shown from one list.
//!
//! Types and limits are written out even where they are the default: the defaults of 3.10 and 4.x differ. Everything is
//! durable. No plugin is needed.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use super::BrokerError;
use super::connection::answered;

/// Only keeps a requeued message's place: 3.10 puts it last without a limit, 4.x has a default of 20 that would
/// dead-letter bystanders of a crash. We dead-letter ourselves.
const DELIVERY_LIMIT: i32 = 1_000_000;
/// Messages kept of those that no queue was bound for: enough to look at, never a burden.
const UNROUTED_KEPT: i32 = 1_000;

/// How an exchange finds the queues for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// Those bound with its very key.
    Direct,
    /// Those bound with a pattern of its key.
    Topic,
    /// All that are bound.
    Fanout,
}

/// An exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSpec {
    /// Its name.
    pub name: String,
    /// How it routes.
    pub routing: Routing,
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

/// A line of the topology, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `exchange`, `queue` or `binding`.
    pub kind: &'static str,
    /// Which; of a binding, the queue.
    pub name: String,
    /// Everything else about it.
    pub detail: String,
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

/// Whether a declare makes what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declare {
    /// Makes what is missing; fails on what is there in another way.
    Active,
    /// Fails on what is missing; does not care in which way something is there.
    Passive,
}

impl Topology {
    /// The topology for this prefix and number of partitions. The settings have seen to it that the prefix is short and
    /// plain enough for AMQP's names.
    pub fn new(prefix: &str, partitions: u16) -> Self {
        let mut topology = Self {
            prefix: prefix.into(),
            partitions,
            exchanges: Vec::new(),
            queues: Vec::new(),
            bindings: Vec::new(),
        };
        topology.exchanges = topology.all_exchanges();
        topology.queues = topology.all_queues();
        topology.bindings = topology.all_bindings();
        topology
    }

    /// The full name of one of our exchanges or queues.
    pub fn name(&self, word: &str) -> String {
        format!("{}.{word}", self.prefix)
    }

    /// The queue of a partition.
    pub fn partition_queue(&self, partition: u16) -> String {
        format!("{}.partition.{partition}", self.prefix)
    }

    fn all_exchanges(&self) -> Vec<ExchangeSpec> {
        let exchange = |word, routing, alternate: Option<&str>| ExchangeSpec {
            name: self.name(word),
            routing,
            alternate: alternate.map(|word| self.name(word)),
        };
        vec![
            exchange("ingress", Routing::Topic, None),
            // A wrong partition costs a hop and never a message.
            exchange("inbound", Routing::Direct, Some("ingress")),
            exchange("commands", Routing::Direct, Some("ingress")),
            // What nobody is bound for is counted here, and not with `mandatory`: with lapin, a returned message can land
            // on the confirm of another one.
            exchange("events", Routing::Topic, Some("unrouted")),
            exchange("notifications", Routing::Topic, Some("unrouted")),
            exchange("dead", Routing::Fanout, None),
            exchange("unrouted", Routing::Fanout, None),
        ]
    }

    fn all_queues(&self) -> Vec<QueueSpec> {
        let work = |name| QueueSpec {
            name,
            single_consumer: true,
            dead_letter: Some(self.name("dead")),
            keeps: None,
        };
        let shelf = |word, keeps| QueueSpec {
            name: self.name(word),
            single_consumer: false,
            dead_letter: None,
            keeps,
        };
        let mut queues = vec![work(self.name("ingress"))];
        queues.extend((0..self.partitions).map(|partition| work(self.partition_queue(partition))));
        queues.push(shelf("dead", None));
        queues.push(shelf("unrouted", Some(UNROUTED_KEPT)));
        queues
    }

    fn all_bindings(&self) -> Vec<Binding> {
        let binding = |from, queue, key| Binding {
            exchange: self.name(from),
            queue,
            key,
        };
        let mut bindings = vec![
            binding("ingress", self.name("ingress"), "#".into()),
            binding("dead", self.name("dead"), String::new()),
            binding("unrouted", self.name("unrouted"), String::new()),
        ];
        for partition in 0..self.partitions {
            for door in ["inbound", "commands"] {
                bindings.push(binding(
                    door,
                    self.partition_queue(partition),
                    partition.to_string(),
                ));
            }
        }
        bindings
    }

    /// Declares all of it; what is there in the same way already is left alone.
    pub async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        let channel = open(connection).await?;
        for exchange in &self.exchanges {
            exchange.declare(&channel, Declare::Active).await?;
        }
        for queue in &self.queues {
            queue.declare(&channel, Declare::Active).await?;
        }
        for binding in &self.bindings {
            binding.declare(&channel).await?;
        }
        Ok(())
    }

    /// Whether all of it is there and declared in our way: the first difference, as an error. Makes nothing.
    pub async fn check(&self, connection: &Connection) -> Result<(), BrokerError> {
        match self.differences(connection).await?.into_iter().next() {
            Some(difference) => Err(difference),
            None => Ok(()),
        }
    }

    /// Everything that is missing or declared in another way, each as a sentence saying what to do. Makes nothing.
    /// Bindings are not looked at, because AMQP has no question about them: declaring again puts them right.
    pub async fn differences(&self, connection: &Connection) -> Result<Vec<BrokerError>, BrokerError> {
        let mut found = Vec::new();
        let mut channel = open(connection).await?;
        for exchange in &self.exchanges {
            // Only what is known to be there is declared: that changes nothing, and fails where it is different.
            let passive = exchange.declare(&channel, Declare::Passive).await;
            let answer = match passive {
                Ok(()) => exchange.declare(&channel, Declare::Active).await,
                missing => missing,
            };
            note(&mut found, &mut channel, connection, answer).await?;
        }
        for queue in &self.queues {
            let passive = queue.declare(&channel, Declare::Passive).await;
            let answer = match passive {
                Ok(()) => queue.declare(&channel, Declare::Active).await,
                missing => missing,
            };
            note(&mut found, &mut channel, connection, answer).await?;
        }
        found.extend(self.one_too_many(&channel).await?);
        Ok(found)
    }

    /// A partition after our last one: whoever declared it hashes by another number than we.
    async fn one_too_many(&self, channel: &Channel) -> Result<Option<BrokerError>, BrokerError> {
        let name = self.partition_queue(self.partitions);
        let next = QueueSpec {
            name,
            single_consumer: true,
            dead_letter: None,
            keeps: None,
        };
        match next.declare(channel, Declare::Passive).await {
            Ok(()) => Ok(Some(BrokerError::Different(format!(
                "the queue {} is there, though the partitions end at {}: the topology was declared with another \
                 SWITCHBOARD_PARTITIONS",
                next.name,
                self.partitions.saturating_sub(1),
            )))),
            Err(BrokerError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All of it, a line each.
    pub fn rows(&self) -> Vec<Row> {
        let exchanges = self.exchanges.iter().map(|exchange| Row {
            kind: "exchange",
            name: exchange.name.clone(),
            detail: exchange.detail(),
        });
        let queues = self.queues.iter().map(|queue| Row {
            kind: "queue",
            name: queue.name.clone(),
            detail: queue.detail(),
        });
        let bindings = self.bindings.iter().map(|binding| Row {
            kind: "binding",
            name: binding.queue.clone(),
            detail: format!("from {} under \"{}\"", binding.exchange, binding.key),
        });
        exchanges.chain(queues).chain(bindings).collect()
    }
}

impl ExchangeSpec {
    fn detail(&self) -> String {
        let routing = match self.routing {
            Routing::Direct => "direct",
            Routing::Topic => "topic",
            Routing::Fanout => "fanout",
        };
        match &self.alternate {
            Some(alternate) => format!("{routing}, else to {alternate}"),
            None => routing.into(),
        }
    }

    async fn declare(&self, channel: &Channel, how: Declare) -> Result<(), BrokerError> {
        let kind = match self.routing {
            Routing::Direct => ExchangeKind::Direct,
            Routing::Topic => ExchangeKind::Topic,
            Routing::Fanout => ExchangeKind::Fanout,
        };
        let mut arguments = FieldTable::default();
        if let Some(alternate) = &self.alternate {
            arguments.insert("alternate-exchange".into(), text(alternate));
        }
        let passive = how == Declare::Passive;
        let options = ExchangeDeclareOptions {
            passive,
            durable: true,
            ..Default::default()
        };
        declared(&format!("the exchange {}", self.name), async {
            channel
                .exchange_declare(self.name.as_str().into(), kind, options, arguments)
                .await
        })
        .await
    }
}

impl QueueSpec {
    fn detail(&self) -> String {
        let mut detail = match self.keeps {
            Some(kept) => format!("classic, the last {kept} messages"),
            None => "quorum".into(),
        };
        if self.single_consumer {
            detail.push_str(", single active consumer");
        }
        if let Some(exchange) = &self.dead_letter {
            detail.push_str(", dead letters to ");
            detail.push_str(exchange);
        }
        detail
    }

    fn arguments(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        match self.keeps {
            Some(kept) => {
                arguments.insert("x-queue-type".into(), text("classic"));
                arguments.insert("x-max-length".into(), AMQPValue::LongInt(kept));
                arguments.insert("x-overflow".into(), text("drop-head"));
            }
            None => {
                arguments.insert("x-queue-type".into(), text("quorum"));
                arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
            }
        }
        if self.single_consumer {
            arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        }
        if let Some(exchange) = &self.dead_letter {
            arguments.insert("x-dead-letter-exchange".into(), text(exchange));
            // At-least-once dead-lettering works only where a full queue refuses instead of dropping.
            arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
            arguments.insert("x-overflow".into(), text("reject-publish"));
        }
        arguments
    }

    async fn declare(&self, channel: &Channel, how: Declare) -> Result<(), BrokerError> {
        let passive = how == Declare::Passive;
        let options = QueueDeclareOptions {
            passive,
            durable: true,
            ..Default::default()
        };
        declared(&format!("the queue {}", self.name), async {
            channel
                .queue_declare(self.name.as_str().into(), options, self.arguments())
                .await
                .map(drop)
        })
        .await
    }
}

impl Binding {
    async fn declare(&self, channel: &Channel) -> Result<(), BrokerError> {
        let (queue, exchange, key) = (self.queue.as_str(), self.exchange.as_str(), self.key.as_str());
        let options = QueueBindOptions::default();
        declared(&format!("the binding of {queue} to {exchange}"), async {
            channel
                .queue_bind(
                    queue.into(),
                    exchange.into(),
                    key.into(),
                    options,
                    FieldTable::default(),
                )
                .await
        })
        .await
    }
}

async fn declared(
    subject: &str,
    request: impl Future<Output = lapin::Result<()>>,
) -> Result<(), BrokerError> {
    answered("declare", async {
        request
            .await
            .map_err(|error| BrokerError::declaring(subject, &error))
    })
    .await
}

/// Notes a difference. The refusal has closed the channel, so the next question needs another one.
async fn note(
    found: &mut Vec<BrokerError>,
    channel: &mut Channel,
    connection: &Connection,
    answer: Result<(), BrokerError>,
) -> Result<(), BrokerError> {
    match answer {
        Ok(()) => Ok(()),
        Err(difference @ (BrokerError::Missing(_) | BrokerError::Different(_))) => {
            found.push(difference);
            *channel = open(connection).await?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn open(connection: &Connection) -> Result<Channel, BrokerError> {
    answered("open", async { Ok(connection.create_channel().await?) }).await
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
