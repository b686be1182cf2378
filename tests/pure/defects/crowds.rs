//! The same with thousands: however many stand in front whom nobody can serve, whoever can be served is, at once; and
//! however many wait, nobody overtakes them and nobody gets them all.

use std::collections::BTreeSet;
use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{Conversation, Owner};
use switchboard::domain::decide::offer;
use switchboard::domain::evolve::evolve;
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::Body;
use switchboard::domain::offering::Offers;
use switchboard::domain::state::{Requirement, State};
use uuid::Uuid;

use super::by_load;
use crate::support::chats::{Chat, chat};
use crate::support::inputs::{by, turn};
use crate::support::people::{offline, online};
use crate::support::scenario::given;
use crate::support::step::Step;
use crate::support::world::World;
use crate::support::{HOUR, agent, at, start};

/// How many stand in front.
const CROWD: u32 = 3_000;

/// The id of one of the crowd, in the order in which they came.
fn crowd_id(number: u32) -> ConversationId {
    ConversationId(Uuid::from_u128(u128::from(number) + 1_000_000))
}

/// One of the crowd, who has waited since that many seconds after the beginning.
fn one_of(chat: Chat, number: u32) -> Conversation {
    let since = at(Duration::from_secs(u64::from(number)));
    Conversation {
        id: crowd_id(number),
        ..chat.waiting_in("support").waiting_since(since).build()
    }
}

fn add(world: &mut World, waiting: Conversation) {
    world.conversations.insert(waiting.id, waiting);
}

/// Nobody who is there can serve these: they ask for what nobody has learned, or exclude everyone there, or want someone
/// who is away and otherwise what nobody has learned. Of each kind there are many different ones.
fn unroutable(number: u32) -> Conversation {
    let kind = number / 3 % 60;
    let skill = format!("skill-{kind}");
    let waiting = match number % 3 {
        0 => chat(1).needing(&skill, 1),
        1 => chat(1).excluding("ana").excluding(&format!("gone-{kind}")),
        _ => chat(1).needing("rare", 9),
    };
    let mut waiting = one_of(waiting, number);
    if number % 3 == 2 {
        waiting.route.agent = Some(agent(&format!("away-{kind}")));
    }
    waiting
}

/// Ana is busy with conversation 1; a crowd whom she cannot serve waits, and behind it one whom she can.
fn behind_a_crowd() -> World {
    let mut scenario = given(by_load(&["ana", "ben"]))
        .agents([online("ana").capacity(1), offline("ben").skill("rare", 9)])
        .conversation(chat(1).with("ana").of("support"))
        .conversation(chat(2).waiting_in("support").waiting_since(at(2 * HOUR)));
    (0..CROWD).for_each(|number| add(&mut scenario.world, unroutable(number)));
    scenario.world
}

/// Runs this as one batch; returns who was given which conversation, in order.
fn assigned_by(world: &mut World, bodies: Vec<Body>) -> Vec<(ConversationId, String)> {
    let batch = world.receive(bodies);
    let mut assigned = Vec::new();
    world.run(batch, &BTreeSet::new(), &mut |step| assigned.extend(owners(step)));
    assigned
}

fn owners(step: Step<'_>) -> Vec<(ConversationId, String)> {
    let changed = step.events.iter().filter_map(|recorded| recorded.after.as_ref());
    changed
        .filter_map(|after| Some((after.id, after.owned_by()?.to_string())))
        .collect()
}

fn id_of(number: u8) -> ConversationId {
    chat(number).build().id
}

#[test]
fn defect_18_thousands_whom_nobody_can_serve_do_not_hold_up_the_one_behind_them() {
    let mut world = behind_a_crowd();
    let assigned = assigned_by(&mut world, vec![by("ana").closes(1).into()]);
    assert_eq!(
        assigned,
        [(id_of(2), "ana".to_owned())],
        "in the batch that freed the place"
    );
    assert!(!world.drain_pending, "and nothing is left to look for");
}

#[test]
fn defect_18_whoever_comes_online_is_given_what_waits_behind_thousands_in_the_same_batch() {
    let mut world = behind_a_crowd();
    assigned_by(&mut world, vec![by("ana").sets("ana", Presence::Offline).into()]);
    assigned_by(&mut world, vec![by("ana").closes(1).into()]);
    let assigned = assigned_by(&mut world, vec![by("ana").sets("ana", Presence::Online).into()]);
    assert_eq!(assigned, [(id_of(2), "ana".to_owned())]);
    let rare = assigned_by(&mut world, vec![by("ben").sets("ben", Presence::Online).into()]);
    let (first, owner) = rare.first().expect("Ben can serve some of the crowd");
    assert_eq!(
        (*first, owner.as_str()),
        (crowd_id(1), "ben"),
        "the first that does not exclude him"
    );
}

