//! What people look at: conversations, their history, the decisions behind them. Plain reads, no locks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::codec;
use super::row::{Loaded, columns};
use super::{Session, StoreError};
use crate::domain::conversation::Priority;
use crate::domain::event::PassedOver;
use crate::domain::ids::{AgentId, ConversationId, TeamId, Tenant};
use crate::domain::plan::Strategy;

/// Records shown of one conversation at most, the newest: a life of reopening fits, a loop of transfers does not.
const MOST_RECORDS: i64 = 1_000;

/// Which conversations to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View<'a> {
    /// Open, with nobody.
    New,
    /// Open, in a team's queue.
    Team,
    /// Open or on hold, with a person.
    Assigned,
    /// Open or on hold, with this person.
    Mine(&'a AgentId),
    /// Closed.
    Closed,
    /// All of them.
    All,
}

impl View<'_> {
    /// What belongs in it, and in which order: open ones as long as they have waited, the rest by age, which an index
    /// knows (ids begin with their time), so that old conversations in their millions are not sorted.
    fn sql(self) -> (&'static str, &'static str) {
        const WAITED_LONGEST: &str = "coalesce(waiting_since, queued_at, last_activity), tenant, id";
        const NEWEST: &str = "tenant, id desc";
        match self {
            View::New => (
                "status = 'open' and owner_agent is null and owner_queue is null",
                WAITED_LONGEST,
            ),
            View::Team => (
                "status = 'open' and owner_agent is null and owner_queue is not null",
                WAITED_LONGEST,
            ),
            View::Assigned => ("status <> 'closed' and owner_agent is not null", WAITED_LONGEST),
            View::Mine(_) => ("status <> 'closed' and owner_agent = $2", WAITED_LONGEST),
            View::Closed => ("status = 'closed'", NEWEST),
            View::All => ("true", NEWEST),
        }
    }

    fn agent(&self) -> Option<&str> {
        match self {
            View::Mine(agent) => Some(agent.as_str()),
            View::New | View::Team | View::Assigned | View::Closed | View::All => None,
        }
    }
}

/// Whose eyes look: what they own, what is in no team, and what is in one of these teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eyes {
    /// Who looks.
    pub agent: AgentId,
    /// The teams they look into.
    pub teams: BTreeSet<TeamId>,
}

/// Conversations of a view that these eyes may see (without any: all), at most `limit`: open ones by how long they have waited, others the newest first.
pub async fn conversations(
    session: &Session,
    tenant: Option<&Tenant>,
    view: View<'_>,
    eyes: Option<&Eyes>,
    limit: i64,
) -> Result<Vec<Loaded>, StoreError> {
    let (condition, order) = view.sql();
    // The second parameter has to be there for all views, and have a type.
    let sql = format!(
        "select {} from conversation
         where ($1::text is null or tenant = $1) and ($2::text is null or true) and {condition}
           and ($4::text is null or owner_agent = $4 or team is null or team = any($5::text[]))
         order by {order} limit $3",
        columns!()
    );
    let viewer = eyes.map(|eyes| eyes.agent.as_str());
    let teams = eyes.map(|eyes| eyes.teams.iter().map(TeamId::as_str).collect::<Vec<_>>());
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
        &tenant.map(Tenant::as_str),
        &view.agent(),
        &limit.max(0),
        &viewer,
        &teams.unwrap_or_default(),
    ];
    session
        .query(&sql, &parameters)
        .await?
        .iter()
        .map(Loaded::from_row)
        .collect()
}

/// One conversation, whoever's it is: every tenant is asked, since keys begin with the tenant.
pub async fn conversation(session: &Session, id: ConversationId) -> Result<Option<Loaded>, StoreError> {
    let sql = concat!(
        "select c.* from matching m, lateral (select ",
        columns!(),
        " from conversation where tenant = m.tenant and id = $1) c"
    );
    session
        .query_opt(sql, &[&id.0])
        .await?
        .as_ref()
        .map(Loaded::from_row)
        .transpose()
}

/// An engagement record as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Engagement {
    /// Its name.
    pub engagement: Uuid,
    /// Which way.
    pub way: String,
    /// Who had it before.
    pub from: Option<String>,
    /// Who got it.
    pub to: Option<String>,
    /// Who asked.
    pub requester: Option<String>,
    /// How it came out.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Told by the one who gave it.
    pub note: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The decision behind it.
    pub decision: Option<Uuid>,
}

/// A conversation's engagement records, the oldest first.
pub async fn engagements(
    session: &Session,
    tenant: &Tenant,
    id: ConversationId,
) -> Result<Vec<Engagement>, StoreError> {
    let sql = "select id, way, from_owner, to_agent, requester, status, reason, note, created_at, updated_at, decision
      from engagement where tenant = $1 and conversation = $2 order by created_at desc, id desc limit $3";
    let rows = session
        .query(sql, &[&tenant.as_str(), &id.0, &MOST_RECORDS])
        .await?;
    let engagement = |row: &Row| Engagement {
        engagement: row.get(0),
        way: row.get(1),
        from: row.get(2),
        to: row.get(3),
        requester: row.get(4),
        status: row.get(5),
        reason: row.get(6),
        note: row.get(7),
        created_at: row.get(8),
        updated_at: row.get(9),
        decision: row.get(10),
    };
    Ok(rows.iter().rev().map(engagement).collect())
}

