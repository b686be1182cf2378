//! Starting and stopping a worker. What a person must fix ends the start with a sentence; a server that is away is waited
//! for, not ready meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::http::{self, Endpoint};
use super::leases::Leases;
use super::links::Links;
use super::shared::{Health, Shared};
use super::sweep;
use crate::broker::{BrokerError, Connector, Topology};
use crate::config;
use crate::contract::derive;
use crate::retry::Delays;
use crate::store::{Store, StoreError, StoreSettings, inbox, lanes, listen, migrate};
use crate::telemetry;

/// Shortest and longest wait for a server that is away.
const AWAY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Why a worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database, or what is in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker, or what is declared in it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The port for health and metrics.
    #[error("SWITCHBOARD_HTTP: cannot listen on {0}: {1}")]
    Port(std::net::SocketAddr, std::io::Error),
}

/// Everything a worker is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database.
    pub database: config::Database,
    /// The broker.
    pub broker: config::Broker,
    /// Itself.
    pub worker: config::Worker,
}

/// Runs a worker until asked to stop.
pub async fn run(settings: Settings, stop: watch::Receiver<bool>) -> Result<(), StartError> {
    let worker = Uuid::new_v4();
    let name = format!("switchboard {}", &worker.to_string()[..8]);
    let store = Store::new(&StoreSettings {
        url: settings.database.url.clone(),
        pool: settings.database.pool,
        lease: settings.worker.lease,
        name: name.clone(),
    })?;
    let connector = Connector::new(&settings.broker.url)?;
    let address = settings.worker.http;
    let port = http::listen(address)
        .await
        .map_err(|error| StartError::Port(address, error))?;
    let (set_up, worker_now) = watch::channel(None);
    let endpoint = Endpoint {
        worker: worker_now,
        metrics: telemetry::install_metrics(),
    };
    let served = tokio::spawn(http::serve(port, endpoint, stop.clone()));

    let warmed_up = tokio::task::spawn_blocking(derive::warm_up);
    let mut stopped = stop.clone();
    let shared = tokio::select! {
        shared = prepare(&settings, worker, store, connector, name) => Arc::new(shared?),
        _ = stopped.wait_for(|stop| *stop) => return Ok(()),
    };
    // A panic in there would show again, and be handled, at the first message.
    let _ = warmed_up.await;
    Health::set(&shared.health.started, true);
    set_up.send_replace(Some(shared.clone()));
    tracing::info!(%worker, partitions = shared.topology.partitions, http = %address, "worker started");

    let listener = tokio::spawn(keep_listening(shared.clone(), stop.clone()));
    let sweeper = tokio::spawn(sweep::run(shared.clone(), stop.clone()));
    let mut leases = tokio::spawn(Leases::new(shared.clone()).keep(stop.clone()));
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => {}
        _ = &mut leases => {}
    }
    Health::set(&shared.health.stopping, true);
    tracing::info!("worker stops");
    if timeout(settings.worker.grace, leases).await.is_err() {
        tracing::warn!("grace period is over: lanes not yet released are left to expire");
    }
    shared.links.close().await;
    listener.abort();
    sweeper.abort();
    served.abort();
    tracing::info!("worker stopped");
    Ok(())
}

/// Looks at database and broker until both are as they should be.
async fn prepare(
    settings: &Settings,
    worker: Uuid,
    store: Store,
    connector: Connector,
    name: String,
) -> Result<Shared, StartError> {
    let mut delays = Delays::new(AWAY.0, AWAY.1);
    loop {
        match look(settings, &store, &connector).await {
            Ok(topology) => {
                let links = Links::new(connector, name);
                let shared = Shared::new(worker, settings.worker.clone(), store, links, topology);
                match shared.directories.refresh(0).await {
                    Ok(_) => return Ok(shared),
                    Err(error) if error.is_transient() => return Ok(shared),
                    Err(error) => return Err(error.into()),
                }
            }
            Err(StartError::Store(error)) if !error.is_transient() => return Err(error.into()),
            Err(StartError::Broker(error)) if error.is_permanent() => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "not ready");
                sleep(delays.next_delay()).await;
            }
        }
    }
}

/// One look: schema, partitions, topology.
async fn look(settings: &Settings, store: &Store, connector: &Connector) -> Result<Topology, StartError> {
    migrate::check(store).await?;
    let client = store.lone_client().await?;
    let partitions = lanes::recorded_partitions(&client).await?.ok_or_else(|| {
        StoreError::Setup("the topology has not been declared: run `switchboard topology declare`".into())
    })?;
    inbox::make_buckets(store).await?;
    let sources = settings.worker.ingress.feeds();
    let topology = Topology::new(&settings.broker.prefix, partitions).with_sources(sources);
    let connection = connector.connect("switchboard checking").await?;
    topology.check(&connection).await?;
    let _ = connection.close(200, "checked".into()).await;
    Ok(topology)
}

/// Hears hints for our lanes and about leases; while the connection is away, lanes find their work by polling and leases
/// are looked at with every heartbeat.
async fn keep_listening(shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    let mut delays = Delays::new(AWAY.0, AWAY.1);
    while !*stop.borrow() {
        let heard = shared.clone();
        if let Err(error) = listen::listen(&shared.store, move |hint| heard.hear(hint)).await {
            tracing::debug!(%error, "hints from other lanes are not heard");
        }
        sleep(delays.next_delay()).await;
    }
}
