//! Histories that proptest makes up and shrinks: a plan, people, and what happens, all by small numbers.

use proptest::prelude::*;
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{Priority, Relaxation};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::{Body, Origin, Upsert};
use switchboard::domain::plan::{Burst, MayReassign, Outside, Plan, Reopen, Strategy as Way, Target};

use super::wishes::{Want, want};
use crate::support::inputs::{
    assign_timer, by, cli, found_stranded, handover, reaction, received, sent, sent_by, turn,
};
use crate::support::people::{offline, online};
use crate::support::plans::{
    Draft, by_hand, nobody, plan, preferring, relaxing, saturdays, skilled, step, to,
};
use crate::support::world::World;
use crate::support::{MINUTE, id, team};

pub const AGENTS: [&str; 4] = ["ana", "ben", "cy", "dora"];
pub const TEAMS: [&str; 3] = ["one", "two", "slow"];
pub const CUSTOMERS: u8 = 8;
/// Who else acts, by the number behind the agents': an admin, somebody unknown, the command line.
const ACTORS: usize = AGENTS.len() + 3;

/// A plan, how much of it a batch loads, and what happens.
#[derive(Debug, Clone)]
pub struct History {
    pub shape: Shape,
    pub page: usize,
    pub happenings: Vec<Happening>,
}

/// What differs between plans.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub strategy: Way,
    pub reopen: Reopen,
    pub aging: u32,
    pub reassign: MayReassign,
    pub guards: Guards,
}

/// What makes time matter for who may have what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guards {
    pub burst: bool,
    pub hours: bool,
    pub max_age: bool,
    pub relax: bool,
}

impl Guards {
    fn of(plan: &Plan) -> Self {
        Self {
            burst: plan.settings.burst.is_some(),
            hours: !plan.calendars.is_empty(),
            max_age: plan.settings.max_age.is_some(),
            relax: plan.rules.iter().any(|rule| !rule.target.relax.is_empty()),
        }
    }

    fn on(self, draft: Draft) -> Draft {
        let draft = draft.setting(|settings| {
            settings.burst = self.burst.then_some(Burst {
                limit: 2,
                window: 5 * MINUTE,
            });
            settings.max_age = self.max_age.then_some(6 * MINUTE);
        });
        if self.hours {
            // From ten o'clock on, an hour of it.
            draft
                .calendar(
                    "shifts",
                    saturdays(&[(600, 604), (607, 615), (616, 640), (645, 720)]),
                )
                .calendar("late", saturdays(&[(605, 612), (618, 720)]))
                .works_by("one", "shifts", Outside::Wait)
        } else {
            draft
        }
    }

    /// Steps, where they may move to this team.
    fn steps(self, target: Target, overflow: Option<&str>) -> Target {
        if !self.relax {
            return target;
        }
        let drops = Relaxation {
            drop: Some("french".into()),
            ..step(2 * MINUTE)
        };
        let moves = Relaxation {
            team: overflow.map(team),
            priority: Some(Priority::Urgent),
            notify: true,
            ..step(5 * MINUTE)
        };
        relaxing(target, [drops, moves])
    }
}

/// What happens at once.
#[derive(Debug, Clone)]
pub enum Happening {
    Batch(Vec<Act>),
    /// The first batch holds its conversations and waits for the match row while the second has it.
    Overlap(Vec<Act>, Vec<Act>),
    TimePasses(u32),
}

/// What comes in.
#[derive(Debug, Clone)]
pub enum Act {
    Turn {
        chat: u8,
        kind: usize,
    },
    Reaction {
        chat: u8,
    },
    Held {
        chat: u8,
    },
    Handover {
        chat: u8,
    },
    Sent {
        chat: u8,
        by: usize,
    },
    Give {
        chat: u8,
        actor: usize,
        to: usize,
    },
    GiveToTeam {
        chat: u8,
        actor: usize,
        to: usize,
    },
    Unassign {
        chat: u8,
        actor: usize,
    },
    Close {
        chat: u8,
        actor: usize,
        epoch: Option<u64>,
    },
    CloseByOwner {
        chat: u8,
    },
    Reopen {
        chat: u8,
        actor: usize,
    },
    Presence {
        of: usize,
        presence: usize,
        ttl: Option<u32>,
    },
    Upsert {
        of: usize,
        capacity: u32,
        teams: usize,
        may_reply: bool,
        active: bool,
    },
    Plan {
        variant: usize,
    },
    Mumble {
        chat: u8,
    },
    Timer {
        chat: u8,
    },
    Stranded {
        chat: u8,
    },
    Want(Want),
}

