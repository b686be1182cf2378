//! The same input gives the same; neither batches nor what they leave unloaded make a difference.

use std::collections::BTreeSet;

use proptest::prelude::*;
use switchboard::domain::event::{Kind, Recorded};
use switchboard::domain::fold::fold;

use super::histories::{Act, History, Shape, act, history, shape};
use crate::support::world::World;

/// What a run said, in words that can be compared.
fn said(events: &[Recorded]) -> Vec<String> {
    let announced = events
        .iter()
        .filter(|recorded| !matches!(recorded.event.kind, Kind::DrainPending(_)));
    announced
        .map(|recorded| format!("{:?} {:?}", recorded.event, recorded.after))
        .collect()
}

/// Runs a history and tells everything that was said.
fn told(history: &History) -> (Vec<String>, World) {
    let mut world = history.world();
    let mut all = Vec::new();
    for happening in &history.happenings {
        let acts: Vec<&Act> = match happening {
            super::Happening::Batch(acts) => acts.iter().collect(),
            super::Happening::Overlap(first, second) => first.iter().chain(second).collect(),
            super::Happening::TimePasses(minutes) => {
                world.wait(crate::support::MINUTE * *minutes);
                Vec::new()
            }
        };
        let mut bodies: Vec<_> = acts.iter().map(|act| act.body(&world)).collect();
        bodies.extend(world.due(&BTreeSet::new()));
        let batch = world.receive(bodies);
        world.run(batch, &BTreeSet::new(), &mut |step| all.extend(said(step.events)));
        world.finish(&mut |step| all.extend(said(step.events)));
    }
    (all, world)
}

/// A world in which some things have happened already.
fn under_way(shape: Shape, before: &[Act]) -> World {
    let history = History {
        shape,
        page: 100,
        happenings: vec![super::Happening::Batch(before.to_vec())],
    };
    told(&history).1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_same_history_is_told_the_same_again(history in history()) {
        prop_assert_eq!(told(&history).0, told(&history).0);
    }

    #[test]
    fn it_makes_no_difference_whether_inputs_come_one_by_one_or_in_a_batch(
        shape in shape(),
        before in proptest::collection::vec(act(), 0..20),
        acts in proptest::collection::vec(act().prop_filter("plans leave work for later", |act| !matches!(act, Act::Plan { .. })), 1..12),
    ) {
        let mut whole = under_way(shape, &before);
        let mut single = whole.clone();
        let bodies: Vec<_> = acts.iter().map(|act| act.body(&whole)).collect();
        let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
        let batch = whole.receive(bodies.clone());
        whole.run(batch, &BTreeSet::new(), &mut |step| at_once.extend(said(step.events)));
        for body in bodies {
            let batch = single.receive(vec![body]);
            single.run(batch, &BTreeSet::new(), &mut |step| one_by_one.extend(said(step.events)));
        }
        prop_assert_eq!(at_once, one_by_one);
        prop_assert_eq!(&whole.conversations, &single.conversations);
        prop_assert_eq!(&whole.agents, &single.agents);
    }

    #[test]
    fn what_a_batch_leaves_unloaded_makes_no_difference(
        shape in shape(),
        before in proptest::collection::vec(act(), 0..20),
        act in act(),
    ) {
        let mut world = under_way(shape, &before);
        let mut everything = world.whole_state();
        let batch = world.receive(vec![act.body(&world)]);
        let mut partly = Vec::new();
        let mut verdict = Ok(());
        let now = world.now;
        world.run(batch, &BTreeSet::new(), &mut |step| {
            partly = said(step.events);
            if let Some(id) = step.input.conversation() && everything.conversation(id).is_none()
                && matches!(step.input.body, switchboard::domain::input::Body::Fact(_)) {
                everything.put(crate::support::chats::unborn(id));
            }
            let wholly = said(&fold(&mut everything, step.input, now));
            verdict = if wholly == partly { Ok(()) } else { Err((wholly, partly.clone())) };
        });
        prop_assert_eq!(verdict, Ok(()));
    }
}
