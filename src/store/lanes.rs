//! Who holds which lane. Leases and `now` are the database's clock: one clock for all workers.
//!
//! Every transaction of a lane begins with `fence`, which locks the lane's *key* (partition and epoch) against change.
//! `raise_epoch` changes the key, so it waits for the transactions of the epoch before, and none of them can begin after
//! it. Heartbeats change only other columns and wait for nobody.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Client;
use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::ids::Partition;

/// The ingress queue's row among the lanes: it too has one consumer at a time in the whole deployment.
pub const INGRESS: Partition = Partition(u16::MAX);

/// What a lane is called in logs.
pub fn name(lane: Partition) -> String {
    if lane == INGRESS {
        "ingress".into()
    } else {
        lane.to_string()
    }
}

pub(super) const STATEMENTS: &[&str] = &[FENCE, CLOCK, CLEAR_ATTEMPT];

/// A lane as the leases see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneRow {
    /// Which.
    pub partition: Partition,
    /// Whose, if its lease still runs.
    pub worker: Option<Uuid>,
    /// When its lease runs out, or ran out.
    pub lease_until: Option<Timestamp>,
    /// Its epoch.
    pub epoch: i64,
}

/// What the fence says to a lane that still is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The database's clock.
    pub now: Timestamp,
    /// The number that rises with every plan activation.
    pub directory_version: i64,
}

const FENCE: &str = "select clock_timestamp(), (select directory_version from deployment)
  from lane where partition = $1 and epoch = $2 for key share";

/// The first statement of every transaction of a lane: `None` if the lane is no longer ours, and nothing may be done.
/// Until the transaction's end nobody else can take the lane.
pub async fn fence(session: &Session, partition: Partition, epoch: i64) -> Result<Option<Fence>, StoreError> {
    let row = session
        .query_opt(FENCE, &[&i32::from(partition.0), &epoch])
        .await?;
    Ok(row.map(|row| Fence {
        now: row.get(0),
        directory_version: row.get(1),
    }))
}

const CLOCK: &str = "select clock_timestamp(), directory_version from deployment";

/// The same for whoever is no lane: nothing to fence.
pub async fn clock(session: &Session) -> Result<Fence, StoreError> {
    let row = session.query_one(CLOCK, &[]).await?;
    Ok(Fence {
        now: row.get(0),
        directory_version: row.get(1),
    })
}

