//! Consuming: one channel, one queue, whatever is ready up to a bound.

use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};

use super::connection::answered;
use super::{BrokerError, Delivery};

/// One queue's consumer.
#[derive(Debug)]
pub struct Consumer {
    channel: Channel,
    stream: lapin::Consumer,
    /// Why there will be no more. lapin says it once, and then says nothing for ever.
    ended: Option<BrokerError>,
}

impl Consumer {
    /// Begins to consume, with at most `prefetch` messages unacknowledged. lapin's own buffer has no bound, so the limit
    /// stands before the first message can come. It cannot be changed: RabbitMQ applies another one to new consumers
    /// only, and quorum queues refuse one for the whole channel. Close this consumer and start the next.
    pub async fn start(
        connection: &Connection,
        queue: &str,
        tag: &str,
        prefetch: u16,
    ) -> Result<Self, BrokerError> {
        answered("consume", async {
            let channel = connection.create_channel().await?;
            channel
                .basic_qos(prefetch, BasicQosOptions { global: false })
                .await?;
            let options = BasicConsumeOptions::default();
            let stream = channel
                .basic_consume(queue.into(), tag.into(), options, FieldTable::default())
                .await?;
            Ok(Self {
                channel,
                stream,
                ended: None,
            })
        })
        .await
    }

    /// Waits for a message, then takes whatever else is ready, up to `max`, never waiting for more. Nothing is lost if
    /// the future is dropped. An error: the broker cancelled us, or the channel is gone; what is unacknowledged will be
    /// delivered again, so the batch it was met in is given up with it.
    pub async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>, BrokerError> {
        self.still_consuming()?;
        let first = self.stream.next().await;
        let mut batch = vec![self.delivered(first)?];
        batch.extend(self.take_ready(max.saturating_sub(1))?);
        Ok(batch)
    }

    /// Takes what is ready, up to `max`, perhaps nothing.
    pub fn take_ready(&mut self, max: usize) -> Result<Vec<Delivery>, BrokerError> {
        self.still_consuming()?;
        let mut batch = Vec::new();
        while batch.len() < max {
            let Some(next) = self.stream.next().now_or_never() else {
                break;
            };
            batch.push(self.delivered(next)?);
        }
        Ok(batch)
    }

    fn still_consuming(&self) -> Result<(), BrokerError> {
        self.ended.clone().map_or(Ok(()), Err)
    }

    fn delivered(
        &mut self,
        next: Option<lapin::Result<lapin::message::Delivery>>,
    ) -> Result<Delivery, BrokerError> {
        let end: BrokerError = match next {
            Some(Ok(delivery)) => return Ok(Delivery::from_lapin(delivery)),
            Some(Err(error)) => error.into(),
            // The channel stays connected when the broker cancels: the queue was deleted, or has lost its leader.
            None => BrokerError::Away("the broker ended the consumer".into()),
        };
        self.ended = Some(end.clone());
        Err(end)
    }

    /// Acknowledges everything up to this tag.
    pub async fn acknowledge_through(&self, tag: u64) -> Result<(), BrokerError> {
        if tag == 0 {
            // No message has this tag: the broker takes it for all of them, those not looked at yet included.
            return Ok(());
        }
        let options = BasicAckOptions { multiple: true };
        answered("ack", async { Ok(self.channel.basic_ack(tag, options).await?) }).await?;
        // An ack is not answered: a channel that is gone says so only in its status.
        if self.channel.status().connected() {
            Ok(())
        } else {
            Err(BrokerError::Away("the channel closed".into()))
        }
    }

    /// Closes the channel: what is unacknowledged goes back to its place before anyone gets the next message. Never a
    /// cancel, which hands the queue to the next consumer at once: measured on 3.10, that one got 5–9 before the 0–4 that
    /// were with us. The queue counts us a few milliseconds longer than the channel lives.
    pub async fn close(self) {
        let _ = answered("close", async {
            Ok(self.channel.close(200, "released".into()).await?)
        })
        .await;
    }
}

impl Drop for Consumer {
    /// Dropped by an error, a panic or a cancelled task, lapin's consumer would cancel, which loses the order (see
    /// [`Consumer::close`]). One poll sends the close and keeps it from cancelling; nobody waits for the answer.
    fn drop(&mut self) {
        let _ = self.channel.close(200, "dropped".into()).now_or_never();
    }
}

/// How many consumers a queue has.
pub async fn consumers_of(connection: &Connection, queue: &str) -> Result<u32, BrokerError> {
    Ok(state_of(connection, queue).await?.1)
}

/// How many messages a queue holds ready, and how many consumers it has. A queue that is not there costs the channel
/// that asked, so it is one of its own.
pub async fn state_of(connection: &Connection, queue: &str) -> Result<(u32, u32), BrokerError> {
    answered("declare", async {
        let channel = connection.create_channel().await?;
        let options = QueueDeclareOptions {
            passive: true,
            durable: true,
            ..Default::default()
        };
        let asked = channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await;
        let found = asked.map_err(|error| BrokerError::declaring(&format!("the queue {queue}"), &error))?;
        let _ = channel.close(200, "looked".into()).await;
        Ok((found.message_count(), found.consumer_count()))
    })
    .await
}
