//! A message as it came, and what of it may travel on.

use std::borrow::Cow;

use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

/// How a quorum queue reports earlier deliveries.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// Headers about the way of one message, not about its content. On another message, the counts would be of attempts that
/// were not its own, and the broker would send copies to wherever `CC` and `BCC` say.
const OF_THE_WAY: [&str; 4] = [DELIVERY_COUNT, "x-acquired-count", "CC", "BCC"];
/// Most bytes of headers that travel on. All properties share one frame, of 128 KiB unless someone lowered it, and one
/// byte too many costs the whole connection: what we add must not push a message over that arrived just under it.
const MAX_HEADERS: usize = 96 * 1024;

/// A message as it came, with what is needed to dead-letter it unchanged.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its number on the channel.
    pub tag: u64,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// Where it was published; empty: straight to the queue.
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
            exchange: delivery.exchange.into(),
            routing_key: delivery.routing_key.into(),
            properties: delivery.properties,
            body: delivery.data,
        }
    }

    /// Its content type, if it has one.
    pub fn content_type(&self) -> Option<&str> {
        self.properties.content_type().as_ref().map(ShortString::as_str)
    }

    /// How often its queue took it back before. Believed only of a redelivery: on a first one, the publisher said so.
    pub fn earlier_deliveries(&self) -> u64 {
        let counted = headers_of(&self.properties).and_then(|table| integer(table, DELIVERY_COUNT));
        match counted {
            Some(count) if self.redelivered => u64::try_from(count).unwrap_or(0),
            _ => 0,
        }
    }

    /// One of its headers as text.
    pub fn text_header(&self, name: &str) -> Option<Cow<'_, str>> {
        text(headers_of(&self.properties)?.inner().get(name)?)
    }

    /// Its headers, as text where they have an obvious one: numbers in decimal, times as RFC 3339.
    pub fn text_headers(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let headers = headers_of(&self.properties).into_iter().flatten();
        headers.filter_map(|(name, value)| Some((name.as_str(), text(value)?)))
    }

    /// Its properties as another message may carry them, one that is dead-lettered, replayed or forwarded: without the
    /// headers of its way; without `expiration`, because nothing of ours may vanish by itself; without `user_id`, because
    /// the broker closes the channel of anyone but that user. Of headers beyond the limit the longest stay behind.
    pub fn properties_to_carry(&self) -> BasicProperties {
        let from = &self.properties;
        let mut carried = BasicProperties::default();
        let carry = &mut carried;
        set(carry, from.content_type(), BasicProperties::with_content_type);
        set(
            carry,
            from.content_encoding(),
            BasicProperties::with_content_encoding,
        );
        set(carry, from.priority(), BasicProperties::with_priority);
        set(carry, from.correlation_id(), BasicProperties::with_correlation_id);
        set(carry, from.reply_to(), BasicProperties::with_reply_to);
        set(carry, from.message_id(), BasicProperties::with_message_id);
        set(carry, from.timestamp(), BasicProperties::with_timestamp);
        set(carry, from.kind(), BasicProperties::with_type);
        set(carry, from.app_id(), BasicProperties::with_app_id);
        carried.with_headers(headers_to_carry(from))
    }
}

fn headers_to_carry(properties: &BasicProperties) -> FieldTable {
    let headers = headers_of(properties).into_iter().flatten();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !OF_THE_WAY.contains(&name.as_str()))
        .map(|(name, value)| (1 + name.as_str().len() + weight(value), name, value))
        .collect();
    headers.sort_by_key(|(weight, ..)| *weight);
    let mut room = MAX_HEADERS;
    let mut carried = FieldTable::default();
    for (weight, name, value) in headers {
        if weight > room {
            break;
        }
        room -= weight;
        carried.insert(name.clone(), value.clone());
    }
    carried
}

/// A header that is a whole number, in whichever width or spelling it came.
pub(super) fn integer(headers: &FieldTable, name: &str) -> Option<i64> {
    text(headers.inner().get(name)?)?.parse().ok()
}

fn headers_of(properties: &BasicProperties) -> Option<&FieldTable> {
    properties.headers().as_ref()
}

fn set<T: Clone>(
    onto: &mut BasicProperties,
    value: &Option<T>,
    with: fn(BasicProperties, T) -> BasicProperties,
) {
    if let Some(value) = value {
        *onto = with(std::mem::take(onto), value.clone());
    }
}

fn text(value: &AMQPValue) -> Option<Cow<'_, str>> {
    Some(match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok()?.into(),
        AMQPValue::ShortString(text) => text.as_str().into(),
        AMQPValue::ByteArray(bytes) => std::str::from_utf8(bytes.as_slice()).ok()?.into(),
        AMQPValue::Boolean(flag) => flag.to_string().into(),
        AMQPValue::ShortShortInt(n) => n.to_string().into(),
        AMQPValue::ShortShortUInt(n) => n.to_string().into(),
        AMQPValue::ShortInt(n) => n.to_string().into(),
        AMQPValue::ShortUInt(n) => n.to_string().into(),
        AMQPValue::LongInt(n) => n.to_string().into(),
        AMQPValue::LongUInt(n) => n.to_string().into(),
        AMQPValue::LongLongInt(n) => n.to_string().into(),
        AMQPValue::Float(n) => n.to_string().into(),
        AMQPValue::Double(n) => n.to_string().into(),
        AMQPValue::Timestamp(seconds) => Timestamp::from_second(i64::try_from(*seconds).ok()?)
            .ok()?
            .to_string()
            .into(),
        AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::Void => {
            return None;
        }
    })
}

/// Bytes of a value on the wire, never too few: one for its type, four for a length, eight for the widest number.
fn weight(value: &AMQPValue) -> usize {
    match value {
        AMQPValue::LongString(text) => 5 + text.len(),
        AMQPValue::ShortString(text) => 5 + text.as_str().len(),
        AMQPValue::ByteArray(bytes) => 5 + bytes.len(),
        AMQPValue::FieldArray(items) => 5 + items.as_slice().iter().map(weight).sum::<usize>(),
        AMQPValue::FieldTable(table) => {
            5 + table
                .into_iter()
                .map(|(name, value)| 1 + name.as_str().len() + weight(value))
                .sum::<usize>()
        }
        _ => 9,
    }
}
