//! What waits, counted where it is: by team and by what is asked for, however many conversations that are.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::codec;
use super::row::{Loaded, columns};
use super::{Session, StoreError};
use crate::domain::conversation::{Conversation, Priority};
use crate::domain::ids::{ConversationId, TeamId, Tenant};
use crate::domain::standing::{Before, LOOK_BACK};

/// Queues told apart, of a tenant: the longest. What waits in others is counted by team.
pub const MOST_QUEUES: i64 = 200;
/// Conversations counted at most to find a place among them.
pub const MOST_AHEAD: i64 = 100_000;
/// Decisions looked at to know how fast a team's queue moves: the newest.
const MOST_DECISIONS: i64 = 2_000;
/// How long one question may take: it may look at everything that waits, which batches never do.
const TIMEOUT: &str = "1min";

/// A priority's steps, as requirements begin with them.
fn steps(priority: Priority) -> String {
    priority.steps().to_string()
}

/// Begins to look: everything until `commit` is seen as it is at one moment.
pub async fn begin(session: &Session) -> Result<(), StoreError> {
    session.begin_look(TIMEOUT).await
}

/// Conversations of one team's queue that ask the same of a person, whatever their priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// One of them: what it asks, they all ask.
    pub head: Conversation,
    /// How many.
    pub waiting: i64,
    /// Since when the one that waits longest does.
    pub oldest: Timestamp,
    /// How many of each priority.
    pub priorities: Vec<(Priority, i64)>,
}

/// Counts a tenant's queues: by index alone, first every requirement, then those that differ in priority only together.
macro_rules! ranked {
    () => {
        "with queue as materialized (
           select owner_queue, requirement, split_part(requirement, ' ', 1) as steps, count(*) as waiting,
             min(waits_from) as oldest
           from conversation
           where tenant = $1 and requirement is not null and ($2::text is null or owner_queue = $2)
           group by 1, 2),
         asked as (
           select owner_queue as team, substr(requirement, length(steps) + 1) as needs, min(requirement) as requirement,
             sum(waiting)::int8 as waiting, min(oldest) as oldest,
             array_agg(steps order by steps) as steps, array_agg(waiting order by steps) as of_steps
           from queue group by 1, 2),
         ranked as (
           select *, row_number() over (order by waiting desc, oldest, team, needs) as place from asked)"
    };
}

const QUEUES: &str = concat!(
    ranked!(),
    " select head.*, ranked.waiting, ranked.oldest, ranked.steps, ranked.of_steps
      from ranked, lateral (select ",
    columns!(),
    " from conversation where tenant = $1 and owner_queue = ranked.team and requirement = ranked.requirement
        order by waits_from, id limit 1) head
      where ranked.place <= $3 order by ranked.place"
);

/// What waits for a strategy, the longest queues first.
pub async fn queues(
    session: &Session,
    tenant: &Tenant,
    team: Option<&TeamId>,
) -> Result<Vec<Queue>, StoreError> {
    let team = team.map(TeamId::as_str);
    let rows = session
        .query(QUEUES, &[&tenant.as_str(), &team, &MOST_QUEUES])
        .await?;
    rows.iter().map(queue).collect()
}

fn queue(row: &Row) -> Result<Queue, StoreError> {
    let words: Vec<&str> = row.get("steps");
    let counts: Vec<i64> = row.get("of_steps");
    let mut priorities = Vec::new();
    for (word, count) in words.into_iter().zip(counts) {
        let all = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
        let priority = all.into_iter().find(|priority| steps(*priority) == word);
        priorities.push((priority.ok_or_else(|| codec::unreadable("requirement"))?, count));
    }
    priorities.sort();
    Ok(Queue {
        head: Loaded::from_row(row)?.conversation,
        waiting: row.get("waiting"),
        oldest: row.get("oldest"),
        priorities,
    })
}

/// Why something is not in a queue that a strategy empties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outside {
    /// It is in a queue that is not among the longest ones.
    ShortQueue,
    /// A rule asks that a person takes it from the queue.
    Manual,
    /// Nothing has happened in it for too long.
    Stale,
    /// A bot holds it.
    Bot,
    /// Nobody has it.
    Nobody,
}

/// Conversations outside of the queues that were told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Others {
    /// The queue they are in, if they are in one.
    pub team: Option<TeamId>,
    /// Why they are counted here.
    pub outside: Outside,
    /// How many.
    pub waiting: i64,
    /// Since when the one that waits longest does.
    pub oldest: Timestamp,
    /// One of them.
    pub example: Option<ConversationId>,
}

const SHORT_QUEUES: &str = concat!(
    ranked!(),
    " select team, 'short', sum(waiting)::int8, min(oldest), null::uuid from ranked where place > $3 group by team order by team"
);

/// What waits in the queues that `queues` does not tell apart.
pub async fn short_queues(
    session: &Session,
    tenant: &Tenant,
    team: Option<&TeamId>,
) -> Result<Vec<Others>, StoreError> {
    let team = team.map(TeamId::as_str);
    let rows = session
        .query(SHORT_QUEUES, &[&tenant.as_str(), &team, &MOST_QUEUES])
        .await?;
    rows.iter().map(others).collect()
}

