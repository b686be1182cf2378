//! The ring against a list that anyone would believe: the first who can have it gets it and goes last; whoever is skipped
//! stays where they are; whoever joins goes last; whoever leaves is gone. And queues against time: nobody starves.

use std::collections::BTreeSet;

use proptest::prelude::*;
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::Owner;
use switchboard::domain::input::Upsert;
use switchboard::domain::plan::Strategy as Way;

use crate::support::inputs::{by, cli, received, turn};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, plan, to, urgent};
use crate::support::step::Step;
use crate::support::world::World;
use crate::support::{MINUTE, agent, at, id, team};

const PEOPLE: [&str; 5] = ["ana", "ben", "cy", "dora", "eve"];

/// What happens to the ring.
#[derive(Debug, Clone)]
enum Spin {
    /// A customer comes.
    Turn,
    /// Someone comes or goes.
    Presence(usize, bool),
    /// Someone joins the team or leaves it.
    Membership(usize, bool),
    /// A plan says who is in the team, in this order.
    Plan(Vec<usize>),
}

fn spin() -> impl Strategy<Value = Spin> {
    let who = 0..PEOPLE.len();
    let subset = proptest::sample::subsequence((0..PEOPLE.len()).collect::<Vec<_>>(), 0..=PEOPLE.len());
    prop_oneof![
        6 => Just(Spin::Turn),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, there)| Spin::Presence(who, there)),
        2 => (who, any::<bool>()).prop_map(|(who, member)| Spin::Membership(who, member)),
        1 => subset.prop_shuffle().prop_map(Spin::Plan),
    ]
}

/// The list: who, and with whom they came to their place. Among those who came to it together (by the same plan) the order
/// is that of the plan in force.
#[derive(Debug, Default)]
struct Model {
    ring: Vec<(usize, usize)>,
    there: BTreeSet<usize>,
    arrivals: usize,
}

impl Model {
    /// Whose turn it is.
    fn turn(&mut self) -> Option<usize> {
        let place = self.ring.iter().position(|(who, _)| self.there.contains(who))?;
        let (who, _) = self.ring.remove(place);
        self.join([who]);
        Some(who)
    }

    fn join(&mut self, last: impl IntoIterator<Item = usize>) {
        self.arrivals += 1;
        let together = self.arrivals;
        self.ring.extend(last.into_iter().map(|who| (who, together)));
    }

    fn has(&self, who: usize) -> bool {
        self.ring.iter().any(|(other, _)| *other == who)
    }
}

