//! One batch, one transaction: fence, claim the inbox, lock and load, fold, save, outbox, commit. Three round trips where
//! nothing is routed, four where something is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use tokio::try_join;
use uuid::Uuid;

use super::announce;
use super::bulks;
use super::changes::{Applied, Changes};
use super::directory::Directory;
use super::entry::{self, Entry};
use super::gather::{self, Arrival, Pending, Work};
use super::leaving;
use super::resolve::{self, Resolved};
use super::tally;
use super::timed;
use super::world::{Needs, World, drained_teams};
use crate::broker::Publication;
use crate::contract::{Dead, parcel};
use crate::domain::ids::{ConversationId, Partition, Tenant};
use crate::domain::input::{Action, Body};
use crate::store::timers::DueTimer;
use crate::store::{Session, Store, StoreError};
use crate::store::{agents, aliases, conversations, inbox, lanes, matching, outbox, plans, queue, timers};

/// Waiting conversations of one requirement that a batch looks at: more are left to the next, through a timer.
const DRAIN_PAGE: usize = 100;
/// Outbox rows of other lanes that a batch publishes before its own; the rest is read at the next wake-up.
const FOREIGN_ROWS: i64 = 1_000;

/// Whose transaction this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// A lane's, in its present epoch.
    Lane {
        /// Which.
        partition: Partition,
        /// Its epoch.
        epoch: i64,
    },
    /// The command line's: it takes the same locks and leaves what it has to say to the home lanes.
    Visitor,
}

/// What a batch is asked to do.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Whose it is.
    pub author: Author,
    /// What came in.
    pub arrivals: &'a [Arrival],
    /// Due timers to take along, at most.
    pub timers: i64,
    /// Whether to look for rows that other lanes left here, mark or not.
    pub look_for_rows: bool,
    /// Rows of this lane that are published and confirmed: deleted now.
    pub published: &'a [i64],
    /// The time of the last batch: time never goes back.
    pub not_before: Timestamp,
    /// The directory the batch is prepared with.
    pub directory: &'a Directory,
    /// How many partitions there are.
    pub partitions: u16,
}

/// What a batch led to, committed.
#[derive(Debug, Default)]
pub struct Outcome {
    /// To be published, in this order.
    pub publications: Vec<Publication>,
    /// Our rows that hold them: to be deleted once all is confirmed.
    pub rows: Vec<i64>,
    /// Homes of others that have rows waiting now.
    pub wake: Vec<Partition>,
    /// Deliveries that go to the dead letters, with why.
    pub dead: Vec<(usize, Dead)>,
    /// The database's time of it.
    pub now: Option<Timestamp>,
    /// What came of a plan applied by hand.
    pub plan: Option<Applied>,
    /// Whether as much was due or waiting as the batch would take: there may be more.
    pub more: bool,
}

/// Why a batch did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The lane is no longer ours.
    #[error("the lane has been taken by another worker")]
    Fenced,
    /// A plan changed: prepare it again with a directory at least this new.
    #[error("a plan changed")]
    PlanChanged(i64),
    /// Another lane met one of its new customers at the same moment: prepare it again.
    #[error("an identifier was added by another lane")]
    AliasRace,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The core panicked, or something could not be rendered: one of the inputs is poison.
    #[error("{0}")]
    Poison(&'static str),
}

/// Runs a batch. Nothing of it has happened unless it returns `Ok` (or the commit's outcome is unknown).
pub async fn run(store: &Store, order: Order<'_>) -> Result<Outcome, Failure> {
    let mut session = store.session().await?;
    match decide(&mut session, order).await {
        Ok(outcome) => {
            wake(&session, &outcome.wake).await;
            Ok(outcome)
        }
        Err(failure) => {
            session.rollback().await;
            Err(failure)
        }
    }
}

