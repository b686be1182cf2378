//! Which inputs have taken effect: claimed in the same transaction as the effect.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Session, StoreError};
use crate::domain::ids::Tenant;

/// Days a key is kept. A message older than eight days is refused, so a day is to spare.
const RETENTION_DAYS: i64 = 9;
/// Days made ahead.
const AHEAD_DAYS: i64 = 2;

pub(super) const STATEMENTS: &[&str] = &[CLAIM_DATED, CLAIM_TIMELESS];

const CLAIM_DATED: &str = "insert into inbox (tenant, key, day)
  select * from unnest($1::text[], $2::uuid[], $3::date[]) order by 1, 2, 3 on conflict do nothing returning key";

/// Claims keys of inputs with a time of their own, each in its day's bucket; returns those that are new.
pub async fn claim_dated(session: &Session, keys: &[(&Tenant, Uuid, Date)]) -> Result<Vec<Uuid>, StoreError> {
    let statement = session.prepared(CLAIM_DATED).await?;
    let tenants: Vec<&str> = keys.iter().map(|(tenant, _, _)| tenant.as_str()).collect();
    let ids: Vec<Uuid> = keys.iter().map(|(_, key, _)| *key).collect();
    let days: Vec<Date> = keys.iter().map(|(_, _, day)| *day).collect();
    let rows = session.query(&statement, &[&tenants, &ids, &days]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

const CLAIM_TIMELESS: &str = "insert into inbox_timeless (tenant, key)
  select * from unnest($1::text[], $2::uuid[]) order by 1, 2 on conflict do nothing returning key";

/// Claims keys of inputs without a time of their own; returns those that are new.
pub async fn claim_timeless(session: &Session, keys: &[(&Tenant, Uuid)]) -> Result<Vec<Uuid>, StoreError> {
    let statement = session.prepared(CLAIM_TIMELESS).await?;
    let tenants: Vec<&str> = keys.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let ids: Vec<Uuid> = keys.iter().map(|(_, key)| *key).collect();
    let rows = session.query(&statement, &[&tenants, &ids]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The day whose bucket a moment falls in; `None` if no bucket is kept for it.
pub fn bucket(at: Timestamp, now: Timestamp) -> Option<Date> {
    let day = day_of(at);
    let today = day_of(now);
    let oldest = today.checked_sub((RETENTION_DAYS - 1).days()).ok()?;
    let newest = today.checked_add(1.day()).ok()?;
    (oldest..=newest).contains(&day).then_some(day)
}

fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Makes the coming days' buckets, drops the past ones', and prunes the timeless keys. Several workers may try at once.
pub async fn maintain(client: &Client) -> Result<(), StoreError> {
    let row = client
        .query_one("select clock_timestamp(), pg_try_advisory_lock(4923812)", &[])
        .await?;
    if !row.get::<_, bool>(1) {
        return Ok(());
    }
    let done = maintain_alone(client, day_of(row.get(0))).await;
    client.batch_execute("select pg_advisory_unlock(4923812)").await?;
    done
}

async fn maintain_alone(client: &Client, today: Date) -> Result<(), StoreError> {
    let first = today.saturating_sub(RETENTION_DAYS.days());
    for ahead in 0..=(RETENTION_DAYS + AHEAD_DAYS) {
        let day = first.saturating_add(ahead.days());
        let next = day.saturating_add(1.day());
        let name = day.strftime("inbox_%Y%m%d");
        let sql = format!(
            "create table if not exists {name} partition of inbox for values from ('{day}') to ('{next}')"
        );
        client.batch_execute(&sql).await?;
    }
    let sql = "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'inbox'::regclass and c.relname < $1 order by 1";
    let oldest = first.strftime("inbox_%Y%m%d").to_string();
    for row in client.query(sql, &[&oldest]).await? {
        let name: String = row.get(0);
        client
            .batch_execute(&format!("alter table inbox detach partition {name} concurrently"))
            .await?;
        client.batch_execute(&format!("drop table {name}")).await?;
    }
    let sql = "delete from inbox_timeless where received_at < clock_timestamp() - $1 * interval '1 day'";
    client.execute(sql, &[&(RETENTION_DAYS as f64)]).await?;
    Ok(())
}
