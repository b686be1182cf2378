//! `[settings]`: what applies where nothing more exact is said.

use jiff::tz::TimeZone;

use super::mentions::{self, Named};
use super::reader::{Fields, Item, Reading};
use super::{calendars, people};
use crate::domain::ids::PolicyId;
use crate::domain::plan::{Burst, MayClaim, MayReassign, Moves, Reopen, Settings};

/// Most automatic moves of a conversation: above it the guard would guard nothing.
const MAX_HOPS: u32 = 1_000;

/// Where `settings.max_age` is noted: policies are compared with it.
pub(super) const MAX_AGE: &str = "settings.max_age";
/// Where `settings.on_away` is noted: another setting can leave it without effect.
pub(super) const ON_AWAY: &str = "settings.on_away";

const CLAIM: [(&str, MayClaim); 3] = [
    ("teams", MayClaim::Teams),
    ("any", MayClaim::Any),
    ("none", MayClaim::None),
];
const REASSIGN: [(&str, MayReassign); 3] = [
    ("own", MayReassign::Own),
    ("any", MayReassign::Any),
    ("none", MayReassign::None),
];
const MOVES: [(&str, Moves); 3] = [
    ("keep", Moves::Keep),
    ("unanswered", Moves::Unanswered),
    ("all", Moves::All),
];

/// What a reopening customer meets, in the words of settings and rules.
pub(super) const REOPEN: [(&str, Reopen); 3] = [
    ("sticky", Reopen::Sticky),
    ("reroute", Reopen::Reroute),
    ("unassign", Reopen::Unassign),
];

/// Reads the section; what is absent or wrong is as in the default.
pub(super) fn read(item: &Item<'_>, reading: &mut Reading) -> Settings {
    let mut settings = Settings::default();
    let Some(mut fields) = item.fields(reading) else {
        return settings;
    };
    if let Some(item) = fields.take("response") {
        settings.response = mentions::one(&item, Named::Policy, PolicyId::new, reading);
    }
    let mut put = Put {
        fields: &mut fields,
        reading,
    };
    put.here("capacity", &mut settings.capacity, |item, reading| {
        item.number(people::MAX_CAPACITY, reading)
    });
    put.here("reopen", &mut settings.reopen, |item, reading| {
        item.word(&REOPEN, reading)
    });
    put.here(
        "agents_may_claim",
        &mut settings.agents_may_claim,
        |item, reading| item.word(&CLAIM, reading),
    );
    put.here(
        "agents_may_reassign",
        &mut settings.agents_may_reassign,
        |item, reading| item.word(&REASSIGN, reading),
    );
    put.here(
        "supervisors_may_close",
        &mut settings.supervisors_may_close,
        |item, reading| item.word(&[("own", false), ("any", true)], reading),
    );
    put.here("assign_away", &mut settings.assign_away, Item::flag);
    put.here("aging", &mut settings.aging, Item::duration);
    put.here("timezone", &mut settings.timezone, timezone);
    put.here("request_timeout", &mut settings.request_timeout, Item::duration);
    put.here("agents_view", &mut settings.agents_view_all, |item, reading| {
        item.word(&[("team", false), ("all", true)], reading)
    });
    put.here("on_away", &mut settings.on_away, |item, reading| {
        reading.noted.insert(ON_AWAY, item.spot.clone());
        moves(item, reading)
    });
    put.here("on_offline", &mut settings.on_offline, moves);
    put.here("offline_after", &mut settings.offline_after, Item::duration);
    put.here("max_hops", &mut settings.max_hops, |item, reading| {
        item.number(MAX_HOPS, reading)
    });
    put.here("max_age", &mut settings.max_age, |item, reading| {
        reading.noted.insert(MAX_AGE, item.spot.clone());
        item.duration_or_off(reading)
    });
    put.here(
        "close_idle_after",
        &mut settings.close_idle_after,
        Item::duration_or_off,
    );
    settings.burst = fields.take("burst").and_then(|item| burst(&item, reading));
    settings.calendar = calendars::named_in(&mut fields, reading);
    fields.close(reading);
    settings
}

/// What becomes of what someone owns who is no longer there.
fn moves(item: &Item<'_>, reading: &mut Reading) -> Option<Moves> {
    item.word(&MOVES, reading)
}

/// How many automatic assignments a person gets in how long, at most.
fn burst(item: &Item<'_>, reading: &mut Reading) -> Option<Burst> {
    let mut fields = item.fields(reading)?;
    let at_limit = fields.need("limit", reading);
    let limit = at_limit
        .as_ref()
        .and_then(|item| item.number(people::MAX_CAPACITY, reading));
    if let (Some(item), Some(0)) = (&at_limit, limit) {
        reading.error(&item.spot, "must be at least 1");
    }
    let window = fields
        .need("window", reading)
        .and_then(|item| item.duration(reading));
    fields.close(reading);
    Some(Burst {
        limit: limit?,
        window: window?,
    })
}

/// A time zone by its name in the IANA database.
pub(super) fn timezone(item: &Item<'_>, reading: &mut Reading) -> Option<TimeZone> {
    let zone = |name: &str| TimeZone::get(name).map_err(|_| "no time zone such as \"America/Sao_Paulo\"");
    item.id(zone, reading)
}

/// Writes what is given, and leaves the rest.
struct Put<'p, 'a> {
    fields: &'p mut Fields<'a>,
    reading: &'p mut Reading,
}

impl<'a> Put<'_, 'a> {
    fn here<T>(
        &mut self,
        key: &'static str,
        place: &mut T,
        read: impl FnOnce(&Item<'a>, &mut Reading) -> Option<T>,
    ) {
        if let Some(value) = self.fields.take(key).and_then(|item| read(&item, self.reading)) {
            *place = value;
        }
    }
}
