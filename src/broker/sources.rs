//! The sources: what is declared for another gateway's messages, and what is said when something of it is not there.
//!
//! Somebody else's exchange or queue may be missing or different at any time, and that is no reason to do without
//! everything else: whatever is wrong with one source is noted, and the others go on.

use lapin::{Channel, Connection};

use super::BrokerError;
use super::declare::{Declare, close, note, open};
use super::topology::{Binding, ExchangeSpec, Feed, Routing, Source, Topology};

impl Topology {
    /// Declares and binds the sources' queues. Returns what could not be, each as a sentence saying what to do.
    pub async fn declare_sources(&self, connection: &Connection) -> Result<Vec<BrokerError>, BrokerError> {
        let mut channel = open(connection).await?;
        let mut found = Vec::new();
        for source in &self.sources {
            let answer = self.declare_source(&channel, source).await;
            let answer = answer.map_err(|error| source.explained(error));
            note(&mut found, &mut channel, connection, answer).await?;
        }
        close(&channel).await;
        Ok(found)
    }

    /// What is missing or declared in another way than a source needs.
    pub(super) async fn source_differences(
        &self,
        connection: &Connection,
        channel: &mut Channel,
        found: &mut Vec<BrokerError>,
    ) -> Result<(), BrokerError> {
        for source in &self.sources {
            if let Feed::Exchange {
                exchange,
                declared_as,
                ..
            } = &source.feed
            {
                let answer = look_at(channel, exchange, *declared_as).await;
                let answer = answer.map_err(|error| source.exchange_explained(error));
                note(found, channel, connection, answer).await?;
            }
            let answer = self.look_at_queue(channel, source).await;
            let answer = answer.map_err(|error| source.explained(error));
            note(found, channel, connection, answer).await?;
        }
        Ok(())
    }

    async fn declare_source(&self, channel: &Channel, source: &Source) -> Result<(), BrokerError> {
        let Feed::Exchange {
            exchange,
            declared_as,
            keys,
        } = &source.feed
        else {
            // It is its gateway's to declare, whenever that may start.
            return Ok(());
        };
        let how = declared_as.map_or(Declare::Passive, |_| Declare::Active);
        let declared = spec(exchange, *declared_as).declare(channel, how).await;
        declared.map_err(|error| source.exchange_explained(error))?;
        let queue = self.source_queue(source);
        self.work_queue(queue.clone())
            .declare(channel, Declare::Active)
            .await?;
        for key in keys {
            let binding = Binding {
                exchange: exchange.clone(),
                queue: queue.clone(),
                key: key.clone(),
            };
            binding.declare(channel).await?;
        }
        Ok(())
    }

    async fn look_at_queue(&self, channel: &Channel, source: &Source) -> Result<(), BrokerError> {
        let queue = self.work_queue(self.source_queue(source));
        queue.declare(channel, Declare::Passive).await?;
        match source.feed {
            Feed::Exchange { .. } => queue.declare(channel, Declare::Active).await,
            Feed::Queue(_) => Ok(()),
        }
    }
}

/// Whether an exchange is there and, if we would declare it, in the same way.
async fn look_at(channel: &Channel, exchange: &str, declared_as: Option<Routing>) -> Result<(), BrokerError> {
    let spec = spec(exchange, declared_as);
    spec.declare(channel, Declare::Passive).await?;
    match declared_as {
        Some(_) => spec.declare(channel, Declare::Active).await,
        None => Ok(()),
    }
}

/// How it is routed says nothing where it is only looked for.
fn spec(exchange: &str, declared_as: Option<Routing>) -> ExchangeSpec {
    ExchangeSpec {
        name: exchange.into(),
        routing: declared_as.unwrap_or(Routing::Topic),
        alternate: None,
    }
}

impl Source {
    /// A failure with this source's queue, told so that it can be mended: what is missing may be its gateway's to declare.
    #[must_use]
    pub fn explained(&self, error: BrokerError) -> BrokerError {
        match (error, &self.feed) {
            (BrokerError::Missing(_), Feed::Queue(queue)) => BrokerError::Missing(format!(
                "the queue {queue} of the source \"{}\" is not there: its gateway has to declare it",
                self.name
            )),
            (other, _) => other,
        }
    }

    fn exchange_explained(&self, error: BrokerError) -> BrokerError {
        let Feed::Exchange {
            exchange,
            declared_as,
            ..
        } = &self.feed
        else {
            return error;
        };
        let subject = format!("the exchange {exchange} of the source \"{}\"", self.name);
        match (error, declared_as) {
            (BrokerError::Missing(_), None) => BrokerError::Missing(format!(
                "{subject} is not there: let its gateway declare it, or say its type= in SWITCHBOARD_SOURCES to have it \
                 declared"
            )),
            (BrokerError::Different(_), Some(routing)) => BrokerError::Different(format!(
                "{subject} is there, but not as a durable {} exchange: correct its type= in SWITCHBOARD_SOURCES, or \
                 leave it out",
                routing.word()
            )),
            (other, _) => other,
        }
    }
}
