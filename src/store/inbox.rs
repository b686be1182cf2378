//! Which inputs have taken effect: their keys, claimed in the same transaction as the effect.
//!
//! A message's key goes into the bucket of the message's own day, so that a redelivery on another day meets it, and a
//! whole day is forgotten by dropping its bucket. Whatever has no time of its own goes into a table that is pruned by row.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Session, Store, StoreError};
use crate::domain::ids::Tenant;

/// Days a key is kept: gateways redeliver for seven, older messages than eight days are refused, and a day is to spare.
const RETENTION_DAYS: i32 = 9;
/// Days ahead that a message's time may be and still have a bucket: as many as a key is kept, and one (see `CLAIM`).
const AHEAD_DAYS: i32 = RETENTION_DAYS + 1;
/// Days of buckets made beyond those: as long may the making of new ones fail unnoticed.
const SPARE_DAYS: i32 = 2;
/// Keys pruned in one statement, so that none comes near its time limit.
const PRUNED_AT_ONCE: i64 = 10_000;
/// How long one step of the maintenance may take. Detaching a bucket waits for every older query of its table.
const STEP_TIMEOUT: &str = "30s";
/// Only one worker at a time looks after the buckets: any number that nobody else locks on.
const LOCK: i64 = 4_923_812;

pub(super) const STATEMENTS: &[&str] = &[CLAIM];

/// A key to be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Whose input.
    pub tenant: &'a Tenant,
    /// What makes it the same as one that was here before.
    pub key: Uuid,
    /// The message's own time, if it has one: never its arrival, which differs from delivery to delivery.
    pub own_time: Option<Timestamp>,
}

// The database's clock says which days have buckets: were it a lane's, two lanes could look in different places. A time
// beyond them all waits among the timeless. Its day comes into reach while its key is still kept; a delivery of then looks
// there too, for which its time is still some days ahead: those of today, which are nearly all, look in one place.
const CLAIM: &str = "
with clock as materialized (
    select (clock_timestamp() at time zone 'UTC')::date as today),
sorted as materialized (
    select tenant, key, today, case when day between today - $4::int4 and today + $5::int4 then day end as bucket
    from clock, (select tenant, key, (own_time at time zone 'UTC')::date as day
                 from unnest($1::text[], $2::uuid[], $3::timestamptz[]) u(tenant, key, own_time)) asked
    order by tenant, key),
dated as (
    insert into inbox (tenant, key, day)
    select tenant, key, bucket from sorted s
    where bucket <= today + 1
       or bucket is not null
      and not exists (select from inbox_timeless t where t.tenant = s.tenant and t.key = s.key)
    on conflict do nothing returning key),
timeless as (
    insert into inbox_timeless (tenant, key)
    select tenant, key from sorted where bucket is null
    on conflict do nothing returning key)
select key from dated union all select key from timeless";

