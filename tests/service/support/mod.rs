//! A stage for one test: its own database, its own exchanges and queues, workers, and a witness of all that is published.

pub mod bodies;
pub mod database;
pub mod door;
pub mod proxy;
pub mod rabbit;
pub mod visitor;
pub mod wait;
pub mod wire;
pub mod witness;

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{BasicProperties, Channel, Connection};
use secrecy::SecretString;
use serde_json::Value;
use switchboard::broker::{Connector, Topology};
use switchboard::config;
use switchboard::contract::{partition, plan};
use switchboard::store::{Store, StoreSettings, inbox, lanes, migrate};
use switchboard::worker::{self, audit, start::Settings, visit};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use witness::Witness;

/// Longest wait for anything a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// Lanes of a test's deployment.
pub const PARTITIONS: u16 = 4;
/// A short lease, so that takeovers do not make tests long.
pub const LEASE: &str = "2s";

/// One test's deployment.
pub struct Stage {
    pub prefix: String,
    pub database: String,
    pub store: Store,
    pub topology: Topology,
    pub connection: Connection,
    channel: Channel,
    workers: Vec<(watch::Sender<bool>, JoinHandle<()>)>,
}

pub fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with ./dev test"))
}

/// The URL of another database on the same server.
fn database_url(database: &str) -> String {
    let url = environment("DATABASE_URL");
    let (base, query) = url
        .split_once('?')
        .map_or((url.as_str(), ""), |(base, query)| (base, query));
    let (server, _) = base.rsplit_once('/').expect("DATABASE_URL names a database");
    if query.is_empty() {
        format!("{server}/{database}")
    } else {
        format!("{server}/{database}?{query}")
    }
}

pub fn store_at(url: &str) -> Store {
    let url = SecretString::from(url.to_owned());
    Store::new(&StoreSettings {
        url,
        pool: 4,
        lease: Duration::from_secs(10),
        name: "test".into(),
    })
    .unwrap()
}

