//! Consuming: one channel, one queue, whatever is ready up to a bound.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection};
use tokio::time::timeout;

use super::BrokerError;

/// How long the broker may take to answer. On a blocked connection acks hang, and nothing else would say so.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A message as it came, with what is needed to dead-letter it unchanged.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its number on the channel.
    pub tag: u64,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// Where it was published.
    pub exchange: String,
    /// Under which key.
    pub routing_key: String,
    /// Everything its publisher said about it.
    pub properties: BasicProperties,
    /// Itself.
    pub body: Vec<u8>,
}

impl Delivery {
    pub(super) fn from_lapin(delivery: lapin::message::Delivery) -> Self {
        Self {
            tag: delivery.delivery_tag,
            redelivered: delivery.redelivered,
            exchange: delivery.exchange.to_string(),
            routing_key: delivery.routing_key.to_string(),
            properties: delivery.properties,
            body: delivery.data,
        }
    }

    /// Its content type, if it has one.
    pub fn content_type(&self) -> Option<&str> {
        self.properties
            .content_type()
            .as_ref()
            .map(|text| text.as_str())
    }

    /// Its headers that are text.
    pub fn text_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.properties.headers().as_ref();
        headers
            .into_iter()
            .flat_map(|table| table.inner())
            .filter_map(|(name, value)| match value {
                AMQPValue::LongString(text) => {
                    Some((name.as_str(), std::str::from_utf8(text.as_bytes()).ok()?))
                }
                AMQPValue::ShortString(text) => Some((name.as_str(), text.as_str())),
                _ => None,
            })
    }
}

/// One queue's consumer.
#[derive(Debug)]
pub struct Consumer {
    channel: Channel,
    stream: lapin::Consumer,
}

impl Consumer {
    /// Begins to consume, with at most `prefetch` messages unacknowledged: lapin's own buffer has no bound.
    pub async fn start(
        connection: &Connection,
        queue: &str,
        tag: &str,
        prefetch: u16,
    ) -> Result<Self, BrokerError> {
        let start = async {
            let channel = connection.create_channel().await?;
            channel
                .basic_qos(prefetch, BasicQosOptions::default())
                .await?;
            let options = BasicConsumeOptions::default();
            let stream = channel
                .basic_consume(queue.into(), tag.into(), options, FieldTable::default())
                .await?;
            Ok(Self { channel, stream })
        };
        answered("consume", start).await
    }

    /// Waits for a message, then takes whatever else is ready, up to `max`, never waiting for more. Nothing is lost if
    /// the future is dropped. An error: the broker cancelled us, or the channel is gone.
    pub async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>, BrokerError> {
        let ended = || BrokerError::Away("the consumer was cancelled".into());
        let first = self.stream.next().await.ok_or_else(ended)??;
        let mut batch = Vec::with_capacity(max.min(64));
        batch.push(Delivery::from_lapin(first));
        while batch.len() < max {
            match self.stream.next().now_or_never() {
                Some(Some(Ok(delivery))) => batch.push(Delivery::from_lapin(delivery)),
                // Its end shows at the next call: what is in hand is worth doing first.
                Some(Some(Err(_)) | None) | None => break,
            }
        }
        Ok(batch)
    }

    /// Changes how many messages may be unacknowledged, for those delivered from now on.
    pub async fn set_prefetch(&self, prefetch: u16) -> Result<(), BrokerError> {
        answered("qos", async {
            Ok(self
                .channel
                .basic_qos(prefetch, BasicQosOptions::default())
                .await?)
        })
        .await
    }

    /// Acknowledges everything up to this tag.
    pub async fn acknowledge_through(&self, tag: u64) -> Result<(), BrokerError> {
        let ack = async {
            Ok(self
                .channel
                .basic_ack(tag, BasicAckOptions { multiple: true })
                .await?)
        };
        answered("ack", ack).await.and_then(|()| {
            // An ack is not answered: a channel that is gone says so only in its status.
            if self.channel.status().connected() {
                Ok(())
            } else {
                Err(BrokerError::Away("the channel closed".into()))
            }
        })
    }

    /// Closes the channel. What is unacknowledged goes back to its place in the queue, in order, as long as nobody else
    /// is registered there: a cancel would leave it with us while the queue moves on.
    pub async fn close(self) {
        let _ = timeout(ANSWER_TIMEOUT, self.channel.close(200, "released".into())).await;
    }
}

/// How many consumers a queue has.
pub async fn consumers_of(connection: &Connection, queue: &str) -> Result<u32, BrokerError> {
    Ok(state_of(connection, queue).await?.1)
}

/// How many messages a queue holds ready, and how many consumers it has.
pub async fn state_of(connection: &Connection, queue: &str) -> Result<(u32, u32), BrokerError> {
    let look = async {
        let channel = connection.create_channel().await?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = channel
            .queue_declare(queue.into(), passive, FieldTable::default())
            .await?;
        let _ = channel.close(200, "looked".into()).await;
        Ok((queue.message_count(), queue.consumer_count()))
    };
    answered("declare", look).await
}

pub(super) async fn answered<T>(
    what: &'static str,
    request: impl Future<Output = Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    timeout(ANSWER_TIMEOUT, request)
        .await
        .unwrap_or(Err(BrokerError::Timeout(what)))
}
