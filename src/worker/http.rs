//! Health and metrics: `/livez`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::shared::{Health, Shared};

/// Whether a worker is ready, and if not, why.
pub type Readiness = Result<(), &'static str>;

/// What the endpoint looks at. Until the worker is set up there is nothing to share.
#[derive(Clone)]
pub struct Endpoint {
    /// The worker, once it is set up.
    pub worker: watch::Receiver<Option<Arc<Shared>>>,
    /// Renders the metrics.
    pub metrics: Option<PrometheusHandle>,
}

/// Serves until asked to stop.
pub async fn serve(
    listener: TcpListener,
    endpoint: Endpoint,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(endpoint);
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await
}

/// Opens the port.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn readyz(State(endpoint): State<Endpoint>) -> (StatusCode, String) {
    let worker = endpoint.worker.borrow().clone();
    match worker.as_deref().map_or(Err("starting"), readiness) {
        Ok(()) => (StatusCode::OK, ready(worker.as_deref())),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    }
}

/// What a worker that is ready says. A gateway that is away keeps nobody from starting the next worker, so it is told
/// here and in a metric, and no reason for not being ready.
fn ready(worker: Option<&Shared>) -> String {
    let away = worker
        .map(|shared| shared.health.sources_away())
        .unwrap_or_default();
    let lines = away
        .iter()
        .map(|name| format!("the source {name} is not consumed: the log says why\n"));
    std::iter::once("ready\n".to_owned()).chain(lines).collect()
}

/// Ready: set up, leases renewed lately (so the database answers), broker connected, every lane of ours consuming.
pub fn readiness(shared: &Shared) -> Readiness {
    let health = &shared.health;
    if Health::get(&health.stopping) {
        return Err("stopping");
    }
    if !Health::get(&health.started) {
        return Err("starting");
    }
    if !shared.lease.is_fresh() {
        return Err("the database cannot be reached");
    }
    if !Health::get(&health.broker) {
        return Err("the broker cannot be reached");
    }
    if !health.all_consuming() {
        return Err("a lane is not consuming yet");
    }
    Ok(())
}

async fn metrics(State(endpoint): State<Endpoint>) -> String {
    endpoint.metrics.map(|handle| handle.render()).unwrap_or_default()
}
