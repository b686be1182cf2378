//! Due timers as inputs of the fold.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

use jiff::Timestamp;
use uuid::Uuid;

use super::batch::{Author, Order};
use super::bulks;
use super::eligible::next_opening;
use super::entry::Entry;
use super::leaving;
use super::world::World;
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
    /// By timer of someone who left: a page of what they own.
    owned: BTreeMap<Uuid, Vec<ConversationId>>,
    /// By timer of a bulk: what is to be done for it.
    bulks: BTreeMap<Uuid, bulks::Share>,
}

/// Finds out what these timers are about, without a lock.
pub async fn look(session: &Session, order: Order<'_>, timers: &[DueTimer]) -> Result<Due, StoreError> {
    let mut due = Due {
        timers: timers.to_vec(),
        ..Due::default()
    };
    let Author::Lane { partition, .. } = order.author else {
        return Ok(Due::default());
    };
    let mut room = bulks::ITEMS_AT_ONCE;
    for timer in timers {
        match timer.kind {
            TimerKind::Reexamine => {
                let plan = order.directory.plan(&timer.tenant);
                let teams: Vec<_> = plan.teams.keys().cloned().collect();
                let found =
                    queue::in_other_teams(session, &timer.tenant, partition, &teams, REEXAMINED).await?;
                due.unplaced.insert(timer.id, found);
            }
            TimerKind::Owner => {
                let found = leaving::owned(session, partition, timer).await?;
                due.owned.insert(timer.id, found);
            }
            TimerKind::Bulk | TimerKind::BulkDone => {
                if let Some(share) = bulks::share(session, partition, timer, room).await? {
                    room -= share.items();
                    due.bulks.insert(timer.id, share);
                }
            }
            _ => {}
        }
    }
    Ok(due)
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
            let owned = self.owned.get(&timer.id).into_iter().flatten().copied();
            let share = self.bulks.get(&timer.id).into_iter();
            conversation(timer)
                .into_iter()
                .chain(unplaced)
                .chain(owned)
                .chain(share.flat_map(bulks::Share::conversations))
                .map(|id| (timer.tenant.clone(), id))
        })
    }

    /// Timers about one conversation: claimed under its lock.
    pub fn about_conversations(&self) -> Vec<Uuid> {
        self.ids(is_about_conversation)
    }

    /// Conversations whose alarm went off, or was perhaps lost: it is set anew.
    pub fn alarmed(&self) -> impl Iterator<Item = ConversationId> {
        let kinds = [TimerKind::Alarm, TimerKind::Stranded];
        let alarms = self
            .timers
            .iter()
            .filter(move |timer| kinds.contains(&timer.kind));
        alarms.filter_map(conversation)
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
            let share = self.bulks.get(&timer.id).into_iter();
            asked
                .into_iter()
                .map(|asks| entry(timer, asks))
                .chain(share.flat_map(|share| share.entries(&timer.tenant)))
        });
        asked.collect()
    }

    fn asked(&self, timer: &DueTimer) -> Vec<Timer> {
        let asks = match timer.kind {
            TimerKind::Assign => conversation(timer).map(|conversation| Timer::AssignDue { conversation }),
            TimerKind::Hold => conversation(timer).map(|conversation| Timer::HoldEnds { conversation }),
            TimerKind::Request => conversation(timer).map(|conversation| Timer::RequestDue { conversation }),
            TimerKind::Recipient => {
                conversation(timer).map(|conversation| Timer::RecipientGone { conversation })
            }
            TimerKind::Stranded => conversation(timer).map(|conversation| Timer::Stranded { conversation }),
            TimerKind::Alarm => conversation(timer).map(|conversation| Timer::Alarm { conversation }),
            TimerKind::Absent => AgentId::new(&timer.subject)
                .ok()
                .map(|agent| Timer::Absent { agent }),
            // Time alone made someone eligible.
            TimerKind::Opens | TimerKind::Burst => Some(Timer::DrainQueues),
            TimerKind::Presence => AgentId::new(&timer.subject)
                .ok()
                .map(|agent| Timer::PresenceExpired { agent }),
            TimerKind::Drain => Some(Timer::DrainQueues),
            TimerKind::Owner => {
                let owned = self.owned.get(&timer.id).into_iter().flatten().copied();
                return owned
                    .map(|conversation| Timer::OwnerGone { conversation })
                    .collect();
            }
            // Their inputs have causes and keys of their own.
            TimerKind::Bulk | TimerKind::BulkDone => None,
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

    /// Timers to set again: there was more than one batch takes, or the next shift is waited for.
    pub fn again(&self, lane: Partition, world: &World, now: Timestamp) -> Vec<NewTimer> {
        let goes_on_as = |timer: &DueTimer| match timer.kind {
            TimerKind::Reexamine => {
                let unplaced = self.unplaced.get(&timer.id).map_or(0, Vec::len);
                (unplaced as i64 >= REEXAMINED).then(|| timer.subject.clone())
            }
            TimerKind::Owner => leaving::goes_on_as(timer, self.owned.get(&timer.id)?),
            TimerKind::Bulk => {
                let more = self.bulks.get(&timer.id)?.is_full();
                more.then(|| timer.subject.clone())
            }
            _ => None,
        };
        let due = |timer: &DueTimer| match timer.kind {
            TimerKind::Opens => {
                let plan = &world.state(&timer.tenant)?.plan;
                let opens = next_opening(plan, now)?;
                Some((timer.subject.clone(), Some(opens)))
            }
            _ => goes_on_as(timer).map(|subject| (subject, None)),
        };
        let again = self.timers.iter().filter_map(|timer| {
            let (subject, due) = due(timer)?;
            Some(NewTimer {
                tenant: timer.tenant.clone(),
                kind: timer.kind,
                subject,
                lane,
                due,
            })
        });
        again.collect()
    }
}

fn is_about_conversation(kind: TimerKind) -> bool {
    match kind {
        TimerKind::Assign
        | TimerKind::Hold
        | TimerKind::Request
        | TimerKind::Recipient
        | TimerKind::Alarm
        | TimerKind::Stranded => true,
        TimerKind::Presence
        | TimerKind::Absent
        | TimerKind::Opens
        | TimerKind::Burst
        | TimerKind::Drain
        | TimerKind::Reexamine
        | TimerKind::Owner
        | TimerKind::Bulk
        | TimerKind::BulkDone => false,
    }
}

/// What stands behind a slash only tells timers about the same conversation apart.
fn conversation(timer: &DueTimer) -> Option<ConversationId> {
    let id = timer.subject.split('/').next()?;
    Uuid::from_str(id)
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
