//! Due timers as inputs of the fold.

use std::str::FromStr;

use uuid::Uuid;

use super::batch::{Author, Failure};
use super::bulks::{self, ITEMS_AT_ONCE};
use super::directory::Directory;
use super::entry::Entry;
use super::leaving;
use super::world::World;
use crate::domain::ids::{AgentId, ConversationId, Tenant};
use crate::domain::input::{Body, Input, Timer};
use crate::store::timers::{DueTimer, NewTimer, TimerKind};
use crate::store::{Session, conversations, queue, timers};

/// Waiting conversations of a dropped team that one batch finds a new place for; more are left to the next.
const REEXAMINED: i64 = 100;

/// The conversations these timers are about: locked with the others, before the timers are claimed.
pub fn subjects(due: &[DueTimer]) -> impl Iterator<Item = (Tenant, ConversationId)> {
    due.iter()
        .filter_map(|timer| Some((timer.tenant.clone(), conversation(timer)?)))
}

fn conversation(timer: &DueTimer) -> Option<ConversationId> {
    match timer.kind {
        TimerKind::Assign
        | TimerKind::Hold
        | TimerKind::Request
        | TimerKind::Recipient
        | TimerKind::Stranded => Uuid::from_str(&timer.subject).ok().map(ConversationId),
        TimerKind::Presence
        | TimerKind::Drain
        | TimerKind::Reexamine
        | TimerKind::Bulk
        | TimerKind::BulkDone
        | TimerKind::Owner => None,
    }
}

/// What claimed timers ask of the core.
#[derive(Debug, Default)]
pub struct Timed {
    /// In the order in which they are due.
    pub entries: Vec<Entry>,
    /// Whether some stopped at a bound and were set again, to go on at once.
    pub more: bool,
}

/// What the claimed timers ask of the core.
pub async fn inputs(
    session: &Session,
    author: Author,
    due: &[DueTimer],
    directory: &Directory,
    world: &mut World,
) -> Result<Timed, Failure> {
    let mut timed = Timed::default();
    let mut items = 0;
    for timer in due {
        world.enter(&timer.tenant, || directory.plan(&timer.tenant));
        let asks = match timer.kind {
            TimerKind::Assign => conversation(timer).map(|conversation| Timer::AssignDue { conversation }),
            TimerKind::Hold => conversation(timer).map(|conversation| Timer::HoldEnds { conversation }),
            TimerKind::Request => conversation(timer).map(|conversation| Timer::RequestDue { conversation }),
            TimerKind::Recipient => {
                conversation(timer).map(|conversation| Timer::RecipientGone { conversation })
            }
            TimerKind::Stranded => conversation(timer).map(|conversation| Timer::Stranded { conversation }),
            TimerKind::Presence => AgentId::new(&timer.subject)
                .ok()
                .map(|agent| Timer::PresenceExpired { agent }),
            TimerKind::Drain => Some(Timer::DrainQueues),
            TimerKind::Reexamine => {
                let found = reexamine(session, author, timer, directory, world).await?;
                timed.entries.extend(found);
                // Whoever stays where they are may be served under the new plan.
                Some(Timer::DrainQueues)
            }
            TimerKind::BulkDone => {
                timed.entries.extend(bulks::end(session, timer).await?);
                None
            }
            TimerKind::Bulk | TimerKind::Owner => {
                // Only lanes claim timers.
                let Author::Lane { partition, .. } = author else {
                    continue;
                };
                let more = if timer.kind == TimerKind::Bulk {
                    let room = ITEMS_AT_ONCE - items;
                    let (found, more) = bulks::items(session, partition, timer, room, world).await?;
                    items += found.len();
                    timed.entries.extend(found);
                    more
                } else {
                    let (found, more) = leaving::owned(session, partition, timer, world).await?;
                    timed
                        .entries
                        .extend(found.into_iter().map(|asks| entry(timer, asks)));
                    more
                };
                timed.more |= more;
                None
            }
        };
        timed.entries.extend(asks.map(|asks| entry(timer, asks)));
    }
    Ok(timed)
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

/// Conversations of this home that wait in a team the plan no longer has. Locked before the match row, like all others.
async fn reexamine(
    session: &Session,
    author: Author,
    timer: &DueTimer,
    directory: &Directory,
    world: &mut World,
) -> Result<Vec<Entry>, Failure> {
    let Author::Lane { partition, .. } = author else {
        return Ok(Vec::new());
    };
    let plan = directory.plan(&timer.tenant);
    let teams: Vec<_> = plan.teams.keys().cloned().collect();
    let found = queue::in_other_teams(session, &timer.tenant, partition, &teams, REEXAMINED).await?;
    let ids: Vec<_> = found.iter().map(|id| (timer.tenant.clone(), *id)).collect();
    for loaded in conversations::lock(session, &ids).await? {
        world.put_loaded(loaded);
    }
    if found.len() as i64 >= REEXAMINED {
        let again = NewTimer {
            tenant: timer.tenant.clone(),
            kind: TimerKind::Reexamine,
            subject: timer.subject.clone(),
            lane: partition,
            due: None,
        };
        timers::set(session, &[again]).await?;
    }
    Ok(found
        .into_iter()
        .map(|conversation| entry(timer, Timer::Reexamine { conversation }))
        .collect())
}