impl Stage {
    /// An empty deployment: migrated and declared, no plan.
    pub async fn empty() -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            switchboard::telemetry::start_logging(Some("text"));
        }
        let name = format!("sbtest_{}", Uuid::new_v4().simple());
        let admin = store_at(&environment("DATABASE_URL"))
            .lone_client()
            .await
            .unwrap();
        admin
            .batch_execute(&format!("create database {name}"))
            .await
            .unwrap();
        let database = database_url(&name);
        let store = store_at(&database);
        migrate::up(&store).await.unwrap();
        let client = store.lone_client().await.unwrap();
        inbox::make_buckets(&store).await.unwrap();
        lanes::declare_partitions(&client, PARTITIONS).await.unwrap();
        let topology = Topology::new(&name, PARTITIONS);
        let connector = Connector::new(&SecretString::from(environment("AMQP_URL"))).unwrap();
        let connection = connector.connect("test").await.unwrap();
        topology.declare(&connection).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .unwrap();
        Self {
            prefix: name,
            database,
            store,
            topology,
            connection,
            channel,
            workers: Vec::new(),
        }
    }

    /// A deployment with this plan in force.
    pub async fn with_plan(text: &str) -> Self {
        let stage = Self::empty().await;
        stage.apply(text).await;
        stage
    }

    /// Puts a plan in force, as the command line does.
    pub async fn apply(&self, text: &str) {
        let checked =
            plan::from_toml(text).unwrap_or_else(|faults| panic!("the test's plan is bad: {faults:?}"));
        let cause = format!("cli/{}", Uuid::new_v4());
        let applied = visit::apply_plan(
            &self.store,
            PARTITIONS,
            checked.plan.into(),
            checked.document,
            &cause,
        )
        .await
        .unwrap();
        assert!(matches!(applied, visit::Applied::Activated { .. }), "{applied:?}");
    }

    /// Settings of a worker of this deployment, at these URLs.
    pub fn settings(&self, database: &str, broker: &str) -> Settings {
        Settings {
            database: config::Database {
                url: database.to_owned().into(),
                pool: 3,
                lease: Duration::from_secs(2),
            },
            broker: config::Broker {
                url: broker.to_owned().into(),
                prefix: self.prefix.clone(),
            },
            worker: config::Worker {
                http: SocketAddr::from(([127, 0, 0, 1], 0)),
                lease: Duration::from_secs(2),
                batch: 100,
                max_body: 64 * 1024,
                grace: Duration::from_secs(10),
            },
        }
    }

    /// Starts a worker in this process.
    pub fn worker(&mut self) {
        self.worker_with(self.settings(&self.database, &environment("AMQP_URL")));
    }

    /// Starts a worker in this process with these settings.
    pub fn worker_with(&mut self, settings: Settings) {
        let (stop, stopped) = watch::channel(false);
        let task =
            tokio::spawn(async move { worker::run(settings, stopped).await.expect("the worker starts") });
        self.workers.push((stop, task));
    }

    /// Stops the workers of this process in order.
    pub async fn stop_workers(&mut self) {
        for (stop, _) in &self.workers {
            stop.send_replace(true);
        }
        for (_, task) in self.workers.drain(..) {
            tokio::time::timeout(PATIENCE, task)
                .await
                .expect("the worker stops in time")
                .expect("it does not panic");
        }
    }

    /// Starts the program with this deployment's settings.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command
            .args(arguments)
            .env("DATABASE_URL", &self.database)
            .env("AMQP_URL", environment("AMQP_URL"))
            .env("SWITCHBOARD_PREFIX", &self.prefix)
            .env("SWITCHBOARD_LEASE", LEASE)
            .env("SWITCHBOARD_HTTP", "127.0.0.1:0")
            .env("SWITCHBOARD_BATCH", "50")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts a worker as a process of its own, which can be killed.
    pub fn process(&self) -> Child {
        let mut command = self.program(&["worker"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Runs a command of the program and returns what it printed.
    pub async fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let output = self.program(arguments).output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    /// Publishes a body through the open door.
    pub async fn send(&self, body: &Value) {
        self.send_raw(&serde_json::to_vec(body).unwrap()).await;
    }

    /// Publishes bytes through the open door.
    pub async fn send_raw(&self, body: &[u8]) {
        self.publish("ingress", "any", body, BasicProperties::default())
            .await;
    }

    /// Publishes a native CloudEvent straight to its partition.
    pub async fn send_native(&self, door: &str, key: &str, body: &Value) {
        let partition = partition::of(key, PARTITIONS).to_string();
        let properties = BasicProperties::default().with_content_type("application/cloudevents+json".into());
        self.publish(door, &partition, &serde_json::to_vec(body).unwrap(), properties)
            .await;
    }

    /// Publishes and waits for the confirm.
    pub async fn publish(&self, exchange: &str, key: &str, body: &[u8], properties: BasicProperties) {
        let exchange = self.topology.name(exchange);
        let publish = self.channel.basic_publish(
            exchange.as_str().into(),
            key.into(),
            BasicPublishOptions::default(),
            body,
            properties.with_delivery_mode(2),
        );
        publish.await.unwrap().await.unwrap();
    }

    /// Watches everything published from now on.
    pub async fn witness(&self) -> Witness {
        Witness::watch(&self.connection, &self.topology).await
    }

    /// Everything the audit finds, which should be nothing.
    pub async fn assert_audit_is_clean(&self) {
        let bad: Vec<_> = audit::run(&self.store)
            .await
            .unwrap()
            .into_iter()
            .filter(|finding| finding.violations > 0)
            .collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }

    /// One number from the database.
    pub async fn count(&self, sql: &str) -> i64 {
        let client = self.store.lone_client().await.unwrap();
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until a query answers this number.
    pub async fn until_count(&self, sql: &str, wanted: i64) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            let found = self.count(sql).await;
            if found == wanted {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{sql} is {found}, not {wanted}"
            );
        }
    }

    /// Deadlocks that Postgres has broken in this database. Connections count them for themselves and say so when they
    /// end: all but the one that asks have to be gone first.
    pub async fn deadlocks(&mut self) -> i64 {
        self.store = store_at(&self.database);
        let others = "select count(*) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
        self.until_count(others, 0).await;
        self.count("select deadlocks from pg_stat_database where datname = current_database()")
            .await
    }

    /// Stops everything and leaves nothing behind.
    pub async fn end(mut self) {
        self.stop_workers().await;
        for queue in &self.topology.queues {
            let _ = self
                .channel
                .queue_delete(queue.name.as_str().into(), QueueDeleteOptions::default())
                .await;
        }
        for exchange in &self.topology.exchanges {
            let _ = self
                .channel
                .exchange_delete(exchange.name.as_str().into(), ExchangeDeleteOptions::default())
                .await;
        }
        let _ = self.connection.close(200, "done".into()).await;
        let admin = store_at(&environment("DATABASE_URL"))
            .lone_client()
            .await
            .unwrap();
        let _ = admin
            .batch_execute(&format!("drop database {} with (force)", self.prefix))
            .await;
    }
}
