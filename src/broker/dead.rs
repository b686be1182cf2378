//! Dead letters: the original message, with why, where and when, and how often it was tried again.

use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection};
use sha2::{Digest, Sha256};

use super::connection::answered;
use super::consumer::state_of;
use super::delivery::integer;
use super::{BrokerError, Delivery, Exchange, Publication, Publisher, Topology};

/// Longest detail kept, in bytes: for people, not for payloads.
const MAX_DETAIL: usize = 500;
/// Bytes of the hash that names a dead letter: enough to tell apart what one queue can hold, short enough to type.
const ID_BYTES: usize = 8;

const REASON: &str = "x-switchboard-reason";
const DETAIL: &str = "x-switchboard-detail";
const ORIGIN: &str = "x-switchboard-origin";
const AT: &str = "x-switchboard-at";
const REDRIVES: &str = "x-switchboard-redrives";

/// Every header that a dead letter has besides its own.
pub const HEADERS: [&str; 5] = [REASON, DETAIL, ORIGIN, AT, REDRIVES];

/// Why a message is dead, as its headers say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Epitaph {
    /// What to call it: the same each time it is looked at.
    pub id: String,
    /// The machine-readable reason.
    pub reason: String,
    /// For people.
    pub detail: String,
    /// When, as whoever gave it up wrote it.
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
    /// Who published it, if they said so: the broker lets nobody else repeat it as a property.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// The dead letter for a delivery: its own body and properties, and why. Its routing key is the reason: that of the
/// original may hold a phone number.
pub fn letter(delivery: &Delivery, queue: &str, reason: &str, detail: &str, at: &str) -> Publication {
    let origin = Origin {
        exchange: delivery.exchange.clone(),
        routing_key: delivery.routing_key.clone(),
        queue: queue.into(),
        user: delivery
            .properties
            .user_id()
            .as_ref()
            .map(|user| user.as_str().into()),
    };
    // Texts always serialise.
    let origin = serde_json::to_string(&origin).unwrap_or_default();
    let properties = delivery.properties_to_carry();
    let mut headers = properties.headers().clone().unwrap_or_default();
    let redrives = redrives(&headers);
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
        routing_key: reason.into(),
        properties: properties.with_headers(headers),
        body: delivery.body.clone(),
    }
}

/// Whoever publishes may have put anything there.
fn redrives(headers: &FieldTable) -> i64 {
    integer(headers, REDRIVES).unwrap_or(0).max(0)
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_DETAIL)]
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

    /// The next one; `None` at the end. It stays ours until it is replayed, discarded or this is closed: whoever looks
    /// through the queue holds what was seen, so how much that may be is for the caller to say.
    pub async fn next(&self) -> Result<Option<DeadLetter>, BrokerError> {
        let message = answered("get", async {
            Ok(self
                .channel
                .basic_get(self.queue.as_str().into(), BasicGetOptions::default())
                .await?)
        })
        .await?;
        Ok(message.map(|message| {
            let delivery = Delivery::from_lapin(message.delivery);
            let epitaph = epitaph(&delivery);
            DeadLetter { delivery, epitaph }
        }))
    }

    /// Puts one back where it came in, and only once that is confirmed takes it from the dead queue.
    pub async fn replay(
        &self,
        letter: &DeadLetter,
        connection: &Connection,
        publisher: &mut Publisher,
        topology: &Topology,
    ) -> Result<(), BrokerError> {
        let (exchange, routing_key) = way_back(&letter.epitaph.origin, connection, topology).await?;
        let properties = alive_again(letter);
        let body = letter.delivery.body.clone();
        publisher
            .publish_all(vec![Publication {
                exchange,
                routing_key,
                properties,
                body,
            }])
            .await?;
        self.discard(letter).await
    }

    /// Takes one from the dead queue for good.
    pub async fn discard(&self, letter: &DeadLetter) -> Result<(), BrokerError> {
        answered("ack", async {
            Ok(self
                .channel
                .basic_ack(letter.delivery.tag, BasicAckOptions::default())
                .await?)
        })
        .await
    }

    /// Closes the channel: everything in hand goes back, in its old order.
    pub async fn close(self) {
        let _ = answered("close", async {
            Ok(self.channel.close(200, "read".into()).await?)
        })
        .await;
    }
}

/// Where a message is sure to be met again: through the door it came by; straight into the queue it was read from; or,
/// when that is the ingress's own, is gone or is not known, through the ingress, under its own key. What a source refused is
/// not to come in by a door that takes more.
async fn way_back(
    origin: &Origin,
    connection: &Connection,
    topology: &Topology,
) -> Result<(Exchange, String), BrokerError> {
    let doors = [Exchange::Inbound, Exchange::Commands, Exchange::Ingress];
    if let Some(door) = doors
        .into_iter()
        .find(|door| topology.name(door.word()) == origin.exchange)
    {
        return Ok((door, origin.routing_key.clone()));
    }
    if !origin.queue.is_empty() && origin.queue != topology.name("ingress") {
        // The broker confirms, and forgets, what it is to put into a queue that is not there.
        match state_of(connection, &origin.queue).await {
            Ok(_) => return Ok((Exchange::Default, origin.queue.clone())),
            Err(BrokerError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((Exchange::Ingress, origin.routing_key.clone()))
}

fn alive_again(letter: &DeadLetter) -> BasicProperties {
    let properties = letter.delivery.properties_to_carry();
    let mut headers = FieldTable::default();
    for (name, value) in properties.headers().iter().flatten() {
        if ![REASON, DETAIL, ORIGIN, AT].contains(&name.as_str()) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert(
        REDRIVES.into(),
        AMQPValue::LongLongInt(letter.epitaph.redrives.saturating_add(1)),
    );
    properties.with_headers(headers)
}

fn epitaph(delivery: &Delivery) -> Epitaph {
    let header = |name| delivery.text_header(name).map(|value| value.into_owned());
    let reason = header(REASON).filter(|reason| !reason.is_empty());
    let (reason, detail, origin) = match reason {
        Some(reason) => {
            let origin = header(ORIGIN).and_then(|json| serde_json::from_str(&json).ok());
            (
                reason,
                header(DETAIL).unwrap_or_default(),
                origin.unwrap_or_default(),
            )
        }
        // The broker dead-letters too, after a million deliveries, and says so in headers of its own.
        None => {
            let said = header("x-first-death-reason").unwrap_or_else(|| "it does not say why".into());
            let origin = Origin {
                exchange: header("x-first-death-exchange").unwrap_or_default(),
                routing_key: delivery.routing_key.clone(),
                queue: header("x-first-death-queue").unwrap_or_default(),
                user: None,
            };
            ("poison".into(), format!("given up by the broker: {said}"), origin)
        }
    };
    let redrives = delivery.properties.headers().as_ref().map_or(0, redrives);
    let at = header(AT).unwrap_or_default();
    let id = id(delivery, &at);
    Epitaph {
        id,
        reason,
        detail,
        at,
        origin,
        redrives,
    }
}

/// Made of what does not change while it lies here, since the queue itself gives its messages no names.
fn id(delivery: &Delivery, at: &str) -> String {
    let message_id = delivery
        .properties
        .message_id()
        .as_ref()
        .map_or("", |id| id.as_str());
    let mut hash = Sha256::new();
    for part in [at.as_bytes(), message_id.as_bytes(), &delivery.body] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..ID_BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
