//! An explanation counts everyone once, by what would stop them, and what it says would help does help.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use switchboard::domain::agent::Presence;
use switchboard::domain::calendar::{Calendar, Span};
use switchboard::domain::conversation::Conversation;
use switchboard::domain::event::PassedOver;
use switchboard::domain::ids::AgentId;
use switchboard::domain::ids::CalendarId;
use switchboard::domain::input::{Body, Upsert};
use switchboard::domain::matching::Wanted;
use switchboard::domain::plan::{Burst, Strategy};
use switchboard::domain::why::{Explainer, Lack, Limit, MAX_UNBLOCK, Unblock, Why};

use crate::support::chats::chat;
use crate::support::inputs::{by, cli, turn};
use crate::support::oracle;
use crate::support::people::{Person, away, offline, online};
use crate::support::plans::{Draft, nobody, plan, support};
use crate::support::scenario::{Scenario, given};
use crate::support::world::World;
use crate::support::{HOUR, MINUTE, agent, at, id, start, team};

const PEOPLE: [&str; 5] = ["ana", "bob", "cid", "dora", "eva"];

fn explain(world: &World, conversation: &Conversation) -> Why {
    let wanted = Wanted::by(conversation, world.now).expect("it waits in a queue");
    Explainer::of(&world.whole_state()).explain(wanted)
}

fn names(ways: &[Unblock]) -> Vec<&str> {
    ways.iter().map(|way| way.agent.as_str()).collect()
}

#[test]
fn the_nearest_way_out_is_the_one_that_takes_least_and_everyone_is_counted_once() {
    let scenario = given(support(Strategy::LeastLoaded, &PEOPLE))
        .agents([
            offline("ana").skill("french", 1),
            away("bob").skill("french", 2),
            online("cid"),
            online("dora").skill("french", 1).capacity(1),
            offline("eva").inactive(),
        ])
        .conversation(chat(2).with("dora").of("support"))
        .conversation(chat(1).waiting_in("support").needing("french", 1));
    let why = explain(&scenario.world, scenario.chat(1));
    assert_eq!((why.candidates, why.able, why.there, why.free), (5, 3, 1, 0));
    let expected = [
        (PassedOver::Inactive, 1),
        (PassedOver::Offline, 1),
        (PassedOver::Away, 1),
        (PassedOver::Skill, 1),
        (PassedOver::Capacity, 1),
    ];
    assert_eq!(why.blocked_by, BTreeMap::from(expected));
    assert_eq!(names(&why.unblock), ["dora", "bob", "ana"]);
    assert_eq!(
        why.unblock[0].lacks,
        [Lack::Room {
            limit: Limit::Agent,
            capacity: 1,
            close: 1
        }]
    );
}

#[test]
fn somebody_who_lacks_two_things_is_told_with_both() {
    let scenario = given(support(Strategy::RoundRobin, &["ana"]).limited_to("support", 1))
        .agents([away("ana")])
        .conversation(chat(2).with("ana").of("support"))
        .conversation(chat(3).with("ana").of("support"))
        .conversation(chat(1).waiting_in("support").needing("french", 2));
    let why = explain(&scenario.world, scenario.chat(1));
    assert_eq!(why.blocked_by, [(PassedOver::Away, 1)].into());
    assert_eq!((why.able, why.there), (0, 0));
    let lacks = &why.unblock[0].lacks;
    assert!(
        matches!(
            lacks[0],
            Lack::Presence {
                is: Presence::Away,
                ..
            }
        ),
        "{lacks:?}"
    );
    assert_eq!(lacks[1], Lack::Skills([("french".into(), 2)].into()));
    assert_eq!(
        lacks[2],
        Lack::Room {
            limit: Limit::Team,
            capacity: 1,
            close: 2
        }
    );
}

#[test]
fn a_shift_and_a_burst_say_when_they_end_and_a_burst_is_nearer_than_anything_else() {
    let burst = Burst {
        limit: 2,
        window: 10 * MINUTE,
    };
    let draft = support(Strategy::RoundRobin, &["ana", "bob", "cid"])
        .calendar("night", nights())
        .setting(|settings| settings.burst = Some(burst));
    let mut night_worker = online("bob");
    night_worker.profile.calendar = Some(night());
    let mut scenario = given(draft)
        .agents([online("ana"), night_worker, away("cid")])
        .conversation(chat(1).waiting_in("support"));
    let ana = scenario
        .world
        .agents
        .get_mut(&agent("ana"))
        .expect("she is there");
    ana.recent = vec![start() - 4 * MINUTE, start() - MINUTE];
    let why = explain(&scenario.world, scenario.chat(1));
    assert_eq!((why.able, why.there), (3, 2));
    assert_eq!(why.busy, [(PassedOver::Burst, 1), (PassedOver::Hours, 1)].into());
    assert_eq!(names(&why.unblock), ["ana", "cid", "bob"]);
    let burst_ends = Some(at(6 * MINUTE));
    assert_eq!(why.unblock[0].lacks, [Lack::Burst { ends: burst_ends }]);
    let opens = Some(at(10 * HOUR));
    assert_eq!(why.unblock[2].lacks, [Lack::Hours { opens }]);
}