const OUTSIDE: &str = "select owner_queue,
    case when standby then 'bot' when owner_queue is null then 'nobody'
      when coalesce((route ->> 'manual')::boolean, false) then 'manual' else 'stale' end,
    count(*), min(coalesce(waiting_since, queued_at, last_activity)), min(id::text)::uuid
  from conversation
  where tenant = $1 and status = 'open' and owner_agent is null and requirement is null
    and ($2::text is null or owner_queue = $2)
  group by 1, 2 order by 1 nulls last, 2";

/// What waits where no strategy looks.
pub async fn outside(
    session: &Session,
    tenant: &Tenant,
    team: Option<&TeamId>,
) -> Result<Vec<Others>, StoreError> {
    let team = team.map(TeamId::as_str);
    let rows = session.query(OUTSIDE, &[&tenant.as_str(), &team]).await?;
    rows.iter().map(others).collect()
}

fn others(row: &Row) -> Result<Others, StoreError> {
    let outside = match row.get(1) {
        "short" => Outside::ShortQueue,
        "manual" => Outside::Manual,
        "stale" => Outside::Stale,
        "bot" => Outside::Bot,
        _ => Outside::Nobody,
    };
    Ok(Others {
        team: row.get::<_, Option<&str>>(0).map(codec::team_id).transpose()?,
        outside,
        waiting: row.get(2),
        oldest: row.get(3),
        example: row.get::<_, Option<uuid::Uuid>>(4).map(ConversationId),
    })
}

/// The requirements of a team's queue are found by jumping from one to the next; of each only what comes first is counted.
const AHEAD: &str = "with recursive jump as (
    (select requirement from conversation
     where tenant = $1 and owner_queue = $2 and requirement is not null order by requirement limit 1)
    union all
    select next.requirement from jump, lateral (
      select requirement from conversation
      where tenant = $1 and owner_queue = $2 and requirement > jump.requirement order by requirement limit 1) next)
  select count(*) from (
    select from jump, unnest($3::text[], $4::timestamptz[], $5::uuid[]) b(steps, waits_from, id), lateral (
      select from conversation c
      where c.tenant = $1 and c.owner_queue = $2 and c.requirement = jump.requirement
        and (c.waits_from, c.id) < (b.waits_from, b.id)
      order by c.waits_from, c.id limit $6) one
    where b.steps = split_part(jump.requirement, ' ', 1)
    limit $6) ahead";

/// How many in a team's queues come before a place; no more than `MOST_AHEAD` are counted.
pub async fn ahead(
    session: &Session,
    tenant: &Tenant,
    team: &TeamId,
    before: &[Before],
) -> Result<i64, StoreError> {
    let priorities: Vec<String> = before.iter().map(|one| steps(one.priority)).collect();
    let moments: Vec<Timestamp> = before.iter().map(|one| since_1970(one.waits_from)).collect();
    let ids: Vec<uuid::Uuid> = before.iter().map(|one| one.id.0).collect();
    let row = session
        .query_one(
            AHEAD,
            &[
                &tenant.as_str(),
                &team.as_str(),
                &priorities,
                &moments,
                &ids,
                &MOST_AHEAD,
            ],
        )
        .await?;
    Ok(row.get(0))
}

/// Nothing has waited for longer, and columns do not go back as far as our times do.
fn since_1970(at: Timestamp) -> Timestamp {
    at.max(Timestamp::UNIX_EPOCH)
}

/// How fast a team's queue moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Conversations that its strategy has given to someone out of its queue.
    pub assigned: i64,
    /// Within how long, until now.
    pub within: std::time::Duration,
}

/// Since when is told by the transaction's time: an index cannot be asked by one that goes on.
const PACE: &str = "with newest as materialized (
    select id, conversation, at, chosen from decision
    where tenant = $1 and team = $2 and at >= now() - make_interval(secs => $3)
    order by at desc limit $4)
  select count(*) filter (where chosen is not null and exists (select from engagement e
      where e.tenant = $1 and e.conversation = newest.conversation and e.created_at = newest.at
        and e.decision = newest.id and e.from_owner = 'team/' || $2)),
    case when count(*) < $4 then $3 else extract(epoch from now() - min(at))::float8 end
  from newest";

/// How fast a team's queue has moved in the last hour, as far as its newest decisions tell.
pub async fn pace(session: &Session, tenant: &Tenant, team: &TeamId) -> Result<Pace, StoreError> {
    let seconds = LOOK_BACK.as_secs_f64();
    let row = session
        .query_one(
            PACE,
            &[&tenant.as_str(), &team.as_str(), &seconds, &MOST_DECISIONS],
        )
        .await?;
    let within: f64 = row.get(1);
    Ok(Pace {
        assigned: row.get(0),
        within: std::time::Duration::try_from_secs_f64(within).unwrap_or_default(),
    })
}
