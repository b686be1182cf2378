//! `[settings]`: what applies where nothing more exact is said.

use jiff::tz::TimeZone;

use super::mentions::{self, Named};
use super::reader::{Fields, Item, Reading};
use super::{people, policies};
use crate::domain::ids::PolicyId;
use crate::domain::plan::{MayClaim, MayReassign, Reopen, Settings};

/// Most automatic moves of a conversation: above it the guard would guard nothing.
const MAX_HOPS: u32 = 1_000;

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
    later(&mut fields, reading);
    fields.close(reading);
    settings
}

/// Settings that later versions act on: checked now, so that a plan written for them is right today.
fn later(fields: &mut Fields<'_>, reading: &mut Reading) {
    for (key, name) in [
        ("on_away", "settings.on_away"),
        ("on_offline", "settings.on_offline"),
    ] {
        if let Some(item) = fields.take(key)
            && item.word(&[("keep", false), ("unanswered", true), ("all", true)], reading) == Some(true)
        {
            reading.later(&item.spot, name);
        }
    }
    if let Some(item) = fields.take("offline_after") {
        item.duration(reading);
        reading.later(&item.spot, "settings.offline_after");
    }
    for (key, name) in [
        ("max_age", "settings.max_age"),
        ("close_idle_after", "settings.close_idle_after"),
    ] {
        if let Some(item) = fields.take(key)
            && item
                .duration_or_off(reading)
                .is_some_and(|duration| !duration.is_zero())
        {
            reading.later(&item.spot, name);
        }
    }
    if let Some(item) = fields.take("max_hops")
        && item.number(MAX_HOPS, reading).is_some_and(|hops| hops > 0)
    {
        reading.later(&item.spot, "settings.max_hops");
    }
    if let Some(item) = fields.take("burst") {
        burst(&item, reading);
    }
    policies::calendar_of(fields, "settings.calendar", reading);
}

fn burst(item: &Item<'_>, reading: &mut Reading) {
    reading.later(&item.spot, "settings.burst");
    let Some(mut fields) = item.fields(reading) else {
        return;
    };
    if let Some(limit) = fields.need("limit", reading)
        && limit.number(people::MAX_CAPACITY, reading) == Some(0)
    {
        reading.error(&limit.spot, "must be at least 1");
    }
    if let Some(window) = fields.need("window", reading) {
        window.duration(reading);
    }
    fields.close(reading);
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
