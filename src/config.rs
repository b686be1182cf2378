//! Settings from the environment, one small struct per concern.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DATABASE_URL` | Postgres, as a URL | none: needed |
//! | `AMQP_URL`, else `RABBITMQ_URL` | RabbitMQ, as a URL; a trailing slash means the vhost with the empty name | none: needed |
//! | `SWITCHBOARD_PREFIX` | first word of every exchange and queue | `switchboard` |
//! | `SWITCHBOARD_PARTITIONS` | lanes; read by `topology declare`, fixed from then on | `8` |
//! | `SWITCHBOARD_HTTP` | where a worker serves health and metrics | `127.0.0.1:9464` |
//! | `SWITCHBOARD_LEASE` | how long a lane stays with a worker that is not heard from | `10s` |
//! | `SWITCHBOARD_POOL` | database connections shared by a worker's lanes | `4` |
//! | `SWITCHBOARD_BATCH` | most messages in one transaction | `500` |
//! | `SWITCHBOARD_MAX_BODY` | largest accepted message body, in bytes | `4194304` |
//! | `SWITCHBOARD_GRACE` | how long a stopping worker may take | `25s` |
//! | `SWITCHBOARD_SOURCES` | other gateways' exchanges and queues to take from (see [`sources`]) | none |
//! | `SWITCHBOARD_INGRESS_ADAPTER` | the one adapter whose bodies the ingress queue takes | `detect` |
//! | `RUST_LOG` | what is logged | `info` |
//! | `SWITCHBOARD_LOG` | `text` or `json` | text on a terminal, else JSON |

pub mod sources;

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;

pub use sources::{Ingress, IngressSource};

/// A setting that cannot be used; the text says which and why, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// The database.
#[derive(Debug, Clone)]
pub struct Database {
    /// `DATABASE_URL`.
    pub url: SecretString,
    /// `SWITCHBOARD_POOL`: fewer than lanes, so that batches grow under pressure instead of connections.
    pub pool: usize,
    /// `SWITCHBOARD_LEASE`: statements must end well within it.
    pub lease: Duration,
}

/// The broker.
#[derive(Debug, Clone)]
pub struct Broker {
    /// `AMQP_URL` or `RABBITMQ_URL`.
    pub url: SecretString,
    /// `SWITCHBOARD_PREFIX`.
    pub prefix: String,
}

/// A worker.
#[derive(Debug, Clone)]
pub struct Worker {
    /// `SWITCHBOARD_HTTP`.
    pub http: SocketAddr,
    /// `SWITCHBOARD_LEASE`.
    pub lease: Duration,
    /// `SWITCHBOARD_BATCH`.
    pub batch: usize,
    /// `SWITCHBOARD_MAX_BODY`, in bytes.
    pub max_body: usize,
    /// `SWITCHBOARD_GRACE`.
    pub grace: Duration,
    /// `SWITCHBOARD_SOURCES` and `SWITCHBOARD_INGRESS_ADAPTER`.
    pub ingress: Ingress,
}

/// Largest message body where nothing else is set, in bytes: the longest plan fits, with its command around it.
pub const DEFAULT_MAX_BODY: usize = 4 << 20;

/// Where settings are read from: the process environment, or a test's own.
pub trait Source {
    /// The value of a variable; absent and empty are the same.
    fn get(&self, name: &str) -> Option<String>;
}

/// The process environment.
#[derive(Debug, Clone, Copy)]
pub struct Environment;

impl Source for Environment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Database {
    /// Reads the database's settings.
    pub fn from(source: &impl Source) -> Result<Self, ConfigError> {
        Ok(Self {
            url: needed(
                source,
                &["DATABASE_URL"],
                "postgresql://user:password@host:5432/switchboard",
            )?,
            pool: within(source, "SWITCHBOARD_POOL", 4, 1..=1_000)?,
            lease: lease(source)?,
        })
    }
}