pub fn act() -> impl Strategy<Value = Act> {
    let (chat, who, actor) = (0..CUSTOMERS, 0..=AGENTS.len(), 0..ACTORS);
    let facts = prop_oneof![
        12 => (chat.clone(), 0..9usize).prop_map(|(chat, kind)| Act::Turn { chat, kind }),
        1 => chat.clone().prop_map(|chat| Act::Reaction { chat }),
        1 => chat.clone().prop_map(|chat| Act::Held { chat }),
        1 => chat.clone().prop_map(|chat| Act::Handover { chat }),
        2 => (chat.clone(), 0..AGENTS.len() + 3).prop_map(|(chat, by)| Act::Sent { chat, by }),
    ];
    let commands = prop_oneof![
        4 => (chat.clone(), actor.clone(), who).prop_map(|(chat, actor, to)| Act::Give { chat, actor, to }),
        4 => (chat.clone(), actor.clone(), 0..=TEAMS.len()).prop_map(|(chat, actor, to)| Act::GiveToTeam { chat, actor, to }),
        2 => (chat.clone(), actor.clone()).prop_map(|(chat, actor)| Act::Unassign { chat, actor }),
        2 => (chat.clone(), actor.clone(), proptest::option::of(0..6u64))
            .prop_map(|(chat, actor, epoch)| Act::Close { chat, actor, epoch }),
        6 => chat.clone().prop_map(|chat| Act::CloseByOwner { chat }),
        2 => (chat.clone(), actor).prop_map(|(chat, actor)| Act::Reopen { chat, actor }),
        1 => chat.clone().prop_map(|chat| Act::Mumble { chat }),
    ];
    let administration = prop_oneof![
        6 => (0..AGENTS.len(), 0..3usize, proptest::option::weighted(0.2, 0..4u32))
            .prop_map(|(of, presence, ttl)| Act::Presence { of, presence, ttl }),
        2 => (0..AGENTS.len(), 0..4u32, 0..8usize, proptest::bool::weighted(0.9), proptest::bool::weighted(0.9))
            .prop_map(|(of, capacity, teams, may_reply, active)| Act::Upsert { of, capacity, teams, may_reply, active }),
        1 => (0..3usize).prop_map(|variant| Act::Plan { variant }),
    ];
    let timers = prop_oneof![
        chat.clone().prop_map(|chat| Act::Timer { chat }),
        chat.prop_map(|chat| Act::Stranded { chat }),
    ];
    prop_oneof![8 => facts, 8 => commands, 6 => want().prop_map(Act::Want), 5 => administration, 1 => timers]
}

pub fn shape() -> impl Strategy<Value = Shape> {
    let strategy = prop_oneof![
        Just(Way::RoundRobin),
        Just(Way::LeastLoaded),
        Just(Way::LongestIdle),
        Just(Way::Ranked)
    ];
    let reopen = prop_oneof![
        Just(Reopen::Sticky),
        Just(Reopen::Reroute),
        Just(Reopen::Unassign)
    ];
    let reassign = prop_oneof![
        Just(MayReassign::Own),
        Just(MayReassign::Any),
        Just(MayReassign::None)
    ];
    let guards = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(burst, hours, max_age, relax)| Guards {
            burst,
            hours,
            max_age,
            relax,
        },
    );
    (strategy, reopen, prop_oneof![Just(0), Just(10)], reassign, guards).prop_map(
        |(strategy, reopen, aging, reassign, guards)| Shape {
            strategy,
            reopen,
            aging,
            reassign,
            guards,
        },
    )
}