fn ring_plan(members: &[usize]) -> Draft {
    let members: Vec<&str> = members.iter().map(|who| PEOPLE[*who]).collect();
    plan()
        .team("support", Way::RoundRobin, &members)
        .default_to("support")
        .keeping()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_ring_is_a_list_whatever_joins_leaves_or_is_not_there(
        members in 1..=PEOPLE.len(),
        spins in proptest::collection::vec(spin(), 1..60),
    ) {
        let first: Vec<usize> = (0..members).collect();
        let mut world = World::new(ring_plan(&first));
        let mut model = Model::default();
        model.join(first);
        PEOPLE.iter().for_each(|name| world.add_person(offline(name)));
        world.add_person(offline("root").admin());
        let mut customers = 0..u8::MAX;
        for spin in spins {
            let body = match &spin {
                Spin::Turn => {
                    let Some(expected) = model.turn() else { continue };
                    let customer = customers.next().expect("there are fewer");
                    let batch = world.receive(vec![turn(customer).into()]);
                    world.run(batch, &BTreeSet::new(), &mut |_| {});
                    let owner = &world.conversations[&id(customer)].owner;
                    prop_assert_eq!(owner, &Owner::Agent(agent(PEOPLE[expected])));
                    continue;
                }
                Spin::Presence(who, there) => {
                    let presence = if *there { Presence::Online } else { Presence::Offline };
                    let _ = if *there { model.there.insert(*who) } else { model.there.remove(who) };
                    by(PEOPLE[*who]).sets(PEOPLE[*who], presence).into()
                }
                Spin::Membership(who, member) => {
                    if *member && !model.has(*who) {
                        model.join([*who]);
                    } else if !*member {
                        model.ring.retain(|(other, _)| other != who);
                    }
                    let teams = member.then(|| team("support")).into_iter().collect();
                    let fields = Upsert { teams: Some(teams), ..Upsert::default() };
                    by("root").upserts(PEOPLE[*who], fields).into()
                }
                Spin::Plan(members) => {
                    model.ring.retain(|(who, _)| members.contains(who));
                    let new = members.iter().filter(|who| !model.has(**who)).copied();
                    let new: Vec<usize> = new.collect();
                    model.join(new);
                    let listed = |who: usize| members.iter().position(|other| *other == who);
                    model.ring.sort_by_key(|(who, together)| (*together, listed(*who)));
                    by("root").applies(ring_plan(members)).into()
                }
            };
            let batch = world.receive(vec![body]);
            world.run(batch, &BTreeSet::new(), &mut |_| {});
            world.finish(&mut |_| {});
        }
    }

    /// With a positive aging the most urgent is three steps ahead of the least: whoever waits is overtaken only by those who
    /// came less than three steps of aging after them. So it is served after at most as many assignments to somebody who
    /// may have it as conversations had come by then.
    #[test]
    fn nobody_starves_while_priorities_age(
        aging in 1..6u32,
        arrivals in proptest::collection::vec((0..3u32, 0..3usize), 2..40),
        served_every in 1..4usize,
    ) {
        let rules = plan()
            .team("support", Way::LeastLoaded, &["ana"])
            .rule("urgent", "message.kind == 'image'", urgent("support", switchboard::domain::conversation::Priority::Urgent))
            .rule("low", "message.kind == 'audio'", urgent("support", switchboard::domain::conversation::Priority::Low))
            .otherwise(to("support"))
            .keeping()
            .setting(|settings| settings.aging = MINUTE * aging);
        let mut world = World::new(rules);
        world.add_person(online("ana").capacity(1));
        let ahead = 3 * aging * MINUTE;
        let mut verdict = Ok(());
        let mut watch = |step: Step<'_>| {
            for moment in step.moments() {
                let Some((given, switchboard::domain::event::Change::Assigned(_))) = moment.recorded.change() else {
                    continue;
                };
                let others = moment.world.conversations.values();
                let waiting = others.filter(|c| c.id != given.id && c.may_be_matched());
                for other in waiting.filter(|c| given.waits_from() >= c.waits_from() + ahead) {
                    verdict = Err(TestCaseError::fail(format!("{given:?} overtook {other:?}")));
                }
            }
        };
        let close = |world: &mut World| {
            let owned = world.conversations.values().find(|c| c.carried_by().is_some());
            owned.map(|c| u8::try_from(c.id.0.as_u128()).expect("a small number"))
        };
        let count = arrivals.len();
        let mut minute = 0;
        for (number, (gap, kind)) in (0..u8::MAX).zip(arrivals) {
            minute += gap;
            world.wait(MINUTE * gap);
            let kind = ["text", "image", "audio"][kind];
            let body = received(number, kind, true).at(at(MINUTE * minute)).into();
            let batch = world.receive(vec![body]);
            world.run(batch, &BTreeSet::new(), &mut watch);
            if usize::from(number) % served_every == 0
                && let Some(done) = close(&mut world)
            {
                let batch = world.receive(vec![cli().closes(done).into()]);
                world.run(batch, &BTreeSet::new(), &mut watch);
            }
        }
        // Served one by one: as many closings as came in serve them all.
        for _ in 0..count {
            if let Some(done) = close(&mut world) {
                let batch = world.receive(vec![cli().closes(done).into()]);
                world.run(batch, &BTreeSet::new(), &mut watch);
            }
        }
        verdict?;
        prop_assert!(world.conversations.values().all(|c| c.is_closed()), "somebody still waits");
    }
}
