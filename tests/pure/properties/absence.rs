//! What people own who come and go: nothing moves for a presence that flaps, and nobody who is gone for good keeps a customer
//! waiting.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{HopReason, Owner};
use switchboard::domain::event::Change;
use switchboard::domain::ids::AgentId;
use switchboard::domain::input::Body;
use switchboard::domain::plan::{Moves, Strategy as Way};

use super::Verdict;
use crate::support::inputs::{by, turn};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, support};
use crate::support::step::Step;
use crate::support::world::World;
use crate::support::{MINUTE, id};

const AGENTS: [&str; 3] = ["ana", "ben", "cy"];
const CHATS: u8 = 5;
/// The shortest and the longest grace of these histories, in minutes.
const GRACES: std::ops::Range<u32> = 1..6;

/// What happens to owners and what they own.
#[derive(Debug, Clone, Copy)]
enum Act {
    Turn {
        chat: u8,
    },
    Reply {
        chat: u8,
    },
    Give {
        chat: u8,
        to: usize,
    },
    GiveToTeam {
        chat: u8,
    },
    Hold {
        chat: u8,
        minutes: Option<u32>,
    },
    Resume {
        chat: u8,
    },
    Close {
        chat: u8,
    },
    Says {
        of: usize,
        presence: usize,
        ttl: Option<u32>,
    },
    Plan {
        terms: Terms,
    },
    Waits {
        seconds: u32,
    },
}

/// What a plan says of people who are gone.
#[derive(Debug, Clone, Copy)]
struct Terms {
    on_away: usize,
    on_offline: usize,
    minutes: u32,
    assign_away: bool,
}

fn terms() -> impl Strategy<Value = Terms> {
    (0..3usize, 0..3usize, GRACES, proptest::bool::weighted(0.2)).prop_map(
        |(on_away, on_offline, minutes, assign_away)| Terms {
            on_away,
            on_offline,
            minutes,
            assign_away,
        },
    )
}

fn act(plans: bool) -> impl Strategy<Value = Act> {
    let chat = || 0..CHATS;
    prop_oneof![
        6 => chat().prop_map(|chat| Act::Turn { chat }),
        3 => chat().prop_map(|chat| Act::Reply { chat }),
        2 => (chat(), 0..AGENTS.len()).prop_map(|(chat, to)| Act::Give { chat, to }),
        1 => chat().prop_map(|chat| Act::GiveToTeam { chat }),
        1 => (chat(), proptest::option::of(1..15u32)).prop_map(|(chat, minutes)| Act::Hold { chat, minutes }),
        1 => chat().prop_map(|chat| Act::Resume { chat }),
        1 => chat().prop_map(|chat| Act::Close { chat }),
        8 => (0..AGENTS.len(), 0..3usize, proptest::option::weighted(0.2, 1..8u32))
            .prop_map(|(of, presence, ttl)| Act::Says { of, presence, ttl }),
        u32::from(plans) => terms().prop_map(|terms| Act::Plan { terms }),
        10 => (1..400u32).prop_map(|seconds| Act::Waits { seconds }),
    ]
}

impl Terms {
    fn plan(self) -> Draft {
        let moves = [Moves::Keep, Moves::Unanswered, Moves::All];
        support(Way::LeastLoaded, &AGENTS).setting(|settings| {
            settings.on_away = moves[self.on_away];
            settings.on_offline = moves[self.on_offline];
            settings.offline_after = MINUTE * self.minutes;
            settings.assign_away = self.assign_away;
            settings.max_hops = 0;
        })
    }

    fn world(self) -> World {
        let mut world = World::new(self.plan());
        for id in AGENTS {
            world.add_person(offline(id));
        }
        world.add_person(online("root").admin());
        world
    }
}

/// Who is where, since when, and since when they have not been online: a second opinion that reads only what people are.
#[derive(Debug, Clone, Default)]
struct Seen(BTreeMap<AgentId, (Presence, Timestamp, Timestamp)>);

/// As everyone begins: offline since ever.
const NEVER_SEEN: (Presence, Timestamp, Timestamp) = (Presence::Offline, Timestamp::MIN, Timestamp::MIN);

impl Seen {
    fn look(&mut self, world: &World) {
        for (id, agent) in &world.agents {
            let (was, _, absent_since) = self.of(id);
            if was != agent.presence {
                let left_just_now = was == Presence::Online;
                let absent_since = if left_just_now { world.now } else { absent_since };
                self.0
                    .insert(id.clone(), (agent.presence, world.now, absent_since));
            }
        }
    }

    fn of(&self, id: &AgentId) -> (Presence, Timestamp, Timestamp) {
        self.0.get(id).copied().unwrap_or(NEVER_SEEN)
    }
}

