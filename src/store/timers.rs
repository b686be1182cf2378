//! Timers: one row each, in the lane of their subject's home. Claimed by deleting, after the subject's lock.

use jiff::Timestamp;
use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::ids::{AgentId, Partition, Tenant};

pub(super) const STATEMENTS: &[&str] = &[DUE, CLAIM, SET, CLEAR, FAN_OUT];

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// A conversation should have been assigned by then; subject: its id.
    Assign,
    /// A conversation is on hold until then; subject: its id.
    Hold,
    /// A request should have been answered by then; subject: its conversation's id.
    Request,
    /// Whoever was asked may have gone; subject: the id of the conversation that was offered, a slash, and a name of its own.
    Recipient,
    /// A presence runs out; subject: the agent's id.
    Presence,
    /// A conversation's alarm goes off; subject: its id.
    Alarm,
    /// Someone may have been away or offline for too long; subject: the agent's id.
    Absent,
    /// A shift begins somewhere: whoever works now may be chosen; subject: empty.
    Opens,
    /// Someone may be given something again; subject: the agent's id.
    Burst,
    /// A drain goes on; subject: empty.
    Drain,
    /// A new plan: waiting conversations of one lane are looked at again; subject: the lane.
    Reexamine,
    /// Items of a bulk are to be done in one lane; subject: the lane, a slash, the bulk's name.
    Bulk,
    /// All items of a bulk are done; subject: its name.
    BulkDone,
    /// Someone was removed or deactivated, or has been gone for too long: what they own in one lane is looked at again; subject: the lane, the id after
    /// which to go on, a name of its own and the agent's id, between slashes.
    Owner,
    /// A conversation was found left behind; subject: its id.
    Stranded,
}

/// A timer that came due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTimer {
    /// Its name: another one each time it is set.
    pub id: Uuid,
    /// Whose.
    pub tenant: Tenant,
    /// What for.
    pub kind: TimerKind,
    /// About what.
    pub subject: String,
}

// By the transaction's beginning, which is never after the time the batch decides by: a timer that came due in between would
// be claimed and found to be early, and its clock would never fire.
const DUE: &str = "select id, tenant, kind, subject from timer
  where lane = $1 and due <= now() order by due, id limit $2";

/// Timers of this lane that are due, the oldest first.
pub async fn due(session: &Session, lane: Partition, limit: i64) -> Result<Vec<DueTimer>, StoreError> {
    let rows = session.query(DUE, &[&i32::from(lane.0), &limit]).await?;
    let timer = |row: &tokio_postgres::Row| {
        Ok(DueTimer {
            id: row.get(0),
            tenant: codec::tenant(row.get(1))?,
            kind: codec::timer_kind(row.get(2))?,
            subject: row.get(3),
        })
    };
    rows.iter().map(timer).collect()
}

// In the order in which timers are set: the search for stranded conversations sets them without the lock of what they are
// about.
const CLAIM: &str = "delete from timer where id in (
    select id from timer where id = any($1::uuid[]) order by tenant, kind, subject for update)
  returning id";

/// Claims timers: those still there are this batch's. One that was set anew meanwhile is not.
pub async fn claim(session: &Session, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query(CLAIM, &[&ids]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A timer to be set: one per kind and subject, the last setting wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewTimer {
    /// Whose.
    pub tenant: Tenant,
    /// What for.
    pub kind: TimerKind,
    /// About what.
    pub subject: String,
    /// The lane that picks it up.
    pub lane: Partition,
    /// When; `None`: at once.
    pub due: Option<Timestamp>,
}

// One statement cannot write a row twice: of two settings in one batch the later one is kept here already.
const SET: &str = "insert into timer (tenant, kind, subject, id, lane, due)
  select distinct on (tenant, kind, subject)
    tenant, kind, subject, gen_random_uuid(), lane, coalesce(due, clock_timestamp())
  from unnest($1::text[], $2::text[], $3::text[], $4::int4[], $5::timestamptz[])
    with ordinality u(tenant, kind, subject, lane, due, place)
  order by tenant, kind, subject, place desc
  on conflict (tenant, kind, subject) do update set id = excluded.id, lane = excluded.lane, due = excluded.due";

/// Sets timers.
pub async fn set(session: &Session, timers: &[NewTimer]) -> Result<(), StoreError> {
    if timers.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = timers.iter().map(|timer| timer.tenant.as_str()).collect();
    let kinds: Vec<&str> = timers
        .iter()
        .map(|timer| codec::timer_kind_word(timer.kind))
        .collect();
    let subjects: Vec<&str> = timers.iter().map(|timer| timer.subject.as_str()).collect();
    let lanes: Vec<i32> = timers.iter().map(|timer| i32::from(timer.lane.0)).collect();
    let dues: Vec<Option<Timestamp>> = timers.iter().map(|timer| timer.due).collect();
    session
        .execute(SET, &[&tenants, &kinds, &subjects, &lanes, &dues])
        .await?;
    Ok(())
}

const CLEAR: &str =
    "delete from timer t using unnest($1::text[], $2::text[], $3::text[]) u(tenant, kind, subject)
  where t.tenant = u.tenant and t.kind = u.kind and t.subject = u.subject";

/// Clears timers whose reason is gone.
pub async fn clear(session: &Session, timers: &[(Tenant, TimerKind, String)]) -> Result<(), StoreError> {
    if timers.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = timers.iter().map(|timer| timer.0.as_str()).collect();
    let kinds: Vec<&str> = timers
        .iter()
        .map(|timer| codec::timer_kind_word(timer.1))
        .collect();
    let subjects: Vec<&str> = timers.iter().map(|timer| timer.2.as_str()).collect();
    session.execute(CLEAR, &[&tenants, &kinds, &subjects]).await?;
    Ok(())
}

// Run after the batch's own conversations are written, under the match row: a request that was made before is seen here,
// and one that is made later sees that its recipient is gone. The conversations are not locked, so another lane may be
// claiming such a timer, and wait for our match row: each gets a row of its own, that nobody can be holding.
const FAN_OUT: &str = "insert into timer (tenant, kind, subject, id, lane, due)
  select c.tenant, $3, c.id || '/' || gen_random_uuid(), gen_random_uuid(), c.home, clock_timestamp()
  from conversation c
  where (c.tenant, c.request_to) in (select * from unnest($1::text[], $2::text[]))
  returning lane";

/// Has every conversation that is offered to one of these people looked at again by its home, at once. Returns the homes.
pub async fn fan_out(session: &Session, gone: &[(&Tenant, &AgentId)]) -> Result<Vec<Partition>, StoreError> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, agents): (Vec<&str>, Vec<&str>) = gone
        .iter()
        .map(|(tenant, agent)| (tenant.as_str(), agent.as_str()))
        .unzip();
    let kind = codec::timer_kind_word(TimerKind::Recipient);
    let rows = session.query(FAN_OUT, &[&tenants, &agents, &kind]).await?;
    rows.iter().map(|row| codec::partition(row.get(0))).collect()
}