/// Takes the lane's next epoch, if its lease is ours: whoever had the one before can commit nothing any more. Waits for
/// what they have in hand, so it has to be on its own, and what relies on it in a later statement. Returns the epoch and
/// the database's time.
pub async fn raise_epoch(
    session: &Session,
    partition: Partition,
    worker: Uuid,
) -> Result<Option<(i64, Timestamp)>, StoreError> {
    let sql = "update lane set epoch = epoch + 1
      where partition = $1 and worker = $2 and lease_until > clock_timestamp() returning epoch, clock_timestamp()";
    let row = session
        .query_opt(sql, &[&i32::from(partition.0), &worker])
        .await?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

/// Keeps the lanes of the worker, and says that it lives if it `counts` among those that share all lanes; returns the
/// lanes it holds. A lease that ran out and that nobody has taken since is renewed too.
pub async fn renew(
    client: &Client,
    worker: Uuid,
    lease: Duration,
    counts: bool,
) -> Result<Vec<Partition>, StoreError> {
    let sql = "with until as materialized (select clock_timestamp() + $2 * interval '1 ms' as until),
      me as (
        insert into worker (id, seen_until) select $1, until from until where $3
        on conflict (id) do update set seen_until = excluded.seen_until)
      update lane set lease_until = until.until from until where worker = $1 returning partition";
    let rows = client
        .query(sql, &[&worker, &milliseconds(lease), &counts])
        .await?;
    rows.iter().map(|row| codec::partition(row.get(0))).collect()
}

/// How many workers live.
pub async fn live_workers(client: &Client) -> Result<usize, StoreError> {
    let sql = "select count(*) from worker where seen_until > clock_timestamp()";
    let row = client.query_one(sql, &[]).await?;
    Ok(usize::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

/// All lanes.
pub async fn list(client: &Client) -> Result<Vec<LaneRow>, StoreError> {
    let sql =
        "select partition, case when lease_until > clock_timestamp() then worker end, lease_until, epoch
      from lane order by partition";
    let lane = |row: &tokio_postgres::Row| {
        Ok(LaneRow {
            partition: codec::partition(row.get(0))?,
            worker: row.get(1),
            lease_until: row.get(2),
            epoch: row.get(3),
        })
    };
    client.query(sql, &[]).await?.iter().map(lane).collect()
}

/// Takes a lane whose lease is free or has run out. Says whether its last holder let it go in order; `None` if it is
/// somebody's.
pub async fn claim(
    client: &Client,
    lane: Partition,
    worker: Uuid,
    lease: Duration,
) -> Result<Option<bool>, StoreError> {
    // The row is locked before it is judged: of two that claim at once, the second one sees what the first one did.
    let sql =
        "update lane l set worker = $2, lease_until = clock_timestamp() + $3 * interval '1 ms', clean = false
      from (select partition, clean from lane where partition = $1 for no key update) before
      where l.partition = before.partition and (l.worker is null or l.lease_until <= clock_timestamp())
      returning before.clean";
    let row = client
        .query_opt(sql, &[&i32::from(lane.0), &worker, &milliseconds(lease)])
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Lets a lane go; `clean` if nothing was left half done.
pub async fn release(client: &Client, lane: Partition, worker: Uuid, clean: bool) -> Result<(), StoreError> {
    let sql =
        "update lane set worker = null, lease_until = null, clean = $3 where partition = $1 and worker = $2";
    client
        .execute(sql, &[&i32::from(lane.0), &worker, &clean])
        .await?;
    Ok(())
}

/// Lets go what was claimed and never begun.
pub async fn release_rest(client: &Client, worker: Uuid) -> Result<(), StoreError> {
    let sql = "update lane set worker = null, lease_until = null, clean = true where worker = $1";
    client.execute(sql, &[&worker]).await?;
    Ok(())
}

/// Forgets a worker that stops, and those not heard from for a day.
pub async fn forget_worker(client: &Client, worker: Uuid) -> Result<(), StoreError> {
    let sql = "delete from worker where id = $1 or seen_until < clock_timestamp() - interval '1 day'";
    client.execute(sql, &[&worker]).await?;
    Ok(())
}

/// Records how many partitions there are and makes their lanes. Another number than the recorded one is refused.
pub async fn declare_partitions(client: &Client, partitions: u16) -> Result<(), StoreError> {
    let sql = "update deployment set partitions = $1 where partitions is null or partitions = $1 returning partitions";
    if client.query_opt(sql, &[&i32::from(partitions)]).await?.is_none() {
        let recorded = recorded_partitions(client).await?.unwrap_or_default();
        return Err(StoreError::Setup(format!(
            "this deployment has {recorded} partitions, not {partitions}: unset SWITCHBOARD_PARTITIONS, or stop all \
             workers, drain and start afresh to change it"
        )));
    }
    let sql = "insert into lane (partition) select * from generate_series(0, $1 - 1) union all select $2
      on conflict do nothing";
    client
        .execute(sql, &[&i32::from(partitions), &i32::from(INGRESS.0)])
        .await?;
    Ok(())
}

/// How many partitions `topology declare` recorded.
pub async fn recorded_partitions(client: &Client) -> Result<Option<u16>, StoreError> {
    let row = client.query_one("select partitions from deployment", &[]).await?;
    let number = row.get::<_, Option<i32>>(0);
    Ok(number.map(codec::partition).transpose()?.map(|number| number.0))
}

/// Notes, before it is tried alone, that this message is: returns how often it has been since it last got through.
pub async fn note_attempt(session: &Session, lane: Partition, key: Uuid) -> Result<i32, StoreError> {
    let sql =
        "update lane set attempts = case when attempt_key = $2 then attempts + 1 else 1 end, attempt_key = $2
      where partition = $1 returning attempts";
    let row = session.query_one(sql, &[&i32::from(lane.0), &key]).await?;
    Ok(row.get(0))
}

const CLEAR_ATTEMPT: &str =
    "update lane set attempts = 0, attempt_key = null where partition = $1 and attempts > 0";

/// It got through.
pub async fn clear_attempt(session: &Session, lane: Partition) -> Result<(), StoreError> {
    session.execute(CLEAR_ATTEMPT, &[&i32::from(lane.0)]).await?;
    Ok(())
}

fn milliseconds(lease: Duration) -> f64 {
    lease.as_secs_f64() * 1_000.0
}
