//! `switchboard worker` and `switchboard healthcheck`.

use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::print;
use super::{CliError, Done};
use crate::config::{self, Environment};
use crate::worker::{self, start::Settings};

/// How long a health check waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are looked at.
const MAX_ANSWER: u64 = 4_096;

/// Run a worker: lanes, ingress, timers, health and metrics.
///
/// Runs until SIGTERM or Ctrl-C, then finishes its batches, publishes, acknowledges and releases its lanes. Start as many
/// as you like: they share the lanes among them.
///
/// Settings: DATABASE_URL, AMQP_URL (or RABBITMQ_URL), SWITCHBOARD_PREFIX (switchboard), SWITCHBOARD_HTTP
/// (127.0.0.1:9464), SWITCHBOARD_LEASE (10s), SWITCHBOARD_POOL (4), SWITCHBOARD_BATCH (500), SWITCHBOARD_MAX_BODY
/// (4194304), SWITCHBOARD_GRACE (25s), SWITCHBOARD_SOURCES (none), SWITCHBOARD_INGRESS_ADAPTER (detect), RUST_LOG (info),
/// SWITCHBOARD_LOG (text or json).
///
/// SWITCHBOARD_SOURCES names other gateways' exchanges and queues to take from, up to 16, separated by `;` or line ends:
///   shop adapter=evolution exchange=evolution_exchange keys=messages.upsert,send.message type=topic;
///   wuzapi adapter=whatsmeow queue=whatsapp_events
/// With `exchange`, `switchboard topology declare` makes a queue and binds it under the `keys`; with `type` (topic, direct
/// or fanout) it declares an exchange that is missing. A `queue` is the gateway's own and consumed as it is. `adapter` is
/// all that is taken: detect (anything known, the default), cloudevents, cloud_api, unoapi, evolution or whatsmeow; of
/// the ingress queue itself SWITCHBOARD_INGRESS_ADAPTER says it.
///
/// Example: SWITCHBOARD_HTTP=0.0.0.0:9464 switchboard worker
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {}

/// Ask a worker whether it is ready; for images without a shell.
///
/// Exit code 0 if the worker at SWITCHBOARD_HTTP answers that it is ready, else 1.
///
/// Example: switchboard healthcheck --live
#[derive(Debug, clap::Args)]
pub struct HealthArguments {
    /// Ask only whether it is alive.
    #[arg(long)]
    live: bool,
}

pub async fn run(_: Arguments) -> Done {
    let settings = Settings {
        database: config::Database::from(&Environment)?,
        broker: config::Broker::from(&Environment)?,
        worker: config::Worker::from(&Environment)?,
    };
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    });
    worker::run(settings, stopped).await?;
    Ok(ExitCode::SUCCESS)
}

pub async fn healthcheck(arguments: HealthArguments) -> Done {
    let settings = config::Worker::from(&Environment)?;
    let path = if arguments.live { "/livez" } else { "/readyz" };
    let asked = timeout(HEALTH_TIMEOUT, ask(settings.http, path)).await;
    let answer = asked.map_err(|_| CliError::from("the worker does not answer"))??;
    let (status, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    print::write(body);
    let ready = status.starts_with("HTTP/1.1 200");
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One request, without a client library: the answer is a line.
async fn ask(address: std::net::SocketAddr, path: &str) -> Result<String, CliError> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).await?;
    Ok(answer)
}
