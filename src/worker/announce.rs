//! A message of ours as the broker wants it.

use lapin::BasicProperties;

use crate::broker::{Exchange, Publication};
use crate::contract::envelope::{APP_ID, CONTENT_TYPE, Destination, OutMessage};

/// A rendered message, ready to publish.
pub fn publication(message: OutMessage) -> Publication {
    let properties = BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_app_id(APP_ID.into())
        .with_message_id(message.id.into())
        .with_type(message.kind.into())
        .with_headers(Publication::headers(message.headers));
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
