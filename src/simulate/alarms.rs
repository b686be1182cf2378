//! When time alone changes something: the exact clocks of a conversation, its alarm, and what opens the way for who waits.

use jiff::Timestamp;

use crate::domain::alarm;
use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::input::Timer;
use crate::domain::plan::Plan;

/// A clock a conversation may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// On its assignment.
    Assign,
    /// On its being on hold.
    Hold,
    /// On the request that is pending.
    Request,
    /// Whatever else is due by time alone.
    Alarm,
}

impl Clock {
    /// All of them.
    pub const ALL: [Clock; 4] = [Clock::Assign, Clock::Hold, Clock::Request, Clock::Alarm];

    /// When it runs out, if it runs.
    pub fn due(self, conversation: &Conversation, plan: &Plan) -> Option<Timestamp> {
        match self {
            Clock::Assign => conversation.assign_clock.due(),
            Clock::Hold => conversation.held_until,
            Clock::Request => conversation.request.as_ref().map(|request| request.expires_at),
            Clock::Alarm => alarm::next(conversation, plan),
        }
    }

    /// What it tells the core.
    pub fn timer(self, conversation: ConversationId) -> Timer {
        match self {
            Clock::Assign => Timer::AssignDue { conversation },
            Clock::Hold => Timer::HoldEnds { conversation },
            Clock::Request => Timer::RequestDue { conversation },
            Clock::Alarm => Timer::Alarm { conversation },
        }
    }
}

/// The moments that are written down for a conversation's clocks. They are kept lazily: a clock that is put off is looked
/// at when it would have run out, and written down anew.
pub type Written = [Option<Timestamp>; Clock::ALL.len()];

/// When working hours begin next, of anybody.
pub fn next_opening(plan: &Plan, after: Timestamp) -> Option<Timestamp> {
    let calendars = plan.calendars.values();
    calendars
        .filter_map(|calendar| calendar.next_opening(after))
        .min()
}
