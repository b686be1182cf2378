//! What holds of every world between two inputs.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::domain::conversation::{AssignClock, Owner, Status};

use super::Verdict;
use crate::support::oracle;
use crate::support::world::World;

/// Loads equal open conversations owned, and nobody who waits is stranded.
pub fn check_sound(world: &World) -> Verdict {
    for who in world.agents.values() {
        let mut owned: BTreeMap<_, u32> = BTreeMap::new();
        for conversation in world.conversations.values() {
            if conversation.status == Status::Open && conversation.owner == Owner::Agent(who.id.clone()) {
                *owned.entry(conversation.team.clone()).or_default() += 1;
            }
        }
        prop_assert_eq!(&who.loads, &owned, "loads of {}", who.id);
    }
    for conversation in world.conversations.values() {
        let waits = conversation.status == Status::Open
            && conversation.waiting_since.is_some()
            && !conversation.standby;
        let has_a_place =
            conversation.owner != Owner::Nobody || conversation.assign_clock != AssignClock::Off;
        prop_assert!(!waits || has_a_place, "stranded: {conversation:?}");
        let is_queued = conversation.status == Status::Open && conversation.owner.queue().is_some();
        prop_assert_eq!(is_queued, conversation.queued_at.is_some(), "{:?}", conversation);
        let is_closed = conversation.status == Status::Closed;
        prop_assert!(
            !is_closed || conversation.assign_clock == AssignClock::Off,
            "{conversation:?}"
        );
    }
    Ok(())
}

/// Once nothing is left to do, nobody eligible idles while something waits for them.
pub fn check_conserving(world: &World) -> Verdict {
    prop_assert!(!world.drain_pending, "a drain is always finished");
    let idle = oracle::idle_hands(world);
    prop_assert!(idle.is_empty(), "idle while these wait: {idle:?}");
    Ok(())
}
