//! A position is the place in the order in which queues are emptied.

use std::time::Duration;

use proptest::prelude::*;
use switchboard::domain::conversation::{Conversation, Priority};
use switchboard::domain::plan::Strategy as Way;
use switchboard::domain::standing::{Before, FEWEST_ASSIGNMENTS, before, estimate};

use crate::support::chats::chat;
use crate::support::plans::support;
use crate::support::world::World;
use crate::support::{MINUTE, at};

const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];

fn comes_before(limits: &[Before], other: &Conversation) -> bool {
    let own = limits.iter().find(|limit| limit.priority == other.priority);
    let limit = own.expect("every priority has a limit");
    (other.waits_from(), other.id) < (limit.waits_from, limit.id)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn so_many_come_before_it_as_the_order_of_queues_says(
        queue in proptest::collection::vec((0..5u32, 0..PRIORITIES.len()), 1..30),
        // A step of priority is worth two minutes, so that many stand at the same rank; or it always wins.
        aging in prop_oneof![Just(2 * MINUTE), Just(Duration::ZERO)],
    ) {
        let draft = support(Way::RoundRobin, &[]).setting(|settings| settings.aging = aging);
        let mut world = World::new(draft);
        for (number, (minutes, priority)) in (1u8..).zip(&queue) {
            let waiting = chat(number).waiting_in("support").waiting_since(at(*minutes * MINUTE));
            world.add_chat(waiting.priority(PRIORITIES[*priority]));
        }
        let state = world.whole_state();
        for (position, (place, _)) in state.waiting().enumerate() {
            let own = state.conversation(place.conversation).expect("it waits");
            let limits = before(&world.plan, own);
            let ahead = world.conversations.values().filter(|other| comes_before(&limits, other)).count();
            prop_assert_eq!(ahead, position);
        }
    }
}

#[test]
fn a_guess_follows_the_pace_and_is_not_made_from_next_to_nothing() {
    let hour = Duration::from_secs(3600);
    assert_eq!(estimate(3, 12, hour), Some(Duration::from_secs(900)));
    assert_eq!(estimate(1, FEWEST_ASSIGNMENTS - 1, hour), None);
    assert_eq!(estimate(1, 0, hour), None);
    assert_eq!(estimate(1, 2_000, Duration::ZERO), None);
    assert_eq!(
        estimate(u64::MAX, FEWEST_ASSIGNMENTS, Duration::MAX),
        None,
        "longer than there is time"
    );
}
