//! Who waits, first come first: the merged queues give what a walk past everybody would.

use std::collections::BTreeSet;

use proptest::prelude::*;
use switchboard::domain::conversation::Priority;
use switchboard::domain::ids::ConversationId;
use switchboard::domain::line::Line;
use switchboard::domain::plan::Strategy as Way;
use switchboard::domain::state::{Place, Requirement, State};

use crate::support::chats::chat;
use crate::support::plans::plan;
use crate::support::{MINUTE, at};

fn state(waiting: &[(u8, u8, u8)]) -> State {
    let plan = plan()
        .team("desk", Way::RoundRobin, &["ana"])
        .team("sales", Way::RoundRobin, &["ben"])
        .build();
    let mut state = State::new(plan.into());
    for (number, (kind, urgency, minute)) in waiting.iter().enumerate() {
        let number = u8::try_from(number).expect("they are few");
        let waits = chat(number).waiting_in(["desk", "sales"][usize::from(kind % 2)]);
        let waits = waits.waiting_since(at(u32::from(*minute) * MINUTE));
        let waits = waits.priority([Priority::Normal, Priority::High][usize::from(urgency % 2)]);
        let waits = if kind / 2 == 0 {
            waits
        } else {
            waits.needing("french", 1)
        };
        state.put(waits.build());
    }
    state
}

/// What a walk past everybody finds, if these requirements turn out to be nobody's and everyone else is served.
fn walked(state: &State, unservable: &BTreeSet<Requirement>) -> Vec<ConversationId> {
    let mut struck = BTreeSet::new();
    let mut found = Vec::new();
    for (place, requirement) in state.waiting() {
        if struck.contains(requirement) {
            continue;
        }
        found.push(place.conversation);
        if unservable.contains(requirement) {
            struck.insert(requirement.clone());
        }
    }
    found
}

proptest! {
    #[test]
    fn the_merged_queues_give_what_a_walk_past_everybody_gives(
        waiting in proptest::collection::vec((0..4u8, 0..2u8, 0..30u8), 0..40),
        nobodys in proptest::collection::btree_set(0..8usize, 0..5),
    ) {
        let mut state = state(&waiting);
        let asked: BTreeSet<Requirement> = state.waiting().map(|(_, requirement)| requirement.clone()).collect();
        let unservable: BTreeSet<_> =
            asked.into_iter().enumerate().filter(|(n, _)| nobodys.contains(n)).map(|(_, one)| one).collect();
        let expected = walked(&state, &unservable);
        let mut line = Line::of(&state);
        let mut found = Vec::new();
        while let Some((place, requirement)) = line.next(&state) {
            found.push(place.conversation);
            if unservable.contains(&requirement) {
                line.strike();
            } else {
                state.forget(place.conversation);
            }
        }
        prop_assert_eq!(found, expected);
        let left: BTreeSet<Requirement> = state.waiting().map(|(_, requirement)| requirement.clone()).collect();
        prop_assert!(left.is_subset(&unservable));
    }

    #[test]
    fn the_queues_hold_whoever_waits_and_nobody_else(
        waiting in proptest::collection::vec((0..4u8, 0..2u8, 0..30u8), 1..20),
        served in proptest::collection::vec(0..20u8, 0..20),
    ) {
        let mut state = state(&waiting);
        for number in served {
            state.forget(crate::support::id(number));
        }
        let again = state.clone();
        state.reorder_waiting();
        let heads = |state: &State| state.heads().map(|(place, one)| (place, one.clone())).collect::<Vec<(Place, Requirement)>>();
        prop_assert_eq!(heads(&again), heads(&state));
        for (place, requirement) in again.heads() {
            let first = again.waiting().find(|(_, other)| *other == requirement);
            prop_assert_eq!(first.map(|(place, _)| *place), Some(place));
        }
    }
}