async fn decide(session: &mut Session, order: Order<'_>) -> Result<Outcome, Failure> {
    let gathered = gather::gather(order.arrivals, order.directory);
    let opening = open(session, order, &gathered.pending).await?;
    let resolved = resolve::resolve(
        &gathered.pending,
        &opening.aliases,
        order.directory,
        order.partitions,
    );
    let mut world = World::default();
    let due = lock(session, order, &gathered.pending, &opening, &resolved, &mut world).await?;
    let mut inputs = entry::inputs(&gathered.pending, &opening.fresh, &resolved);
    leaving::tell(&mut inputs, &gathered.pending, &opening.aliases, order.directory);
    let timed = timed::inputs(session, order.author, &due, order.directory, &mut world).await?;
    inputs.extend(timed.entries);
    judge_plans(session, order.directory, &gathered.pending, &mut inputs).await?;
    let needs = world.needs(inputs.iter().map(|one| (&one.tenant, &one.input)));
    let foreign = load(session, order, &needs, &mut world).await?;
    bulks::look_up(session, &mut inputs).await?;

    let folded = catch_unwind(AssertUnwindSafe(|| {
        fold(&mut world, &mut inputs, opening.now, order.partitions)
    }))
    .map_err(|_| Failure::Poison("the core panicked on it"))?;
    let mut outcome = Outcome {
        dead: gathered
            .dead
            .into_iter()
            .map(|letter| (letter.delivery, letter.dead))
            .collect(),
        now: Some(opening.now),
        more: timed.more || due.len() as i64 >= order.timers.max(1) || foreign.len() as i64 >= FOREIGN_ROWS,
        ..Outcome::default()
    };
    for (id, body) in foreign {
        let messages = parcel::unpack(&body).map_err(|_| Failure::Poison("an outbox row is unreadable"))?;
        outcome
            .publications
            .extend(messages.into_iter().map(announce::publication));
        outcome.rows.push(id);
    }
    resolve::forget_unborn(session, &resolved, &world).await?;
    save(session, order, &world, folded, &mut outcome).await?;
    tally::inputs(&inputs, gathered.pending.len(), &opening.fresh);
    Ok(outcome)
}

/// What the first round trip says.
struct Opening {
    now: Timestamp,
    fresh: HashSet<Uuid>,
    aliases: Vec<(Tenant, Uuid, ConversationId)>,
    due: Vec<DueTimer>,
}

