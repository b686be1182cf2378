//! The core under thousands of generated histories: what was promised holds after every input.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use switchboard::domain::agent::{Agent, Presence, Profile, Role};
use switchboard::domain::conversation::{AssignClock, Contact, Conversation, Owner};
use switchboard::domain::decide::{decide, needs_roster};
use switchboard::domain::event::{By, Change, Kind, Recorded};
use switchboard::domain::fold::fold;
use switchboard::domain::ids::{AgentId, ChannelKey, ConversationId, Partition, TeamId, Tenant};
use switchboard::domain::input::{
    Action, Actor, Body, Command, Fact, Input, Message, Origin, Recipient, Timer, Upsert, What, Wish,
};
use switchboard::domain::plan::{MayReassign, Outcome, Plan, Reopen, Rule, Strategy as Way, Target, Team};
use switchboard::domain::state::State;
use uuid::Uuid;

const AGENTS: [&str; 4] = ["ana", "ben", "cy", "dora"];
const TEAMS: [&str; 3] = ["one", "two", "slow"];
const CUSTOMERS: u128 = 8;

fn agent(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

fn team(name: &str) -> TeamId {
    TeamId::new(name).unwrap()
}

fn channel() -> ChannelKey {
    ChannelKey::new("whatsapp:1").unwrap()
}

/// What one step does, by small numbers that proptest can shrink.
#[derive(Debug, Clone)]
enum Step {
    Turn {
        customer: u128,
        kind: u8,
    },
    Sent {
        customer: u128,
        by: usize,
    },
    Assign {
        customer: u128,
        actor: usize,
        to: usize,
    },
    ToTeam {
        customer: u128,
        actor: usize,
        to: usize,
    },
    Unassign {
        customer: u128,
        actor: usize,
    },
    Close {
        customer: u128,
        actor: usize,
        epoch: Option<u64>,
    },
    Reopen {
        customer: u128,
        actor: usize,
    },
    Presence {
        of: usize,
        presence: u8,
    },
    Upsert {
        of: usize,
        capacity: u32,
        teams: u8,
        may_reply: bool,
    },
    Clock {
        customer: u128,
        minutes: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let customer = 0..CUSTOMERS;
    let who = 0..=AGENTS.len();
    prop_oneof![
        6 => (customer.clone(), 0..8u8).prop_map(|(customer, kind)| Step::Turn { customer, kind }),
        1 => (customer.clone(), who.clone()).prop_map(|(customer, by)| Step::Sent { customer, by }),
        2 => (customer.clone(), who.clone(), who.clone()).prop_map(|(customer, actor, to)| Step::Assign { customer, actor, to }),
        2 => (customer.clone(), who.clone(), 0..TEAMS.len()).prop_map(|(customer, actor, to)| Step::ToTeam { customer, actor, to }),
        1 => (customer.clone(), who.clone()).prop_map(|(customer, actor)| Step::Unassign { customer, actor }),
        4 => (customer.clone(), who.clone(), proptest::option::weighted(0.2, 0..6u64))
            .prop_map(|(customer, actor, epoch)| Step::Close { customer, actor, epoch }),
        1 => (customer.clone(), who.clone()).prop_map(|(customer, actor)| Step::Reopen { customer, actor }),
        4 => (0..AGENTS.len(), 0..3u8).prop_map(|(of, presence)| Step::Presence { of, presence }),
        1 => (0..AGENTS.len(), 0..4u32, 0..8u8, proptest::bool::weighted(0.9))
            .prop_map(|(of, capacity, teams, may_reply)| Step::Upsert { of, capacity, teams, may_reply }),
        2 => (customer, 0..9i64).prop_map(|(customer, minutes)| Step::Clock { customer, minutes }),
    ]
}

/// A plan with a rule to a team, a manual team, and a default.
fn plan(strategy: Way, reopen: Reopen, aging: u64) -> Plan {
    let mut plan = Plan::empty(Tenant::new("acme").unwrap());
    plan.version = 1;
    plan.settings.reopen = reopen;
    plan.settings.agents_may_reassign = MayReassign::Own;
    plan.settings.aging = std::time::Duration::from_secs(aging);
    for (name, members, strategy) in [
        ("one", &AGENTS[..3], strategy),
        ("two", &AGENTS[2..], Way::RoundRobin),
        ("slow", &AGENTS[..2], Way::Manual),
    ] {
        let members = members.iter().map(|name| agent(name)).collect();
        let managers = vec![agent("dora")];
        let capacity = if name == "two" { Some(2) } else { None };
        let entry = Team {
            members,
            managers,
            strategy,
            capacity,
            response: None,
            fallback: vec![],
        };
        plan.teams.insert(team(name), entry);
    }
    let to = |name: &str| Target {
        team: Some(team(name)),
        ..Target::default()
    };
    let when = |source: &str| switchboard::domain::condition::Condition::compile(source).ok();
    plan.rules = vec![
        Rule {
            name: "two".into(),
            when: when("message.kind == 'image'"),
            target: to("two"),
        },
        Rule {
            name: "slow".into(),
            when: when("message.kind == 'audio'"),
            target: to("slow"),
        },
        Rule {
            name: "nobody".into(),
            when: when("message.kind == 'video'"),
            target: Target {
                outcome: Outcome::Nobody,
                ..Target::default()
            },
        },
        Rule {
            name: "broken".into(),
            when: when("contact.attributes['x'] == 'y'"),
            target: to("two"),
        },
    ];
    plan.default = Some(to("one"));
    plan
}

fn beginning(plan: Plan) -> State {
    let mut state = State::new(Arc::new(plan));
    for (place, name) in AGENTS.iter().enumerate() {
        let mut profile = Profile::named(&agent(name));
        profile.capacity = Some(u32::try_from(place % 3).unwrap() + 1);
        profile.role = if *name == "dora" {
            Role::Manager
        } else {
            Role::Agent
        };
        state.agents.insert(agent(name), Agent::new(agent(name), profile));
    }
    let mut boss = Profile::named(&agent("boss"));
    boss.role = Role::Admin;
    state
        .agents
        .insert(agent("boss"), Agent::new(agent("boss"), boss));
    let teams: Vec<_> = state
        .plan
        .teams
        .iter()
        .map(|(id, team)| (id.clone(), team.clone()))
        .collect();
    for (id, team) in teams {
        let membership = state.teams.entry(id).or_default();
        membership.set_members(&team.members);
        membership.managers = team.managers;
    }
    for customer in 0..CUSTOMERS {
        let id = ConversationId(Uuid::from_u128(customer + 1));
        state.put(Conversation::unborn(
            id,
            channel(),
            format!("key-{customer}").into(),
            Partition(0),
        ));
    }
    state
}

fn actor(number: usize) -> Actor {
    Actor::Agent(agent(AGENTS.get(number).copied().unwrap_or("boss")))
}

fn input(step: &Step, number: usize, state: &State, now: Timestamp) -> Input {
    let id = |customer: u128| ConversationId(Uuid::from_u128(customer + 1));
    let message = |kind: &str, turn| Message {
        id: format!("m{number}").into(),
        kind: kind.into(),
        turn,
        ..Message::default()
    };
    let fact = |customer, what| {
        Body::Fact(Fact {
            conversation: id(customer),
            channel: channel(),
            contact: Contact::default(),
            at: now,
            standby: false,
            what,
        })
    };
    let wish = |name: &str, customer, who, expected_epoch, wish| {
        let action = Action::Conversation {
            conversation: id(customer),
            expected_epoch,
            note: None,
            wish,
        };
        Body::Command(Command {
            name: name.into(),
            actor: actor(who),
            action,
        })
    };
    let body = match step {
        Step::Turn { customer, kind: 0 } => fact(*customer, What::Received(message("reaction", false))),
        Step::Turn { customer, kind } => {
            let kind = ["text", "text", "text", "image", "audio", "video", "location"][usize::from(kind - 1)];
            fact(*customer, What::Received(message(kind, true)))
        }
        Step::Sent { customer, by } => {
            let origin = AGENTS
                .get(*by)
                .map_or(Origin::Phone, |name| Origin::Agent(agent(name)));
            fact(
                *customer,
                What::Sent {
                    message: message("text", true),
                    origin,
                },
            )
        }
        Step::Assign {
            customer,
            actor: who,
            to,
        } => {
            let to = agent(AGENTS.get(*to).copied().unwrap_or("ghost"));
            wish(
                "assign",
                *customer,
                *who,
                None,
                Wish::Assign(Recipient::Agent(to)),
            )
        }
        Step::ToTeam {
            customer,
            actor: who,
            to,
        } => wish(
            "assign",
            *customer,
            *who,
            None,
            Wish::Assign(Recipient::Team(team(TEAMS[*to]))),
        ),
        Step::Unassign { customer, actor: who } => wish("unassign", *customer, *who, None, Wish::Unassign),
        Step::Close {
            customer,
            actor: who,
            epoch,
        } => {
            // Mostly by whoever owns it: only that frees places.
            let owner = state.conversation(id(*customer)).and_then(|c| c.owner.agent());
            let owner = owner.and_then(|owner| AGENTS.iter().position(|name| *name == owner.as_str()));
            wish("close", *customer, owner.unwrap_or(*who), *epoch, Wish::Close)
        }
        Step::Reopen { customer, actor: who } => wish("reopen", *customer, *who, None, Wish::Reopen),
        Step::Presence { of, presence } => {
            let presence = [Presence::Online, Presence::Away, Presence::Offline][usize::from(*presence)];
            let action = Action::Presence {
                agent: agent(AGENTS[*of]),
                presence,
                ttl: None,
            };
            Body::Command(Command {
                name: "presence".into(),
                actor: actor(*of),
                action,
            })
        }
        Step::Upsert {
            of,
            capacity,
            teams,
            may_reply,
        } => {
            let named = TEAMS
                .iter()
                .enumerate()
                .filter(|(place, _)| teams & (1 << place) != 0);
            let fields = Upsert {
                capacity: Some(*capacity),
                teams: Some(named.map(|(_, name)| team(name)).collect()),
                may_reply: Some(*may_reply),
                ..Upsert::default()
            };
            let action = Action::UpsertAgent {
                agent: agent(AGENTS[*of]),
                fields,
            };
            Body::Command(Command {
                name: "agent.upsert".into(),
                actor: actor(AGENTS.len()),
                action,
            })
        }
        Step::Clock { customer, .. } => Body::Timer(Timer::AssignDue {
            conversation: id(*customer),
        }),
    };
    Input {
        cause: format!("cause-{number}").into(),
        key: Uuid::from_u128(number as u128 + 1000),
        body,
    }
}

/// Whether this agent could be given this waiting conversation now: written from the definition, not from the code.
fn eligible(state: &State, who: &Agent, waiting: &Conversation) -> bool {
    let Some(queue) = waiting.owner.queue() else {
        return false;
    };
    let member = state.teams[queue]
        .members
        .iter()
        .any(|member| member.agent == who.id);
    let own = who.profile.capacity.unwrap_or(0);
    let owned = |of_team: Option<&TeamId>| {
        let mine = state
            .conversations()
            .filter(|c| c.is_open() && c.owner.agent() == Some(&who.id));
        mine.filter(|c| of_team.is_none() || c.team.as_ref() == of_team)
            .count() as u32
    };
    let team_limit = state.plan.teams[queue].capacity.unwrap_or(0);
    member
        && who.profile.active
        && who.profile.may_reply
        && who.presence == Presence::Online
        && (own == 0 || owned(None) < own)
        && (team_limit == 0 || owned(Some(queue)) < team_limit)
        && !waiting.excluded.contains(&who.id)
}

fn check_state(state: &State, drained: bool) -> Result<(), TestCaseError> {
    for who in state.agents.values() {
        let mut owned: BTreeMap<Option<TeamId>, u32> = BTreeMap::new();
        for conversation in state
            .conversations()
            .filter(|c| c.is_open() && c.owner.agent() == Some(&who.id))
        {
            *owned.entry(conversation.team.clone()).or_default() += 1;
        }
        prop_assert_eq!(
            &who.loads,
            &owned,
            "loads of {} are the open conversations they own",
            who.id
        );
    }
    for conversation in state.conversations().filter(|c| c.exists()) {
        let has_a_place =
            conversation.owner != Owner::Nobody || conversation.assign_clock != AssignClock::Off;
        let waits = conversation.is_open() && conversation.waiting_since.is_some() && !conversation.standby;
        prop_assert!(!waits || has_a_place, "nobody is stranded: {conversation:?}");
        let automatic = |queue: &TeamId| state.plan.strategy(queue) != Some(Way::Manual);
        let matchable = conversation.is_open() && conversation.owner.queue().is_some_and(automatic);
        if drained && matchable && !conversation.route.manual {
            for who in state.agents.values() {
                prop_assert!(
                    !eligible(state, who, conversation),
                    "{} idles while {conversation:?} waits",
                    who.id
                );
            }
        }
    }
    Ok(())
}

fn check_events(
    before: &State,
    after: &State,
    input: &Input,
    events: &[Recorded],
) -> Result<(), TestCaseError> {
    let mut seen: BTreeMap<ConversationId, (u64, u64)> = before
        .conversations()
        .map(|c| (c.id, (c.sequence, c.epoch)))
        .collect();
    let rejected = events
        .iter()
        .any(|event| matches!(event.event.kind, Kind::CommandRejected(_)));
    if rejected {
        prop_assert_eq!(events.len(), 1, "a refusal is all that happens");
        for conversation in before.conversations() {
            prop_assert_eq!(
                after.conversation(conversation.id),
                Some(conversation),
                "a refusal changes nothing"
            );
        }
        prop_assert_eq!(&before.agents, &after.agents);
    } else if matches!(input.body, Body::Command(_)) {
        prop_assert!(!events.is_empty(), "an accepted command says something");
    }
    for event in events {
        let Some((conversation, change)) = event.change() else {
            continue;
        };
        let (sequence, epoch) = seen
            .get_mut(&conversation.id)
            .expect("every conversation is known");
        *sequence += u64::from(change.is_announced());
        *epoch += u64::from(change.raises_epoch());
        prop_assert_eq!((conversation.sequence, conversation.epoch), (*sequence, *epoch));
        if let Change::Assigned(assignment) = change {
            let automatic = matches!(assignment.by, By::Auto | By::Sticky);
            let decision = event.event.decision.as_ref();
            prop_assert_eq!(
                decision.is_some(),
                automatic,
                "automatic choices and only they have a decision"
            );
            if let Some(decision) = decision {
                let who = &after.agents[&assignment.agent];
                prop_assert_eq!(decision.chosen.as_ref(), Some(&assignment.agent));
                prop_assert!(who.profile.may_reply && who.profile.active && who.presence == Presence::Online);
                prop_assert!(!assignment.over_capacity, "never automatically above a capacity");
                prop_assert!(!conversation.excluded.contains(&assignment.agent));
                let chosen: Vec<_> = decision
                    .candidates
                    .iter()
                    .filter(|c| c.passed_over.is_none())
                    .collect();
                prop_assert_eq!(chosen.len(), 1, "exactly one candidate was not passed over");
            }
        }
        if let Change::Queued { .. } = change {
            let decision = event.event.decision.as_ref();
            prop_assert!(
                decision.is_some_and(|d| d.chosen.is_none()),
                "who waits has a record of why"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_after_every_input_of_any_history(
        steps in proptest::collection::vec(step(), 1..60),
        strategy in prop_oneof![Just(Way::RoundRobin), Just(Way::LeastLoaded), Just(Way::LongestIdle), Just(Way::Ranked)],
        reopen in prop_oneof![Just(Reopen::Sticky), Just(Reopen::Reroute), Just(Reopen::Unassign)],
        aging in prop_oneof![Just(0u64), Just(600)],
    ) {
        let mut state = beginning(plan(strategy, reopen, aging));
        let mut now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        for (number, step) in steps.iter().enumerate() {
            now += SignedDuration::from_secs(7);
            if let Step::Clock { minutes, .. } = step {
                now += SignedDuration::from_mins(*minutes);
            }
            let input = input(step, number, &state, now);
            let before = state.clone();
            if !needs_roster(&input, input.conversation().and_then(|id| state.conversation(id))) {
                let mut poorer = state.clone();
                poorer.agents.clear();
                poorer.teams.clear();
                let same = format!("{:?}", decide(&poorer, &input, now)) == format!("{:?}", decide(&state, &input, now));
                prop_assert!(same, "what needs no roster is decided alike without one");
            }
            let events = fold(&mut state, &input, now);
            let mut twin = before.clone();
            prop_assert_eq!(format!("{:?}", fold(&mut twin, &input, now)), format!("{:?}", &events), "the same again");
            check_events(&before, &state, &input, &events)?;
            check_state(&state, !state.drain_pending)?;
        }
    }

    #[test]
    fn round_robin_counts_stay_within_one_of_each_other_while_all_are_eligible(turns in 1..60usize, members in 2..5usize) {
        let mut plan = plan(Way::RoundRobin, Reopen::Reroute, 600);
        let everyone: Vec<AgentId> = AGENTS[..members.min(AGENTS.len())].iter().map(|name| agent(name)).collect();
        plan.teams.get_mut(&team("one")).unwrap().members = everyone.clone();
        let mut state = beginning(plan);
        for who in state.agents.values_mut() {
            who.profile.capacity = Some(0);
            who.presence = Presence::Online;
        }
        let mut counts: BTreeMap<AgentId, i64> = everyone.iter().map(|id| (id.clone(), 0)).collect();
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        for number in 0..turns {
            let id = ConversationId(Uuid::from_u128(number as u128 + 5000));
            state.put(Conversation::unborn(id, channel(), "k".into(), Partition(0)));
            let message = Message { id: format!("m{number}").into(), kind: "text".into(), turn: true, ..Message::default() };
            let fact = Fact { conversation: id, channel: channel(), contact: Contact::default(), at: now, standby: false, what: What::Received(message) };
            let input = Input { cause: "c".into(), key: Uuid::from_u128(number as u128), body: Body::Fact(fact) };
            for event in fold(&mut state, &input, now) {
                if let Some((_, Change::Assigned(assignment))) = event.change() {
                    *counts.get_mut(&assignment.agent).unwrap() += 1;
                }
            }
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            prop_assert!(most - least <= 1, "{counts:?}");
        }
        prop_assert_eq!(counts.values().sum::<i64>(), turns as i64);
    }
}
