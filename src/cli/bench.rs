//! `switchboard bench`: the full path next to the broker's own limit, on the same queues, in one run.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

use super::print::say;
use super::{CliError, Done, connect};
use crate::broker::{Consumer, Exchange, Publication, Publisher, Topology, consumer};
use crate::config::{self, Environment};
use crate::contract::{partition, plan};
use crate::domain::ids::Tenant;
use crate::store::{inbox, lanes, migrate, read};
use crate::worker::{self, start::Settings, visit};

/// Publishes handed to the broker before their confirms are awaited.
const WINDOW: usize = 2_000;
/// Between looks at how far a run is.
const LOOK: Duration = Duration::from_millis(20);
/// A run that makes no progress for this long is given up.
const STUCK: Duration = Duration::from_secs(60);
/// The bench's own tenant and business number.
const TENANT: &str = "bench";
const CHANNEL: &str = "whatsapp:100000000000000";

/// Measure throughput: the full path next to a consume–publish–confirm loop without a database.
///
/// Uses exchanges and queues with a prefix of its own (bench-…), deleted afterwards, and the tenant "bench" in the
/// database, which stays: use a database that may be thrown away. Machines differ and are shared: what counts is the
/// ratio of one run.
///
/// Example: switchboard bench --messages 100000
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Messages of each run.
    #[arg(long, default_value_t = 40_000)]
    messages: usize,
    /// Customers they come from.
    #[arg(long, default_value_t = 10_000)]
    customers: usize,
}

struct Bench {
    connection: Connection,
    topology: Topology,
    arguments: Arguments,
}

pub async fn run(arguments: Arguments) -> Done {
    let (connection, _) = connect::broker().await?;
    let prefix = format!("bench-{}", &Uuid::new_v4().simple().to_string()[..8]);
    let store = connect::store()?;
    migrate::up(&store).await?;
    let client = store.lone_client().await?;
    inbox::make_buckets(&store).await?;
    let partitions = match lanes::recorded_partitions(&client).await? {
        Some(partitions) => partitions,
        None => config::partitions(&Environment)?,
    };
    lanes::declare_partitions(&client, partitions).await?;
    let bench = Bench {
        connection,
        topology: Topology::new(&prefix, partitions),
        arguments,
    };
    bench.topology.declare(&bench.connection).await?;
    let measured = bench.measure(&prefix).await;
    bench.clean_up().await;
    measured
}

impl Bench {
    async fn measure(&self, prefix: &str) -> Done {
        self.open_sink().await?;
        self.prepare_tenant(prefix).await?;
        let warm = self.fill("warm", self.arguments.customers).await?;
        say!("{} messages filled at {warm:.0}/s", self.arguments.customers);
        // Every customer is known and owned before anything is measured: the ordinary message is what is measured.
        let first = self.full_path(prefix, self.arguments.customers).await?;
        say!("first messages (routed, assigned): {:.0}/s", first.rate);
        self.fill("floor", self.arguments.messages).await?;
        let floor = self.floor().await?;
        say!("floor (consume, publish, confirm, ack; no database): {floor:.0}/s");
        self.fill("full", self.arguments.messages).await?;
        let full = self.full_path(prefix, self.arguments.messages).await?;
        say!(
            "full path (ordinary messages on owned conversations): {:.0}/s",
            full.rate
        );
        say!("ratio: {:.2} of the floor", full.rate / floor);
        if let (Some(tenth), Some(end)) = (full.memory_at_a_tenth, full.memory_at_the_end) {
            say!(
                "memory: {tenth} KiB after a tenth, {end} KiB at the end ({:+.0}%)",
                growth(tenth, end)
            );
        }
        Ok(ExitCode::SUCCESS)
    }

