//! What is committed and not yet surely published: one row per batch and home lane.

use super::{Session, StoreError};
use crate::domain::ids::Partition;

pub(super) const STATEMENTS: &[&str] = &[ADD, DELETE, READ];

const ADD: &str =
    "insert into outbox (lane, body) select * from unnest($1::int4[], $2::text[]) returning lane, id";

/// Adds rows, as the batch's last write: ids are drawn after all its locks. Returns the row of each lane.
pub async fn add(
    session: &Session,
    rows: &[(Partition, String)],
) -> Result<Vec<(Partition, i64)>, StoreError> {
    let statement = session.prepared(ADD).await?;
    let lanes: Vec<i32> = rows.iter().map(|(lane, _)| i32::from(lane.0)).collect();
    let bodies: Vec<&str> = rows.iter().map(|(_, body)| body.as_str()).collect();
    let rows = session.query(&statement, &[&lanes, &bodies]).await?;
    let lane = |number: i32| Partition(u16::try_from(number).unwrap_or(u16::MAX));
    Ok(rows.iter().map(|row| (lane(row.get(0)), row.get(1))).collect())
}

const DELETE: &str = "delete from outbox where lane = $1 and id = any($2::int8[])";

/// Deletes rows of this lane that have been published and confirmed.
pub async fn delete(session: &Session, lane: Partition, ids: &[i64]) -> Result<(), StoreError> {
    let statement = session.prepared(DELETE).await?;
    session.execute(&statement, &[&i32::from(lane.0), &ids]).await?;
    Ok(())
}

const READ: &str =
    "select id, body from outbox where lane = $1 and id <> all($2::int8[]) order by id limit $3";

/// Rows of this lane in the order to publish them, without those it has published already.
pub async fn read(
    session: &Session,
    lane: Partition,
    published: &[i64],
    limit: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    let statement = session.prepared(READ).await?;
    let rows = session
        .query(&statement, &[&i32::from(lane.0), &published, &limit])
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