#[test]
fn an_empty_team_has_no_way_out() {
    let scenario = given(support(Strategy::RoundRobin, &[])).conversation(chat(1).waiting_in("support"));
    assert_eq!(explain(&scenario.world, scenario.chat(1)), Why::default());
}

#[test]
fn who_may_take_what_waits_for_a_person_is_who_may_claim_it_the_present_first() {
    let people = [
        offline("ana"),
        online("bob"),
        online("cid").may_not_reply(),
        online("dora"),
        online("eva"),
    ];
    let mut scenario = given(support(Strategy::Manual, &["ana", "bob", "cid"])).agents(people);
    scenario = scenario.conversation(chat(1).waiting_in("support"));
    let explainer = Explainer::of(&scenario.world.whole_state());
    // Dora and Eva are in no team of it.
    assert_eq!(explainer.takers(scenario.chat(1)), [agent("bob"), agent("ana")]);
    let anyone = given(plan().otherwise(nobody())).agents([away("ana"), online("bob")]);
    let scenario = anyone.conversation(chat(1));
    let explainer = Explainer::of(&scenario.world.whole_state());
    assert_eq!(explainer.takers(scenario.chat(1)), [agent("bob"), agent("ana")]);
}

/// Somebody of a generated company: presence, own capacity, what they carry in the team and elsewhere, level of French,
/// whether they are active and may reply, whether they had it already; whether they work at night, and how many they were
/// given in the last minutes.
type Someone = ((u8, Option<u32>, u8, u8), (u8, bool, bool, bool), (bool, u8));

fn someone() -> impl proptest::strategy::Strategy<Value = Someone> {
    let stands = (0..3u8, proptest::option::of(0..4u32), 0..4u8, 0..3u8);
    let can = (
        0..3u8,
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.1),
    );
    let works = (prop::bool::weighted(0.2), 0..4u8);
    (stands, can, works)
}

fn person(name: &str, (stands, can, works): Someone) -> Person {
    let mut person = match stands.0 {
        0 => online(name),
        1 => away(name),
        _ => offline(name),
    };
    person.profile.capacity = stands.1;
    person.profile.calendar = works.0.then(night);
    person.profile.active = can.1;
    person.profile.may_reply = can.2;
    if can.0 > 0 {
        person = person.skill("french", can.0);
    }
    person
}

fn night() -> CalendarId {
    CalendarId::new("night").expect("it is an id")
}

/// From eight to midnight: the world begins in the morning.
fn nights() -> Calendar {
    let span = Span {
        from: 20 * 60,
        until: Span::MIDNIGHT,
    };
    Calendar::new(TimeZone::UTC, std::array::from_fn(|_| vec![span]), [])
}

fn company(draft: Draft, everyone: &[Someone], level: u8) -> Scenario {
    let mut scenario = given(draft);
    let mut waiting = chat(1).waiting_in("support");
    if level > 0 {
        waiting = waiting.needing("french", level);
    }
    let mut next = 2;
    for (name, someone) in PEOPLE.into_iter().zip(everyone) {
        scenario.world.add_person(person(name, *someone));
        let given: Vec<Timestamp> = (0..someone.2.1)
            .map(|n| start() - (5 - u32::from(n)) * MINUTE)
            .collect();
        let remembered = given.iter().map(|at| (agent(name), *at));
        scenario.world.given.extend(remembered);
        let own = scenario.world.agents.get_mut(&agent(name));
        own.expect("just added").recent = given;
        let (_, _, in_team, elsewhere) = someone.0;
        for place in 0..in_team + elsewhere {
            let team = if place < in_team { "support" } else { "sales" };
            scenario = scenario.conversation(chat(next).with(name).of(team));
            next += 1;
        }
        if someone.1.3 {
            waiting = waiting.excluding(name);
        }
    }
    scenario.conversation(waiting)
}

