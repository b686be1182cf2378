//! The core under thousands of generated histories: what was promised holds after every input, whatever came before, however
//! much of the queues a batch loads, and whatever another batch holds meanwhile.
//!
//! | promise | checked by |
//! |---|---|
//! | one owner at most; loads equal open conversations owned; nobody stranded | `state` |
//! | contiguous sequence; the epoch rises with owner and status and never else; a refusal changes nothing | `record` |
//! | capacity, permission to reply and persons' choices are respected; first come, first served; explained | `choice` |
//! | no eligible person while an eligible conversation waits; nothing stays with who has left | `state` |
//! | one request at a time, ended before what leaves it nothing to be about | `requests` |
//! | round robin is fair while all are eligible, and a list whatever joins, leaves or is away | `fairness`, `rings` |
//! | every strategy chooses as it says; nobody is chosen off hours, in a burst or for what is too old | `choice` |
//! | nobody starves while priorities age | `rings` |
//! | what nobody can serve is told, once; exclusions leave somebody | `state` |
//! | the same input gives the same; batches and what they leave unloaded make no difference | `folding` |

mod absence;
mod choice;
mod clocks;
mod fairness;
mod folding;
pub mod histories;
mod record;
mod requests;
mod rings;
mod state;
mod wishes;

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::support::step::Step;
use crate::support::world::World;
use histories::{Happening, history};

/// What is checked: fails with what is wrong.
type Verdict = Result<(), TestCaseError>;

/// Everything that has to hold after one input.
fn check_step(step: Step<'_>) -> Verdict {
    record::check(step)?;
    choice::check(step)?;
    requests::check(step)?;
    state::check_sound(step.after)
}

/// Runs something with every step of it checked; stops looking at the first that is wrong.
fn checked(run: impl FnOnce(&mut dyn FnMut(Step<'_>))) -> Verdict {
    let mut verdict = Ok(());
    run(&mut |step| {
        if verdict.is_ok() {
            verdict = check_step(step);
        }
    });
    verdict
}

/// One thing after the other, as workers would do it, with everything checked.
fn happen(world: &mut World, happening: &Happening) -> Verdict {
    let nobody_else = BTreeSet::new();
    match happening {
        Happening::Batch(acts) => {
            let bodies = acts.iter().map(|act| act.body(world)).collect();
            let batch = world.receive(bodies);
            checked(|watch| world.run(batch, &nobody_else, watch))?;
        }
        Happening::Overlap(first, second) => {
            let bodies = first.iter().map(|act| act.body(world)).collect();
            let waiting = world.receive(bodies);
            // The second has the match row; what is about conversations that the first holds waits for it.
            let free = |act: &&histories::Act| act.about().is_none_or(|id| !waiting.holds.contains(&id));
            let bodies = second.iter().filter(free).map(|act| act.body(world)).collect();
            let batch = world.receive(bodies);
            let held = waiting.holds.clone();
            checked(|watch| world.run(batch, &held, watch))?;
            checked(|watch| world.run(waiting, &nobody_else, watch))?;
        }
        Happening::TimePasses(minutes) => {
            world.wait(crate::support::MINUTE * *minutes);
            let due = world.due(&nobody_else);
            let batch = world.receive(due);
            checked(|watch| world.run(batch, &nobody_else, watch))?;
        }
    }
    checked(|watch| {
        world.finish(watch);
    })?;
    state::check_conserving(world)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_after_every_input_of_any_history(history in history()) {
        let mut world = history.world();
        for happening in &history.happenings {
            happen(&mut world, happening)?;
        }
    }
}
