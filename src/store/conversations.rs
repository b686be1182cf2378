//! Conversations: locked, inserted, saved.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::conversation::{AssignClock, Conversation, Owner};
use crate::domain::ids::{ConversationId, Partition, Tenant};
use crate::domain::state::Requirement;

pub(super) const STATEMENTS: &[&str] = &[LOCK, INSERT, SAVE, TOUCH];

/// The columns of a conversation, in the order `Loaded::from_row` reads them.
macro_rules! columns {
    () => {
        "tenant, id, channel, partition_key, home, status, owner_agent, owner_queue, team, last_owner, priority, episode, \
         epoch, sequence, standby, route, excluded, waiting_since, queued_at, clock, clock_policy, clock_since, clock_due, \
         window_expires_at, last_activity, contact, marked"
    };
}
pub(super) use columns;

/// A conversation as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Whose.
    pub tenant: Tenant,
    /// It.
    pub conversation: Conversation,
    /// Whether another home's lane wrote outbox rows for it that its home has to publish first.
    pub marked: bool,
}

impl Loaded {
    /// Reads the columns of `columns!`.
    pub(super) fn from_row(row: &Row) -> Result<Self, StoreError> {
        let optional = |index: usize| row.get::<_, Option<&str>>(index);
        let owner = match (optional(6), optional(7)) {
            (Some(agent), _) => Owner::Agent(codec::agent_id(agent)?),
            (None, Some(team)) => Owner::Team(codec::team_id(team)?),
            (None, None) => Owner::Nobody,
        };
        let number = |index: usize| u64::try_from(row.get::<_, i64>(index)).unwrap_or(0);
        let conversation = Conversation {
            id: ConversationId(row.get(1)),
            channel: codec::channel(row.get(2))?,
            partition_key: row.get::<_, &str>(3).into(),
            home: Partition(u16::try_from(row.get::<_, i32>(4)).unwrap_or(0)),
            status: codec::status(row.get(5))?,
            owner,
            team: optional(8).map(codec::team_id).transpose()?,
            last_owner: optional(9).map(codec::agent_id).transpose()?,
            priority: codec::priority(row.get(10))?,
            episode: u32::try_from(row.get::<_, i32>(11)).unwrap_or(0),
            epoch: number(12),
            sequence: number(13),
            standby: row.get(14),
            route: codec::route(&row.get::<_, Value>(15))?,
            excluded: codec::excluded(row.get(16))?,
            waiting_since: row.get(17),
            queued_at: row.get(18),
            assign_clock: clock(row.get(19), optional(20), row.get(21), row.get(22))?,
            window_expires_at: row.get(23),
            last_activity: row.get(24),
            contact: codec::contact(&row.get::<_, Value>(25)).into(),
        };
        Ok(Self {
            tenant: codec::tenant(row.get(0))?,
            conversation,
            marked: row.get(26),
        })
    }
}

fn clock(
    word: &str,
    policy: Option<&str>,
    since: Option<Timestamp>,
    due: Option<Timestamp>,
) -> Result<AssignClock, StoreError> {
    match (word, policy, since, due) {
        ("off", ..) => Ok(AssignClock::Off),
        ("breached", ..) => Ok(AssignClock::Breached),
        ("running", Some(policy), Some(since), Some(due)) => Ok(AssignClock::Running {
            policy: codec::policy_id(policy)?,
            since,
            due,
        }),
        _ => Err(codec::unreadable("clock")),
    }
}

const LOCK: &str = concat!(
    "select ",
    columns!(),
    " from conversation where (tenant, id) in (select * from unnest($1::text[], $2::uuid[]))
    order by tenant, id for no key update"
);

/// Locks and reads conversations, in the order of ids. Those without a row are not in the answer.
pub async fn lock(session: &Session, ids: &[(Tenant, ConversationId)]) -> Result<Vec<Loaded>, StoreError> {
    let statement = session.prepared(LOCK).await?;
    let tenants: Vec<&str> = ids.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let keys: Vec<Uuid> = ids.iter().map(|(_, id)| id.0).collect();
    let rows = session.query(&statement, &[&tenants, &keys]).await?;
    rows.iter().map(Loaded::from_row).collect()
}