/// Claims keys; returns those that are new. A key given twice is returned once.
pub async fn claim(session: &Session, claims: &[Claim<'_>]) -> Result<Vec<Uuid>, StoreError> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let tenants: Vec<&str> = claims.iter().map(|claim| claim.tenant.as_str()).collect();
    let keys: Vec<Uuid> = claims.iter().map(|claim| claim.key).collect();
    let times: Vec<Option<Timestamp>> = claims.iter().map(|claim| claim.own_time).collect();
    let rows = session
        .query(CLAIM, &[&tenants, &keys, &times, &RETENTION_DAYS, &AHEAD_DAYS])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Makes the buckets of the coming days. Needed before anything is claimed, and every day from then on; does nothing
/// while another worker is at it.
pub async fn make_buckets(store: &Store) -> Result<(), StoreError> {
    let Some((client, today)) = alone(store).await? else {
        return Ok(());
    };
    let there = buckets(&client).await?;
    for day in -RETENTION_DAYS..=AHEAD_DAYS + SPARE_DAYS {
        let day = today.saturating_add(day.days());
        let name = bucket_name(day);
        if !there.iter().any(|bucket| bucket.name == name) {
            make_bucket(&client, &name, day).await?;
        }
    }
    Ok(())
}

/// Drops what need not be remembered any more; does nothing while another worker is at it.
pub async fn forget_past(store: &Store) -> Result<(), StoreError> {
    let Some((client, today)) = alone(store).await? else {
        return Ok(());
    };
    let oldest = bucket_name(today.saturating_sub(RETENTION_DAYS.days()));
    // Names order like days.
    let mut past: Vec<Bucket> = buckets(&client)
        .await?
        .into_iter()
        .filter(|bucket| bucket.name < oldest)
        .collect();
    // Only one at a time can be half detached, so that one goes first.
    past.sort_by_key(|bucket| !bucket.half_detached);
    for bucket in &past {
        drop_bucket(&client, bucket).await?;
    }
    prune_timeless(&client).await
}

/// A connection that alone looks after the buckets as long as it is held, and the database's day.
async fn alone(store: &Store) -> Result<Option<(Client, Date)>, StoreError> {
    let client = store.lone_client().await?;
    client
        .batch_execute(&format!(
            "set statement_timeout = '{STEP_TIMEOUT}'; set lock_timeout = '{STEP_TIMEOUT}'"
        ))
        .await?;
    let row = client
        .query_one("select clock_timestamp(), pg_try_advisory_lock($1)", &[&LOCK])
        .await?;
    let today = row.get::<_, Timestamp>(0).to_zoned(TimeZone::UTC).date();
    Ok(row.get::<_, bool>(1).then_some((client, today)))
}

fn bucket_name(day: Date) -> String {
    day.strftime("inbox_%Y%m%d").to_string()
}

/// A day's table.
struct Bucket {
    name: String,
    /// Whether it is part of the inbox; if not, dropping it was cut short.
    attached: bool,
    /// Whether detaching it was cut short.
    half_detached: bool,
}

async fn buckets(client: &Client) -> Result<Vec<Bucket>, StoreError> {
    let sql = r"select c.relname::text, i.inhrelid is not null, coalesce(i.inhdetachpending, false)
      from pg_class c left join pg_inherits i on i.inhrelid = c.oid and i.inhparent = 'inbox'::regclass
      where c.relnamespace = (select relnamespace from pg_class where oid = 'inbox'::regclass)
        and c.relkind = 'r' and c.relname ~ '^inbox_\d{8}$' order by 1";
    let bucket = |row: &tokio_postgres::Row| Bucket {
        name: row.get(0),
        attached: row.get(1),
        half_detached: row.get(2),
    };
    Ok(client.query(sql, &[]).await?.iter().map(bucket).collect())
}

/// Made apart and then attached: `partition of` would lock all batches out meanwhile. In one transaction.
async fn make_bucket(client: &Client, name: &str, day: Date) -> Result<(), StoreError> {
    let next = day.saturating_add(1.day());
    let sql = format!(
        "create table {name} (like inbox including indexes);
         alter table inbox attach partition {name} for values from ('{day}') to ('{next}')"
    );
    Ok(client.batch_execute(&sql).await?)
}

/// Each step stands alone: whatever is cut short is taken up where it was left.
async fn drop_bucket(client: &Client, bucket: &Bucket) -> Result<(), StoreError> {
    let name = &bucket.name;
    if bucket.attached {
        let how = if bucket.half_detached {
            "finalize"
        } else {
            "concurrently"
        };
        client
            .batch_execute(&format!("alter table inbox detach partition {name} {how}"))
            .await?;
    }
    Ok(client.batch_execute(&format!("drop table {name}")).await?)
}

async fn prune_timeless(client: &Client) -> Result<(), StoreError> {
    let sql = "delete from inbox_timeless where ctid = any(array(
        select ctid from inbox_timeless
        where received_at < clock_timestamp() - $1 * interval '1 day' order by received_at limit $2))";
    loop {
        let pruned = client
            .execute(sql, &[&f64::from(RETENTION_DAYS), &PRUNED_AT_ONCE])
            .await?;
        if pruned < PRUNED_AT_ONCE.unsigned_abs() {
            return Ok(());
        }
    }
}
