//! What is looked at now and then: how many wait, and whether anything was left behind. P7 says nothing is, and this heals
//! and reports what there is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::shared::Shared;
use crate::store::timers::{NewTimer, TimerKind};
use crate::store::{StoreError, queue, timers};
use crate::telemetry;

/// Between searches. What is found has waited too long already; searching more often would only hide why.
const SEARCH_EVERY: Duration = Duration::from_secs(60);
/// Between counts of who waits: as often as metrics are usually read, and rare enough for the longest queues.
const COUNT_EVERY: Duration = Duration::from_secs(10);
/// Conversations healed in one search.
const AT_ONCE: i64 = 100;

/// Counts and searches now and then until asked to stop.
pub async fn run(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let (mut to_count, mut to_search) = (interval(COUNT_EVERY), interval(SEARCH_EVERY));
    to_count.set_missed_tick_behavior(MissedTickBehavior::Delay);
    to_search.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = Shown::default();
    while !*stop.borrow() {
        tokio::select! {
            _ = to_count.tick() => {
                if let Err(error) = shown.count(&shared).await {
                    tracing::warn!(%error, "count of waiting conversations failed");
                }
            }
            _ = to_search.tick() => {
                if let Err(error) = search(&shared).await {
                    tracing::warn!(%error, "search for stranded conversations failed");
                }
            }
            _ = stop.changed() => return,
        }
    }
}

/// Queues whose depth is shown, by tenant and team: one that is empty now is shown as that, not as it last was.
#[derive(Default)]
struct Shown(BTreeSet<(String, String)>);

impl Shown {
    /// Shows how many wait now.
    async fn count(&mut self, shared: &Shared) -> Result<(), StoreError> {
        let depths = queue::depths(&shared.store.session().await?).await?;
        let mut emptied = std::mem::take(&mut self.0);
        for (tenant, team, waiting) in depths {
            let queue = (tenant.to_string(), team.to_string());
            emptied.remove(&queue);
            show(&queue, waiting);
            self.0.insert(queue);
        }
        emptied.iter().for_each(|queue| show(queue, 0));
        Ok(())
    }
}

fn show((tenant, team): &(String, String), waiting: i64) {
    gauge!(telemetry::WAITING, "tenant" => tenant.clone(), "team" => team.clone()).set(waiting as f64);
}

/// Gives every stranded conversation of our lanes a timer, which its lane then decides about under its locks.
async fn search(shared: &Shared) -> Result<(), StoreError> {
    let session = shared.store.session().await?;
    for lane in shared.health.lanes() {
        let found = queue::stranded(&session, lane, AT_ONCE).await?;
        if found.is_empty() {
            continue;
        }
        tracing::error!(partition = %lane, found = found.len(), "stranded conversations found");
        counter!(telemetry::HEALED).increment(found.len() as u64);
        let timers: Vec<NewTimer> = found
            .into_iter()
            .map(|(tenant, id)| {
                let subject = id.to_string();
                NewTimer {
                    tenant,
                    kind: TimerKind::Stranded,
                    subject,
                    lane,
                    due: None,
                }
            })
            .collect();
        timers::set(&session, &timers).await?;
        shared.wake(lane);
    }
    Ok(())
}
