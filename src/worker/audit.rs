//! Every promise that data can show, checked: what a statement can find, and what only the core can judge.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::batch::{Author, Failure, Order};
use super::directory::{Directories, Directory};
use super::locks;
use super::timed::Due;
use super::world::{MOST_PLACES, Needs, World};
use crate::domain::event::{Change, Kind, Recorded};
use crate::domain::ids::Tenant;
use crate::domain::input::{Body, Input, Timer};
use crate::store::audit::{self, EXAMPLES, Finding};
use crate::store::{Store, StoreError};

/// A tenant whose plans keep changing is judged at most so often.
const MAX_TRIES: u32 = 5;

/// Runs every check; those that find nothing are in the answer too, in the order of the promises.
pub async fn run(store: &Store) -> Result<Vec<Finding>, StoreError> {
    let mut findings = audit::run(&store.session().await?).await?;
    findings.push(idle_hands(store).await?);
    findings.sort_by_key(|finding| finding.promise);
    Ok(findings)
}

/// P6: nobody who could have a waiting conversation is without it. The core is asked to empty every tenant's queues, and
/// nothing of it is kept.
async fn idle_hands(store: &Store) -> Result<Finding, StoreError> {
    let directories = Directories::new(store.clone());
    let directory = directories.refresh(0).await?;
    let mut names = Vec::new();
    for (tenant, _) in directory.tenants() {
        names.extend(idle_hands_of(store, &directories, tenant).await?);
    }
    names.sort();
    Ok(Finding {
        promise: "P6",
        check: "people who are free for a conversation that waits",
        violations: i64::try_from(names.len()).unwrap_or(i64::MAX),
        examples: names.into_iter().take(EXAMPLES).collect(),
    })
}

async fn idle_hands_of(
    store: &Store,
    directories: &Directories,
    tenant: &Tenant,
) -> Result<Vec<String>, StoreError> {
    let mut directory = directories.current();
    for _ in 0..MAX_TRIES {
        match drain(store, &directory, tenant).await {
            Ok(drained) => return Ok(drained.iter().filter_map(|one| name(tenant, one)).collect()),
            Err(Failure::PlanChanged(version)) => directory = directories.refresh(version).await?,
            Err(Failure::Store(error)) => return Err(error),
            Err(failure) => return Err(StoreError::Rejected(failure.to_string())),
        }
    }
    Err(StoreError::Transient(format!(
        "the plans of {tenant} keep changing: try again"
    )))
}

/// What a drain would do now, under the locks of a batch: whatever another batch holds is left out, as it is offered again
/// by that one. Given up at the end.
async fn drain(store: &Store, directory: &Directory, tenant: &Tenant) -> Result<Vec<Recorded>, Failure> {
    let order = Order {
        author: Author::Visitor,
        arrivals: &[],
        timers: 0,
        look_for_rows: false,
        published: &[],
        not_before: Timestamp::UNIX_EPOCH,
        directory,
        partitions: 1,
    };
    let needs = BTreeMap::from([(
        tenant.clone(),
        Needs {
            roster: true,
            places: MOST_PLACES,
        },
    )]);
    let session = store.session().await?;
    let mut world = World::default();
    world.enter(tenant, || directory.plan(tenant));
    let opening = locks::open(&session, order, &[]).await?;
    let due = &mut Due::default();
    locks::match_rows(&session, order, opening.now, &needs, due, &mut world).await?;
    session.rollback().await;
    // A drain that stopped at its bound goes on by its timer, which another check looks for.
    if world.state(tenant).is_none_or(|state| state.drain_pending) {
        return Ok(Vec::new());
    }
    let input = Input {
        cause: "audit".into(),
        key: Uuid::nil(),
        body: Body::Timer(Timer::DrainQueues),
    };
    Ok(world.fold(tenant, &input, opening.now))
}

/// Who could have had what, if that is what the event says.
fn name(tenant: &Tenant, recorded: &Recorded) -> Option<String> {
    match &recorded.event.kind {
        Kind::Conversation(id, Change::Assigned(assignment)) => {
            Some(format!("{tenant}/{id} waits while {} is free", assignment.agent))
        }
        _ => None,
    }
}
