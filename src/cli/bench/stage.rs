//! What a bench plays on: exchanges and queues of its own, a tenant with two agents, and their customers.

use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, PublisherConfirm};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::sleep;
use uuid::Uuid;

use super::super::{CliError, connect};
use super::worker::BenchWorker;
use super::{LOOK, STUCK};
use crate::broker::{Consumer, Topology};
use crate::config::{self, Environment};
use crate::contract::{partition, plan};
use crate::domain::ids::Tenant;
use crate::domain::plan::Plan;
use crate::store::{Store, inbox, lanes, migrate, read};
use crate::worker::visit;

/// Publishes handed to the broker before their confirms are awaited.
const WINDOW: usize = 2_000;
/// The bench's own tenant and business number.
const TENANT: &str = "bench";
const CHANNEL: &str = "whatsapp:100000000000000";
/// Who owns the conversations.
const AGENTS: [&str; 2] = ["a1", "a2"];
/// The exchanges that a queue of ours is bound to: without one the broker would pass everything on to where it is counted
/// as unroutable, which takes longer.
const WITH_SINK: [&str; 2] = ["events", "notifications"];

pub struct Stage {
    pub prefix: String,
    pub topology: Topology,
    connection: Connection,
    /// For looks at queues.
    looking: Channel,
    pub store: Store,
    customers: usize,
}

impl Stage {
    /// With a plan of two agents, and so many customers to write to them.
    pub async fn set_up(customers: usize) -> Result<Self, CliError> {
        let mut stage = Self::bare().await?;
        stage.customers = customers;
        if let Err(error) = stage.apply_plan().await {
            stage.clean_up().await;
            return Err(error);
        }
        Ok(stage)
    }

