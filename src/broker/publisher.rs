//! Publishing: in order, every publish confirmed, one owner per channel.
//!
//! lapin resolves confirms for the wrong publish when several tasks share a channel, so a `Publisher` is `&mut`. It never
//! publishes `mandatory`: a return can land on the wrong confirm; what nothing is bound for goes to the alternate exchange.

use std::collections::VecDeque;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::time::timeout;

use super::consumer::answered;
use super::{BrokerError, Topology};

/// Most publishes that wait for their confirm: enough to keep the broker busy, little to repeat after a failure.
const WINDOW: usize = 512;
/// How long a confirm may take before the broker counts as blocked.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
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
    /// All of them.
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
    /// The properties of a message of ours: every text header as given.
    pub fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in pairs {
            table.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        table
    }
}

/// The owner of one publishing channel.
#[derive(Debug)]
pub struct Publisher {
    channel: Channel,
    names: [ShortString; Exchange::ALL.len()],
}

impl Publisher {
    /// Opens a channel with confirms.
    pub async fn open(connection: &Connection, topology: &Topology) -> Result<Self, BrokerError> {
        let open = async {
            let channel = connection.create_channel().await?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            Ok(channel)
        };
        let channel = answered("open", open).await?;
        let names = Exchange::ALL.map(|exchange| match exchange {
            Exchange::Default => ShortString::default(),
            other => topology.name(other.word()).as_str().into(),
        });
        Ok(Self { channel, names })
    }

    /// Publishes all of them in order and waits until each is confirmed. On an error some may have been published and
    /// none after the first unconfirmed one counts: the caller publishes again from what it keeps.
    pub async fn publish_all(&mut self, publications: &[Publication]) -> Result<(), BrokerError> {
        let mut unconfirmed: VecDeque<PublisherConfirm> =
            VecDeque::with_capacity(WINDOW.min(publications.len()));
        for publication in publications {
            if unconfirmed.len() >= WINDOW {
                settle(unconfirmed.pop_front()).await?;
            }
            unconfirmed.push_back(self.send(publication).await?);
        }
        while !unconfirmed.is_empty() {
            settle(unconfirmed.pop_front()).await?;
        }
        Ok(())
    }

    async fn send(&self, publication: &Publication) -> Result<PublisherConfirm, BrokerError> {
        let place = Exchange::ALL
            .iter()
            .position(|exchange| *exchange == publication.exchange)
            .unwrap_or(0);
        let publish = self.channel.basic_publish(
            self.names[place].clone(),
            publication.routing_key.as_str().into(),
            BasicPublishOptions::default(),
            &publication.body,
            publication
                .properties
                .clone()
                .with_delivery_mode(PERSISTENT),
        );
        match timeout(CONFIRM_TIMEOUT, publish).await {
            Ok(confirm) => Ok(confirm?),
            Err(_) => Err(BrokerError::Timeout("publish")),
        }
    }

    /// Closes the channel.
    pub async fn close(self) {
        let _ = timeout(CONFIRM_TIMEOUT, self.channel.close(200, "released".into())).await;
    }
}

/// Waits for one confirm. A nack comes as `Ok` and is none.
async fn settle(confirm: Option<PublisherConfirm>) -> Result<(), BrokerError> {
    let Some(confirm) = confirm else {
        return Ok(());
    };
    match timeout(CONFIRM_TIMEOUT, confirm).await {
        Ok(Ok(Confirmation::Ack(None))) => Ok(()),
        Ok(Ok(Confirmation::Ack(Some(_)))) => Err(BrokerError::Unconfirmed("returned")),
        Ok(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => {
            Err(BrokerError::Unconfirmed("refused"))
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(BrokerError::Unconfirmed("no answer")),
    }
}
