//! Plans: every version of every tenant's, which one is in force, and whose channel is whose.

use jiff::Timestamp;
use serde_json::Value;

use super::codec;
use super::{Session, StoreError};
use crate::domain::ids::{ChannelKey, Tenant};

/// Which plans are in force.
#[derive(Debug)]
pub struct Listing {
    /// The number that rises with every activation, as it was before the rest was read.
    pub version: i64,
    /// Every channel and its tenant.
    pub channels: Vec<(ChannelKey, Tenant)>,
    /// Every tenant with a plan and the version in force.
    pub plans: Vec<(Tenant, u32)>,
}

/// Which plans are in force.
pub async fn directory(session: &Session) -> Result<Listing, StoreError> {
    let version = session
        .query_one("select directory_version from deployment", &[])
        .await?
        .get(0);
    let channels = session.query("select key, tenant from channel", &[]).await?;
    let plans = session
        .query(
            "select tenant, plan_version from matching where plan_version > 0",
            &[],
        )
        .await?;
    let channel = |row: &tokio_postgres::Row| Ok((codec::channel(row.get(0))?, codec::tenant(row.get(1))?));
    let plan = |row: &tokio_postgres::Row| Ok((codec::tenant(row.get(0))?, codec::from_int4(row.get(1))?));
    Ok(Listing {
        version,
        channels: channels.iter().map(channel).collect::<Result<_, StoreError>>()?,
        plans: plans.iter().map(plan).collect::<Result<_, StoreError>>()?,
    })
}

/// The document of one version.
pub async fn document(session: &Session, tenant: &Tenant, version: u32) -> Result<Option<Value>, StoreError> {
    let sql = "select document from plan where tenant = $1 and version = $2";
    let version = codec::int4(version);
    let row = session.query_opt(sql, &[&tenant.as_str(), &version]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Which of these channels belong to another tenant. Two tenants that claim one at the same moment: the second one's
/// batch fails on the unique key, is tried alone, and finds the first one's claim here.
pub async fn taken(
    session: &Session,
    tenant: &Tenant,
    channels: &[&ChannelKey],
) -> Result<Vec<ChannelKey>, StoreError> {
    let keys: Vec<&str> = channels.iter().map(|key| key.as_str()).collect();
    let sql = "select key from channel where key = any($2::text[]) and tenant <> $1 order by key";
    let rows = session.query(sql, &[&tenant.as_str(), &keys]).await?;
    rows.iter().map(|row| codec::channel(row.get(0))).collect()
}

/// A plan to put in force.
#[derive(Debug)]
pub struct Activation<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// Its number.
    pub version: u32,
    /// What it says.
    pub document: &'a Value,
    /// The channels it names.
    pub channels: Vec<&'a ChannelKey>,
    /// When.
    pub at: Timestamp,
    /// By whom, as text.
    pub actor: String,
    /// By which command.
    pub cause: &'a str,
}

/// Puts a plan in force. The number every batch looks at rises last: it is the one row all tenants share.
pub async fn activate(session: &Session, activation: &Activation<'_>) -> Result<(), StoreError> {
    let tenant = activation.tenant.as_str();
    let version = codec::int4(activation.version);
    let sql = "insert into plan (tenant, version, document, activated_at, actor, cause) values ($1, $2, $3, $4, $5, $6)";
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
        &tenant,
        &version,
        activation.document,
        &activation.at,
        &activation.actor,
        &activation.cause,
    ];
    session.execute(sql, &parameters).await?;
    session
        .execute(
            "update matching set plan_version = $2 where tenant = $1",
            &[&tenant, &version],
        )
        .await?;
    let keys: Vec<&str> = activation.channels.iter().map(|key| key.as_str()).collect();
    session
        .execute(
            "delete from channel where tenant = $1 and key <> all($2::text[])",
            &[&tenant, &keys],
        )
        .await?;
    // No clause for another tenant's channel: that is an error, and the core was told of those that were known.
    let sql = "insert into channel (tenant, key) select $1, k from unnest($2::text[]) k
      where not exists (select from channel c where c.tenant = $1 and c.key = k)";
    session.execute(sql, &[&tenant, &keys]).await?;
    session
        .execute(
            "update deployment set directory_version = directory_version + 1",
            &[],
        )
        .await?;
    Ok(())
}

/// One version in a tenant's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub version: u32,
    /// When it came into force.
    pub activated_at: Timestamp,
    /// Who put it in force.
    pub actor: String,
    /// By which command.
    pub cause: String,
}

/// A tenant's versions, the newest first.
pub async fn history(session: &Session, tenant: &Tenant, limit: i64) -> Result<Vec<Version>, StoreError> {
    let sql = "select version, activated_at, actor, cause from plan where tenant = $1 order by version desc limit $2";
    let rows = session.query(sql, &[&tenant.as_str(), &limit]).await?;
    let version = |row: &tokio_postgres::Row| {
        Ok(Version {
            version: codec::from_int4(row.get(0))?,
            activated_at: row.get(1),
            actor: row.get(2),
            cause: row.get(3),
        })
    };
    rows.iter().map(version).collect()
}

/// The version before this one, if there was one.
pub async fn version_before(
    session: &Session,
    tenant: &Tenant,
    version: u32,
) -> Result<Option<u32>, StoreError> {
    let sql = "select max(version) from plan where tenant = $1 and version < $2";
    let row = session
        .query_one(sql, &[&tenant.as_str(), &codec::int4(version)])
        .await?;
    row.get::<_, Option<i32>>(0).map(codec::from_int4).transpose()
}
