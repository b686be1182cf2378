//! Connections to the broker. Recovery is ours: lapin's own stays off, because a lane has to know that it was cut off.

use std::time::Duration;

use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::BrokerError;

/// A peer that says nothing for this long is gone: short, because a frozen worker holds its lanes until then.
const HEARTBEAT_SECONDS: u16 = 10;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes connections.
#[derive(Debug, Clone)]
pub struct Connector {
    url: SecretString,
}

impl Connector {
    /// Checks the URL; connects to nothing yet.
    pub fn new(url: &SecretString) -> Result<Self, BrokerError> {
        parse(url)?;
        // The first provider installed stays; both TLS users of this process want this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self { url: url.clone() })
    }

    /// A connection under this name. Consuming and publishing need one each: a blocked connection blocks acks too.
    pub async fn connect(&self, name: &str) -> Result<Connection, BrokerError> {
        let uri = parse(&self.url)?;
        let place = format!("{}:{}", uri.authority.host, uri.authority.port);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        match timeout(CONNECT_TIMEOUT, Connection::connect_uri(uri, properties)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(match BrokerError::from(error) {
                BrokerError::Away(text) => BrokerError::Away(format!("{place}: {text}")),
                other => other,
            }),
            Err(_) => Err(BrokerError::Away(format!("{place}: no answer"))),
        }
    }
}

fn parse(url: &SecretString) -> Result<AMQPUri, BrokerError> {
    // The parser's own error may quote the URL, and with it the password.
    let mut uri: AMQPUri = url.expose_secret().parse().map_err(|_| {
        BrokerError::Setup("AMQP_URL is no AMQP URL: amqp://user:password@host:5672/%2f".into())
    })?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    Ok(uri)
}
