//! Who leaves: agents, whose conversations are looked at again by their homes, and customers, of whom nothing is kept.

use tokio_postgres::Row;
use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::ids::{AgentId, ConversationId, Partition, Tenant};

pub(super) const STATEMENTS: &[&str] = &[OWNERS_GONE, REQUESTERS_GONE, FORGET];

// Run after the batch's own conversations are written, under the match row: what they were given before is seen here, and
// whoever would give them something later sees that they are gone. One timer for each home: it goes on page by page. It
// has a name of its own, because whoever claims one of the same name may be waiting for our match row.
const OWNERS_GONE: &str = "insert into timer (tenant, kind, subject, id, lane, due)
  select tenant, 'owner', home || '/' || $3::text || '/' || gen_random_uuid() || '/' || owner_agent, gen_random_uuid(),
    home, clock_timestamp()
  from (select distinct c.tenant, c.owner_agent, c.home from conversation c
    where (c.tenant, c.owner_agent) in (select * from unnest($1::text[], $2::text[])) and c.status <> 'closed') homes
  returning lane";

/// Has the homes of everything that these people own, open or on hold, look at it again. Returns the homes.
pub async fn owners_gone(
    session: &Session,
    gone: &[(&Tenant, &AgentId)],
) -> Result<Vec<Partition>, StoreError> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, agents) = columns(gone);
    let first = Uuid::nil().to_string();
    homes(&session.query(OWNERS_GONE, &[&tenants, &agents, &first]).await?)
}

const REQUESTERS_GONE: &str = "insert into timer (tenant, kind, subject, id, lane, due)
  select c.tenant, 'recipient', c.id || '/' || gen_random_uuid(), gen_random_uuid(), c.home, clock_timestamp()
  from conversation c
  where (c.tenant, c.request_from) in (select * from unnest($1::text[], $2::text[]))
  returning lane";

/// Has every conversation for which one of these people asks a colleague looked at again by its home. Returns the homes.
pub async fn requesters_gone(
    session: &Session,
    gone: &[(&Tenant, &AgentId)],
) -> Result<Vec<Partition>, StoreError> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, agents) = columns(gone);
    homes(&session.query(REQUESTERS_GONE, &[&tenants, &agents]).await?)
}

fn columns<'a>(people: &[(&'a Tenant, &'a AgentId)]) -> (Vec<&'a str>, Vec<&'a str>) {
    people
        .iter()
        .map(|(tenant, agent)| (tenant.as_str(), agent.as_str()))
        .unzip()
}

fn homes(rows: &[Row]) -> Result<Vec<Partition>, StoreError> {
    rows.iter().map(|row| codec::partition(row.get(0))).collect()
}

/// What somebody owns in this home, open or on hold, after this one in the order of ids.
pub async fn owned(
    session: &Session,
    tenant: &Tenant,
    agent: &AgentId,
    home: Partition,
    after: Uuid,
    limit: i64,
) -> Result<Vec<ConversationId>, StoreError> {
    let sql = "select id from conversation
      where tenant = $1 and owner_agent = $2 and home = $3 and id > $4 and status <> 'closed' order by id limit $5";
    let rows = session
        .query(
            sql,
            &[
                &tenant.as_str(),
                &agent.as_str(),
                &i32::from(home.0),
                &after,
                &limit,
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| ConversationId(row.get(0))).collect())
}

// The conversation's own columns are the core's to erase.
const FORGET: &str = "with theirs as materialized (select * from unnest($1::text[], $2::uuid[]) u(tenant, id)),
  identifiers as (
    delete from alias a using theirs t where a.tenant = t.tenant and a.conversation = t.id),
  notes as (
    delete from note n using theirs t where n.tenant = t.tenant and n.conversation = t.id)
  update engagement e set note = null,
    -- What people said; what we said stays.
    reason = case when e.status in ('rejected', 'withdrawn') then null else e.reason end
  from theirs t where e.tenant = t.tenant and e.conversation = t.id and (e.note is not null or e.reason is not null)";

/// Erases what leads to these conversations, and what people wrote about their customer.
pub async fn forget(session: &Session, forgotten: &[(Tenant, ConversationId)]) -> Result<(), StoreError> {
    if forgotten.is_empty() {
        return Ok(());
    }
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) = forgotten
        .iter()
        .map(|(tenant, id)| (tenant.as_str(), id.0))
        .unzip();
    session.execute(FORGET, &[&tenants, &ids]).await?;
    Ok(())
}
