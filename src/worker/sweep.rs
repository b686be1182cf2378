//! The search for what was left behind: P7 says there is nothing, and this heals and reports what there is.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio::time::sleep;

use super::shared::Shared;
use crate::store::timers::{NewTimer, TimerKind};
use crate::store::{StoreError, queue, timers};
use crate::telemetry;

/// Between searches. What is found has waited too long already; searching more often would only hide why.
const EVERY: Duration = Duration::from_secs(60);
/// Conversations healed in one search.
const AT_ONCE: i64 = 100;

/// Searches now and then until asked to stop.
pub async fn run(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = search(&shared).await {
            tracing::warn!(%error, "search for stranded conversations failed");
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Gives every stranded conversation of our lanes a timer, which its lane then decides about under its locks.
async fn search(shared: &Shared) -> Result<(), StoreError> {
    let session = shared.store.session().await?;
    for (tenant, team, waiting) in queue::depths(&session).await? {
        let (tenant, team) = (tenant.to_string(), team.to_string());
        gauge!(telemetry::WAITING, "tenant" => tenant, "team" => team).set(waiting as f64);
    }
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
