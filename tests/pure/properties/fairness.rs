//! Turns: while all are always eligible, nobody gets two more than another.

use std::collections::BTreeSet;

use proptest::prelude::*;
use switchboard::domain::conversation::Owner;
use switchboard::domain::plan::Strategy as Way;

use super::histories::AGENTS;
use crate::support::agent;
use crate::support::inputs::turn;
use crate::support::oracle;
use crate::support::people::online;
use crate::support::plans::support;
use crate::support::world::World;

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn round_robin_counts_stay_within_one_of_each_other_while_all_are_eligible(
        batches in proptest::collection::vec(1..7usize, 1..20),
        members in 2..=AGENTS.len(),
    ) {
        let members = &AGENTS[..members];
        let mut world = World::new(support(Way::RoundRobin, members));
        for member in members {
            world.add_person(online(member));
        }
        let mut customers = 0..u8::MAX;
        for size in batches {
            let turns = customers.by_ref().take(size).map(|n| turn(n).into()).collect();
            let batch = world.receive(turns);
            world.run(batch, &BTreeSet::new(), &mut |_| {});
            let counts = members.iter().map(|member| oracle::load(&world, &agent(member)));
            let (least, most) = (counts.clone().min(), counts.max());
            prop_assert!(most <= least.map(|least| least + 1), "{:?} to {:?}", least, most);
        }
        let owned = world.conversations.values().filter(|c| matches!(c.owner, Owner::Agent(_)));
        prop_assert_eq!(owned.count(), world.conversations.len());
    }
}