/// A note as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// Its name.
    pub note: Uuid,
    /// Who wrote it.
    pub author: String,
    /// What.
    pub text: String,
    /// When.
    pub created_at: Timestamp,
}

/// A conversation's notes, the oldest first.
pub async fn notes(session: &Session, tenant: &Tenant, id: ConversationId) -> Result<Vec<Note>, StoreError> {
    let sql = "select id, author, text, created_at from note
      where tenant = $1 and conversation = $2 order by created_at desc, id desc limit $3";
    let rows = session
        .query(sql, &[&tenant.as_str(), &id.0, &MOST_RECORDS])
        .await?;
    let note = |row: &Row| Note {
        note: row.get(0),
        author: row.get(1),
        text: row.get(2),
        created_at: row.get(3),
    };
    Ok(rows.iter().rev().map(note).collect())
}

/// A decision record as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Its name.
    pub decision: Uuid,
    /// When.
    pub at: Timestamp,
    /// Because of what.
    pub cause: String,
    /// The rule that matched.
    pub rule: Option<String>,
    /// The plan in force.
    pub plan_version: i32,
    /// Whose members were candidates.
    pub team: Option<String>,
    /// How one was chosen.
    pub strategy: Option<String>,
    /// Who.
    pub chosen: Option<String>,
    /// Candidates, counts by reason, rules that failed.
    pub detail: Value,
}

/// A conversation's decision records, the oldest first.
pub async fn decisions(
    session: &Session,
    tenant: &Tenant,
    id: ConversationId,
) -> Result<Vec<Decision>, StoreError> {
    let sql = "select id, at, cause, rule, plan_version, team, strategy, chosen, detail
      from decision where tenant = $1 and conversation = $2 order by at desc, id desc limit $3";
    let rows = session
        .query(sql, &[&tenant.as_str(), &id.0, &MOST_RECORDS])
        .await?;
    let decision = |row: &Row| Decision {
        decision: row.get(0),
        at: row.get(1),
        cause: row.get(2),
        rule: row.get(3),
        plan_version: row.get(4),
        team: row.get(5),
        strategy: row.get(6),
        chosen: row.get(7),
        detail: row.get(8),
    };
    Ok(rows.iter().rev().map(decision).collect())
}

/// The words of a conversation as listings show them: status and priority.
pub fn words(loaded: &Loaded) -> (&'static str, &'static str) {
    (
        codec::status_word(loaded.conversation.status),
        codec::priority_word(loaded.conversation.priority),
    )
}

/// A priority as it is shown.
pub fn priority_word(priority: Priority) -> &'static str {
    codec::priority_word(priority)
}

/// Why a candidate was passed over, as it is shown.
pub fn passed_over_word(reason: PassedOver) -> &'static str {
    codec::passed_over_word(reason)
}

/// A strategy as it is shown.
pub fn strategy_word(strategy: Strategy) -> &'static str {
    codec::strategy_word(strategy)
}

/// The database's clock: the one all decisions go by.
pub async fn now(session: &Session) -> Result<Timestamp, StoreError> {
    let row = session.query_one("select clock_timestamp()", &[]).await?;
    Ok(row.get(0))
}

/// How much each agent carries, by what the conversations say: id, presence, open conversations owned.
pub async fn loads(session: &Session, tenant: &Tenant) -> Result<Vec<(String, String, i64)>, StoreError> {
    let sql = "select a.id, a.presence, count(c.id) from agent a
      left join conversation c on c.tenant = a.tenant and c.owner_agent = a.id and c.status = 'open'
      where a.tenant = $1 group by 1, 2 order by 1";
    let rows = session.query(sql, &[&tenant.as_str()]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect())
}

/// A queue in which somebody waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The team whose queue it is.
    pub team: String,
    /// How many wait.
    pub waiting: i64,
    /// Since when the one that waits longest does.
    pub oldest: Timestamp,
}

/// A tenant's queues, the one with the longest wait first.
pub async fn queues(session: &Session, tenant: &Tenant) -> Result<Vec<Queue>, StoreError> {
    let sql = "select owner_queue, count(*), min(coalesce(waiting_since, queued_at, last_activity))
      from conversation where tenant = $1 and status = 'open' and owner_agent is null and owner_queue is not null
      group by 1 order by 3, 1";
    let rows = session.query(sql, &[&tenant.as_str()]).await?;
    let queue = |row: &Row| Queue {
        team: row.get(0),
        waiting: row.get(1),
        oldest: row.get(2),
    };
    Ok(rows.iter().map(queue).collect())
}
