//! A stage for one test: its own database, its own exchanges and queues, workers, and a witness of all that is published.

pub mod bodies;
pub mod database;
pub mod finally;
pub mod rabbit;
pub mod visitor;
pub mod wait;
pub mod wire;
pub mod witness;

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel};
use serde_json::Value;
use switchboard::config;
use switchboard::contract::{partition, plan};
use switchboard::store::{Store, lanes};
use switchboard::worker::{self, audit, start::Settings, visit};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use database::Database;
use rabbit::Rabbit;
use wait::{until, within};
use witness::Witness;

/// Lanes of a test's deployment.
pub const PARTITIONS: u16 = 4;
/// A short lease, so that takeovers do not make tests long.
pub const LEASE: &str = "2s";

/// One test's deployment. All of it goes when the test ends, also when it failed.
pub struct Stage {
    pub database: Database,
    pub store: Store,
    pub rabbit: Rabbit,
    channel: Channel,
    workers: Vec<(watch::Sender<bool>, JoinHandle<()>)>,
}

/// A URL that every service test needs.
pub fn environment(name: &str) -> String {
    std::env::var(name)
        .ok()
        .filter(|url| !url.is_empty())
        .unwrap_or_else(|| {
            panic!(
                "{name} is not set: run the service tests with `./dev test`, or start servers with `./dev up` and run eval \
                 \"$(./dev shell-env)\""
            )
        })
}

impl Stage {
    /// An empty deployment: migrated and declared, no plan.
    pub async fn empty() -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            switchboard::telemetry::start_logging(Some("text"));
        }
        let database = Database::migrated().await;
        let client = database.client().await;
        lanes::declare_partitions(&client, PARTITIONS).await.unwrap();
        let rabbit = Rabbit::empty(PARTITIONS).await;
        rabbit.declare().await;
        let channel = rabbit.channel().await;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .unwrap();
        Self {
            store: database.store(),
            database,
            rabbit,
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
                prefix: self.rabbit.prefix.clone(),
            },
            worker: config::Worker {
                http: SocketAddr::from(([127, 0, 0, 1], 0)),
                lease: Duration::from_secs(2),
                batch: 100,
                max_body: 64 * 1024,
                grace: Duration::from_secs(10),
                ingress: config::Ingress::default(),
            },
        }
    }

    /// Starts a worker in this process.
    pub fn worker(&mut self) {
        self.worker_with(self.settings(&self.database.url, &environment("AMQP_URL")));
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
            within("the worker's end", task).await.expect("it does not panic");
        }
    }

    /// Starts the program with this deployment's settings.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command
            .args(arguments)
            .env("DATABASE_URL", &self.database.url)
            .env("AMQP_URL", environment("AMQP_URL"))
            .env("SWITCHBOARD_PREFIX", &self.rabbit.prefix)
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
        let exchange = self.rabbit.topology.name(exchange);
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
        Witness::watch(&self.rabbit).await
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
        self.database.number(sql).await
    }

    /// Waits until a query answers this number.
    pub async fn until_count(&self, sql: &str, wanted: i64) {
        let client = self.database.client().await;
        until(&format!("{wanted} as the answer to {sql}"), async || {
            let row = client.query_one(sql, &[]).await.expect("a number");
            (row.get::<_, i64>(0) == wanted).then_some(())
        })
        .await;
    }

    /// Deadlocks that Postgres has broken in this database. Connections count them for themselves and say so when they
    /// end: all but the one that asks have to be gone first.
    pub async fn deadlocks(&mut self) -> i64 {
        self.store = self.database.store();
        let others = "select count(*) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
        self.until_count(others, 0).await;
        self.count("select deadlocks from pg_stat_database where datname = current_database()")
            .await
    }

    /// Stops the workers in order.
    pub async fn end(mut self) {
        self.stop_workers().await;
    }
}
