//! What a batch has to say: rendered once, kept in the outbox, published, and read back from there after a crash.

use lapin::BasicProperties;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::broker::{Exchange, Publication};
use crate::contract::envelope::{APP_ID, CONTENT_TYPE, Destination, OutMessage};

/// A message as a line of an outbox row. Bodies of ours are JSON: they stand in the line as they are.
#[derive(Serialize, Deserialize)]
struct Line {
    to: Whither,
    key: String,
    id: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation: Option<String>,
    headers: Vec<(String, String)>,
    body: Box<RawValue>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Whither {
    Events,
    Notifications,
    Reply,
}

/// The messages of a batch for one home, as the body of an outbox row: one a line.
pub fn encode(messages: &[OutMessage]) -> Result<String, serde_json::Error> {
    let mut text = String::with_capacity(messages.iter().map(|m| m.body.len() + 700).sum());
    for message in messages {
        let to = match message.to {
            Destination::Events => Whither::Events,
            Destination::Notifications => Whither::Notifications,
            Destination::Queue(_) => Whither::Reply,
        };
        let line = Line {
            to,
            key: message.routing_key.clone(),
            id: message.id.clone(),
            kind: message.kind.clone(),
            correlation: message.correlation_id.clone(),
            headers: message.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
            body: serde_json::from_slice(&message.body)?,
        };
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}

/// What an outbox row says is to be published.
pub fn decode(text: &str) -> Result<Vec<Publication>, serde_json::Error> {
    text.lines()
        .map(|line| {
            let line: Line = serde_json::from_str(line)?;
            let exchange = match line.to {
                Whither::Events => Exchange::Events,
                Whither::Notifications => Exchange::Notifications,
                Whither::Reply => Exchange::Default,
            };
            let headers = line.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let properties = properties(&line.id, &line.kind, line.correlation.as_deref(), headers);
            let body = line.body.get().as_bytes().to_vec();
            Ok(Publication { exchange, routing_key: line.key, properties, body })
        })
        .collect()
}

/// A message, ready to publish.
pub fn publication(message: OutMessage) -> Publication {
    let headers = message.headers.iter().map(|(name, value)| (&**name, value.as_str()));
    let properties = properties(&message.id, &message.kind, message.correlation_id.as_deref(), headers);
    let exchange = match message.to {
        Destination::Events => Exchange::Events,
        Destination::Notifications => Exchange::Notifications,
        Destination::Queue(_) => Exchange::Default,
    };
    Publication { exchange, routing_key: message.routing_key, properties, body: message.body }
}

fn properties<'a>(
    id: &str,
    kind: &str,
    correlation: Option<&str>,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
) -> BasicProperties {
    let properties = BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_app_id(APP_ID.into())
        .with_message_id(id.into())
        .with_type(kind.into())
        .with_headers(Publication::headers(headers));
    match correlation {
        Some(correlation) => properties.with_correlation_id(correlation.into()),
        None => properties,
    }
}
