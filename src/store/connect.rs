//! Connections: a small pool for the lanes, and lone ones for what must not wait behind batches.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use futures_util::future::try_join_all;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::session::{self, Session};
use super::{StoreError, tls};

/// How long a connection may take to be made, and a lane may wait for one of the pool.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What half a lease keeps back for the way there and back.
const MARGIN: Duration = Duration::from_millis(100);
/// The shortest bound: a batch on a busy machine must fit even where leases are very short.
const SHORTEST_BOUND: Duration = Duration::from_millis(400);
/// Unanswered probes after which a connection counts as dead.
const PROBES: u32 = 2;

/// How batches' statements are planned: once per connection, and by index always. The planner would go by statistics, and of a
/// table that is new or grows fast it has none: a plan made while it was empty reads all of it for every batch. (Compiling
/// plans is for long queries, which these are not.)
const PLANNING: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off \
                        -c enable_mergejoin=off -c enable_memoize=off -c jit=off";

/// What a store needs to know.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Where.
    pub url: SecretString,
    /// Most connections of the pool.
    pub pool: usize,
    /// A lane's lease: statements, waits for locks and idle transactions end before half of it.
    pub lease: Duration,
    /// Shown in `pg_stat_activity`.
    pub name: String,
}

/// Postgres.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    config: Arc<Config>,
    tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration holds the password.
        f.debug_struct("Store")
            .field("pool", &self.pool.status())
            .finish_non_exhaustive()
    }
}

/// What a listening connection yields.
pub(super) type Heard = Result<AsyncMessage, tokio_postgres::Error>;

impl Store {
    /// Reads the URL and sets the pool up; connects to nothing yet. Fails with `Setup` only.
    pub fn new(settings: &StoreSettings) -> Result<Self, StoreError> {
        let (url, trust) = tls::read_sslmode(settings.url.expose_secret());
        // The parser's own error may quote the URL, and with it the password.
        let mut config: Config = url.parse().map_err(|_| {
            StoreError::Setup(
                "DATABASE_URL is no Postgres URL (for example postgresql://user:password@host:5432/switchboard)".into(),
            )
        })?;
        bound(&mut config, settings);
        let tls = tls::connector(trust)?;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let mut batches = config.clone();
        batches.options(format!("{} {PLANNING}", config.get_options().unwrap_or_default()));
        let manager = Manager::from_config(batches, tls.clone(), recycling);
        let pool = Pool::builder(manager)
            .max_size(settings.pool)
            .wait_timeout(Some(CONNECT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move { prepare_all(client).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|error| StoreError::Setup(error.to_string()))?;
        Ok(Self {
            pool,
            config: Arc::new(config),
            tls,
        })
    }

    /// A connection of the pool.
    pub async fn session(&self) -> Result<Session, StoreError> {
        Ok(Session::new(self.pool.get().await?))
    }

    /// A connection outside the pool, for what must not wait behind batches. It ends when the client is dropped.
    pub async fn lone_client(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        tokio::spawn(async move {
            // Its end shows in the client's next call, which handles it.
            let _ = connection.await;
        });
        Ok(client)
    }

    /// The same, with what the server says unasked: the connection lives as long as somebody takes from the stream.
    pub(super) async fn listening_client(
        &self,
    ) -> Result<(Client, impl futures_util::Stream<Item = Heard> + Unpin + use<>), StoreError> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        Ok((
            client,
            futures_util::stream::poll_fn(move |context| connection.poll_message(context)),
        ))
    }
}

/// Prepares every statement that batches pipeline, all in one round trip.
async fn prepare_all(client: &ClientWrapper) -> Result<(), tokio_postgres::Error> {
    try_join_all(session::pipelined().map(|sql| client.prepare_cached(sql))).await?;
    Ok(())
}

/// Nothing may outlive half a lease: a lane that lost its lease must not still be at work, and the locks of a worker that
/// died must be free by the time its lanes are taken over.
fn bound(config: &mut Config, settings: &StoreSettings) {
    let half = (settings.lease / 2).saturating_sub(MARGIN).max(SHORTEST_BOUND);
    let probe = (half / (PROBES + 1)).max(Duration::from_secs(1));
    let (half_ms, probe_ms, probe_s) = (half.as_millis(), probe.as_millis(), probe.as_secs());
    let given = config.get_options().unwrap_or_default().to_owned();
    config.options(format!(
        "{given} -c statement_timeout={half_ms} -c lock_timeout={half_ms} \
         -c idle_in_transaction_session_timeout={half_ms} -c tcp_user_timeout={half_ms} \
         -c tcp_keepalives_idle={probe_s} -c tcp_keepalives_interval={probe_s} -c tcp_keepalives_count={PROBES} \
         -c client_connection_check_interval={probe_ms} \
         -c timezone=UTC -c default_transaction_isolation=read\\ committed"
    ));
    config.application_name(&settings.name);
    config.connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(half);
    config
        .keepalives(true)
        .keepalives_idle(probe)
        .keepalives_interval(probe)
        .keepalives_retries(PROBES);
    if config.get_ssl_mode() == SslMode::Prefer && config.get_hosts().iter().all(is_local) {
        config.ssl_mode(SslMode::Disable);
    }
}

/// Nobody listens in between: encryption that was not asked for would only cost.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}
