//! A conversation as a row: its columns read, and written as one array per column.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{StoreError, care, codec};
use crate::domain::conversation::{Clock, Conversation, Owner, PendingRequest};
use crate::domain::ids::{ConversationId, Tenant};
use crate::domain::state::Requirement;

/// The columns of a conversation, in the order `Loaded::from_row` reads them.
macro_rules! columns {
    () => {
        "tenant, id, channel, partition_key, home, status, owner_agent, owner_queue, team, last_owner, priority,
         episode, epoch, sequence, standby, route, excluded, waiting_since, queued_at, clock, clock_policy, clock_since,
         clock_due, window_expires_at, last_activity, contact, marked, held_until, request_id, request_from, request_to,
         request_note, request_expires, unechoed, replied_at, clock_warn, respond, respond_policy, respond_since,
         respond_warn, respond_due, owned_since, care, alarm"
    };
}
pub(super) use columns;

/// The arrays of `Columns::parameters` as rows.
macro_rules! rows {
    () => {
        "unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::int4[], $6::text[], $7::text[], $8::text[],
           $9::text[], $10::text[], $11::text[], $12::int4[], $13::int8[], $14::int8[], $15::bool[], $16::jsonb[],
           $17::text[], $18::timestamptz[], $19::timestamptz[], $20::text[], $21::text[], $22::timestamptz[],
           $23::timestamptz[], $24::timestamptz[], $25::timestamptz[], $26::jsonb[], $27::bool[], $28::timestamptz[],
           $29::uuid[], $30::text[], $31::text[], $32::text[], $33::timestamptz[], $34::text[], $35::timestamptz[],
           $36::timestamptz[], $37::text[], $38::text[], $39::timestamptz[], $40::timestamptz[], $41::timestamptz[],
           $42::timestamptz[], $43::jsonb[], $44::timestamptz[], $45::text[], $46::timestamptz[])
         as u(tenant, id, channel, partition_key, home, status, owner_agent, owner_queue, team, last_owner, priority,
           episode, epoch, sequence, standby, route, excluded, waiting_since, queued_at, clock, clock_policy,
           clock_since, clock_due, window_expires_at, last_activity, contact, marked, held_until, request_id, request_from,
           request_to, request_note, request_expires, unechoed, replied_at, clock_warn, respond, respond_policy, respond_since,
           respond_warn, respond_due, owned_since, care, alarm, requirement, waits_from)"
    };
}
pub(super) use rows;

/// A conversation as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Whose.
    pub tenant: Tenant,
    /// It.
    pub conversation: Conversation,
    /// Whether another home's lane wrote outbox rows for it that its home has to publish first.
    pub marked: bool,
    /// When its alarm is set to go off.
    pub alarm: Option<Timestamp>,
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
        let conversation = Conversation {
            id: ConversationId(row.get(1)),
            channel: codec::channel(row.get(2))?,
            partition_key: row.get::<_, &str>(3).into(),
            home: codec::partition(row.get(4))?,
            status: codec::status(row.get(5))?,
            owner,
            team: optional(8).map(codec::team_id).transpose()?,
            last_owner: optional(9).map(codec::agent_id).transpose()?,
            priority: codec::priority(row.get(10))?,
            episode: codec::from_int4(row.get(11))?,
            epoch: codec::from_int8(row.get(12))?,
            sequence: codec::from_int8(row.get(13))?,
            standby: row.get(14),
            route: codec::route(&row.get::<_, Value>(15))?,
            excluded: codec::excluded(row.get(16))?,
            waiting_since: row.get(17),
            queued_at: row.get(18),
            assign_clock: clock(row.get(19), optional(20), row.get(21), row.get(35), row.get(22))?,
            respond_clock: clock(row.get(36), optional(37), row.get(38), row.get(39), row.get(40))?,
            owned_since: row.get(41),
            care: care::care(&row.get::<_, Value>(42))?,
            held_until: row.get(27),
            request: request(row)?,
            unechoed: codec::moments(row.get(33))?,
            replied_at: row.get(34),
            window_expires_at: row.get(23),
            last_activity: row.get(24),
            contact: codec::contact(&row.get::<_, Value>(25)).into(),
        };
        Ok(Self {
            tenant: codec::tenant(row.get(0))?,
            conversation,
            marked: row.get(26),
            alarm: row.get(43),
        })
    }
}

fn clock(
    word: &str,
    policy: Option<&str>,
    since: Option<Timestamp>,
    warn: Option<Timestamp>,
    due: Option<Timestamp>,
) -> Result<Clock, StoreError> {
    match (word, policy, since, due) {
        ("off", ..) => Ok(Clock::Off),
        ("breached", ..) => Ok(Clock::Breached),
        ("running", Some(policy), Some(since), Some(due)) => Ok(Clock::Running {
            policy: codec::policy_id(policy)?,
            since,
            warn,
            due,
        }),
        _ => Err(codec::unreadable("clock")),
    }
}

fn request(row: &Row) -> Result<Option<PendingRequest>, StoreError> {
    let Some(id) = row.get(28) else {
        return Ok(None);
    };
    Ok(Some(PendingRequest {
        id,
        from: codec::agent_id(row.get(29))?,
        to: codec::agent_id(row.get(30))?,
        note: row.get::<_, Option<&str>>(31).map(Arc::from),
        expires_at: row.get(32),
    }))
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
    /// When its alarm goes off.
    pub alarm: Option<Timestamp>,
}