fn happening() -> impl Strategy<Value = Happening> {
    let acts = || proptest::collection::vec(act(), 1..6);
    prop_oneof![
        8 => acts().prop_map(Happening::Batch),
        2 => (acts(), acts()).prop_map(|(first, second)| Happening::Overlap(first, second)),
        2 => (0..9u32).prop_map(Happening::TimePasses),
    ]
}

pub fn history() -> impl Strategy<Value = History> {
    let page = prop_oneof![Just(1), Just(2), Just(100)];
    let happenings = proptest::collection::vec(happening(), 1..25);
    (shape(), page, happenings).prop_map(|(shape, page, happenings)| History {
        shape,
        page,
        happenings,
    })
}

impl Shape {
    /// A plan with rules of every outcome. The second has no team `two`; the third empties `slow` by strategy.
    pub fn plan(self, variant: usize) -> Draft {
        let slow = if variant == 2 {
            Way::LeastLoaded
        } else {
            Way::Manual
        };
        let draft = plan()
            .team("one", self.strategy, &AGENTS[..3])
            .managed_by("one", &["dora"])
            .team("slow", slow, &AGENTS[..2])
            .rule("slow", "message.kind == 'audio'", to("slow"))
            .rule("by hand", "message.kind == 'sticker'", by_hand("one"))
            .rule("nobody", "message.kind == 'video'", nobody())
            .rule("broken", "contact.attributes['x'] == 'y'", to("slow"))
            .rule(
                "ana first",
                "message.kind == 'document'",
                preferring("ana", "one"),
            )
            .rule(
                "french",
                "message.kind == 'location'",
                Target {
                    priority: Priority::High,
                    ..self
                        .guards
                        .steps(skilled("one", "french", 1), (variant != 1).then_some("two"))
                },
            );
        let draft = self.guards.on(draft);
        let draft = if variant == 1 {
            draft
        } else {
            draft
                .team("two", Way::RoundRobin, &AGENTS[2..])
                .limited_to("two", 2)
                .falls_back_to("two", &["one"])
                .rule(
                    "two",
                    "message.kind == 'image'",
                    self.guards.steps(to("two"), Some("one")),
                )
        };
        let draft = if self.guards.hours && variant != 1 {
            draft.works_by("two", "late", Outside::Fallback)
        } else {
            draft
        };
        draft
            .default_to("one")
            .reopen(self.reopen)
            .response("quick", Some(3 * MINUTE))
            .usual_response("quick")
            .setting(|settings| {
                settings.aging = MINUTE * self.aging;
                // Cy has no limit of their own: the tenant's is theirs, in some of the plans.
                settings.capacity = if variant == 1 { 0 } else { 2 };
                settings.agents_may_reassign = self.reassign;
            })
    }
}

impl History {
    /// Before anything happens: nobody is there yet.
    pub fn world(&self) -> World {
        let mut world = World::new(self.shape.plan(0));
        world.page = self.page;
        world.add_person(offline("ana").capacity(1));
        world.add_person(offline("ben").capacity(2).skill("french", 1));
        world.add_person(offline("cy"));
        world.add_person(offline("dora").capacity(1).manager());
        world.add_person(online("root").admin());
        world
    }
}

fn name(number: usize) -> &'static str {
    AGENTS.get(number).copied().unwrap_or("ghost")
}

impl Act {
    /// The conversation it is about.
    pub fn about(&self) -> Option<ConversationId> {
        match self {
            Act::Turn { chat, .. }
            | Act::Reaction { chat }
            | Act::Held { chat }
            | Act::Handover { chat }
            | Act::Sent { chat, .. }
            | Act::Give { chat, .. }
            | Act::GiveToTeam { chat, .. }
            | Act::Unassign { chat, .. }
            | Act::Close { chat, .. }
            | Act::CloseByOwner { chat }
            | Act::Reopen { chat, .. }
            | Act::Mumble { chat }
            | Act::Timer { chat }
            | Act::Stranded { chat } => Some(id(*chat)),
            Act::Want(want) => want.about(),
            Act::Presence { .. } | Act::Upsert { .. } | Act::Plan { .. } => None,
        }
    }