    /// With exchanges, queues and tables, and no plan.
    pub async fn bare() -> Result<Self, CliError> {
        let (connection, _) = connect::broker().await?;
        let prefix = format!("bench-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let store = connect::store()?;
        migrate::up(&store).await?;
        inbox::make_buckets(&store).await?;
        let client = store.lone_client().await?;
        let partitions = match lanes::recorded_partitions(&client).await? {
            Some(partitions) => partitions,
            None => config::partitions(&Environment)?,
        };
        lanes::declare_partitions(&client, partitions).await?;
        let stage = Self {
            topology: Topology::new(&prefix, partitions),
            prefix,
            looking: connection.create_channel().await?,
            connection,
            store,
            customers: 0,
        };
        let prepared = async {
            stage.topology.declare(&stage.connection).await?;
            stage.open_sinks().await
        };
        if let Err(error) = prepared.await {
            stage.clean_up().await;
            return Err(error);
        }
        Ok(stage)
    }

    /// A queue each for events and notifications, as consumers would have.
    async fn open_sinks(&self) -> Result<(), CliError> {
        for exchange in WITH_SINK {
            let queue = self.sink(exchange);
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            let durable = QueueDeclareOptions {
                durable: true,
                ..QueueDeclareOptions::default()
            };
            self.looking
                .queue_declare(queue.as_str().into(), durable, arguments)
                .await?;
            let exchange = self.topology.name(exchange);
            let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
            self.looking
                .queue_bind(
                    queue.as_str().into(),
                    exchange.as_str().into(),
                    "#".into(),
                    options,
                    arguments,
                )
                .await?;
        }
        Ok(())
    }

    fn sink(&self, exchange: &str) -> String {
        self.topology.name(&format!("bench.{exchange}"))
    }

    async fn apply_plan(&self) -> Result<(), CliError> {
        let text = format!(
            "tenant = \"{TENANT}\"\n[[channels]]\nkey = \"{CHANNEL}\"\n[[agents]]\nid = \"boss\"\nrole = \"admin\"\n\
             [[agents]]\nid = \"a1\"\n[[agents]]\nid = \"a2\"\n[[teams]]\nid = \"t\"\nmembers = [\"a1\", \"a2\"]\n\
             [default]\nteam = \"t\"\n"
        );
        self.apply(&text).await.map(drop)
    }

    /// Puts a plan in force; returns it.
    pub async fn apply(&self, text: &str) -> Result<Arc<Plan>, CliError> {
        let checked = plan::from_toml(text).map_err(|faults| format!("the bench's plan: {faults:?}"))?;
        let plan: Arc<Plan> = checked.plan.into();
        let cause = format!("cli/{}", Uuid::new_v4());
        let partitions = self.topology.partitions;
        visit::apply_plan(&self.store, partitions, plan.clone(), checked.document, &cause).await?;
        Ok(plan)
    }

    pub async fn bring_agents_online(&self) -> Result<(), CliError> {
        let channel = self.publishing_channel().await?;
        for agent in AGENTS {
            let key = format!("agent/{agent}");
            let body = json!({
                "specversion": "1.0", "id": format!("{}-{agent}", self.prefix), "source": "bench",
                "type": "switchboard.command.presence", "partitionkey": key,
                "data": {"tenant": TENANT, "actor": agent, "agent": agent, "presence": "online"},
            });
            let commands = self.topology.name("commands");
            let partition = partition::of(&key, self.topology.partitions);
            publish(&channel, &commands, partition, &serde_json::to_vec(&body)?)
                .await?
                .await?;
        }
        let worker = BenchWorker::start(&self.prefix)?;
        let tenant = Tenant::new(TENANT)?;
        let session = self.store.session().await?;
        let started = Instant::now();
        loop {
            let loads = read::loads(&session, &tenant).await?;
            let online = loads.iter().filter(|(_, presence, _)| presence == "online");
            if online.count() == AGENTS.len() {
                return worker.stop().await;
            }
            if started.elapsed() > STUCK {
                return Err("the agents did not come online".into());
            }
            sleep(LOOK).await;
        }
    }

    /// Puts messages into the partition queues, from one customer after the other.
    pub async fn fill(&self, round: &str, messages: usize) -> Result<(), CliError> {
        let channel = self.publishing_channel().await?;
        let inbound = self.topology.name("inbound");
        let mut confirms: Vec<PublisherConfirm> = Vec::with_capacity(WINDOW);
        for n in 0..messages {
            let customer = n % self.customers;
            let key = format!("{}-{customer}", self.prefix);
            let id = format!("{key}-{round}-{n}");
            let body = json!({
                "specversion": "1.0", "id": id, "source": "bench",
                "type": "whatsapp.message.received", "partitionkey": key,
                "data": {
                    "channel": CHANNEL,
                    "contact": {"phone": format!("+55119{customer:08}"), "name": "Customer"},
                    // A gateway stamps its messages with its own clock; here we are the gateway.
                    "message": {"id": id, "kind": "text", "timestamp": jiff::Timestamp::now().to_string(),
                                "text": "hello, I need help with my order number 12345, please"},
                },
            });
            let partition = partition::of(&key, self.topology.partitions);
            confirms.push(publish(&channel, &inbound, partition, &serde_json::to_vec(&body)?).await?);
            if confirms.len() >= WINDOW {
                for confirm in confirms.drain(..) {
                    confirm.await?;
                }
            }
        }
        for confirm in confirms {
            confirm.await?;
        }
        channel.close(200, "filled".into()).await?;
        Ok(())
    }

    /// How many events have been published and confirmed since the sinks were emptied.
    pub async fn published(&self) -> Result<usize, CliError> {
        let passive = QueueDeclareOptions {
            passive: true,
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let sink = self.sink(WITH_SINK[0]);
        let found = self
            .looking
            .queue_declare(sink.as_str().into(), passive, FieldTable::default())
            .await?;
        Ok(found.message_count() as usize)
    }

    pub async fn empty_sinks(&self) -> Result<(), CliError> {
        for exchange in WITH_SINK {
            let queue = self.sink(exchange);
            self.looking
                .queue_purge(queue.as_str().into(), QueuePurgeOptions::default())
                .await?;
        }
        Ok(())
    }

    /// Consumes the events from now on.
    pub async fn watch_events(&self, prefetch: u16) -> Result<Consumer, CliError> {
        let sink = self.sink(WITH_SINK[0]);
        Ok(Consumer::start(&self.connection, &sink, "bench", prefetch).await?)
    }

    /// A channel that confirms what is published.
    pub async fn publishing_channel(&self) -> Result<Channel, CliError> {
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    /// Deletes what it made in the broker, as far as it can.
    pub async fn clean_up(&self) {
        let Ok(channel) = self.connection.create_channel().await else {
            return;
        };
        let queues = self.topology.queues.iter().map(|queue| queue.name.clone());
        for queue in queues.chain(WITH_SINK.map(|exchange| self.sink(exchange))) {
            let options = QueueDeleteOptions::default();
            let _ = channel.queue_delete(queue.as_str().into(), options).await;
        }
        for exchange in &self.topology.exchanges {
            let options = ExchangeDeleteOptions::default();
            let _ = channel
                .exchange_delete(exchange.name.as_str().into(), options)
                .await;
        }
        let _ = self.connection.close(200, "done".into()).await;
    }
}

/// Publishes a CloudEvent; its confirm is left to the caller.
pub async fn publish(
    channel: &Channel,
    exchange: &str,
    partition: u16,
    body: &[u8],
) -> Result<PublisherConfirm, CliError> {
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/cloudevents+json".into());
    let key = partition.to_string();
    let options = BasicPublishOptions::default();
    Ok(channel
        .basic_publish(exchange.into(), key.as_str().into(), options, body, properties)
        .await?)
}
