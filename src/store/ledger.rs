//! The ledger of turns, added up by the database from decision records.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::codec;
use super::{Session, StoreError};
use crate::domain::fairness::Book;
use crate::domain::ids::{TeamId, Tenant};
use crate::domain::plan::Strategy;

/// Decisions of a team that are added up at most, the newest.
pub const MOST_DECISIONS: i64 = 100_000;

/// A team's turns under one strategy, and what was not anyone's turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The team.
    pub team: TeamId,
    /// How it chose.
    pub strategy: Strategy,
    /// The turns.
    pub book: Book,
    /// Decisions that found nobody.
    pub nobody: i64,
    /// The oldest decision that was added up.
    pub from: Timestamp,
    /// Whether there are older ones in the time asked for, which were left out.
    pub cut: bool,
}

/// Which decisions to add up.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// One team's only.
    pub team: Option<&'a TeamId>,
    /// Since when.
    pub since: Timestamp,
    /// Rules that name an agent: what they prefer is nobody's turn.
    pub preferring: &'a [&'a str],
}

/// The decisions of every team, found by jumping from one to the next, of each no more than the newest.
macro_rules! choices {
    () => {
        "with recursive jump as (
           (select team from decision where tenant = $1 and team is not null order by team limit 1)
           union all
           select next.team from jump, lateral (
             select team from decision where tenant = $1 and team > jump.team order by team limit 1) next),
         choice as materialized (
           select jump.team, d.strategy, d.chosen, d.at, d.detail -> 'candidates' as candidates,
             coalesce((d.detail -> 'passed_over' ->> 'outranked')::int8, 0) as outranked
           from jump, lateral (
             select strategy, chosen, at, detail from decision
             where tenant = $1 and team = jump.team and at >= $2 and strategy is not null and strategy <> 'manual'
               and (rule is null or rule <> all($4::text[]))
             order by at desc limit $5) d
           where $3::text is null or jump.team = $3)"
    };
}

const TOTALS: &str = concat!(
    choices!(),
    " select team, strategy, count(chosen), count(*) - count(chosen), min(at),
        coalesce(sum((outranked - (select count(*) from jsonb_array_elements(candidates) c
          where c ->> 'passed_over' = 'outranked')) / (1 + outranked)::float8) filter (where chosen is not null), 0)::float8,
        count(*)
      from choice group by 1, 2 order by 1, 2"
);

const ACCOUNTS: &str = concat!(
    choices!(),
    " select team, strategy, c ->> 'agent', c ->> 'passed_over', count(*), sum(1 / (1 + outranked)::float8)
      from choice, jsonb_array_elements(candidates) c where chosen is not null group by 1, 2, 3, 4"
);

/// Adds up what strategies decided, by team and strategy.
pub async fn entries(session: &Session, asked: Asked<'_>) -> Result<Vec<Entry>, StoreError> {
    let tenant = asked.tenant.as_str();
    let team = asked.team.map(TeamId::as_str);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&tenant, &asked.since, &team, &asked.preferring, &MOST_DECISIONS];
    let mut entries: BTreeMap<(String, String), Entry> = BTreeMap::new();
    for row in session.query(TOTALS, &parameters).await? {
        let (team, strategy): (String, String) = (row.get(0), row.get(1));
        let book = Book {
            decisions: codec::from_int8(row.get(2))?,
            unlisted: row.get(5),
            ..Book::default()
        };
        let entry = Entry {
            team: codec::team_id(&team)?,
            strategy: codec::strategy(&strategy)?,
            book,
            nobody: row.get(3),
            from: row.get(4),
            cut: row.get::<_, i64>(6) >= MOST_DECISIONS,
        };
        entries.insert((team, strategy), entry);
    }
    for row in session.query(ACCOUNTS, &parameters).await? {
        let Some(entry) = entries.get_mut(&(row.get(0), row.get(1))) else {
            continue;
        };
        let agent = codec::agent_id(row.get(2))?;
        let account = entry.book.accounts.entry(agent).or_default();
        let count = codec::from_int8(row.get(4))?;
        match row.get::<_, Option<&str>>(3) {
            None => {
                account.turns = count;
                account.expected += row.get::<_, f64>(5);
            }
            Some("outranked") => {
                account.outranked = count;
                account.expected += row.get::<_, f64>(5);
            }
            Some(why) => drop(account.skips.insert(codec::passed_over(why)?, count)),
        }
    }
    Ok(entries.into_values().collect())
}
