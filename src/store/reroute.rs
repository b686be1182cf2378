//! What still stands of what a plan gave away.

use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::bulk::{MAX_ITEMS, Made};
use crate::domain::ids::Tenant;

/// Longest time for the search: it looks at everything that is open, and at how it came to be owned.
const TIMEOUT: &str = "5min";

// Open, with the person it was given to, in the epoch the assignment left it in, and without a reply since. Without a rule
// it may have been a person who chose the team, then or when it began to wait: that is nobody's to take back. What was
// looked at since the plan in force came is not looked at again, so that a bulk that was full is followed by the next part.
const STANDING: &str = "select e.id
  from conversation c
  join engagement e on e.tenant = c.tenant and e.conversation = c.id and e.to_agent = c.owner_agent
    and e.way in ('auto', 'escalation') and e.status = 'done'
  join decision d on d.tenant = e.tenant and d.id = e.decision and d.plan_version = $2
    and ($3::text is null or d.rule = $3) and (d.detail->>'epoch')::int8 = c.epoch
  left join lateral (select p.detail ? 'asked_by' as asked from decision p
    where p.tenant = d.tenant and p.conversation = d.conversation and (p.detail->>'epoch')::int8 < c.epoch
    order by (p.detail->>'epoch')::int8 desc limit 1) earlier on d.rule is null
  where c.tenant = $1 and c.owner_agent is not null and c.status = 'open'
    and (c.replied_at is null or c.replied_at < e.created_at)
    and (d.rule is not null or not (d.detail ? 'asked_by' or coalesce(earlier.asked, false)))
    and not exists (select from bulk_item i join bulk b on b.tenant = i.tenant and b.id = i.bulk
      where i.tenant = c.tenant and i.reverts = e.id
        and b.created_at >= (select max(activated_at) from plan where tenant = $1))
  order by e.created_at, c.id limit $4";

/// The engagements that can be taken back, the oldest first, as many as a bulk takes. Without a lock, and in a transaction
/// of its own, because it may take a while: each is looked at again when its turn comes.
pub async fn standing(session: &Session, tenant: &Tenant, made: &Made) -> Result<Vec<Uuid>, StoreError> {
    session.begin_snapshot(TIMEOUT).await?;
    let version = codec::int4(made.version);
    let limit = i64::try_from(MAX_ITEMS).unwrap_or(i64::MAX);
    let rule = made.rule.as_deref();
    let rows = session
        .query(STANDING, &[&tenant.as_str(), &version, &rule, &limit])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
