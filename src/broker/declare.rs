//! Declaring the topology, and comparing it with what is there.
//!
//! Types and limits are written out even where they are the default: the defaults of 3.10 and 4.x differ.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use super::BrokerError;
use super::connection::answered;
use super::topology::{Binding, ExchangeSpec, QueueSpec, Routing, Topology};

/// Only keeps a requeued message's place: 3.10 puts it last without a limit, 4.x has a default of 20 that would
/// dead-letter bystanders of a crash. We dead-letter ourselves.
const DELIVERY_LIMIT: i32 = 1_000_000;

/// Whether a declare makes what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declare {
    /// Makes what is missing; fails on what is there in another way.
    Active,
    /// Fails on what is missing; does not care in which way something is there.
    Passive,
}

impl Topology {
    /// Declares all of it but the sources; what is there in the same way already is left alone.
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
        close(&channel).await;
        Ok(())
    }

    /// Whether all of it but the sources is there and declared in our way: the first difference, as an error. Makes nothing.
    pub async fn check(&self, connection: &Connection) -> Result<(), BrokerError> {
        let mut channel = open(connection).await?;
        let found = self.own_differences(connection, &mut channel).await?;
        close(&channel).await;
        found.into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that is missing, declared in another way or too many, each as a sentence saying what to do. Makes
    /// nothing. To ask about what should not be there makes lapin log an error where all is well, so a worker does not:
    /// it goes by the number of partitions in the database.
    pub async fn differences(&self, connection: &Connection) -> Result<Vec<BrokerError>, BrokerError> {
        let mut channel = open(connection).await?;
        let mut found = self.own_differences(connection, &mut channel).await?;
        found.extend(self.one_too_many(&channel).await?);
        // That question may have cost the channel.
        close(&channel).await;
        channel = open(connection).await?;
        self.source_differences(connection, &mut channel, &mut found)
            .await?;
        close(&channel).await;
        Ok(found)
    }

    /// Bindings are not looked at, because AMQP has no question about them: declaring again puts them right.
    async fn own_differences(
        &self,
        connection: &Connection,
        channel: &mut Channel,
    ) -> Result<Vec<BrokerError>, BrokerError> {
        let mut found = Vec::new();
        for exchange in &self.exchanges {
            // Only what is known to be there is declared: that changes nothing, and fails where it is different.
            let passive = exchange.declare(channel, Declare::Passive).await;
            let answer = match passive {
                Ok(()) => exchange.declare(channel, Declare::Active).await,
                missing => missing,
            };
            note(&mut found, channel, connection, answer).await?;
        }
        for queue in &self.queues {
            let passive = queue.declare(channel, Declare::Passive).await;
            let answer = match passive {
                Ok(()) => queue.declare(channel, Declare::Active).await,
                missing => missing,
            };
            note(&mut found, channel, connection, answer).await?;
        }
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
}

impl ExchangeSpec {
    pub(super) async fn declare(&self, channel: &Channel, how: Declare) -> Result<(), BrokerError> {
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
    /// What it is declared with.
    pub fn arguments(&self) -> FieldTable {
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

    pub(super) async fn declare(&self, channel: &Channel, how: Declare) -> Result<(), BrokerError> {
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
    pub(super) async fn declare(&self, channel: &Channel) -> Result<(), BrokerError> {
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
pub(super) async fn note(
    found: &mut Vec<BrokerError>,
    channel: &mut Channel,
    connection: &Connection,
    answer: Result<(), BrokerError>,
) -> Result<(), BrokerError> {
    match answer {
        Ok(()) => Ok(()),
        Err(difference) if difference.is_permanent() => {
            found.push(difference);
            *channel = open(connection).await?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn open(connection: &Connection) -> Result<Channel, BrokerError> {
    answered("open", async { Ok(connection.create_channel().await?) }).await
}

/// Left to its drop, lapin would close the channel while its connection is closing, and log that as an error.
pub(super) async fn close(channel: &Channel) {
    let _ = answered("close", async { Ok(channel.close(200, "looked".into()).await?) }).await;
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
