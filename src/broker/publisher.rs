//! Publishing: in order, every publish confirmed, one owner per channel.
//!
//! lapin resolves confirms for the wrong publish when several tasks share a channel, so a `Publisher` is `&mut`. It never
//! publishes `mandatory`: a return can land on the wrong confirm; what nothing is bound for goes to the alternate exchange.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::time::timeout;

use super::connection::{SHORT_STRING, answered};
use super::{BrokerError, Topology};

/// Most publishes that wait for their confirm: enough to keep the broker busy, little to repeat after a failure.
const WINDOW: usize = 512;
/// How long a confirm may take before the broker counts as blocked, unless the owner is in more of a hurry.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
/// AMQP's number for a message that survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// One of our exchanges, or the default one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exchange {
    /// What happened.
    Events,
    /// Who is told.
    Notifications,
    /// Facts, by partition.
    Inbound,
    /// Commands, by partition.
    Commands,
    /// Anything, unhashed.
    Ingress,
    /// What cannot be used.
    Dead,
    /// Straight to the queue that the routing key names.
    Default,
}

impl Exchange {
    /// All of them, in the order of their declaration.
    pub const ALL: [Exchange; 7] = [
        Exchange::Events,
        Exchange::Notifications,
        Exchange::Inbound,
        Exchange::Commands,
        Exchange::Ingress,
        Exchange::Dead,
        Exchange::Default,
    ];

    /// Its name after the prefix.
    pub fn word(self) -> &'static str {
        match self {
            Exchange::Events => "events",
            Exchange::Notifications => "notifications",
            Exchange::Inbound => "inbound",
            Exchange::Commands => "commands",
            Exchange::Ingress => "ingress",
            Exchange::Dead => "dead",
            Exchange::Default => "",
        }
    }
}

/// A message to publish.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Where.
    pub exchange: Exchange,
    /// Under which key.
    pub routing_key: String,
    /// What is said about it; it is made persistent.
    pub properties: BasicProperties,
    /// Itself.
    pub body: Vec<u8>,
}

impl Publication {
    /// The properties of a message of ours: every text header as given. A name that AMQP cannot hold is left out.
    pub fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, impl Into<LongString>)>) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in pairs {
            if let Ok(name) = ShortString::try_new(name) {
                table.insert(name, AMQPValue::LongString(value.into()));
            }
        }
        table
    }
}

/// A publish on its way: its frames are with lapin, its confirm is to come.
type Sent<'a> = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send + 'a>>;

/// The owner of one publishing channel.
#[derive(Debug)]
pub struct Publisher {
    channel: Channel,
    names: [ShortString; Exchange::ALL.len()],
    patience: Duration,
}

impl Publisher {
    /// Opens a channel with confirms.
    pub async fn open(connection: &Connection, topology: &Topology) -> Result<Self, BrokerError> {
        let channel = answered("open", async {
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(channel)
        })
        .await?;
        let names = Exchange::ALL.map(|exchange| match exchange {
            Exchange::Default => ShortString::default(),
            other => topology.name(other.word()).as_str().into(),
        });
        Ok(Self {
            channel,
            names,
            patience: CONFIRM_TIMEOUT,
        })
    }

    /// Waits this long for a confirm: a lane has no use for one that comes after its lease.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Publishes all of them in order and waits until each is confirmed. On an error some may have been published and
    /// none after the first unconfirmed one counts: the caller publishes again from what it keeps. After a refusal this
    /// publisher is still good; after anything else its channel is in doubt and it should be dropped.
    pub async fn publish_all(&mut self, publications: Vec<Publication>) -> Result<(), BrokerError> {
        let mut window = VecDeque::with_capacity(WINDOW.min(publications.len()));
        let mut publications = publications.into_iter();
        let mut refused = None;
        loop {
            // After a refusal nothing more is sent, but the confirms under way are waited for: left alone, they would pile
            // up in lapin.
            while refused.is_none() && window.len() < WINDOW {
                let Some(publication) = publications.next() else {
                    break;
                };
                window.push_back(self.send(publication)?);
            }
            let Some(sent) = window.pop_front() else { break };
            match settle(sent, self.patience).await {
                Err(refusal @ BrokerError::Unconfirmed(REFUSED)) => drop(refused.get_or_insert(refusal)),
                settled => settled?,
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Hands one message to lapin. Awaiting `basic_publish` would wait for the socket, once per message; its first poll
    /// already queues the frames, in the order of these calls, and the rest of it can wait until the confirm is wanted.
    fn send(&self, publication: Publication) -> Result<Sent<'_>, BrokerError> {
        if publication.routing_key.len() > SHORT_STRING {
            // Whoever renders messages keeps to the limit. lapin would panic; this way one lane stands still and says why.
            return Err(BrokerError::Away(
                "a routing key is longer than AMQP's 255 bytes".into(),
            ));
        }
        let mut sent: Sent = Box::pin(async move {
            let Publication {
                exchange,
                routing_key,
                properties,
                body,
            } = publication;
            let exchange = self.names[exchange as usize].clone();
            let properties = properties.with_delivery_mode(PERSISTENT);
            let options = BasicPublishOptions::default();
            let publish =
                self.channel
                    .basic_publish(exchange, routing_key.into(), options, &body, properties);
            publish.await?.await
        });
        Ok(match sent.as_mut().now_or_never() {
            Some(done) => Box::pin(std::future::ready(done)),
            None => sent,
        })
    }

    /// Closes the channel.
    pub async fn close(self) {
        let _ = answered("close", async {
            Ok(self.channel.close(200, "released".into()).await?)
        })
        .await;
    }
}

const REFUSED: &str = "refused";

/// Waits for one confirm. A nack comes as `Ok` and is none.
async fn settle(sent: Sent<'_>, patience: Duration) -> Result<(), BrokerError> {
    match timeout(patience, sent).await {
        Ok(Ok(Confirmation::Ack(None))) => Ok(()),
        Ok(Ok(Confirmation::Ack(Some(_)))) => Err(BrokerError::Unconfirmed("returned")),
        Ok(Ok(Confirmation::Nack(_))) => Err(BrokerError::Unconfirmed(REFUSED)),
        Ok(Ok(Confirmation::NotRequested)) => Err(BrokerError::Unconfirmed("no confirms on this channel")),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(BrokerError::Unconfirmed("no answer")),
    }
}
