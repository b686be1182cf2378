//! Where commands find their servers.

use lapin::Connection;

use super::CliError;
use crate::broker::{Connector, Topology};
use crate::config::{self, Environment};
use crate::store::{Store, StoreSettings, lanes};

/// The database of `DATABASE_URL`.
pub fn store() -> Result<Store, CliError> {
    let settings = config::Database::from(&Environment)?;
    let name = "switchboard cli".into();
    Ok(Store::new(&StoreSettings {
        url: settings.url,
        pool: 2,
        lease: settings.lease,
        name,
    })?)
}

/// The broker of `AMQP_URL`, and the prefix, connected to nothing yet.
pub fn connector() -> Result<(Connector, String), CliError> {
    let settings = config::Broker::from(&Environment)?;
    Ok((Connector::new(&settings.url)?, settings.prefix))
}

/// The broker of `AMQP_URL`, and the prefix.
pub async fn broker() -> Result<(Connection, String), CliError> {
    let (connector, prefix) = connector()?;
    Ok((connector.connect("switchboard cli").await?, prefix))
}

/// How many partitions the deployment has; without one that is declared, as many as the environment says.
pub async fn partitions(store: &Store) -> Result<u16, CliError> {
    let client = store.lone_client().await?;
    match lanes::recorded_partitions(&client).await? {
        Some(partitions) => Ok(partitions),
        None => Ok(config::partitions(&Environment)?),
    }
}

/// The topology as declared.
pub async fn topology(prefix: &str) -> Result<Topology, CliError> {
    let partitions = partitions(&store()?).await?;
    Ok(Topology::new(prefix, partitions))
}
