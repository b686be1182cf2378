//! Due timers as inputs of the fold.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

use uuid::Uuid;

use super::batch::{Author, Order};
use super::entry::Entry;
use crate::domain::ids::{AgentId, ConversationId, Partition, Tenant};
use crate::domain::input::{Body, Input, Timer};
use crate::store::timers::{DueTimer, NewTimer, TimerKind};
use crate::store::{Session, StoreError, queue};

/// Waiting conversations of a dropped team that one batch finds a new place for; more are left to the next.
const REEXAMINED: i64 = 100;

/// Timers that are due, with what they are about. Those that turn out to be claimed or set anew by others are dropped.
#[derive(Debug, Default)]
pub struct Due {
    timers: Vec<DueTimer>,
    /// By timer of a new plan: conversations that wait in a team the plan no longer has.
    unplaced: BTreeMap<Uuid, Vec<ConversationId>>,
}

/// Finds out what these timers are about, without a lock.
pub async fn look(session: &Session, order: Order<'_>, timers: &[DueTimer]) -> Result<Due, StoreError> {
    let mut unplaced = BTreeMap::new();
    let Author::Lane { partition, .. } = order.author else {
        return Ok(Due::default());
    };
    for timer in timers.iter().filter(|timer| timer.kind == TimerKind::Reexamine) {
        let plan = order.directory.plan(&timer.tenant);
        let teams: Vec<_> = plan.teams.keys().cloned().collect();
        let found = queue::in_other_teams(session, &timer.tenant, partition, &teams, REEXAMINED).await?;
        unplaced.insert(timer.id, found);
    }
    Ok(Due {
        timers: timers.to_vec(),
        unplaced,
    })
}

impl Due {
    /// The timers.
    pub fn timers(&self) -> &[DueTimer] {
        &self.timers
    }

    /// Every conversation they are about.
    pub fn conversations(&self) -> impl Iterator<Item = (Tenant, ConversationId)> {
        self.timers.iter().flat_map(|timer| {
            let unplaced = self.unplaced.get(&timer.id).into_iter().flatten().copied();
            conversation(timer)
                .into_iter()
                .chain(unplaced)
                .map(|id| (timer.tenant.clone(), id))
        })
    }

    /// Timers about one conversation: claimed under its lock.
    pub fn about_conversations(&self) -> Vec<Uuid> {
        self.ids(is_about_conversation)
    }

    /// Timers about a tenant or one of its people: claimed under its match row.
    pub fn under_match_rows(&self) -> Vec<Uuid> {
        self.ids(|kind| !is_about_conversation(kind))
    }

    fn ids(&self, wanted: impl Fn(TimerKind) -> bool) -> Vec<Uuid> {
        let wanted = self.timers.iter().filter(|timer| wanted(timer.kind));
        wanted.map(|timer| timer.id).collect()
    }

    /// Drops those of `tried` that were not there to be claimed.
    pub fn keep_claimed(&mut self, tried: &[Uuid], claimed: &[Uuid]) {
        let lost: HashSet<&Uuid> = tried.iter().filter(|id| !claimed.contains(id)).collect();
        self.timers.retain(|timer| !lost.contains(&timer.id));
    }

    /// What they ask of the core.
    pub fn entries(&self) -> Vec<Entry> {
        let asked = self.timers.iter().flat_map(|timer| {
            let asked = self.asked(timer);
            asked.into_iter().map(|asks| entry(timer, asks))
        });
        asked.collect()
    }

    fn asked(&self, timer: &DueTimer) -> Vec<Timer> {
        let asks = match timer.kind {
            TimerKind::Assign => conversation(timer).map(|conversation| Timer::AssignDue { conversation }),
            TimerKind::Stranded => conversation(timer).map(|conversation| Timer::Stranded { conversation }),
            TimerKind::Presence => AgentId::new(&timer.subject)
                .ok()
                .map(|agent| Timer::PresenceExpired { agent }),
            TimerKind::Drain => Some(Timer::DrainQueues),
            TimerKind::Reexamine => {
                let unplaced = self.unplaced.get(&timer.id).into_iter().flatten();
                let asks = unplaced.map(|conversation| Timer::Reexamine {
                    conversation: *conversation,
                });
                // Whoever stays where they are may be served under the new plan.
                return asks.chain([Timer::DrainQueues]).collect();
            }
        };
        asks.into_iter().collect()
    }

    /// Timers to set again, because there was more than one batch takes.
    pub fn again(&self, lane: Partition) -> Vec<NewTimer> {
        let full = |timer: &&DueTimer| {
            let unplaced = self.unplaced.get(&timer.id).map_or(0, Vec::len);
            unplaced as i64 >= REEXAMINED
        };
        let again = self.timers.iter().filter(full).map(|timer| NewTimer {
            tenant: timer.tenant.clone(),
            kind: timer.kind,
            subject: timer.subject.clone(),
            lane,
            due: None,
        });
        again.collect()
    }
}

fn is_about_conversation(kind: TimerKind) -> bool {
    match kind {
        TimerKind::Assign | TimerKind::Stranded => true,
        TimerKind::Presence | TimerKind::Drain | TimerKind::Reexamine => false,
    }
}

fn conversation(timer: &DueTimer) -> Option<ConversationId> {
    Uuid::from_str(&timer.subject)
        .ok()
        .filter(|_| is_about_conversation(timer.kind))
        .map(ConversationId)
}

fn entry(timer: &DueTimer, asks: Timer) -> Entry {
    let prefix = if timer.kind == TimerKind::Stranded {
        "sweep"
    } else {
        "timer"
    };
    let cause = format!("{prefix}/{}", timer.id).into();
    Entry::timed(
        timer.tenant.clone(),
        Input {
            cause,
            key: timer.id,
            body: Body::Timer(asks),
        },
    )
}
