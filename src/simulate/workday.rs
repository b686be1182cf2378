//! A person's day: how long they were there, and how much they carried.

use jiff::{SignedDuration, Timestamp};

/// What a person's day came to, up to a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workday {
    /// Time they were there.
    pub there: SignedDuration,
    /// Time they were there and had something open.
    pub busy: SignedDuration,
    /// Conversations times time, while they were there.
    pub carried: SignedDuration,
    /// Time they had something open though they were not there.
    pub open_while_gone: SignedDuration,
    /// The most they had open at once.
    pub peak: u32,
    /// How often a strategy chose them.
    pub chosen: u64,
    /// How many conversations they closed.
    pub closed: u64,
    since: Timestamp,
    load: u32,
    is_there: bool,
    is_over: bool,
}

impl Workday {
    /// A day that begins with nothing, elsewhere.
    pub fn beginning(at: Timestamp) -> Self {
        Self {
            there: SignedDuration::ZERO,
            busy: SignedDuration::ZERO,
            carried: SignedDuration::ZERO,
            open_while_gone: SignedDuration::ZERO,
            peak: 0,
            chosen: 0,
            closed: 0,
            since: at,
            load: 0,
            is_there: false,
            is_over: false,
        }
    }

    /// From now on they have this much open, and are there or not.
    pub fn turns(&mut self, at: Timestamp, load: u32, is_there: bool) {
        if self.is_over {
            return;
        }
        let passed = at.duration_since(self.since);
        if self.is_there {
            self.there = self.there.saturating_add(passed);
            let carried = passed.saturating_mul(i32::try_from(self.load).unwrap_or(i32::MAX));
            self.carried = self.carried.saturating_add(carried);
        }
        match (self.load > 0, self.is_there) {
            (true, true) => self.busy = self.busy.saturating_add(passed),
            (true, false) => self.open_while_gone = self.open_while_gone.saturating_add(passed),
            (false, _) => {}
        }
        self.since = at;
        self.load = load;
        self.is_there = is_there;
        self.peak = self.peak.max(load);
    }

    /// The day ends: what comes later is not reckoned.
    pub fn ends(&mut self, at: Timestamp) {
        self.turns(at, self.load, self.is_there);
        self.is_over = true;
    }
}