impl Broker {
    /// Reads the broker's settings.
    pub fn from(source: &impl Source) -> Result<Self, ConfigError> {
        let url = needed(
            source,
            &["AMQP_URL", "RABBITMQ_URL"],
            "amqp://user:password@host:5672/%2f",
        )?;
        let prefix = Self::prefix(source)?;
        Ok(Self { url, prefix })
    }

    fn prefix(source: &impl Source) -> Result<String, ConfigError> {
        let prefix = source
            .get("SWITCHBOARD_PREFIX")
            .unwrap_or_else(|| "switchboard".into());
        let clean = prefix.len() <= 64
            && prefix
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !clean {
            return Err(ConfigError(
                "SWITCHBOARD_PREFIX: at most 64 letters, digits, dots, dashes and underscores".into(),
            ));
        }
        Ok(prefix)
    }
}

impl Worker {
    /// Reads a worker's settings.
    pub fn from(source: &impl Source) -> Result<Self, ConfigError> {
        Ok(Self {
            http: parsed(
                source,
                "SWITCHBOARD_HTTP",
                SocketAddr::from(([127, 0, 0, 1], 9464)),
                "an address such as 0.0.0.0:9464",
            )?,
            lease: lease(source)?,
            batch: within(source, "SWITCHBOARD_BATCH", 500, 1..=5_000)?,
            max_body: max_body(source)?,
            grace: duration(source, "SWITCHBOARD_GRACE", Duration::from_secs(25))?,
            ingress: Ingress::from(source)?,
        })
    }
}

/// `SWITCHBOARD_PARTITIONS`: how many lanes `topology declare` makes.
pub fn partitions(source: &impl Source) -> Result<u16, ConfigError> {
    within(source, "SWITCHBOARD_PARTITIONS", 8, 1..=1_024).map(|n| n as u16)
}

/// The same, if it is set at all.
pub fn partitions_given(source: &impl Source) -> Result<Option<u16>, ConfigError> {
    source
        .get("SWITCHBOARD_PARTITIONS")
        .map(|_| partitions(source))
        .transpose()
}

/// `SWITCHBOARD_MAX_BODY`, in bytes.
pub fn max_body(source: &impl Source) -> Result<usize, ConfigError> {
    within(source, "SWITCHBOARD_MAX_BODY", DEFAULT_MAX_BODY, 1_024..=64 << 20)
}

fn lease(source: &impl Source) -> Result<Duration, ConfigError> {
    let lease = duration(source, "SWITCHBOARD_LEASE", Duration::from_secs(10))?;
    if lease < Duration::from_secs(1) || lease > Duration::from_secs(300) {
        return Err(ConfigError("SWITCHBOARD_LEASE: from 1s to 300s".into()));
    }
    Ok(lease)
}

fn needed(source: &impl Source, names: &[&str], example: &str) -> Result<SecretString, ConfigError> {
    let found = names.iter().find_map(|name| source.get(name));
    found
        .map(SecretString::from)
        .ok_or_else(|| ConfigError(format!("{} is not set (for example {example})", names[0])))
}

fn duration(source: &impl Source, name: &str, default: Duration) -> Result<Duration, ConfigError> {
    let Some(text) = source.get(name) else {
        return Ok(default);
    };
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|d| Duration::try_from(d).ok());
    parsed.ok_or_else(|| ConfigError(format!("{name}: \"{text}\" is no duration such as 10s or 2m")))
}

fn within(
    source: &impl Source,
    name: &str,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, ConfigError> {
    let wanted = format!("a number from {} to {}", range.start(), range.end());
    let value = parsed(source, name, default, &wanted)?;
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(ConfigError(format!("{name}: {value} is not {wanted}")))
    }
}

fn parsed<T: FromStr>(source: &impl Source, name: &str, default: T, wanted: &str) -> Result<T, ConfigError> {
    let Some(text) = source.get(name) else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_| ConfigError(format!("{name}: \"{text}\" is not {wanted}")))
}
