//! Dead letters: the original message, with why, where and when, and how often it was tried again.

use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection};

use super::consumer::answered;
use super::{BrokerError, Delivery, Exchange, Publication, Publisher, Topology};

/// Longest detail kept, in bytes: for people, not for payloads.
const MAX_DETAIL: usize = 500;

const REASON: &str = "x-switchboard-reason";
const DETAIL: &str = "x-switchboard-detail";
const ORIGIN: &str = "x-switchboard-origin";
const AT: &str = "x-switchboard-at";
const REDRIVES: &str = "x-switchboard-redrives";

/// Why a message is dead, as its headers say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Epitaph {
    /// The machine-readable reason.
    pub reason: String,
    /// For people.
    pub detail: String,
    /// When.
    pub at: String,
    /// Where it came in.
    pub origin: Origin,
    /// How often it was replayed.
    pub redrives: i64,
}

/// Where a message came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Origin {
    /// Where it was published.
    pub exchange: String,
    /// Under which key.
    pub routing_key: String,
    /// Which queue it was read from.
    pub queue: String,
}

/// The dead letter for a delivery: its own body and properties, and why.
pub fn letter(
    delivery: &Delivery,
    queue: &str,
    reason: &str,
    detail: &str,
    at: &str,
) -> Publication {
    let origin = Origin {
        exchange: delivery.exchange.clone(),
        routing_key: delivery.routing_key.clone(),
        queue: queue.into(),
    };
    // Three texts always serialise.
    let origin = serde_json::to_string(&origin).unwrap_or_default();
    let mut headers = delivery.properties.headers().clone().unwrap_or_default();
    let redrives = number(&headers, REDRIVES);
    for (name, value) in [
        (REASON, reason),
        (DETAIL, cut(detail)),
        (ORIGIN, &origin),
        (AT, at),
    ] {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    headers.insert(REDRIVES.into(), AMQPValue::LongLongInt(redrives));
    Publication {
        exchange: Exchange::Dead,
        routing_key: delivery.routing_key.clone(),
        properties: delivery.properties.clone().with_headers(headers),
        body: delivery.body.clone(),
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_DETAIL)]
}

fn number(headers: &FieldTable, name: &str) -> i64 {
    match headers.inner().get(name) {
        Some(AMQPValue::LongLongInt(n)) => *n,
        Some(AMQPValue::LongInt(n)) => i64::from(*n),
        Some(AMQPValue::LongString(text)) => text.to_string().parse().unwrap_or(0),
        _ => 0,
    }
}

/// The dead queue, one message after the other. What is not settled goes back to its place when this is closed.
#[derive(Debug)]
pub struct DeadQueue {
    channel: Channel,
    queue: String,
}

/// A dead letter in hand.
#[derive(Debug)]
pub struct DeadLetter {
    /// The message.
    pub delivery: Delivery,
    /// Why it is here.
    pub epitaph: Epitaph,
}

impl DeadQueue {
    /// Opens the dead queue.
    pub async fn open(connection: &Connection, topology: &Topology) -> Result<Self, BrokerError> {
        let channel = answered("open", async { Ok(connection.create_channel().await?) }).await?;
        Ok(Self {
            channel,
            queue: topology.name("dead"),
        })
    }

    /// The next one; `None` at the end.
    pub async fn next(&self) -> Result<Option<DeadLetter>, BrokerError> {
        let get = async {
            Ok(self
                .channel
                .basic_get(self.queue.as_str().into(), BasicGetOptions::default())
                .await?)
        };
        let Some(message) = answered("get", get).await? else {
            return Ok(None);
        };
        let delivery = Delivery::from_lapin(message.delivery);
        let epitaph = epitaph(&delivery);
        Ok(Some(DeadLetter { delivery, epitaph }))
    }

    /// Puts one back where it came in, and only once that is confirmed takes it from the dead queue.
    pub async fn replay(
        &self,
        letter: &DeadLetter,
        publisher: &mut Publisher,
        topology: &Topology,
    ) -> Result<(), BrokerError> {
        let delivery = &letter.delivery;
        let mut headers = delivery.properties.headers().clone().unwrap_or_default();
        headers.insert(
            REDRIVES.into(),
            AMQPValue::LongLongInt(letter.epitaph.redrives + 1),
        );
        let origin = &letter.epitaph.origin;
        let ours = Exchange::ALL
            .into_iter()
            .find(|exchange| topology.name(exchange.word()) == origin.exchange);
        let (exchange, routing_key) = match ours {
            Some(exchange) => (exchange, origin.routing_key.clone()),
            // It came through an exchange that is not ours, or straight to the queue: back into the queue.
            None => (Exchange::Default, origin.queue.clone()),
        };
        let properties = delivery.properties.clone().with_headers(headers);
        let publication = Publication {
            exchange,
            routing_key,
            properties,
            body: delivery.body.clone(),
        };
        publisher.publish_all(&[publication]).await?;
        answered("ack", async {
            Ok(self
                .channel
                .basic_ack(delivery.tag, BasicAckOptions::default())
                .await?)
        })
        .await
    }

    /// Closes the channel: everything read and not replayed goes back, in its old order.
    pub async fn close(self) {
        let _ = answered("close", async {
            Ok(self.channel.close(200, "read".into()).await?)
        })
        .await;
    }
}

fn epitaph(delivery: &Delivery) -> Epitaph {
    let text = |name: &str| {
        let found = delivery.text_headers().find(|(header, _)| *header == name);
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let headers = delivery.properties.headers().clone().unwrap_or_default();
    Epitaph {
        // The broker dead-letters too, after a million deliveries: then it has headers of its own.
        reason: Some(text(REASON))
            .filter(|reason| !reason.is_empty())
            .unwrap_or_else(|| "poison".into()),
        detail: text(DETAIL),
        at: text(AT),
        origin: serde_json::from_str(&text(ORIGIN)).unwrap_or_default(),
        redrives: number(&headers, REDRIVES),
    }
}