/// The partition keys of conversations, without a lock: a conversation keeps its key for life.
pub async fn partition_keys(
    session: &Session,
    ids: &[(Tenant, ConversationId)],
) -> Result<Vec<(ConversationId, String)>, StoreError> {
    let tenants: Vec<&str> = ids.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let keys: Vec<Uuid> = ids.iter().map(|(_, id)| id.0).collect();
    let sql = "select id, partition_key from conversation
      where (tenant, id) in (select * from unnest($1::text[], $2::uuid[]))";
    let statement = session.prepared(sql).await?;
    let rows = session.query(&statement, &[&tenants, &keys]).await?;
    Ok(rows
        .iter()
        .map(|row| (ConversationId(row.get(0)), row.get(1)))
        .collect())
}

/// A conversation to be written.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// It.
    pub conversation: &'a Conversation,
    /// Whether its home has outbox rows of another lane's to publish first.
    pub marked: bool,
}

/// One array per column: a whole batch in one statement.
#[derive(Default)]
struct Columns<'a> {
    tenant: Vec<&'a str>,
    id: Vec<Uuid>,
    channel: Vec<&'a str>,
    partition_key: Vec<&'a str>,
    home: Vec<i32>,
    status: Vec<&'a str>,
    owner_agent: Vec<Option<&'a str>>,
    owner_queue: Vec<Option<&'a str>>,
    team: Vec<Option<&'a str>>,
    last_owner: Vec<Option<&'a str>>,
    priority: Vec<&'a str>,
    episode: Vec<i32>,
    epoch: Vec<i64>,
    sequence: Vec<i64>,
    standby: Vec<bool>,
    route: Vec<Value>,
    excluded: Vec<String>,
    waiting_since: Vec<Option<Timestamp>>,
    queued_at: Vec<Option<Timestamp>>,
    clock: Vec<&'a str>,
    clock_policy: Vec<Option<&'a str>>,
    clock_since: Vec<Option<Timestamp>>,
    clock_due: Vec<Option<Timestamp>>,
    window_expires_at: Vec<Option<Timestamp>>,
    last_activity: Vec<Timestamp>,
    contact: Vec<Value>,
    marked: Vec<bool>,
    requirement: Vec<Option<String>>,
    waits_from: Vec<Option<Timestamp>>,
}

impl<'a> Columns<'a> {
    fn of(saved: &[Saved<'a>]) -> Self {
        let mut columns = Self::default();
        for one in saved {
            columns.push(*one);
        }
        columns
    }

    fn push(&mut self, saved: Saved<'a>) {
        let c = saved.conversation;
        self.tenant.push(saved.tenant.as_str());
        self.id.push(c.id.0);
        self.channel.push(c.channel.as_str());
        self.partition_key.push(&c.partition_key);
        self.home.push(i32::from(c.home.0));
        self.status.push(codec::status_word(c.status));
        self.owner_agent.push(c.owner.agent().map(|agent| agent.as_str()));
        self.owner_queue.push(c.owner.queue().map(|team| team.as_str()));
        self.team.push(c.team.as_ref().map(|team| team.as_str()));
        self.last_owner
            .push(c.last_owner.as_ref().map(|agent| agent.as_str()));
        self.priority.push(codec::priority_word(c.priority));
        self.episode.push(i32::try_from(c.episode).unwrap_or(i32::MAX));
        self.epoch.push(i64::try_from(c.epoch).unwrap_or(i64::MAX));
        self.sequence.push(i64::try_from(c.sequence).unwrap_or(i64::MAX));
        self.standby.push(c.standby);
        self.route.push(codec::route_value(&c.route));
        self.excluded.push(codec::excluded_text(&c.excluded));
        self.waiting_since.push(c.waiting_since);
        self.queued_at.push(c.queued_at);
        let (word, policy, since, due) = match &c.assign_clock {
            AssignClock::Off => ("off", None, None, None),
            AssignClock::Breached => ("breached", None, None, None),
            AssignClock::Running { policy, since, due } => {
                ("running", Some(policy.as_str()), Some(*since), Some(*due))
            }
        };
        self.clock.push(word);
        self.clock_policy.push(policy);
        self.clock_since.push(since);
        self.clock_due.push(due);
        self.window_expires_at.push(c.window_expires_at);
        self.last_activity.push(c.last_activity);
        self.contact.push(codec::contact_value(&c.contact));
        self.marked.push(saved.marked);
        let requirement = Requirement::of(c).map(|requirement| requirement.needs.to_string());
        self.waits_from
            .push(requirement.is_some().then(|| c.waits_from()));
        self.requirement.push(requirement);
    }

    fn parameters(&self) -> [&(dyn tokio_postgres::types::ToSql + Sync); 29] {
        [
            &self.tenant,
            &self.id,
            &self.channel,
            &self.partition_key,
            &self.home,
            &self.status,
            &self.owner_agent,
            &self.owner_queue,
            &self.team,
            &self.last_owner,
            &self.priority,
            &self.episode,
            &self.epoch,
            &self.sequence,
            &self.standby,
            &self.route,
            &self.excluded,
            &self.waiting_since,
            &self.queued_at,
            &self.clock,
            &self.clock_policy,
            &self.clock_since,
            &self.clock_due,
            &self.window_expires_at,
            &self.last_activity,
            &self.contact,
            &self.marked,
            &self.requirement,
            &self.waits_from,
        ]
    }
}

/// The arrays of `Columns::parameters` as rows.
macro_rules! rows {
    () => {
        "unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::int4[], $6::text[], $7::text[], $8::text[], $9::text[],
           $10::text[], $11::text[], $12::int4[], $13::int8[], $14::int8[], $15::bool[], $16::jsonb[], $17::text[],
           $18::timestamptz[], $19::timestamptz[], $20::text[], $21::text[], $22::timestamptz[], $23::timestamptz[],
           $24::timestamptz[], $25::timestamptz[], $26::jsonb[], $27::bool[], $28::text[], $29::timestamptz[])
         as u(tenant, id, channel, partition_key, home, status, owner_agent, owner_queue, team, last_owner, priority,
           episode, epoch, sequence, standby, route, excluded, waiting_since, queued_at, clock, clock_policy, clock_since,
           clock_due, window_expires_at, last_activity, contact, marked, requirement, waits_from)"
    };
}

