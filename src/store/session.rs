//! Connections: a small pool for the lanes, lone ones for heartbeat and LISTEN, and transactions that are sure of their end.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;

/// How long a connection may take to be made, and a lane may wait for one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// When an idle connection is probed, and how often: a dead server is noticed within half a minute.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What a store needs to know.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Where.
    pub url: SecretString,
    /// Most connections of the pool.
    pub pool: usize,
    /// A lane's lease: statements and idle transactions end before half of it.
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

impl Store {
    /// Reads the URL and sets the pool up; connects to nothing yet.
    pub fn new(settings: &StoreSettings) -> Result<Self, StoreError> {
        let mut config: Config = settings.url.expose_secret().parse().map_err(|_| {
            // The parser's own error may quote the URL, and with it the password.
            StoreError::Setup(
                "DATABASE_URL is no Postgres URL: postgresql://user:password@host:5432/database".into(),
            )
        })?;
        bound(&mut config, settings);
        let tls = tls()?;
        let manager = Manager::from_config(
            config.clone(),
            tls.clone(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(settings.pool)
            .wait_timeout(Some(CONNECT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .runtime(deadpool_postgres::Runtime::Tokio1)
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
        let object = self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::PostCreateHook(HookError::Backend(error)) => {
                StoreError::from(error)
            }
            other => other.into(),
        })?;
        Ok(Session {
            object: Some(object),
            in_transaction: false,
        })
    }

    /// A connection outside the pool, for what must not wait behind batches. Ends when the client is dropped.
    pub async fn lone_client(&self) -> Result<tokio_postgres::Client, StoreError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        tokio::spawn(async move {
            // Its end shows in the client's next call, which handles it.
            let _ = connection.await;
        });
        Ok(client)
    }

    /// The same, with the connection in hand: for whoever listens to its messages.
    pub(super) async fn lone_connection(
        &self,
    ) -> Result<
        (
            tokio_postgres::Client,
            impl futures_util::Stream<Item = ListenItem> + Unpin + use<>,
        ),
        StoreError,
    > {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        Ok((
            client,
            futures_util::stream::poll_fn(move |context| connection.poll_message(context)),
        ))
    }
}

/// What a listening connection yields.
pub(super) type ListenItem = Result<tokio_postgres::AsyncMessage, tokio_postgres::Error>;

/// No statement, lock or silence may outlive half a lease: a lane that lost its lease must not still be at work.
fn bound(config: &mut Config, settings: &StoreSettings) {
    let half = (settings.lease / 2).as_millis().saturating_sub(100).max(400);
    let given = config.get_options().unwrap_or_default().to_owned();
    config.options(format!(
        "{given} -c statement_timeout={half} -c lock_timeout={half} -c idle_in_transaction_session_timeout={half} \
         -c timezone=UTC -c default_transaction_isolation=read\\ committed"
    ));
    config.application_name(&settings.name);
    config.connect_timeout(CONNECT_TIMEOUT);
    config
        .keepalives(true)
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(KEEPALIVE / 2)
        .keepalives_retries(3);
    if config.get_ssl_mode() == SslMode::Prefer && config.get_hosts().iter().all(is_local) {
        config.ssl_mode(SslMode::Disable);
    }
}

fn is_local(host: &tokio_postgres::config::Host) -> bool {
    match host {
        tokio_postgres::config::Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        _ => true,
    }
}

fn tls() -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Every statement that batches pipeline: prepared before the first of them is needed.
const PIPELINED: &[&[&str]] = &[
    super::agents::STATEMENTS,
    super::aliases::STATEMENTS,
    super::conversations::STATEMENTS,
    super::inbox::STATEMENTS,
    super::lanes::STATEMENTS,
    super::matching::STATEMENTS,
    super::outbox::STATEMENTS,
    super::queue::STATEMENTS,
    super::records::STATEMENTS,
    super::timers::STATEMENTS,
];

async fn prepare_all(client: &deadpool_postgres::ClientWrapper) -> Result<(), tokio_postgres::Error> {
    for group in PIPELINED {
        for sql in *group {
            client.prepare_cached(sql).await?;
        }
    }
    Ok(())
}

/// A connection on loan. If it is dropped inside a transaction it is closed, never lent again: a query may be in flight.
#[derive(Debug)]
pub struct Session {
    object: Option<Object>,
    in_transaction: bool,
}

impl Session {
    /// From here on the connection is not lent again unless the transaction's end is known.
    pub fn enter(&mut self) {
        self.in_transaction = true;
    }

    /// BEGIN as the first statement of a pipeline, after `enter`. READ COMMITTED, so that a read after a wait sees what
    /// was waited for.
    pub async fn begin_pipelined(&self) -> Result<(), StoreError> {
        Ok(self.client().batch_execute("begin").await?)
    }

    /// Begins a transaction on its own.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        self.enter();
        self.begin_pipelined().await
    }

    /// COMMIT as the last statement of a pipeline; `committed` must follow once every result has been looked at.
    pub async fn commit_pipelined(&self) -> Result<(), StoreError> {
        self.client()
            .batch_execute("commit")
            .await
            .map_err(|error| match StoreError::from(error) {
                StoreError::Unreachable(text) => StoreError::Unknown(text),
                other => other,
            })
    }

    /// Every result of the pipeline that ended in COMMIT was looked at and good: only then had it anything to commit.
    pub fn committed(&mut self) {
        self.in_transaction = false;
    }

    /// Commits on its own.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        self.commit_pipelined().await?;
        self.committed();
        Ok(())
    }

    /// Gives the transaction up; if even that fails the connection is closed.
    pub async fn rollback(mut self) {
        if self.client().batch_execute("rollback").await.is_ok() {
            self.in_transaction = false;
        }
    }

    fn client(&self) -> &Object {
        self.object
            .as_ref()
            .expect("a session holds its connection until it is dropped")
    }

    /// A statement of this connection: at once if it is one of those prepared with it.
    pub(super) async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        Ok(self.client().prepare_cached(sql).await?)
    }
}

impl Deref for Session {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.client()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(object) = self.object.take().filter(|_| self.in_transaction) {
            drop(Object::take(object));
        }
    }
}