/// Clocks, one array per column.
#[derive(Default)]
pub(super) struct Clocks<'a> {
    pub(super) word: Vec<&'a str>,
    pub(super) policy: Vec<Option<&'a str>>,
    pub(super) since: Vec<Option<Timestamp>>,
    pub(super) warn: Vec<Option<Timestamp>>,
    pub(super) due: Vec<Option<Timestamp>>,
}

impl<'a> Clocks<'a> {
    pub(super) fn push(&mut self, clock: &'a Clock) {
        let (word, running) = match clock {
            Clock::Off => ("off", None),
            Clock::Breached => ("breached", None),
            Clock::Running { policy, since, .. } => ("running", Some((policy.as_str(), *since))),
        };
        self.word.push(word);
        self.policy.push(running.map(|(policy, _)| policy));
        self.since.push(running.map(|(_, since)| since));
        self.warn.push(clock.warns());
        self.due.push(clock.due());
    }
}

/// One array per column: a whole batch in one statement.
#[derive(Default)]
pub(super) struct Columns<'a> {
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
    assign: Clocks<'a>,
    respond: Clocks<'a>,
    owned_since: Vec<Option<Timestamp>>,
    care: Vec<Value>,
    alarm: Vec<Option<Timestamp>>,
    window_expires_at: Vec<Option<Timestamp>>,
    last_activity: Vec<Timestamp>,
    contact: Vec<Value>,
    marked: Vec<bool>,
    held_until: Vec<Option<Timestamp>>,
    request_id: Vec<Option<Uuid>>,
    request_from: Vec<Option<&'a str>>,
    request_to: Vec<Option<&'a str>>,
    request_note: Vec<Option<&'a str>>,
    request_expires: Vec<Option<Timestamp>>,
    unechoed: Vec<String>,
    replied_at: Vec<Option<Timestamp>>,
    requirement: Vec<Option<String>>,
    waits_from: Vec<Option<Timestamp>>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(saved: &[Saved<'a>]) -> Self {
        let mut columns = Self::default();
        for one in saved {
            columns.push_identity(one);
            columns.push_standing(one.conversation);
            columns.push_times(one.conversation);
            columns.push_request(one.conversation);
            columns.push_queue_place(one.conversation);
        }
        columns
    }

    fn push_identity(&mut self, saved: &Saved<'a>) {
        let c = saved.conversation;
        self.tenant.push(saved.tenant.as_str());
        self.id.push(c.id.0);
        self.channel.push(c.channel.as_str());
        self.partition_key.push(&c.partition_key);
        self.home.push(i32::from(c.home.0));
        self.contact.push(codec::contact_value(&c.contact));
        self.marked.push(saved.marked);
        self.alarm.push(saved.alarm);
    }

    fn push_standing(&mut self, c: &'a Conversation) {
        self.status.push(codec::status_word(c.status));
        self.owner_agent.push(c.owner.agent().map(|agent| agent.as_str()));
        self.owner_queue.push(c.owner.queue().map(|team| team.as_str()));
        self.team.push(c.team.as_ref().map(|team| team.as_str()));
        self.last_owner
            .push(c.last_owner.as_ref().map(|agent| agent.as_str()));
        self.priority.push(codec::priority_word(c.priority));
        self.episode.push(codec::int4(c.episode));
        self.epoch.push(codec::int8(c.epoch));
        self.sequence.push(codec::int8(c.sequence));
        self.standby.push(c.standby);
        self.route.push(codec::route_value(&c.route));
        self.excluded.push(codec::excluded_text(&c.excluded));
    }

    fn push_times(&mut self, c: &'a Conversation) {
        self.waiting_since.push(c.waiting_since);
        self.queued_at.push(c.queued_at);
        self.assign.push(&c.assign_clock);
        self.respond.push(&c.respond_clock);
        self.owned_since.push(c.owned_since);
        self.care.push(care::care_value(&c.care));
        self.window_expires_at.push(c.window_expires_at);
        self.last_activity.push(c.last_activity);
        self.held_until.push(c.held_until);
        self.unechoed.push(codec::moments_text(&c.unechoed));
        self.replied_at.push(c.replied_at);
    }

    fn push_request(&mut self, c: &'a Conversation) {
        let request = c.request.as_ref();
        self.request_id.push(request.map(|request| request.id));
        self.request_from
            .push(request.map(|request| request.from.as_str()));
        self.request_to.push(request.map(|request| request.to.as_str()));
        self.request_note
            .push(request.and_then(|request| request.note.as_deref()));
        self.request_expires
            .push(request.map(|request| request.expires_at));
    }

    /// Computed here and nowhere else, so that the queue's index never differs from what the core would say.
    fn push_queue_place(&mut self, c: &'a Conversation) {
        let requirement = Requirement::of(c).map(|requirement| requirement.needs.to_string());
        self.waits_from
            .push(requirement.is_some().then(|| c.waits_from()));
        self.requirement.push(requirement);
    }

    pub(super) fn parameters(&self) -> [&(dyn ToSql + Sync); 46] {
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
            &self.assign.word,
            &self.assign.policy,
            &self.assign.since,
            &self.assign.due,
            &self.window_expires_at,
            &self.last_activity,
            &self.contact,
            &self.marked,
            &self.held_until,
            &self.request_id,
            &self.request_from,
            &self.request_to,
            &self.request_note,
            &self.request_expires,
            &self.unechoed,
            &self.replied_at,
            &self.assign.warn,
            &self.respond.word,
            &self.respond.policy,
            &self.respond.since,
            &self.respond.warn,
            &self.respond.due,
            &self.owned_since,
            &self.care,
            &self.alarm,
            &self.requirement,
            &self.waits_from,
        ]
    }
}