#[test]
fn defect_6_newcomers_do_not_overtake_thousands_who_wait() {
    let mut scenario = given(by_load(&["ana"])).agents([offline("ana").capacity(250)]);
    for number in 0..CROWD {
        add(&mut scenario.world, one_of(chat(1), number));
    }
    let world = &mut scenario.world;
    // The newcomer is in the same batch, behind the one whose room it would take.
    let online = by("ana").sets("ana", Presence::Online).into();
    let newcomer = turn(7).at(at(3 * HOUR)).into();
    let mut assigned = assigned_by(world, vec![online, newcomer]);
    world.finish(&mut |step| assigned.extend(owners(step)));
    let order: Vec<_> = assigned.iter().map(|(id, _)| *id).collect();
    let oldest: Vec<_> = (0..250).map(crowd_id).collect();
    assert_eq!(order, oldest, "the oldest, in their order, and nobody else");
    assert!(world.conversations[&id_of(7)].owner.queue().is_some());
}

#[test]
fn defect_7_the_first_to_come_online_is_given_as_many_of_thousands_as_they_have_room_for() {
    let mut scenario =
        given(by_load(&["ana", "ben"])).agents([offline("ana").capacity(5), offline("ben").capacity(5)]);
    for number in 0..CROWD {
        add(&mut scenario.world, one_of(chat(1), number));
    }
    let world = &mut scenario.world;
    for (who, given) in [("ana", 0..5), ("ben", 5..10)] {
        let mut assigned = assigned_by(world, vec![by(who).sets(who, Presence::Online).into()]);
        world.finish(&mut |step| assigned.extend(owners(step)));
        let expected: Vec<_> = given.map(|number| (crowd_id(number), who.to_owned())).collect();
        assert_eq!(assigned, expected);
    }
    let owned = world
        .conversations
        .values()
        .filter(|c| matches!(c.owner, Owner::Agent(_)));
    assert_eq!(owned.count(), 10);
}

/// A state in which some of a large team have room, and many wait for many things.
fn large() -> State {
    let members: Vec<String> = (0..500).map(|number| format!("agent-{number}")).collect();
    let names: Vec<&str> = members.iter().map(String::as_str).collect();
    let mut scenario = given(by_load(&names));
    for (number, name) in members.iter().enumerate() {
        let skill = format!("skill-{}", number % 10);
        let person = if number % 50 == 0 {
            online(name)
        } else {
            offline(name)
        };
        scenario.world.add_person(person.capacity(3).skill(&skill, 1));
    }
    for number in 0..CROWD {
        add(&mut scenario.world, unroutable(number));
    }
    scenario.world.whole_state()
}

#[test]
fn a_choice_among_all_members_is_made_only_for_who_can_be_given_to_somebody() {
    let mut state = large();
    let requirements: BTreeSet<Requirement> = state.waiting().map(|(_, needs)| needs.clone()).collect();
    assert!(requirements.len() > 100, "{} requirements", requirements.len());
    let (mut choices, mut offers) = (0, Offers::new(&state, start()));
    while let Some(id) = offers.next(&state) {
        choices += 1;
        let events = offer(&state, id, start());
        assert!(!events.is_empty(), "whoever is chosen for is given to somebody");
        events.iter().for_each(|event| evolve(&mut state, event));
        let owner = state
            .conversation(id)
            .and_then(|c| c.owner.agent())
            .expect("an owner");
        offers.given_to(&state, owner);
    }
    assert!(offers.is_complete());
    let room = state
        .agents
        .values()
        .filter(|who| who.presence == Presence::Online)
        .count()
        * 3;
    assert_eq!(choices, room, "as many as there was room for");
}

#[test]
fn one_that_finds_nobody_after_all_ends_the_choices_for_what_it_asks() {
    let mut scenario = given(by_load(&["ana"])).agents([online("ana")]);
    for number in 0..20 {
        add(&mut scenario.world, one_of(chat(1), number));
    }
    let state = scenario.world.whole_state();
    let mut offers = Offers::new(&state, start());
    assert_eq!(offers.next(&state), Some(crowd_id(0)));
    offers.found_nobody();
    assert_eq!(offers.next(&state), None);
    assert!(offers.is_complete());
}