/// Does what a way out says.
fn carry_out(mut scenario: Scenario, way: &Unblock) -> Scenario {
    let who = way.agent.as_str();
    for lack in &way.lacks {
        let bodies: Vec<Body> = match lack {
            Lack::Active => vec![upsert(
                who,
                Upsert {
                    active: Some(true),
                    ..Upsert::default()
                },
            )],
            Lack::Permission => vec![upsert(
                who,
                Upsert {
                    may_reply: Some(true),
                    ..Upsert::default()
                },
            )],
            Lack::Skills(skills) => {
                let mut all = scenario.world.agents[&way.agent].profile.skills.clone();
                all.extend(skills.clone());
                vec![upsert(
                    who,
                    Upsert {
                        skills: Some(all),
                        ..Upsert::default()
                    },
                )]
            }
            Lack::Presence { .. } => vec![cli().sets(who, Presence::Online).into()],
            // By hand it is theirs, whatever else they lack.
            Lack::HadIt => return scenario.when(cli().gives(1, who)),
            Lack::Hours { opens: end } | Lack::Burst { ends: end } => {
                let end = end.expect("every shift of this company opens, every burst ends");
                let wait = end.duration_since(scenario.world.now).unsigned_abs();
                // A drain when the shift opens; a burst that was never a burst of this world has no timer.
                scenario = scenario.when_time_passes(wait);
                vec![turn(1).at(end).into()]
            }
            Lack::Room { close, .. } => closes(&scenario.world, &way.agent, *close),
        };
        for body in bodies {
            scenario = scenario.when(body);
        }
    }
    scenario
}

fn upsert(who: &str, fields: Upsert) -> Body {
    cli().upserts(who, fields).into()
}

/// They close so many, the team's first.
fn closes(world: &World, who: &AgentId, count: u32) -> Vec<Body> {
    let mut own: Vec<&Conversation> = world
        .conversations
        .values()
        .filter(|c| c.carried_by() == Some(who))
        .collect();
    own.sort_by_key(|c| c.team != Some(team("support")));
    let number = |c: &&Conversation| {
        (1..=u8::MAX)
            .find(|number| id(*number) == c.id)
            .expect("a test's own")
    };
    let numbers = own.iter().map(number).take(count as usize);
    numbers
        .map(|number| by(who.as_str()).closes(number).into())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_counts_are_those_of_an_independent_judge_and_the_first_way_out_leads_out(
        everyone in proptest::collection::vec(someone(), 0..=PEOPLE.len()),
        team_limit in proptest::option::of(1..4u32),
        tenant_limit in 0..4u32,
        level in 0..3u8,
    ) {
        let members = &PEOPLE[..everyone.len()];
        let mut draft = support(Strategy::LeastLoaded, members).team("sales", Strategy::LeastLoaded, &[]);
        draft = draft.keeping().calendar("night", nights());
        draft = draft.setting(|settings| {
            settings.capacity = tenant_limit;
            settings.burst = Some(Burst { limit: 3, window: 10 * MINUTE });
        });
        if let Some(limit) = team_limit {
            draft = draft.limited_to("support", limit);
        }
        let scenario = company(draft, &everyone, level);
        let waiting = scenario.chat(1);
        let why = explain(&scenario.world, waiting);
        let asks = oracle::asks(waiting);
        let eligible = members.iter().filter(|who| oracle::is_eligible(&scenario.world, &agent(who), asks)).count();
        prop_assert_eq!(why.free as usize, eligible);
        prop_assert_eq!(why.candidates as usize, members.len());
        prop_assert_eq!(why.free + why.blocked_by.values().sum::<u32>(), why.candidates);
        prop_assert!(why.free <= why.there && why.there <= why.able && why.able <= why.candidates);
        prop_assert_eq!(why.unblock.len(), (members.len() - eligible).min(MAX_UNBLOCK));
        for way in &why.unblock {
            let obstacles = oracle::obstacles(&scenario.world, &way.agent, asks).len();
            // A tenant's or an agent's own limit and the team's may be met by closing the same conversations.
            prop_assert!(way.lacks.len() <= obstacles && way.lacks.len() + 1 >= obstacles, "{way:?}");
        }
        if let (0, Some(way)) = (why.free, why.unblock.first()) {
            let by_time = |lack: &Lack| matches!(lack, Lack::Hours { .. } | Lack::Burst { .. });
            let scenario = carry_out(scenario, way);
            let owner = scenario.chat(1).owner.agent();
            // Time passes for the others too: one of them may be the one who is preferred then.
            prop_assert!(owner.is_some());
            prop_assert!(owner == Some(&way.agent) || way.lacks.iter().any(by_time), "{owner:?}");
        }
    }
}
