//! Messages as one text: what the outbox keeps of a batch until the broker has confirmed it.
//!
//! Two lines a message: where it goes, then its body as it is sent (which holds no line break: compact JSON escapes
//! them). Headers, id and type are not written a second time; they are read back from the body.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::envelope::{self, Destination, OutMessage};

/// A text that is no parcel: another version wrote it, or nobody of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of an outbox row cannot be read by this version")]
pub struct Unreadable {
    /// From 1.
    pub line: usize,
}

/// The first line of a message.
#[derive(Serialize, DeriveDeserialize)]
struct Address<'a> {
    to: Place,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    correlation: Option<Cow<'a, str>>,
}

/// Where to; a queue is named by the routing key.
#[derive(Serialize, DeriveDeserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Place {
    Events,
    Notifications,
    Queue,
}

/// The messages as one text, in their order.
pub fn pack(messages: &[OutMessage]) -> String {
    let mut text = String::with_capacity(messages.iter().map(|m| m.body.len() + 128).sum());
    for message in messages {
        let to = match &message.to {
            Destination::Events => Place::Events,
            Destination::Notifications => Place::Notifications,
            Destination::Queue(_) => Place::Queue,
        };
        let address = Address {
            to,
            key: Cow::Borrowed(&message.routing_key),
            correlation: message.correlation_id.as_deref().map(Cow::Borrowed),
        };
        text.push_str(&serde_json::to_string(&address).expect("three texts always serialise"));
        text.push('\n');
        text.push_str(&message.body);
        text.push('\n');
    }
    text
}

/// The messages of a text that [`pack`] wrote.
pub fn unpack(text: &str) -> Result<Vec<OutMessage>, Unreadable> {
    let mut lines = text.lines().enumerate();
    let mut messages = Vec::new();
    while let Some((above, address)) = lines.next() {
        let unreadable = |line| Unreadable { line: line + 1 };
        let address: Address<'_> = serde_json::from_str(address).map_err(|_| unreadable(above))?;
        let (line, body) = lines.next().ok_or(unreadable(above))?;
        messages.push(message(address, body).ok_or(unreadable(line))?);
    }
    Ok(messages)
}

fn message(address: Address<'_>, body: &str) -> Option<OutMessage> {
    let Headers(headers) = serde_json::from_str(body).ok()?;
    let header = |wanted| headers.iter().find(|(name, _)| *name == wanted);
    let (id, kind) = (header("ce-id")?.1.clone(), header("ce-type")?.1.clone());
    let routing_key = address.key.into_owned();
    Some(OutMessage {
        to: match address.to {
            Place::Events => Destination::Events,
            Place::Notifications => Destination::Notifications,
            Place::Queue => Destination::Queue(routing_key.clone()),
        },
        routing_key,
        id,
        kind,
        correlation_id: address.correlation.map(Cow::into_owned),
        headers,
        body: body.to_owned(),
    })
}

/// The attributes of a body as headers again, in its order.
struct Headers(Vec<(&'static str, String)>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Attributes;
        impl<'de> Visitor<'de> for Attributes {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a CloudEvent")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Vec::with_capacity(envelope::HEADERS.len() + envelope::TRACE_HEADERS.len());
                while let Some(attribute) = map.next_key::<Cow<'de, str>>()? {
                    match envelope::header(&attribute) {
                        Some(header) => headers.push((header, map.next_value()?)),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Headers(headers))
            }
        }
        deserializer.deserialize_map(Attributes)
    }
}