    /// As it comes in at this moment.
    pub fn body(&self, world: &World) -> Body {
        let actor = |number: usize| match number {
            number if number < AGENTS.len() => by(AGENTS[number]),
            4 => by("root"),
            5 => by("ghost"),
            _ => cli(),
        };
        let now = world.now;
        match self {
            Act::Turn { chat, kind } => {
                let kinds = [
                    "text", "image", "audio", "video", "sticker", "document", "location",
                ];
                let kind = kinds.get(*kind).copied().unwrap_or("text");
                received(*chat, kind, true).at(now).into()
            }
            Act::Reaction { chat } => reaction(*chat).at(now).into(),
            Act::Held { chat } => turn(*chat).standby().at(now).into(),
            Act::Handover { chat } => handover(*chat).at(now).into(),
            Act::Sent { chat, by } => match by {
                by if *by < AGENTS.len() => sent_by(*chat, AGENTS[*by]),
                4 => sent_by(*chat, "ghost"),
                5 => sent(*chat, Origin::Phone),
                _ => sent(*chat, Origin::Automation),
            }
            .at(now)
            .into(),
            Act::Give { chat, actor: who, to } => actor(*who).gives(*chat, name(*to)).into(),
            Act::GiveToTeam { chat, actor: who, to } => {
                let to = TEAMS.get(*to).copied().unwrap_or("unheard-of");
                actor(*who).gives_to_team(*chat, to).into()
            }
            Act::Unassign { chat, actor: who } => actor(*who).unassigns(*chat).into(),
            Act::Close {
                chat,
                actor: who,
                epoch,
            } => {
                let close = actor(*who).closes(*chat);
                epoch.map_or(close.clone(), |epoch| close.expecting(epoch)).into()
            }
            Act::CloseByOwner { chat } => {
                let owner = world.conversations.get(&id(*chat)).and_then(|c| c.owner.agent());
                let closer = owner.map_or(cli(), |owner| by(owner.as_str()));
                closer.closes(*chat).into()
            }
            Act::Reopen { chat, actor: who } => actor(*who).reopens(*chat).into(),
            Act::Presence { of, presence, ttl } => {
                let presence = [Presence::Online, Presence::Away, Presence::Offline][*presence];
                let of = AGENTS[*of];
                match ttl {
                    Some(minutes) => by(of).sets_for(of, presence, MINUTE * (minutes + 1)).into(),
                    None => by(of).sets(of, presence).into(),
                }
            }
            Act::Upsert {
                of,
                capacity,
                teams,
                may_reply,
                active,
            } => {
                let known = TEAMS.iter().enumerate().filter(|(place, name)| {
                    teams & (1 << place) != 0 && world.plan.teams.contains_key(&team(name))
                });
                let fields = Upsert {
                    capacity: Some(*capacity),
                    teams: Some(known.map(|(_, name)| team(name)).collect()),
                    may_reply: Some(*may_reply),
                    active: Some(*active),
                    ..Upsert::default()
                };
                by("root").upserts(AGENTS[*of], fields).into()
            }
            Act::Plan { variant } => {
                let strategy = world.plan.strategy(&team("one")).unwrap_or(Way::LeastLoaded);
                let settings = &world.plan.settings;
                let shape = Shape {
                    strategy,
                    reopen: settings.reopen,
                    aging: u32::try_from(settings.aging.as_secs() / 60).unwrap_or_default(),
                    reassign: settings.agents_may_reassign,
                    guards: Guards::of(&world.plan),
                };
                by("root").applies(shape.plan(*variant)).into()
            }
            Act::Mumble { chat } => by("ana").mumbles(Some(id(*chat))).into(),
            Act::Timer { chat } => assign_timer(*chat),
            Act::Stranded { chat } => found_stranded(*chat),
            Act::Want(want) => want.body(world),
        }
    }
}
