//! What a batch locks and loads, in the one order of locks: the lane's epoch, inbox keys, identifiers, conversations by id
//! with the timers about them, match rows with the timers about their tenants and people, then whoever waits and is free.
//!
//! Each step is one pipeline, and takes what the step before it returns: a step cannot be taken too early. A timer is
//! claimed right after the lock of what it is about, so whoever sets it anew waits at that lock and never here.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::try_join;
use uuid::Uuid;

use super::batch::{Author, Failure, Order};
use super::gather::{Pending, Work};
use super::leaving;
use super::resolve::{self, Resolved};
use super::timed::{self, Due};
use super::world::{Needs, World, drained_teams};
use crate::domain::ids::{ConversationId, TeamId, Tenant};
use crate::store::conversations::Loaded;
use crate::store::matching::MatchRow;
use crate::store::timers::DueTimer;
use crate::store::{Session, StoreError};
use crate::store::{agents, aliases, conversations, inbox, lanes, matching, outbox, queue, timers};

/// Outbox rows of other lanes that a batch publishes before its own; the rest is read at the next wake-up.
pub const FOREIGN_ROWS: i64 = 1_000;

/// What the first round trip says.
pub struct Opening {
    /// The database's time.
    pub now: Timestamp,
    /// Keys that nobody had claimed before.
    pub fresh: HashSet<Uuid>,
    /// Identifiers that are known.
    pub aliases: Vec<(Tenant, Uuid, ConversationId)>,
    /// Timers that are due, not yet claimed.
    due: Vec<DueTimer>,
}

impl Opening {
    /// Whether as many timers were due as the batch would take.
    pub fn is_full(&self, order: Order<'_>) -> bool {
        self.due.len() as i64 >= order.timers.max(1)
    }
}

/// First round trip: the fence, the inbox, the identifiers, the timers that are due.
pub async fn open(session: &Session, order: Order<'_>, pending: &[Pending<'_>]) -> Result<Opening, Failure> {
    let mut keys = resolve::aliases_of(pending);
    keys.extend(leaving::aliases_of(pending, order.directory));
    let claims = claims(pending);
    let (_, fence, _, fresh, aliases, due) = try_join!(
        biased;
        session.begin(),
        fence(session, order.author),
        delete_published(session, order),
        inbox::claim(session, &claims),
        aliases::find(session, &keys),
        due_timers(session, order),
    )?;
    let fence = fence.ok_or(Failure::Fenced)?;
    if fence.directory_version != order.directory.version {
        return Err(Failure::PlanChanged(fence.directory_version));
    }
    Ok(Opening {
        now: fence.now.max(order.not_before),
        fresh: fresh.into_iter().collect(),
        aliases,
        due,
    })
}

async fn fence(session: &Session, author: Author) -> Result<Option<lanes::Fence>, StoreError> {
    match author {
        Author::Lane { partition, epoch } => lanes::fence(session, partition, epoch).await,
        Author::Visitor => lanes::clock(session).await.map(Some),
    }
}

async fn delete_published(session: &Session, order: Order<'_>) -> Result<(), StoreError> {
    match order.author {
        Author::Lane { partition, .. } => outbox::delete(session, partition, order.published).await,
        Author::Visitor => Ok(()),
    }
}

async fn due_timers(session: &Session, order: Order<'_>) -> Result<Vec<DueTimer>, StoreError> {
    match order.author {
        Author::Lane { partition, .. } if order.timers > 0 => {
            timers::due(session, partition, order.timers).await
        }
        Author::Lane { .. } | Author::Visitor => Ok(Vec::new()),
    }
}

