//! One batch, one transaction: fence, claim the inbox, lock and load, fold, save, outbox, commit. Three round trips where
//! nothing is routed, four where something is.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use metrics::counter;
use uuid::Uuid;

use super::announce;
use super::applied::Applied;
use super::bulks;
use super::changes::Changes;
use super::directory::Directory;
use super::entry::{self, Entry};
use super::gather::{self, Arrival};
use super::leaving;
use super::locks::{self, FOREIGN_ROWS};
use super::resolve;
use super::world::World;
use crate::broker::Publication;
use crate::contract::words::Wire;
use crate::contract::{Dead, derive, parcel};
use crate::domain::event::{Kind, Recorded};
use crate::domain::ids::Partition;
use crate::domain::input::{Action, Body, What};
use crate::store::{Session, Store, StoreError};
use crate::telemetry;

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
    /// What identifiers mean depends on whether an input before them begins a conversation: take it in halves.
    #[error("what an input means depends on another one of its batch")]
    Entangled,
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
    // On the heap, as are its writes: so many statements at once are large, and a build that is not optimised copies a
    // future once for each caller that waits for it. That takes more than a thread's stack.
    match Box::pin(decide(&mut session, order)).await {
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
    let pending = &gathered.pending;
    let opening = locks::open(session, order, pending).await?;
    let new = entry::new(pending, &opening.fresh);
    let resolved = resolve::resolve(pending, &new, &opening.aliases, order.directory, order.partitions);
    let mut world = World::default();
    let mut due = locks::conversations(session, order, pending, &opening, &resolved, &mut world).await?;
    let mut entries = entry::arrived(pending, &new, &resolved);
    leaving::tell(&mut entries, pending, &opening.aliases, order.directory);
    entry::judge_plans(session, order.directory, pending, &mut entries).await?;
    let needs = world.needs(entries.iter().chain(&due.entries()));
    let foreign = locks::match_rows(session, order, opening.now, &needs, &mut due, &mut world).await?;
    entries.extend(due.entries());
    bulks::look_up(session, &mut entries).await?;

    let mut changes = catch_unwind(AssertUnwindSafe(|| {
        fold(&mut world, &mut entries, opening.now, order)
    }))
    .map_err(|_| Failure::Poison("the core panicked on it"))??;
    let again = match order.author {
        Author::Lane { partition, .. } => due.again(partition, &world, opening.now),
        Author::Visitor => Vec::new(),
    };
    let goes_on = again.iter().any(|timer| timer.due.is_none());
    changes.set_again(again);
    let all_read = (foreign.len() as i64) < FOREIGN_ROWS;
    let mut outcome = Outcome {
        dead: gathered
            .dead
            .into_iter()
            .map(|letter| (letter.delivery, letter.dead))
            .collect(),
        now: Some(opening.now),
        more: goes_on || opening.is_full(order) || !all_read,
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
    save(session, order, &world, changes, all_read, &mut outcome).await?;
    count(&entries, pending.len(), &opening.fresh);
    Ok(outcome)
}

/// Runs every input through the core and renders what it says.
fn fold(
    world: &mut World,
    entries: &mut [Entry],
    now: Timestamp,
    order: Order<'_>,
) -> Result<Changes, Failure> {
    let mut changes = Changes::new(order.partitions);
    for entry in entries {
        if entry.duplicate {
            changes.answer_duplicate(entry, now);
            continue;
        }
        if order.arrivals.len() > 1 && is_entangled(world, entry) {
            return Err(Failure::Entangled);
        }
        complete(world, entry);
        compare_plan(&changes, entry);
        let recorded = world.fold(&entry.tenant, &entry.input, now);
        count_recorded(&recorded);
        changes.add(world, entry, recorded);
    }
    Ok(changes)
}

/// Whether identifiers lead to a conversation that an input before was thought to begin, and did not: they lead elsewhere
/// then. Looked up without that input in the same batch, they are told what is so.
fn is_entangled(world: &World, entry: &Entry) -> bool {
    let Body::Fact(fact) = &entry.input.body else {
        return false;
    };
    let led = fact.conflict.iter();
    let mut led = led.filter_map(|lead| world.conversation(&entry.tenant, lead.conversation));
    led.any(|conversation| !conversation.exists())
}

/// Whether a plan says the same as the one in force, where this batch put that one in force.
fn compare_plan(changes: &Changes, entry: &mut Entry) {
    if let Body::Command(command) = &mut entry.input.body
        && let Action::ApplyPlan { unchanged, .. } = &mut command.action
        && let Some(in_force) = changes.activated(&entry.tenant)
    {
        *unchanged = Some(in_force) == entry.document.as_ref();
    }
}

/// Language and country, where the gateway does not say and a rule asks: only where something is routed. A text that no
/// rule asks for goes no further.
fn complete(world: &World, entry: &mut Entry) {
    let Body::Fact(fact) = &mut entry.input.body else {
        return;
    };
    let Some(state) = world.state(&entry.tenant) else {
        return;
    };
    let owned = state
        .conversation(fact.conversation)
        .is_some_and(|c| c.carried_by().is_some());
    let What::Received(message) = &mut fact.what else {
        return;
    };
    let reads = state.plan.reads();
    let routed = !owned && message.turn;
    if routed && reads.language && fact.contact.language.is_empty() {
        fact.contact.language = derive::language(&message.text).into();
    }
    let phone = entry
        .phone
        .as_deref()
        .filter(|_| routed && reads.country && fact.contact.country.is_empty());
    if let Some(phone) = phone {
        fact.contact.country = derive::country(phone).into();
    }
    if !reads.text {
        message.text = Arc::from("");
    }
}

/// Last round trip: everything the batch changed, its outbox row, COMMIT.
async fn save(
    session: &mut Session,
    order: Order<'_>,
    world: &World,
    changes: Changes,
    all_read: bool,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let home = match order.author {
        Author::Lane { partition, .. } => Some(partition),
        Author::Visitor => None,
    };
    let written = Box::pin(changes.write(session, world, home, all_read)).await?;
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

fn count(entries: &[Entry], pending: usize, fresh: &HashSet<Uuid>) {
    for entry in entries.iter().filter(|entry| !entry.duplicate) {
        let kind = match entry.input.body {
            Body::Fact(_) => "fact",
            Body::Command(_) => "command",
            Body::Timer(_) => "timer",
        };
        counter!(telemetry::INPUTS, "kind" => kind).increment(1);
    }
    counter!(telemetry::DUPLICATES).increment(pending.saturating_sub(fresh.len()) as u64);
}

fn count_recorded(recorded: &[Recorded]) {
    for event in recorded {
        match &event.event.kind {
            Kind::Skipped(reason) => counter!(telemetry::SKIPPED, "reason" => *reason).increment(1),
            Kind::CommandRejected(refusal) => {
                counter!(telemetry::REJECTED, "code" => refusal.code.wire()).increment(1);
            }
            _ => {}
        }
        let failed = event
            .event
            .decision
            .as_ref()
            .map_or(0, |decision| decision.failed_rules.len());
        if failed > 0 {
            counter!(telemetry::RULE_FAILURES).increment(failed as u64);
        }
    }
}
