//! Connections to the broker, and how long it may take over anything.
//!
//! Recovery is ours and lapin's own stays off: a lane has to know that it was cut off, because it must raise its epoch
//! and publish what was left before it consumes again.

use std::io::ErrorKind::TimedOut;
use std::time::Duration;

use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream, OwnedTLSConfig};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::BrokerError;
use super::wire::{self, Legible, LegibleRuntime};

/// A peer that says nothing for this long is gone: short, because a frozen worker holds its lanes until then.
const HEARTBEAT_SECONDS: u16 = 10;
/// How long a connection may take to be made, and how long its login may. RabbitMQ gives a handshake up after this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the broker may take to answer. On a blocked connection even an ack hangs, and nothing else would say so.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// AMQP's short strings end here; lapin panics on a longer one, so what comes from outside is measured first.
pub(super) const SHORT_STRING: usize = 255;

/// Makes connections.
#[derive(Debug, Clone)]
pub struct Connector {
    url: SecretString,
    place: String,
}

impl Connector {
    /// Checks the URL; connects to nothing yet.
    pub fn new(url: &SecretString) -> Result<Self, BrokerError> {
        let uri = parse(url)?;
        // The first provider installed stays; both TLS users of this process want this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            url: url.clone(),
            place: format!("{}:{}", uri.authority.host, uri.authority.port),
        })
    }

    /// Host and port, for logs and messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// A connection that the broker's own tools show under this name. Consuming and publishing need one each: a broker
    /// short of memory stops reading from who publishes, and an ack on the same connection would wait for ever.
    pub async fn connect(&self, name: &str) -> Result<Connection, BrokerError> {
        let uri = parse(&self.url)?;
        let (user, vhost) = (uri.authority.userinfo.username.clone(), uri.vhost.clone());
        match timeout(CONNECT_TIMEOUT * 2, open(uri, name)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(BrokerError::connecting(&self.place, &user, &vhost, &error)),
            Err(_) => Err(BrokerError::Away(format!(
                "{}: no answer to the login",
                self.place
            ))),
        }
    }
}

/// lapin drives each connection from a thread of its own, and dropping the future does not end it: the limit on reaching
/// the server has to be inside, or every attempt on a host that swallows packets leaves a thread behind for minutes.
async fn open(uri: AMQPUri, name: &str) -> lapin::Result<Connection> {
    let properties = ConnectionProperties::default()
        .with_connection_name(name.into())
        .with_client_property("product".into(), env!("CARGO_PKG_NAME").into())
        .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into());
    // lapin's own runtime opens the socket, with TLS on it if the URL asks for it; what comes out of it is mended.
    let opener = lapin::runtime::default_runtime()?;
    let reach = async move |uri: AMQPUri, _: LegibleRuntime| {
        let tls = OwnedTLSConfig::default();
        let stream = timeout(
            CONNECT_TIMEOUT,
            uri.connect_with_config_async(tls.as_ref(), &opener),
        )
        .await;
        let stream = stream.unwrap_or_else(|_| Err(TimedOut.into()))?;
        Ok(AsyncTcpStream::Plain(Legible::new(stream)))
    };
    Connection::connector(uri, wire::runtime(), reach, properties).await
}

/// What an operation answers, if it answers in time.
pub(super) async fn answered<T>(
    what: &'static str,
    request: impl Future<Output = Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    timeout(ANSWER_TIMEOUT, request)
        .await
        .unwrap_or(Err(BrokerError::Timeout(what)))
}

fn parse(url: &SecretString) -> Result<AMQPUri, BrokerError> {
    let refused = || {
        let text = "AMQP_URL is no AMQP URL such as amqp://user:password@host:5672/%2f (what is neither letter nor digit \
                    in a password has to be percent-encoded)";
        BrokerError::Setup(text.into())
    };
    let text = url.expose_secret();
    // The parser's own error may quote the URL, and with it the password.
    let mut uri: AMQPUri = text.parse().map_err(|_| refused())?;
    if uri.vhost.len() > SHORT_STRING {
        return Err(refused());
    }
    if let Some(address) = ipv6_address(text) {
        // The parser knows names only, and takes anything else for localhost.
        uri.authority.host = address.into();
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    Ok(uri)
}

/// The address in `amqp://user:password@[::1]:5672/%2f`.
fn ipv6_address(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(host.strip_prefix('[')?.split_once(']')?.0)
}