/// The keys of what arrived. Only a message has a time of its own, the same in every delivery.
fn claims<'a>(pending: &'a [Pending<'_>]) -> Vec<inbox::Claim<'a>> {
    let claim = |one: &'a Pending<'_>| inbox::Claim {
        tenant: &one.tenant,
        key: one.key,
        own_time: match one.what {
            Work::Fact(fact) => fact.own_time,
            Work::Command(_) => None,
        },
    };
    pending.iter().map(claim).collect()
}

/// Second round trip: new identifiers, then the conversations in the order of their ids, then the timers about them.
/// After a plan's activation one more before it, which finds the conversations that a timer wants looked at again.
pub async fn conversations(
    session: &Session,
    order: Order<'_>,
    pending: &[Pending<'_>],
    opening: &Opening,
    resolved: &Resolved,
    world: &mut World,
) -> Result<Due, Failure> {
    for one in pending {
        world.enter(&one.tenant, || order.directory.plan(&one.tenant));
    }
    let mut due = timed::look(session, order, &opening.due).await?;
    let mut ids = ids(pending, resolved, &due);
    ids.extend(leaving::conversations_of(
        pending,
        &opening.aliases,
        order.directory,
    ));
    let ids: Vec<_> = ids.into_iter().collect();
    let about_conversations = due.about_conversations();
    let (added, loaded, claimed) = try_join!(
        biased;
        aliases::add(session, &resolved.aliases),
        conversations::lock(session, &ids),
        timers::claim(session, &about_conversations),
    )?;
    if added < resolved.aliases.len() as u64 {
        return Err(Failure::AliasRace);
    }
    due.keep_claimed(&about_conversations, &claimed);
    let met: HashSet<ConversationId> = resolved.conversations.values().copied().collect();
    let forgotten =
        |loaded: &Loaded| loaded.conversation.is_forgotten() && met.contains(&loaded.conversation.id);
    if loaded.iter().any(forgotten) {
        // Its customer was erased between our look at the identifiers and our lock: now they are somebody new.
        return Err(Failure::AliasRace);
    }
    for loaded in loaded {
        world.enter(&loaded.tenant, || order.directory.plan(&loaded.tenant));
        world.put_loaded(loaded);
    }
    for (tenant, conversation) in &resolved.unborn {
        world.put_unborn(tenant, conversation.clone());
    }
    for id in due.alarmed() {
        world.alarm_went_off(id);
    }
    for timer in due.timers() {
        world.enter(&timer.tenant, || order.directory.plan(&timer.tenant));
    }
    Ok(due)
}

/// Every conversation with a row that the batch is about, in the order of locks.
fn ids(pending: &[Pending<'_>], resolved: &Resolved, due: &Due) -> BTreeSet<(Tenant, ConversationId)> {
    let unborn: HashSet<ConversationId> = resolved.unborn.iter().map(|(_, c)| c.id).collect();
    let named = pending.iter().enumerate().filter_map(|(place, one)| {
        let id = match one.what {
            Work::Fact(_) => resolved.conversations.get(&place).copied(),
            Work::Command(command) => command.conversation(),
        };
        id.filter(|id| !unborn.contains(id))
            .map(|id| (one.tenant.clone(), id))
    });
    named.chain(due.conversations()).collect()
}

/// Third round trip, only where ownership is at stake or rows of other lanes may wait: the match rows, then the timers
/// about tenants and people, then people and the heads of the queues; last, the rows that other lanes left for us to
/// publish first. Returns those rows.
pub async fn match_rows(
    session: &Session,
    order: Order<'_>,
    now: Timestamp,
    needs: &BTreeMap<Tenant, Needs>,
    due: &mut Due,
    world: &mut World,
) -> Result<Vec<(i64, String)>, Failure> {
    let tenants: Vec<Tenant> = needs.keys().cloned().collect();
    let under_match_rows = due.under_match_rows();
    let queues: Vec<(&Tenant, Vec<TeamId>, usize)> = needs
        .iter()
        .filter(|(_, need)| need.places > 0)
        .filter_map(|(tenant, need)| {
            let teams = drained_teams(&world.state(tenant)?.plan);
            Some((tenant, teams, need.places))
        })
        .collect();
    // One more than there are places: whoever is left shows that nobody is free for them, or that the drain has to go on.
    let heads = queues
        .iter()
        .map(|(tenant, teams, places)| queue::load(session, tenant, teams, places + 1));
    let look_now = order.look_for_rows || meets_mark(order, world);
    let (rows, come, claimed, people, teams, pages, foreign) = try_join!(
        biased;
        matching::lock(session, &tenants),
        matching::overdue(session, &tenants, now),
        timers::claim(session, &under_match_rows),
        agents::load(session, &tenants),
        agents::load_members(session, &tenants),
        try_join_all(heads),
        foreign_rows(session, order, look_now),
    )?;
    due.keep_claimed(&under_match_rows, &claimed);
    enter_match_rows(order, rows, teams, world)?;
    for (tenant, agent) in people {
        let state = world.enter(&tenant, || order.directory.plan(&tenant));
        state.agents.insert(agent.id.clone(), agent);
    }
    for ((tenant, ..), page) in queues.into_iter().zip(pages) {
        world.put_page(tenant, page);
    }
    for tenant in come {
        // Time made somebody eligible, and the queues have not been served since: newcomers wait behind them.
        let state = world.enter(&tenant, || order.directory.plan(&tenant));
        state.drain_pending = true;
    }
    if !look_now && meets_mark(order, world) {
        // One that waited carries the mark: what its other events wait for goes out before the new ones.
        return Ok(foreign_rows(session, order, true).await?);
    }
    Ok(foreign)
}

/// What the match rows say, and who is in which team.
fn enter_match_rows(
    order: Order<'_>,
    rows: Vec<MatchRow>,
    mut teams: BTreeMap<Tenant, BTreeMap<TeamId, crate::domain::agent::Membership>>,
    world: &mut World,
) -> Result<(), Failure> {
    for row in rows {
        let state = world.enter(&row.tenant, || order.directory.plan(&row.tenant));
        if state.plan.version != row.plan_version {
            // The number all batches look at was read before the lock: by now it has risen.
            return Err(Failure::PlanChanged(order.directory.version + 1));
        }
        state.drain_pending = row.drain_pending;
        state.blocked = row.blocked;
        state.teams = teams.remove(&row.tenant).unwrap_or_default();
        // A team without people has no rows, and is a team all the same.
        for team in state.plan.teams.keys() {
            state.teams.entry(team.clone()).or_default();
        }
    }
    Ok(())
}

/// Whether another lane changed a conversation of ours that the batch holds.
fn meets_mark(order: Order<'_>, world: &World) -> bool {
    match order.author {
        Author::Lane { partition, .. } => world.meets_mark(partition),
        Author::Visitor => false,
    }
}

async fn foreign_rows(
    session: &Session,
    order: Order<'_>,
    look: bool,
) -> Result<Vec<(i64, String)>, StoreError> {
    match order.author {
        Author::Lane { partition, .. } if look => {
            outbox::read(session, partition, order.published, FOREIGN_ROWS).await
        }
        Author::Lane { .. } | Author::Visitor => Ok(Vec::new()),
    }
}
