//! The broker's own limit: every lane consumes, publishes, waits for the confirms, acknowledges; nobody decides anything.

use std::iter::repeat_with;

use lapin::BasicProperties;
use uuid::Uuid;

use super::super::{CliError, connect};
use super::stage::Stage;
use crate::broker::{BrokerError, Consumer, Exchange, Publication, Publisher, consumer};
use crate::config::{self, Environment};
use crate::contract::envelope;

/// Bytes of an ordinary event's body, as the full path writes it.
const EVENT_BYTES: usize = 950;
/// Bytes of an ordinary notification's body.
const NOTIFICATION_BYTES: usize = 950;

/// What the loop publishes for each message.
#[derive(Clone, Copy)]
pub enum Floor {
    /// One event: the least that says anything.
    Event,
    /// As much as the full path.
    EventAndNotification,
}

impl Floor {
    /// Drains all lanes at once, in batches like the worker's.
    pub async fn drain(self, stage: &Stage) -> Result<(), CliError> {
        let batch = config::Worker::from(&Environment)?.batch;
        let prefetch = u16::try_from(batch * 2).unwrap_or(u16::MAX);
        let (connector, _) = connect::connector()?;
        let consuming = connector.connect("bench floor consuming").await?;
        let publishing = connector.connect("bench floor publishing").await?;
        let mut lanes = Vec::new();
        for number in 0..stage.topology.partitions {
            let queue = stage.topology.partition_queue(number);
            let ready = consumer::state_of(&consuming, &queue).await?.0 as usize;
            let mut lane = Consumer::start(&consuming, &queue, "floor", prefetch).await?;
            let mut publisher = Publisher::open(&publishing, &stage.topology).await?;
            lanes.push(tokio::spawn(async move {
                let mut done = 0;
                while done < ready {
                    let received = lane.receive(batch).await?;
                    done += received.len();
                    let publications = self.publications(received.len());
                    publisher.publish_all(publications).await?;
                    if let Some(last) = received.last() {
                        lane.acknowledge_through(last.tag).await?;
                    }
                }
                lane.close().await;
                Ok::<(), BrokerError>(())
            }));
        }
        for lane in lanes {
            lane.await??;
        }
        Ok(())
    }

    /// For so many messages, in the order of the full path: all events first.
    fn publications(self, messages: usize) -> Vec<Publication> {
        let event = || {
            let key = "message.received.bench.100000000000000";
            publication(Exchange::Events, key, EVENT_BYTES)
        };
        let notification = || {
            let key = "agent.bench.a1.message";
            publication(Exchange::Notifications, key, NOTIFICATION_BYTES)
        };
        let notifications = match self {
            Floor::Event => 0,
            Floor::EventAndNotification => messages,
        };
        repeat_with(event)
            .take(messages)
            .chain(repeat_with(notification).take(notifications))
            .collect()
    }
}

/// A message of the size ours have, with as many headers and properties.
fn publication(exchange: Exchange, key: &str, bytes: usize) -> Publication {
    let id = Uuid::new_v4().to_string();
    let headers = envelope::HEADERS.iter().map(|name| (*name, id.clone()));
    Publication {
        exchange,
        routing_key: key.into(),
        properties: BasicProperties::default()
            .with_content_type(envelope::CONTENT_TYPE.into())
            .with_app_id(envelope::APP_ID.into())
            .with_message_id(id.as_str().into())
            .with_correlation_id(id.as_str().into())
            .with_type("switchboard.message.received".into())
            .with_headers(Publication::headers(headers)),
        body: vec![b' '; bytes],
    }
}
