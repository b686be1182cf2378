//! What is committed and not yet surely published: one row per batch and home lane.
//!
//! Rows are compressed here rather than by Postgres: a batch's messages repeat each other, and what is a tenth of the size
//! before it is sent costs the connection, the server and its log a tenth as well.

use lz4_flex::block::{compress_prepend_size, decompress, uncompressed_size};

use super::codec;
use super::{Session, StoreError};
use crate::domain::ids::Partition;

pub(super) const STATEMENTS: &[&str] = &[ADD, DELETE, READ];

/// Largest row that is unpacked, in bytes: as large as a value can be in Postgres, and so larger than any that was packed.
const MAX_ROW: usize = 1 << 30;

const ADD: &str =
    "insert into outbox (lane, body) select * from unnest($1::int4[], $2::bytea[]) returning lane, id";

/// Adds rows, as the batch's last write: ids are drawn after all its locks. Returns the row of each lane.
pub async fn add(
    session: &Session,
    rows: &[(Partition, String)],
) -> Result<Vec<(Partition, i64)>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (lanes, bodies): (Vec<i32>, Vec<Vec<u8>>) = rows
        .iter()
        .map(|(lane, body)| (i32::from(lane.0), compress_prepend_size(body.as_bytes())))
        .unzip();
    let rows = session.query(ADD, &[&lanes, &bodies]).await?;
    rows.iter()
        .map(|row| Ok((codec::partition(row.get(0))?, row.get(1))))
        .collect()
}

const DELETE: &str = "delete from outbox where lane = $1 and id = any($2::int8[])";

/// Deletes rows of this lane that have been published and confirmed.
pub async fn delete(session: &Session, lane: Partition, ids: &[i64]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    session.execute(DELETE, &[&i32::from(lane.0), &ids]).await?;
    Ok(())
}

const READ: &str =
    "select id, body from outbox where lane = $1 and id <> all($2::int8[]) order by id limit $3";

/// Rows of this lane in the order to publish them, at most `limit`, without those it has published already.
pub async fn read(
    session: &Session,
    lane: Partition,
    published: &[i64],
    limit: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    let rows = session
        .query(READ, &[&i32::from(lane.0), &published, &limit])
        .await?;
    rows.iter()
        .map(|row| Ok((row.get(0), unpacked(row.get(1))?)))
        .collect()
}

fn unpacked(row: &[u8]) -> Result<String, StoreError> {
    let (size, packed) = uncompressed_size(row).map_err(|_| codec::unreadable("outbox"))?;
    if size > MAX_ROW {
        return Err(codec::unreadable("outbox"));
    }
    let body = decompress(packed, size).map_err(|_| codec::unreadable("outbox"))?;
    String::from_utf8(body).map_err(|_| codec::unreadable("outbox"))
}
