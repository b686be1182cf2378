//! Conversations: locked, inserted, saved. How they look as rows is in `row`.

use jiff::Timestamp;
use uuid::Uuid;

use super::codec;
use super::row::{Clocks, Columns, columns, rows};
pub use super::row::{Loaded, Saved};
use super::{Session, StoreError};
use crate::domain::ids::{ConversationId, Tenant};

pub(super) const STATEMENTS: &[&str] = &[LOCK, INSERT, SAVE, TOUCH, PARTITION_KEYS];

const LOCK: &str = concat!(
    "select ",
    columns!(),
    " from conversation where (tenant, id) in (select * from unnest($1::text[], $2::uuid[]))
    order by tenant, id for no key update"
);

/// Locks and reads conversations, in the order of tenant and id. Those without a row are not in the answer.
pub async fn lock(session: &Session, ids: &[(Tenant, ConversationId)]) -> Result<Vec<Loaded>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, keys) = split(ids);
    let rows = session.query(LOCK, &[&tenants, &keys]).await?;
    rows.iter().map(Loaded::from_row).collect()
}

const PARTITION_KEYS: &str = "select id, partition_key from conversation
  where (tenant, id) in (select * from unnest($1::text[], $2::uuid[]))";

/// The partition keys of conversations, without a lock: a conversation keeps its key for life.
pub async fn partition_keys(
    session: &Session,
    ids: &[(Tenant, ConversationId)],
) -> Result<Vec<(ConversationId, String)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, keys) = split(ids);
    let rows = session.query(PARTITION_KEYS, &[&tenants, &keys]).await?;
    Ok(rows
        .iter()
        .map(|row| (ConversationId(row.get(0)), row.get(1)))
        .collect())
}

fn split(ids: &[(Tenant, ConversationId)]) -> (Vec<&str>, Vec<Uuid>) {
    ids.iter().map(|(tenant, id)| (tenant.as_str(), id.0)).unzip()
}

const INSERT: &str = concat!(
    "insert into conversation (",
    columns!(),
    ", requirement, waits_from) select u.* from ",
    rows!()
);

/// Writes conversations that have no row yet.
pub async fn insert(session: &Session, saved: &[Saved<'_>]) -> Result<(), StoreError> {
    if saved.is_empty() {
        return Ok(());
    }
    session.execute(INSERT, &Columns::of(saved).parameters()).await?;
    Ok(())
}

const SAVE: &str = concat!(
    "update conversation c set status = u.status, owner_agent = u.owner_agent, owner_queue = u.owner_queue, team = u.team,
      last_owner = u.last_owner, priority = u.priority, episode = u.episode, epoch = u.epoch, sequence = u.sequence,
      standby = u.standby, route = u.route, excluded = u.excluded, waiting_since = u.waiting_since,
      queued_at = u.queued_at, clock = u.clock, clock_policy = u.clock_policy, clock_since = u.clock_since,
      clock_due = u.clock_due, window_expires_at = u.window_expires_at, last_activity = u.last_activity,
      contact = u.contact, partition_key = u.partition_key, marked = u.marked, held_until = u.held_until, request_id = u.request_id,
      request_from = u.request_from, request_to = u.request_to, request_note = u.request_note,
      request_expires = u.request_expires, unechoed = u.unechoed, replied_at = u.replied_at,
      clock_warn = u.clock_warn, respond = u.respond, respond_policy = u.respond_policy, respond_since = u.respond_since,
      respond_warn = u.respond_warn, respond_due = u.respond_due, owned_since = u.owned_since, care = u.care,
      alarm = u.alarm, requirement = u.requirement, waits_from = u.waits_from from ",
    rows!(),
    " where c.tenant = u.tenant and c.id = u.id"
);

/// Writes conversations that have a row, all that can change of them.
pub async fn save(session: &Session, saved: &[Saved<'_>]) -> Result<(), StoreError> {
    if saved.is_empty() {
        return Ok(());
    }
    session.execute(SAVE, &Columns::of(saved).parameters()).await?;
    Ok(())
}

// No index knows any of these columns, so the update stays HOT: no index is written.
const TOUCH: &str = "update conversation c set sequence = u.sequence, standby = u.standby,
    waiting_since = u.waiting_since, window_expires_at = u.window_expires_at, last_activity = u.last_activity,
    unechoed = u.unechoed, replied_at = u.replied_at, respond = u.respond, respond_policy = u.respond_policy,
    respond_since = u.respond_since, respond_warn = u.respond_warn, respond_due = u.respond_due, alarm = u.alarm
  from unnest($1::text[], $2::uuid[], $3::int8[], $4::bool[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
    $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[],
    $14::timestamptz[], $15::timestamptz[])
    u(tenant, id, sequence, standby, waiting_since, window_expires_at, last_activity, unechoed, replied_at, respond,
      respond_policy, respond_since, respond_warn, respond_due, alarm)
  where c.tenant = u.tenant and c.id = u.id";

/// Writes all that a message without news of its contact, or an authorised reply, can change on a conversation that an agent owns.
pub async fn touch(session: &Session, touched: &[Saved<'_>]) -> Result<(), StoreError> {
    if touched.is_empty() {
        return Ok(());
    }
    let all = || touched.iter().map(|one| one.conversation);
    let tenants: Vec<&str> = touched.iter().map(|one| one.tenant.as_str()).collect();
    let alarms: Vec<Option<Timestamp>> = touched.iter().map(|one| one.alarm).collect();
    let mut clocks = Clocks::default();
    all().for_each(|c| clocks.push(&c.respond_clock));
    let ids: Vec<Uuid> = all().map(|c| c.id.0).collect();
    let sequences: Vec<i64> = all().map(|c| codec::int8(c.sequence)).collect();
    let standby: Vec<bool> = all().map(|c| c.standby).collect();
    let waiting: Vec<Option<Timestamp>> = all().map(|c| c.waiting_since).collect();
    let windows: Vec<Option<Timestamp>> = all().map(|c| c.window_expires_at).collect();
    let activity: Vec<Timestamp> = all().map(|c| c.last_activity).collect();
    let unechoed: Vec<String> = all().map(|c| codec::moments_text(&c.unechoed)).collect();
    let replied: Vec<Option<Timestamp>> = all().map(|c| c.replied_at).collect();
    session
        .execute(
            TOUCH,
            &[
                &tenants,
                &ids,
                &sequences,
                &standby,
                &waiting,
                &windows,
                &activity,
                &unechoed,
                &replied,
                &clocks.word,
                &clocks.policy,
                &clocks.since,
                &clocks.warn,
                &clocks.due,
                &alarms,
            ],
        )
        .await?;
    Ok(())
}
