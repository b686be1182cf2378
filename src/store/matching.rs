//! The match row, one per tenant: whoever holds it decides who gets what.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::codec;
use super::{Session, StoreError};
use crate::domain::blocked::Ask;
use crate::domain::ids::Tenant;

pub(super) const STATEMENTS: &[&str] = &[LOCK, OVERDUE, SAVE_DRAIN];

/// A tenant's match row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRow {
    /// Whose.
    pub tenant: Tenant,
    /// The plan in force.
    pub plan_version: u32,
    /// A drain stopped at its bound with work left.
    pub drain_pending: bool,
    /// What nobody could serve, as managers were told.
    pub blocked: BTreeSet<Ask>,
}

/// Makes the row of a tenant that has none: before its first plan.
pub async fn create(session: &Session, tenant: &Tenant) -> Result<(), StoreError> {
    let sql = "insert into matching (tenant) values ($1) on conflict do nothing";
    session.execute(sql, &[&tenant.as_str()]).await?;
    Ok(())
}

const LOCK: &str = "select tenant, plan_version, drain_pending, blocked from matching
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
            blocked: blocked(&row.get::<_, Value>(3))?,
        })
    };
    rows.iter().map(row).collect()
}

// Two short looks, each at an index: it is asked by every batch that routes.
const OVERDUE: &str = "select tenant from unnest($1::text[]) u(tenant)
  where exists (select from timer t where t.tenant = u.tenant and t.kind in ('opens', 'burst') and t.due <= $2)
    and exists (select from conversation c
      where c.tenant = u.tenant and c.owner_queue is not null and c.requirement is not null)";

/// Those of these tenants whose queues are still to be served because a shift began or a burst ended. Asked under the match
/// rows, before such timers are claimed.
pub async fn overdue(
    session: &Session,
    tenants: &[Tenant],
    now: Timestamp,
) -> Result<Vec<Tenant>, StoreError> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = tenants.iter().map(Tenant::as_str).collect();
    let rows = session.query(OVERDUE, &[&names, &now]).await?;
    rows.iter().map(|row| codec::tenant(row.get(0))).collect()
}

const SAVE_DRAIN: &str = "update matching set drain_pending = $2 where tenant = $1 and drain_pending <> $2";

/// Remembers whether a drain has work left.
pub async fn save_drain_pending(session: &Session, tenant: &Tenant, pending: bool) -> Result<(), StoreError> {
    session.execute(SAVE_DRAIN, &[&tenant.as_str(), &pending]).await?;
    Ok(())
}

/// Remembers what nobody can serve; rarely.
pub async fn save_blocked(
    session: &Session,
    tenant: &Tenant,
    asks: &BTreeSet<Ask>,
) -> Result<(), StoreError> {
    let one = |ask: &Ask| {
        let agent = ask.agent.as_ref().map(|agent| agent.as_str());
        let skills = codec::skills_value(&ask.skills);
        json!({"team": ask.team.as_str(), "agent": agent, "skills": skills})
    };
    let blocked: Value = asks.iter().map(one).collect();
    let sql = "update matching set blocked = $2 where tenant = $1";
    session.execute(sql, &[&tenant.as_str(), &blocked]).await?;
    Ok(())
}

fn blocked(value: &Value) -> Result<BTreeSet<Ask>, StoreError> {
    let one = |ask: &Value| {
        let word = |key: &str| ask.get(key).and_then(Value::as_str);
        Ok(Ask {
            team: codec::team_id(word("team").unwrap_or_default())?,
            agent: word("agent").map(codec::agent_id).transpose()?,
            skills: codec::skills(ask.get("skills").unwrap_or(&Value::Null)),
        })
    };
    value.as_array().into_iter().flatten().map(one).collect()
}