const INSERT: &str = concat!(
    "insert into conversation (",
    columns!(),
    ", requirement, waits_from) select u.* from ",
    rows!()
);

/// Writes conversations that have no row yet.
pub async fn insert(session: &Session, saved: &[Saved<'_>]) -> Result<(), StoreError> {
    let statement = session.prepared(INSERT).await?;
    session
        .execute(&statement, &Columns::of(saved).parameters())
        .await?;
    Ok(())
}

const SAVE: &str = concat!(
    "update conversation c set status = u.status, owner_agent = u.owner_agent, owner_queue = u.owner_queue, team = u.team,
      last_owner = u.last_owner, priority = u.priority, episode = u.episode, epoch = u.epoch, sequence = u.sequence,
      standby = u.standby, route = u.route, excluded = u.excluded, waiting_since = u.waiting_since,
      queued_at = u.queued_at, clock = u.clock, clock_policy = u.clock_policy, clock_since = u.clock_since,
      clock_due = u.clock_due, window_expires_at = u.window_expires_at, last_activity = u.last_activity,
      contact = u.contact, marked = u.marked, requirement = u.requirement, waits_from = u.waits_from from ",
    rows!(),
    " where c.tenant = u.tenant and c.id = u.id"
);

/// Writes conversations that have a row, all that can change of them.
pub async fn save(session: &Session, saved: &[Saved<'_>]) -> Result<(), StoreError> {
    let statement = session.prepared(SAVE).await?;
    session
        .execute(&statement, &Columns::of(saved).parameters())
        .await?;
    Ok(())
}

const TOUCH: &str = "update conversation c set sequence = u.sequence, waiting_since = u.waiting_since,
    window_expires_at = u.window_expires_at, last_activity = u.last_activity
  from unnest($1::text[], $2::uuid[], $3::int8[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
    u(tenant, id, sequence, waiting_since, window_expires_at, last_activity)
  where c.tenant = u.tenant and c.id = u.id";

/// Writes what an ordinary message on an owned conversation changes: nothing that an index knows of.
pub async fn touch(session: &Session, touched: &[(&Tenant, &Conversation)]) -> Result<(), StoreError> {
    let statement = session.prepared(TOUCH).await?;
    let all = || touched.iter().map(|(_, conversation)| *conversation);
    let tenants: Vec<&str> = touched.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let ids: Vec<Uuid> = all().map(|c| c.id.0).collect();
    let sequences: Vec<i64> = all()
        .map(|c| i64::try_from(c.sequence).unwrap_or(i64::MAX))
        .collect();
    let waiting: Vec<Option<Timestamp>> = all().map(|c| c.waiting_since).collect();
    let windows: Vec<Option<Timestamp>> = all().map(|c| c.window_expires_at).collect();
    let activity: Vec<Timestamp> = all().map(|c| c.last_activity).collect();
    session
        .execute(
            &statement,
            &[&tenants, &ids, &sequences, &waiting, &windows, &activity],
        )
        .await?;
    Ok(())
}
