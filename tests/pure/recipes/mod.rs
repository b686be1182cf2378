//! The plans of the guide: each is good, is in the guide, and does what its comments say.

mod breaches;
mod guide;
mod hours;
mod routing;
mod times;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use switchboard::contract::plan;
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::Contact;
use switchboard::domain::plan::Plan;

use crate::support::inputs::{Report, by, cli, turn};
use crate::support::plans::Draft;
use crate::support::scenario::{Scenario, given};
use crate::support::tenant;

const MINUTE: Duration = Duration::from_secs(60);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A company that applied this recipe at this time, with these people online.
fn company<const N: usize>(recipe: &str, now: &str, online: [&str; N]) -> Scenario {
    let text = read(&format!("docs/recipes/{recipe}.toml"));
    let checked = plan::from_toml(&text).unwrap_or_else(|faults| panic!("{recipe}: {faults:#?}"));
    let mut company = given(Draft::of(Plan::empty(tenant())));
    company.world.now = time(now);
    let company = company.when(cli().applies(Draft::of(checked.plan)));
    let come = |company: Scenario, who: &&str| company.when(by(who).sets(who, Presence::Online));
    online.iter().fold(company, come)
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A customer of whom your CRM says this.
fn known(name: &str, value: &str) -> Contact {
    Contact {
        attributes: [(name.into(), value.into())].into(),
        ..Contact::default()
    }
}

trait Story {
    /// This customer writes now.
    fn writes(self, number: u8, text: &str) -> Self;

    /// Something comes in now.
    fn gets(self, report: Report) -> Self;

    /// It is another time; no timer has been looked at.
    fn at(self, now: &str) -> Self;

    /// So much time passes; whatever is due then happens, and all that follows at once.
    fn passes(self, time: Duration) -> Self;

    /// Someone goes home.
    fn leaves(self, who: &str) -> Self;
}

impl Story for Scenario {
    fn writes(self, number: u8, text: &str) -> Self {
        self.gets(turn(number).saying(text))
    }

    fn gets(self, report: Report) -> Self {
        let now = self.world.now;
        self.when(report.at(now))
    }

    fn at(mut self, now: &str) -> Self {
        self.world.now = time(now);
        self
    }

    fn passes(self, time: Duration) -> Self {
        let mut later = self.when_time_passes(time);
        later.world.finish(&mut |_| {});
        later
    }

    fn leaves(self, who: &str) -> Self {
        self.when(by(who).sets(who, Presence::Offline))
    }
}