fn body(act: Act, world: &World) -> Option<Body> {
    let owner = |chat: u8| {
        let conversation = world.conversations.get(&id(chat))?;
        conversation.owner.agent().map(|agent| agent.to_string())
    };
    Some(match act {
        Act::Turn { chat } => turn(chat).at(world.now).into(),
        Act::Reply { chat } => by(&owner(chat)?).replies(chat).into(),
        Act::Give { chat, to } => by("root").gives(chat, AGENTS[to]).into(),
        Act::GiveToTeam { chat } => by("root").gives_to_team(chat, "support").into(),
        Act::Hold { chat, minutes } => {
            let until = minutes.map(|minutes| world.now + MINUTE * minutes);
            by(&owner(chat)?).holds(chat, until).into()
        }
        Act::Resume { chat } => by(&owner(chat)?).resumes(chat).into(),
        Act::Close { chat } => by(&owner(chat)?).closes(chat).into(),
        Act::Says { of, presence, ttl } => {
            let presence = [Presence::Online, Presence::Away, Presence::Offline][presence];
            match ttl {
                None => by(AGENTS[of]).sets(AGENTS[of], presence).into(),
                Some(ttl) => by(AGENTS[of]).sets_for(AGENTS[of], presence, MINUTE * ttl).into(),
            }
        }
        Act::Plan { terms } => by("root").applies(terms.plan()).into(),
        Act::Waits { .. } => return None,
    })
}

/// A conversation that was taken for absence: its owner was gone for the grace, without a break, and so was the plan's word.
fn check_taken(step: Step<'_>, seen: &Seen) -> Verdict {
    for moment in step.moments() {
        let Some((after, change)) = moment.recorded.change() else {
            continue;
        };
        let hop = match change {
            Change::Assigned(assignment) => assignment.hop.as_ref(),
            Change::Queued { hop, .. } => hop.as_ref(),
            _ => None,
        };
        let Some(hop) = hop.filter(|hop| hop.why == HopReason::Absent) else {
            continue;
        };
        let settings = &moment.world.plan.settings;
        let (presence, since, absent) = seen.of(&hop.from);
        let (since, moves) = match presence {
            Presence::Online => return Err(TestCaseError::fail(format!("{hop:?} is there"))),
            Presence::Away => (absent, settings.on_away),
            Presence::Offline => (since, settings.on_offline),
        };
        prop_assert!(
            since == Timestamp::MIN || since + settings.offline_after <= step.now,
            "{hop:?} is gone only since {since}, it is {}",
            step.now
        );
        let before = &moment.world.conversations[&after.id];
        prop_assert!(before.is_open());
        prop_assert!(moves != Moves::Keep);
        prop_assert!(
            moves == Moves::All || before.waiting_since.is_some(),
            "{before:?}"
        );
        let had_since = before.owned_since.expect("whoever has it was given it");
        prop_assert!(
            had_since + settings.offline_after <= step.now,
            "given a moment ago: {before:?}"
        );
        prop_assert!(
            after.owner != Owner::Agent(hop.from.clone()),
            "given back to who is gone"
        );
    }
    Ok(())
}

/// Nobody who is offline for long keeps a customer waiting, if the plan says so.
fn check_nobody_waits_in_vain(world: &World, seen: &Seen) -> Verdict {
    let settings = &world.plan.settings;
    if settings.on_offline == Moves::Keep {
        return Ok(());
    }
    let limit = settings.offline_after * 2 + Duration::from_secs(1);
    for conversation in world.conversations.values() {
        let Some((owner, turn)) = conversation.carried_by().zip(conversation.waiting_since) else {
            continue;
        };
        let (presence, since, _) = seen.of(owner);
        if presence != Presence::Offline {
            continue;
        }
        let latest = since
            .max(turn)
            .max(conversation.owned_since.expect("they were given it"));
        prop_assert!(
            latest + limit > world.now,
            "{owner} is offline since {since} and keeps {conversation:?} at {}",
            world.now
        );
    }
    Ok(())
}

/// Runs a batch and watches whom anything is taken from.
fn run(world: &mut World, bodies: Vec<Body>, seen: &Seen) -> Verdict {
    let mut verdict = Ok(());
    let batch = world.receive(bodies);
    world.run(batch, &Default::default(), &mut |step| {
        if verdict.is_ok() {
            verdict = check_taken(step, seen);
        }
    });
    verdict
}

/// Whatever is due now, until nothing is any more.
fn settle(world: &mut World, seen: &mut Seen) -> Verdict {
    loop {
        let due = world.due(&Default::default());
        if due.is_empty() {
            return Ok(());
        }
        // One by one, so that who is where is known before each.
        for body in due {
            run(world, vec![body], seen)?;
            seen.look(world);
        }
    }
}

fn live(terms: Terms, acts: &[Act]) -> Verdict {
    let mut world = terms.world();
    let mut seen = Seen::default();
    seen.look(&world);
    for act in acts {
        if let Act::Waits { seconds } = act {
            // Timers fire within a second.
            for _ in 0..*seconds / 10 + 1 {
                world.wait(Duration::from_secs(10).min(Duration::from_secs(u64::from(*seconds))));
                settle(&mut world, &mut seen)?;
                check_nobody_waits_in_vain(&world, &seen)?;
            }
        } else if let Some(body) = body(*act, &world) {
            run(&mut world, vec![body], &seen)?;
            seen.look(&world);
            settle(&mut world, &mut seen)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn defect_11_only_who_was_gone_for_the_whole_grace_loses_anything(
        terms in terms(), acts in proptest::collection::vec(act(false), 1..60),
    ) {
        live(terms, &acts)?;
    }

    #[test]
    fn the_same_holds_under_plans_that_change(
        terms in terms(), acts in proptest::collection::vec(act(true), 1..60),
    ) {
        live(terms, &acts)?;
    }
}
