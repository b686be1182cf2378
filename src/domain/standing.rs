//! Where a waiting conversation stands among those of its team, and how long it will probably wait.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::conversation::{Conversation, Priority};
use super::ids::ConversationId;
use super::plan::Plan;
use super::state::head_start;

/// Assignments out of a queue that a guess has to rest on, at least.
pub const FEWEST_ASSIGNMENTS: u32 = 5;
/// How far back assignments are counted.
pub const LOOK_BACK: Duration = Duration::from_secs(60 * 60);

/// What comes before a place among conversations of one priority: whatever has waited since before this moment, and of what
/// has waited since exactly then, whatever has a lower id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Their priority.
    pub priority: Priority,
    /// The moment.
    pub waits_from: Timestamp,
    /// The id.
    pub id: ConversationId,
}

/// What comes before this conversation in the order of all queues, priority by priority: each has its own head start, and so
/// its own moment.
pub fn before(plan: &Plan, conversation: &Conversation) -> [Before; 4] {
    let own = conversation.priority;
    [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent].map(|priority| {
        let ahead = head_start(plan, priority) - head_start(plan, own);
        let waits_from = conversation.waits_from().checked_add(ahead);
        let beyond_time = if ahead.is_negative() {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        // At the same rank the one that has waited longer comes first: that is the one with the smaller head start.
        let id = match priority.cmp(&own) {
            Ordering::Less => ConversationId(Uuid::max()),
            Ordering::Equal => conversation.id,
            Ordering::Greater => ConversationId(Uuid::nil()),
        };
        Before {
            priority,
            waits_from: waits_from.unwrap_or(beyond_time),
            id,
        }
    })
}

/// How long a conversation at this position will wait if its team goes on as it did: so many were assigned out of its
/// queues within this time. `None`: too few to tell.
pub fn estimate(position: u64, assigned: u32, within: Duration) -> Option<Duration> {
    let enough = assigned >= FEWEST_ASSIGNMENTS && !within.is_zero();
    let seconds = enough.then(|| within.as_secs_f64() * position as f64 / f64::from(assigned))?;
    Duration::try_from_secs_f64(seconds).ok()
}
