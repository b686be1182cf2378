//! Customers' identifiers, hashed: which conversation each belongs to.

use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::ids::{ConversationId, Tenant};

pub(super) const STATEMENTS: &[&str] = &[FIND, ADD, REMOVE];

const FIND: &str = "select a.tenant, a.key, a.conversation
  from unnest($1::text[], $2::uuid[]) k(tenant, key) join alias a using (tenant, key)";

/// The conversations these aliases belong to, in no order.
pub async fn find(
    session: &Session,
    keys: &[(Tenant, Uuid)],
) -> Result<Vec<(Tenant, Uuid, ConversationId)>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        keys.iter().map(|(tenant, key)| (tenant.as_str(), *key)).unzip();
    let rows = session.query(FIND, &[&tenants, &ids]).await?;
    rows.iter()
        .map(|row| Ok((codec::tenant(row.get(0))?, row.get(1), ConversationId(row.get(2)))))
        .collect()
}

const ADD: &str = "insert into alias (tenant, key, conversation)
  select * from unnest($1::text[], $2::uuid[], $3::uuid[]) order by 1, 2 on conflict do nothing";

/// Adds aliases; says how many were new. Fewer than given: somebody else met the same customer at the same moment.
pub async fn add(session: &Session, aliases: &[(Tenant, Uuid, ConversationId)]) -> Result<u64, StoreError> {
    if aliases.is_empty() {
        return Ok(0);
    }
    let tenants: Vec<&str> = aliases.iter().map(|(tenant, _, _)| tenant.as_str()).collect();
    let keys: Vec<Uuid> = aliases.iter().map(|(_, key, _)| *key).collect();
    let conversations: Vec<Uuid> = aliases.iter().map(|(_, _, id)| id.0).collect();
    session.execute(ADD, &[&tenants, &keys, &conversations]).await
}

const REMOVE: &str = "delete from alias a using unnest($1::text[], $2::uuid[]) u(tenant, key)
  where a.tenant = u.tenant and a.key = u.key";

/// Removes aliases.
pub async fn remove(session: &Session, aliases: &[(Tenant, Uuid)]) -> Result<(), StoreError> {
    if aliases.is_empty() {
        return Ok(());
    }
    let (tenants, keys): (Vec<&str>, Vec<Uuid>) = aliases
        .iter()
        .map(|(tenant, key)| (tenant.as_str(), *key))
        .unzip();
    session.execute(REMOVE, &[&tenants, &keys]).await?;
    Ok(())
}
