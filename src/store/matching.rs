//! The match row, one per tenant: whoever holds it decides who gets what.

use super::codec;
use super::{Session, StoreError};
use crate::domain::ids::Tenant;

pub(super) const STATEMENTS: &[&str] = &[LOCK, SAVE_DRAIN];

/// A tenant's match row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRow {
    /// Whose.
    pub tenant: Tenant,
    /// The plan in force.
    pub plan_version: u32,
    /// A drain stopped at its bound with work left.
    pub drain_pending: bool,
}

/// Makes the row of a tenant that has none: before its first plan.
pub async fn create(session: &Session, tenant: &Tenant) -> Result<(), StoreError> {
    let sql = "insert into matching (tenant) values ($1) on conflict do nothing";
    session.execute(sql, &[&tenant.as_str()]).await?;
    Ok(())
}

const LOCK: &str = "select tenant, plan_version, drain_pending from matching
  where tenant = any($1::text[]) order by tenant for no key update";

/// Locks the match rows of these tenants, in order. What is read under them has to be read by later statements.
pub async fn lock(session: &Session, tenants: &[Tenant]) -> Result<Vec<MatchRow>, StoreError> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = tenants.iter().map(Tenant::as_str).collect();
    let rows = session.query(LOCK, &[&names]).await?;
    let row = |row: &tokio_postgres::Row| {
        Ok(MatchRow {
            tenant: codec::tenant(row.get(0))?,
            plan_version: codec::from_int4(row.get(1))?,
            drain_pending: row.get(2),
        })
    };
    rows.iter().map(row).collect()
}

const SAVE_DRAIN: &str = "update matching set drain_pending = $2 where tenant = $1 and drain_pending <> $2";

/// Remembers whether a drain has work left.
pub async fn save_drain_pending(session: &Session, tenant: &Tenant, pending: bool) -> Result<(), StoreError> {
    session.execute(SAVE_DRAIN, &[&tenant.as_str(), &pending]).await?;
    Ok(())
}
