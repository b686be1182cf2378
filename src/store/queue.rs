//! Waiting conversations, by what they ask of an agent.

use std::collections::BTreeMap;

use tokio_postgres::types::ToSql;

use super::codec;
use super::row::{Loaded, columns};
use super::{Session, StoreError};
use crate::domain::ids::{ConversationId, Partition, TeamId, Tenant};
use crate::domain::state::Requirement;

pub(super) const STATEMENTS: &[&str] = &[LOAD];

/// The heads of a tenant's queues, in no order.
#[derive(Debug, Default)]
pub struct Page {
    /// The first of every requirement.
    pub conversations: Vec<Loaded>,
    /// Requirements of which more may wait than the page holds.
    pub more: Vec<Requirement>,
}

/// Rows of a page, about: where many requirements are waited for, fewer of each are loaded.
const MOST_ROWS: i64 = 1_000;
/// Of each requirement so many are loaded all the same: one, and whether another one is behind it.
const FEWEST: i64 = 2;

/// Finds the first few conversations of every requirement in these teams' queues; `$lock` says how to hold them.
macro_rules! heads {
    ($lock:literal) => {
        concat!(
            "with recursive team as (select unnest($2::text[]) as id),
            -- Every requirement that is waited for, found by jumping from one to the next in the queue's index: the time
            -- depends on how many requirements there are, not on how many conversations wait.
            jump as (
              (select team.id as queue, first.requirement from team, lateral (
                 select requirement from conversation
                 where tenant = $1 and owner_queue = team.id and requirement is not null
                 order by requirement limit 1) first)
              union all
              select jump.queue, next.requirement from jump, lateral (
                 select requirement from conversation
                 where tenant = $1 and owner_queue = jump.queue and requirement > jump.requirement
                 order by requirement limit 1) next),
            share as (select least($3, greatest($4, $5 / greatest(count(*), 1))) as each from jump)
            -- Of each, those that came first. Locking is inside, where it is done before the limit: whatever another lane
            -- holds is passed over without using up a place.
            select head.*, (select each from share) from jump, lateral (
              select ",
            columns!(),
            " from conversation
              where tenant = $1 and owner_queue = jump.queue and requirement = jump.requirement
              order by waits_from, id limit (select each from share) ",
            $lock,
            ") head"
        )
    };
}

const LOAD: &str = heads!("for no key update skip locked");

/// Loads and locks the first of every requirement in these teams' queues, `each` of them or, where many requirements are
/// waited for, fewer. Conversations that others hold are left
/// out: whoever holds a waiting conversation offers it again.
pub async fn load(
    session: &Session,
    tenant: &Tenant,
    teams: &[TeamId],
    each: usize,
) -> Result<Page, StoreError> {
    if teams.is_empty() {
        return Ok(Page::default());
    }
    page(session, LOAD, tenant, teams, each).await
}

const LOOK: &str = heads!("");

/// The same without locks, and so with all of them: for who only wants to know.
pub async fn look(
    session: &Session,
    tenant: &Tenant,
    teams: &[TeamId],
    each: usize,
) -> Result<Page, StoreError> {
    if teams.is_empty() {
        return Ok(Page::default());
    }
    page(session, LOOK, tenant, teams, each).await
}

async fn page(
    session: &Session,
    sql: &str,
    tenant: &Tenant,
    teams: &[TeamId],
    each: usize,
) -> Result<Page, StoreError> {
    let names: Vec<&str> = teams.iter().map(TeamId::as_str).collect();
    let limit = i64::try_from(each).unwrap_or(i64::MAX);
    let parameters: [&(dyn ToSql + Sync); 5] = [&tenant.as_str(), &names, &limit, &FEWEST, &MOST_ROWS];
    let rows = session.query(sql, &parameters).await?;
    let each = rows.first().map_or(limit, |row| row.get(row.len() - 1));
    let mut page = Page::default();
    let mut found: BTreeMap<Requirement, i64> = BTreeMap::new();
    for row in &rows {
        let loaded = Loaded::from_row(row)?;
        if let Some(requirement) = Requirement::of(&loaded.conversation) {
            *found.entry(requirement).or_default() += 1;
        }
        page.conversations.push(loaded);
    }
    let full = found.into_iter().filter(|(_, count)| *count >= each);
    page.more = full.map(|(requirement, _)| requirement).collect();
    Ok(page)
}

/// Waiting conversations of this home in teams that are not among these: a plan dropped the team.
pub async fn in_other_teams(
    session: &Session,
    tenant: &Tenant,
    home: Partition,
    teams: &[TeamId],
    limit: i64,
) -> Result<Vec<ConversationId>, StoreError> {
    let names: Vec<&str> = teams.iter().map(TeamId::as_str).collect();
    let sql = "select id from conversation
      where tenant = $1 and home = $2 and status <> 'closed' and owner_agent is null and owner_queue <> all($3::text[])
      order by id limit $4";
    let rows = session
        .query(sql, &[&tenant.as_str(), &i32::from(home.0), &names, &limit])
        .await?;
    Ok(rows.iter().map(|row| ConversationId(row.get(0))).collect())
}

/// Conversations of this home that would wait for ever, of which P7 says there are none: with nobody and without a clock
/// although a customer waits; in a queue without the place that drains look for; with a clock or an alarm that has no timer.
pub async fn stranded(
    session: &Session,
    home: Partition,
    limit: i64,
) -> Result<Vec<(Tenant, ConversationId)>, StoreError> {
    let sql = "select tenant, id from conversation c
      where home = $1 and status = 'open' and owner_agent is null and not standby and (
        owner_queue is null and clock = 'off' and waiting_since is not null
        or owner_queue is not null and requirement is null and not coalesce((route ->> 'manual')::boolean, false)
          and not coalesce((care ->> 'stale')::boolean, false)
        -- Long overdue: a timer that is merely late is somebody's work, and most clocks have not run out.
        or clock = 'running' and clock_due < clock_timestamp() - interval '1 minute' and not exists (
          select from timer t where t.tenant = c.tenant and t.kind = 'assign' and t.subject = c.id::text)
        or alarm < clock_timestamp() - interval '1 minute' and not exists (
          select from timer t where t.tenant = c.tenant and t.kind = 'alarm' and t.subject = c.id::text))
      order by tenant, id limit $2";
    let rows = session.query(sql, &[&i32::from(home.0), &limit]).await?;
    rows.iter()
        .map(|row| Ok((codec::tenant(row.get(0))?, ConversationId(row.get(1)))))
        .collect()
}

/// How many wait in each queue. A queue in which nobody waits is not in the answer.
pub async fn depths(session: &Session) -> Result<Vec<(Tenant, TeamId, i64)>, StoreError> {
    let sql = "select tenant, owner_queue, count(*) from conversation
      where status = 'open' and owner_agent is null and owner_queue is not null group by 1, 2 order by 1, 2";
    let rows = session.query(sql, &[]).await?;
    let depth = |row: &tokio_postgres::Row| {
        Ok((
            codec::tenant(row.get(0))?,
            codec::team_id(row.get(1))?,
            row.get(2),
        ))
    };
    rows.iter().map(depth).collect()
}
