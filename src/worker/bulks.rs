//! Bulks in a batch: what is looked up for them before the fold, and what they leave to be written after it.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::Timestamp;
use uuid::Uuid;

use super::entry::Entry;
use super::gather::ReplyTo;
use super::world::World;
use crate::domain::bulk::ItemDone;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::{Partition, Tenant};
use crate::domain::input::{Action, Body, Input, Timer};
use crate::store::bulk::{NewBulk, Run};
use crate::store::timers::{DueTimer, NewTimer};
use crate::store::{Session, StoreError, bulk, conversations, timers};

/// Items of bulks that one batch does, of all bulks together: ordinary traffic shares the batch and waits no longer for
/// its end than for that of any other full one.
pub const ITEMS_AT_ONCE: usize = 100;

/// What earlier commands have left that these have to know. Under the match row, so that it stays true.
pub async fn look_up(session: &Session, entries: &mut [Entry]) -> Result<(), StoreError> {
    let mut named = BTreeSet::new();
    for entry in entries.iter_mut().filter(|entry| !entry.duplicate) {
        let tenant = &entry.tenant;
        let Body::Command(command) = &mut entry.input.body else {
            continue;
        };
        match &mut command.action {
            Action::BulkAssign { bulk, taken, .. } => {
                let new_here = named.insert((tenant.clone(), *bulk));
                *taken = !new_here || bulk::exists(session, tenant, *bulk).await?;
            }
            Action::BulkUndo { bulk, past } => *past = bulk::past(session, tenant, *bulk).await?,
            _ => {}
        }
    }
    Ok(())
}

/// The items of a bulk that are this lane's to do next, as inputs, and whether there are more. Their conversations are
/// locked here, before the match row, like all others; the timer is set again for what is left.
pub async fn items(
    session: &Session,
    partition: Partition,
    timer: &DueTimer,
    room: usize,
    world: &mut World,
) -> Result<(Vec<Entry>, bool), StoreError> {
    let name = timer.subject.split_once('/').map(|(_, name)| name);
    let Some(run) = found(session, timer, name).await? else {
        return Ok((Vec::new(), false));
    };
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    let items = bulk::pending(session, &timer.tenant, &run, partition, limit).await?;
    let ids: BTreeSet<_> = items
        .iter()
        .map(|item| (timer.tenant.clone(), item.conversation))
        .collect();
    let ids: Vec<_> = ids.into_iter().collect();
    for loaded in conversations::lock(session, &ids).await? {
        world.put_loaded(loaded);
    }
    let more = items.len() >= room;
    if more {
        let again = NewTimer {
            tenant: timer.tenant.clone(),
            kind: timer.kind,
            subject: timer.subject.clone(),
            lane: partition,
            due: None,
        };
        timers::set(session, &[again]).await?;
    }
    let entries = items.into_iter().map(|item| {
        let key = Uuid::new_v5(&run.id, item.place.to_string().as_bytes());
        let body = Body::Timer(Timer::Bulk(Box::new(item)));
        Entry::timed(timer.tenant.clone(), input(&run, key, body))
    });
    Ok((entries.collect(), more))
}

/// The end of a bulk, to be reported: to everyone, and to the one who gave the command.
pub async fn end(session: &Session, timer: &DueTimer) -> Result<Option<Entry>, StoreError> {
    let Some(run) = found(session, timer, Some(&timer.subject)).await? else {
        return Ok(None);
    };
    let report = bulk::report(session, &timer.tenant, &run).await?;
    let body = Body::Timer(Timer::BulkDone(report.into()));
    let input = input(&run, run.input, body);
    let reply = run
        .reply
        .map(|(queue, correlation_id)| ReplyTo::new(queue, correlation_id));
    Ok(Some(Entry::answered(timer.tenant.clone(), input, reply)))
}

async fn found(session: &Session, timer: &DueTimer, name: Option<&str>) -> Result<Option<Run>, StoreError> {
    match name.and_then(|name| Uuid::from_str(name).ok()) {
        Some(name) => bulk::run(session, &timer.tenant, name).await,
        None => Ok(None),
    }
}

fn input(run: &Run, key: Uuid, body: Body) -> Input {
    Input {
        cause: run.cause.clone(),
        key,
        body,
    }
}

/// What the bulks of a batch leave to be written.
#[derive(Debug, Default)]
pub struct Bulks {
    accepted: Vec<NewBulk>,
    done: Vec<(Tenant, ItemDone)>,
    at: Option<Timestamp>,
}

impl Bulks {
    /// Takes what an event leaves. `home` is the lane that reports the end.
    pub fn note(
        &mut self,
        tenant: &Tenant,
        input: &Input,
        event: &Event,
        home: Partition,
        reply: Option<&ReplyTo>,
    ) {
        match &event.kind {
            Kind::BulkAccepted(accepted) => self.accepted.push(NewBulk {
                tenant: tenant.clone(),
                accepted: accepted.clone(),
                actor: event.actor.clone(),
                home,
                cause: input.cause.clone(),
                input: input.key,
                reply: reply.map(ReplyTo::parts),
                at: event.at,
            }),
            Kind::BulkItemDone(item) => {
                self.done.push((tenant.clone(), (**item).clone()));
                self.at = Some(event.at);
            }
            _ => {}
        }
    }

    /// Bulks to begin with.
    pub fn accepted(&self) -> &[NewBulk] {
        &self.accepted
    }

    /// Writes what became of items: one statement. Returns the lanes that have an end to report.
    pub async fn write_done(&self, session: &Session) -> Result<Vec<Partition>, StoreError> {
        bulk::finish(session, &self.done, self.at).await
    }
}
