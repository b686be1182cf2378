//! Customers' identifiers, hashed: which conversation each belongs to.

use uuid::Uuid;

use super::{Session, StoreError};
use crate::domain::ids::{ConversationId, Tenant};

pub(super) const STATEMENTS: &[&str] = &[FIND, ADD];

const FIND: &str = "select a.tenant, a.key, a.conversation
  from unnest($1::text[], $2::uuid[]) k(tenant, key) join alias a using (tenant, key)";

/// The conversations these aliases belong to, in no order.
pub async fn find(
    session: &Session,
    keys: &[(Tenant, Uuid)],
) -> Result<Vec<(Tenant, Uuid, ConversationId)>, StoreError> {
    let statement = session.prepared(FIND).await?;
    let tenants: Vec<&str> = keys.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let ids: Vec<Uuid> = keys.iter().map(|(_, key)| *key).collect();
    let rows = session.query(&statement, &[&tenants, &ids]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                super::codec::tenant(row.get(0))?,
                row.get(1),
                ConversationId(row.get(2)),
            ))
        })
        .collect()
}

const ADD: &str = "insert into alias (tenant, key, conversation)
  select * from unnest($1::text[], $2::uuid[], $3::uuid[]) order by 1, 2 on conflict do nothing";

/// Adds aliases; says how many were new. Fewer than given: somebody else met the same customer at the same moment.
pub async fn add(session: &Session, aliases: &[(Tenant, Uuid, ConversationId)]) -> Result<u64, StoreError> {
    let statement = session.prepared(ADD).await?;
    let tenants: Vec<&str> = aliases.iter().map(|(tenant, _, _)| tenant.as_str()).collect();
    let keys: Vec<Uuid> = aliases.iter().map(|(_, key, _)| *key).collect();
    let conversations: Vec<Uuid> = aliases.iter().map(|(_, _, id)| id.0).collect();
    Ok(session
        .execute(&statement, &[&tenants, &keys, &conversations])
        .await?)
}
