//! The core on virtual time: what a plan would do with the conversations of a day, before anybody's day depends on it.
//!
//! Arrivals come from anywhere (`trace`): drawn by chance (`traffic`), read from a file, or recorded. `world` plays them
//! through [`crate::domain::fold`] with people who come and go by their `shifts`, answer and close; what came of each
//! conversation is kept (`outcome`), added up (`report`), and set beside what another plan made of the same (`compare`).
//!
//! Architecture invariant: no clock and no IO, and chance only from a seed (`chance`): the same arrivals, shifts, plan and
//! seed give the same report, to the last digit.

pub mod agenda;
pub mod alarms;
pub mod chance;
pub mod compare;
pub mod outcome;
pub mod pins;
pub mod report;
pub mod shifts;
pub mod trace;
pub mod traffic;
pub mod workday;
pub mod world;

pub use world::{Progress, Scenario, play};
