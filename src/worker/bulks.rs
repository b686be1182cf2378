//! Bulks in a batch: what is looked up for them before the fold, and what they leave to be written after it.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::entry::Entry;
use super::gather::ReplyTo;
use crate::domain::bulk::{Item, ItemDone, Report};
use crate::domain::event::{Event, Kind};
use crate::domain::ids::{ConversationId, Partition, Tenant};
use crate::domain::input::{Action, Body, Input, Timer};
use crate::store::bulk::{NewBulk, Run};
use crate::store::timers::{DueTimer, TimerKind};
use crate::store::{Session, StoreError, bulk};

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

/// What a timer of a bulk asks of one batch.
#[derive(Debug)]
pub struct Share {
    run: Run,
    what: What,
}

#[derive(Debug)]
enum What {
    /// These items, and whether they are as many as there was room for.
    Items { items: Vec<Item>, full: bool },
    /// To report the end.
    End(Arc<Report>),
}

/// Finds out what a timer of a bulk asks: the items that are this lane's to do next, in so much room; or the end. Nobody
/// else does them meanwhile, because the timer's lane is ours.
pub async fn share(
    session: &Session,
    partition: Partition,
    timer: &DueTimer,
    room: usize,
) -> Result<Option<Share>, StoreError> {
    let name = match timer.kind {
        TimerKind::Bulk => timer.subject.split_once('/').map(|(_, name)| name),
        _ => Some(timer.subject.as_str()),
    };
    let Some(run) = found(session, timer, name).await? else {
        return Ok(None);
    };
    let what = if timer.kind == TimerKind::Bulk {
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let items = bulk::pending(session, &timer.tenant, &run, partition, limit).await?;
        let full = items.len() >= room;
        What::Items { items, full }
    } else {
        What::End(bulk::report(session, &timer.tenant, &run).await?.into())
    };
    Ok(Some(Share { run, what }))
}

impl Share {
    fn listed(&self) -> &[Item] {
        match &self.what {
            What::Items { items, .. } => items,
            What::End(_) => &[],
        }
    }

    /// How many items it does.
    pub fn items(&self) -> usize {
        self.listed().len()
    }

    /// Whether there may be more.
    pub fn is_full(&self) -> bool {
        matches!(self.what, What::Items { full: true, .. })
    }

    /// The conversations of its items.
    pub fn conversations(&self) -> impl Iterator<Item = ConversationId> {
        self.listed().iter().map(|item| item.conversation)
    }

    /// What it asks of the core.
    pub fn entries(&self, tenant: &Tenant) -> Vec<Entry> {
        let run = &self.run;
        match &self.what {
            What::Items { items, .. } => {
                let entry = |item: &Item| {
                    let key = Uuid::new_v5(&run.id, item.place.to_string().as_bytes());
                    let body = Body::Timer(Timer::Bulk(Box::new(item.clone())));
                    Entry::timed(tenant.clone(), input(run, key, body))
                };
                items.iter().map(entry).collect()
            }
            What::End(report) => {
                let input = input(run, run.input, Body::Timer(Timer::BulkDone(report.clone())));
                let reply = run.reply.clone();
                let reply = reply.map(|(queue, correlation_id)| ReplyTo::new(queue, correlation_id));
                vec![Entry::answered(tenant.clone(), input, reply)]
            }
        }
    }
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