    /// A queue for the events, as a consumer would have: without one the broker would throw them away.
    async fn open_sink(&self) -> Result<(), CliError> {
        let channel = self.connection.create_channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let sink = self.topology.name("sink");
        channel
            .queue_declare(sink.as_str().into(), durable, arguments)
            .await?;
        let events = self.topology.name("events");
        let (queue, exchange) = (sink.as_str().into(), events.as_str().into());
        channel
            .queue_bind(
                queue,
                exchange,
                "#".into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
        Ok(())
    }

    async fn prepare_tenant(&self, prefix: &str) -> Result<(), CliError> {
        let text = format!(
            "tenant = \"{TENANT}\"\n[[channels]]\nkey = \"{CHANNEL}\"\n[[agents]]\nid = \"boss\"\nrole = \"admin\"\n\
             [[agents]]\nid = \"a1\"\n[[agents]]\nid = \"a2\"\n[[teams]]\nid = \"t\"\nmembers = [\"a1\", \"a2\"]\n\
             [default]\nteam = \"t\"\n"
        );
        let checked = plan::from_toml(&text).map_err(|faults| format!("the bench's plan: {faults:?}"))?;
        let store = connect::store()?;
        let cause = format!("cli/{}", Uuid::new_v4());
        visit::apply_plan(
            &store,
            self.topology.partitions,
            checked.plan.into(),
            checked.document,
            &cause,
        )
        .await?;
        let channel = self.publishing_channel().await?;
        for agent in ["a1", "a2"] {
            let body = json!({
                "specversion": "1.0", "id": format!("{prefix}-{agent}"), "source": "bench",
                "type": "switchboard.command.presence", "partitionkey": format!("agent/{agent}"),
                "data": {"tenant": TENANT, "actor": agent, "agent": agent, "presence": "online"},
            });
            let partition = partition::of(&format!("agent/{agent}"), self.topology.partitions);
            publish(
                &channel,
                &self.topology.name("commands"),
                partition,
                &serde_json::to_vec(&body)?,
            )
            .await?
            .await?;
        }
        let stop = self.start_worker(prefix)?;
        let tenant = Tenant::new(TENANT)?;
        let session = store.session().await?;
        let started = Instant::now();
        while !read::loads(&session, &tenant)
            .await?
            .iter()
            .any(|(_, presence, _)| presence == "online")
        {
            if started.elapsed() > STUCK {
                return Err("the agents did not come online".into());
            }
            sleep(LOOK).await;
        }
        stop.stop().await;
        Ok(())
    }

    /// Puts messages into the partition queues; returns how many a second.
    async fn fill(&self, round: &str, messages: usize) -> Result<f64, CliError> {
        let channel = self.publishing_channel().await?;
        let inbound = self.topology.name("inbound");
        let started = Instant::now();
        let mut confirms = Vec::with_capacity(WINDOW);
        for n in 0..messages {
            let customer = n.wrapping_mul(7_919) % self.arguments.customers;
            let key = format!("{}-{customer}", self.topology.name("customer"));
            let body = json!({
                "specversion": "1.0", "id": format!("{key}-{round}-{n}"), "source": "bench",
                "type": "whatsapp.message.received", "partitionkey": key,
                "data": {
                    "channel": CHANNEL,
                    "contact": {"phone": format!("+55119{customer:08}"), "name": "Customer"},
                    "message": {"id": format!("{key}-{round}-{n}"), "kind": "text", "timestamp": now_text(),
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
        Ok(messages as f64 / started.elapsed().as_secs_f64())
    }

    /// The broker's own limit on these queues: every lane consumes, publishes one event as large as ours, confirms, acks.
    async fn floor(&self) -> Result<f64, CliError> {
        let settings = config::Worker::from(&Environment)?;
        let mut tasks = Vec::new();
        let (connector, _) = connect::connector()?;
        let consuming = connector.connect("bench floor consuming").await?;
        let publishing = connector.connect("bench floor publishing").await?;
        let started = Instant::now();
        for number in 0..self.topology.partitions {
            let queue = self.topology.partition_queue(number);
            let ready = consumer::state_of(&consuming, &queue).await?.0 as usize;
            let prefetch = u16::try_from(settings.batch * 2).unwrap_or(u16::MAX);
            let mut lane = Consumer::start(&consuming, &queue, "floor", prefetch).await?;
            let mut publisher = Publisher::open(&publishing, &self.topology).await?;
            tasks.push(tokio::spawn(async move {
                let mut done = 0;
                while done < ready {
                    let batch = lane.receive(settings.batch).await?;
                    done += batch.len();
                    let events: Vec<Publication> = batch.iter().map(|_| sample_event()).collect();
                    publisher.publish_all(&events).await?;
                    if let Some(last) = batch.last() {
                        lane.acknowledge_through(last.tag).await?;
                    }
                }
                lane.close().await;
                Ok::<usize, crate::broker::BrokerError>(done)
            }));
        }
        let mut total = 0;
        for task in tasks {
            total += task.await??;
        }
        Ok(total as f64 / started.elapsed().as_secs_f64())
    }

    /// The whole thing: a worker drains the queues.
    async fn full_path(&self, prefix: &str, messages: usize) -> Result<Measured, CliError> {
        let worker = self.start_worker(prefix)?;
        let mut measured = Measured::default();
        let mut left = messages;
        let (mut begun, mut progress) = (None, Instant::now());
        while left > 0 {
            sleep(LOOK).await;
            let now = self.waiting().await?;
            if now < left {
                progress = Instant::now();
                begun.get_or_insert((progress, left));
            }
            left = now;
            if measured.memory_at_a_tenth.is_none() && left < messages - messages / 10 {
                measured.memory_at_a_tenth = worker.memory();
            }
            if progress.elapsed() > STUCK {
                return Err(format!("the worker does not drain its queues: {left} messages are left").into());
            }
        }
        let (begun, at_first) = begun.unwrap_or((progress, messages));
        measured.rate = at_first as f64 / begun.elapsed().as_secs_f64();
        measured.memory_at_the_end = worker.memory();
        worker.stop().await;
        Ok(measured)
    }

    /// Messages not yet acknowledged, by what the database says of them: ready ones are only half of the story.
    async fn waiting(&self) -> Result<usize, CliError> {
        let mut ready = 0;
        for number in 0..self.topology.partitions {
            ready += consumer::state_of(&self.connection, &self.topology.partition_queue(number))
                .await?
                .0 as usize;
        }
        Ok(ready)
    }

    /// A worker as a process of its own: what it takes is seen from outside.
    fn start_worker(&self, prefix: &str) -> Result<BenchWorker, CliError> {
        let (stop, stopped) = watch::channel(false);
        let broker = config::Broker {
            prefix: prefix.into(),
            ..config::Broker::from(&Environment)?
        };
        let mut own = config::Worker::from(&Environment)?;
        own.http.set_port(0);
        let settings = Settings {
            database: config::Database::from(&Environment)?,
            broker,
            worker: own,
        };
        let task = tokio::spawn(async move { worker::run(settings, stopped).await });
        Ok(BenchWorker { stop, task })
    }

    async fn publishing_channel(&self) -> Result<Channel, CliError> {
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    async fn clean_up(&self) {
        let Ok(channel) = self.connection.create_channel().await else {
            return;
        };
        let queues = self.topology.queues.iter().map(|queue| queue.name.clone());
        for queue in queues.chain([self.topology.name("sink")]) {
            let _ = channel
                .queue_delete(queue.as_str().into(), QueueDeleteOptions::default())
                .await;
        }
        for exchange in &self.topology.exchanges {
            let _ = channel
                .exchange_delete(exchange.name.as_str().into(), Default::default())
                .await;
        }
        let _ = self.connection.close(200, "done".into()).await;
    }
}

struct BenchWorker {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), worker::StartError>>,
}

impl BenchWorker {
    async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }

    /// Resident memory of this process, in KiB, where the system says.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

#[derive(Default)]
struct Measured {
    rate: f64,
    memory_at_a_tenth: Option<u64>,
    memory_at_the_end: Option<u64>,
}

fn growth(before: u64, after: u64) -> f64 {
    (after as f64 / before as f64 - 1.0) * 100.0
}

/// A gateway stamps its messages with its own clock; here we are the gateway.
fn now_text() -> String {
    jiff::Timestamp::now().to_string()
}

/// An event of the size ours have, with as many headers.
fn sample_event() -> Publication {
    let id = Uuid::new_v4().to_string();
    let names = [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "partitionkey",
        "partition",
        "sequence",
    ];
    let headers: Vec<(String, String)> = names
        .iter()
        .map(|name| (format!("ce-{name}"), id.clone()))
        .collect();
    let headers = Publication::headers(
        headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    Publication {
        exchange: Exchange::Events,
        routing_key: "message.received.bench.100000000000000".into(),
        properties: BasicProperties::default()
            .with_message_id(id.as_str().into())
            .with_headers(headers),
        body: vec![b' '; 900],
    }
}

async fn publish(
    channel: &Channel,
    exchange: &str,
    partition: u16,
    body: &[u8],
) -> Result<lapin::PublisherConfirm, CliError> {
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/cloudevents+json".into());
    let key = partition.to_string();
    let options = BasicPublishOptions::default();
    Ok(channel
        .basic_publish(exchange.into(), key.as_str().into(), options, body, properties)
        .await?)
}