/// First round trip: the fence, the inbox, the identifiers, the timers that are due.
async fn open(session: &Session, order: Order<'_>, pending: &[Pending<'_>]) -> Result<Opening, Failure> {
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
        Author::Lane { partition, .. } if !order.published.is_empty() => {
            outbox::delete(session, partition, order.published).await
        }
        Author::Lane { .. } | Author::Visitor => Ok(()),
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

/// Second round trip: new identifiers, then the conversations in the order of their ids, then the timers.
async fn lock(
    session: &Session,
    order: Order<'_>,
    pending: &[Pending<'_>],
    opening: &Opening,
    resolved: &Resolved,
    world: &mut World,
) -> Result<Vec<DueTimer>, Failure> {
    for one in pending {
        world.enter(&one.tenant, || order.directory.plan(&one.tenant));
    }
    let unborn: HashSet<ConversationId> = resolved.unborn.iter().map(|(_, c)| c.id).collect();
    let mut ids: BTreeSet<(Tenant, ConversationId)> = BTreeSet::new();
    for (place, one) in pending.iter().enumerate() {
        let id = match one.what {
            Work::Fact(_) => resolved.conversations.get(&place).copied(),
            Work::Command(command) => command.conversation(),
        };
        ids.extend(
            id.filter(|id| !unborn.contains(id))
                .map(|id| (one.tenant.clone(), id)),
        );
    }
    ids.extend(leaving::conversations_of(
        pending,
        &opening.aliases,
        order.directory,
    ));
    ids.extend(timed::subjects(&opening.due));
    let ids: Vec<_> = ids.into_iter().collect();
    let due: Vec<Uuid> = opening.due.iter().map(|timer| timer.id).collect();
    let (added, loaded, claimed) = try_join!(
        biased;
        async {
            if resolved.aliases.is_empty() {
                Ok(0)
            } else {
                aliases::add(session, &resolved.aliases).await
            }
        },
        async {
            if ids.is_empty() {
                Ok(Vec::new())
            } else {
                conversations::lock(session, &ids).await
            }
        },
        async {
            if due.is_empty() {
                Ok(Vec::new())
            } else {
                timers::claim(session, &due).await
            }
        },
    )?;
    if added < resolved.aliases.len() as u64 {
        return Err(Failure::AliasRace);
    }
    let met: HashSet<ConversationId> = resolved.conversations.values().copied().collect();
    if loaded
        .iter()
        .any(|loaded| loaded.conversation.is_forgotten() && met.contains(&loaded.conversation.id))
    {
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
    let claimed: HashSet<Uuid> = claimed.into_iter().collect();
    Ok(opening
        .due
        .iter()
        .filter(|timer| claimed.contains(&timer.id))
        .cloned()
        .collect())
}

/// Plans are judged against what other tenants have claimed, before the core sees them.
async fn judge_plans(
    session: &Session,
    directory: &Directory,
    pending: &[Pending<'_>],
    entries: &mut [Entry],
) -> Result<(), Failure> {
    for entry in entries.iter_mut().filter(|entry| !entry.duplicate) {
        let Some(Work::Command(arrived)) = entry.place.map(|place| &pending[place].what) else {
            continue;
        };
        if &*arrived.command.name == gather::PLAN_APPLY {
            matching::create(session, &entry.tenant).await?;
        }
        if let Action::ApplyPlan { plan, .. } = &arrived.command.action {
            let channels: Vec<_> = plan.channels.keys().collect();
            let taken = plans::taken(session, &entry.tenant, &channels).await?;
            let active = directory.active(&entry.tenant).map(|active| &**active);
            entry.input.body = Body::Command(gather::judge_plan(arrived, &taken, active));
        }
    }
    Ok(())
}

/// Third round trip, only where ownership is at stake: the match rows, then people and queues; last, where another lane
/// changed a conversation of ours, the rows it left for us to publish first.
async fn load(
    session: &Session,
    order: Order<'_>,
    needs: &BTreeMap<Tenant, Needs>,
    world: &mut World,
) -> Result<Vec<(i64, String)>, Failure> {
    let tenants: Vec<Tenant> = needs.keys().cloned().collect();
    if !tenants.is_empty() {
        let (rows, people, mut teams) = try_join!(
            biased;
            matching::lock(session, &tenants),
            agents::load(session, &tenants),
            agents::load_members(session, &tenants),
        )?;
        for row in rows {
            let state = world.enter(&row.tenant, || order.directory.plan(&row.tenant));
            if state.plan.version != row.plan_version {
                // The number all batches look at was read before the lock: by now it has risen.
                return Err(Failure::PlanChanged(order.directory.version + 1));
            }
            state.drain_pending = row.drain_pending;
            state.teams = teams.remove(&row.tenant).unwrap_or_default();
            // A team without people has no rows, and is a team all the same.
            for team in state.plan.teams.keys() {
                state.teams.entry(team.clone()).or_default();
            }
        }
        for (tenant, agent) in people {
            let state = world.enter(&tenant, || order.directory.plan(&tenant));
            state.agents.insert(agent.id.clone(), agent);
        }
        for (tenant, need) in needs.iter().filter(|(_, need)| need.queues) {
            load_queues(session, tenant, world).await?;
            debug_assert!(need.roster, "queues are drained under the match row");
        }
    }
    match order.author {
        Author::Lane { partition, .. } if order.look_for_rows || world.meets_mark(partition) => {
            Ok(outbox::read(session, partition, order.published, FOREIGN_ROWS).await?)
        }
        Author::Lane { .. } | Author::Visitor => Ok(Vec::new()),
    }
}

async fn load_queues(session: &Session, tenant: &Tenant, world: &mut World) -> Result<(), Failure> {
    let Some(teams) = world.state(tenant).map(|state| drained_teams(&state.plan)) else {
        return Ok(());
    };
    if teams.is_empty() {
        return Ok(());
    }
    let page = queue::load(session, tenant, &teams, DRAIN_PAGE).await?;
    let heads: Vec<_> = page
        .conversations
        .iter()
        .map(|loaded| loaded.conversation.id)
        .collect();
    for loaded in page.conversations {
        world.put_loaded(loaded);
    }
    if let Some(state) = world.state_mut(tenant) {
        state.more_wait(&page.more, &heads);
    }
    Ok(())
}

/// Runs every input through the core and renders what it says.
fn fold(world: &mut World, entries: &mut [Entry], now: Timestamp, partitions: u16) -> Changes {
    let mut changes = Changes::new(partitions);
    for entry in entries {
        if entry.duplicate {
            changes.answer_duplicate(&entry.tenant, &entry.input, entry.reply.as_ref(), now);
            continue;
        }
        entry::complete(world, entry);
        let recorded = world.fold(&entry.tenant, &entry.input, now);
        tally::events(&recorded);
        changes.add(
            world,
            &entry.tenant,
            &entry.input,
            recorded,
            entry.reply.as_ref(),
            entry.document.take(),
        );
    }
    changes
}

/// Last round trip: everything the batch changed, its outbox row, COMMIT.
async fn save(
    session: &mut Session,
    order: Order<'_>,
    world: &World,
    changes: Changes,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let home = match order.author {
        Author::Lane { partition, .. } => Some(partition),
        Author::Visitor => None,
    };
    let written = changes.write(session, world, home).await?;
    outcome.rows.extend(written.own_row);
    outcome.wake = written.wake.into_iter().collect();
    outcome.plan = written.applied;
    outcome
        .publications
        .extend(written.own.into_iter().map(announce::publication));
    Ok(())
}

/// A hint to other lanes; without it they find their rows within a second.
async fn wake(session: &Session, lanes: &[Partition]) {
    if !lanes.is_empty()
        && let Err(error) = crate::store::listen::notify(session, lanes).await
    {
        tracing::debug!(%error, "hint to other lanes was not sent");
    }
}
