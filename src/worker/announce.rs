//! A message of ours as the broker wants it.

use lapin::BasicProperties;
use lapin::types::LongString;

use crate::broker::{Exchange, Publication};
use crate::contract::envelope::{APP_ID, CONTENT_TYPE, Destination, OutMessage};

/// A rendered message, ready to publish.
pub fn publication(message: OutMessage) -> Publication {
    // Headers know no order: the plain ones of a trace come first, while they can be borrowed from the others.
    let plain = message
        .trace()
        .map(|(name, value)| (name, LongString::from(value)));
    let plain: Vec<_> = plain.collect();
    let headers = message
        .headers
        .into_iter()
        .map(|(name, value)| (name, value.into()));
    let headers = Publication::headers(plain.into_iter().chain(headers));
    let properties = BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_app_id(APP_ID.into())
        .with_message_id(message.id.into())
        .with_type(message.kind.into())
        .with_headers(headers);
    let properties = match message.correlation_id {
        Some(correlation) => properties.with_correlation_id(correlation.into()),
        None => properties,
    };
    let exchange = match message.to {
        Destination::Events => Exchange::Events,
        Destination::Notifications => Exchange::Notifications,
        Destination::Queue(_) => Exchange::Default,
    };
    Publication {
        exchange,
        routing_key: message.routing_key,
        properties,
        body: message.body.into_bytes(),
    }
}
