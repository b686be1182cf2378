//! What can happen in a generated history, and the small company it happens to.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use switchboard::domain::agent::{Agent, Presence, Profile, Role};
use switchboard::domain::bulk::{Item, Order, Task, Was};
use switchboard::domain::conversation::{Contact, Conversation, Owner, PendingRequest, Priority};
use switchboard::domain::ids::{AgentId, ChannelKey, ConversationId, Partition, TeamId, Tenant};
use switchboard::domain::input::{
    Action, Actor, Body, Command, Fact, Input, Message, Origin, Recipient, ReplyBody, Timer, Upsert, What,
    Wish,
};
use switchboard::domain::plan::{MayReassign, Outcome, Plan, Reopen, Rule, Strategy as Way, Target, Team};
use switchboard::domain::state::State;
use uuid::Uuid;

pub const AGENTS: [&str; 4] = ["ana", "ben", "cy", "dora"];
pub const TEAMS: [&str; 3] = ["one", "two", "slow"];
pub const CUSTOMERS: u128 = 8;

pub fn agent(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

pub fn team(name: &str) -> TeamId {
    TeamId::new(name).unwrap()
}

pub fn channel() -> ChannelKey {
    ChannelKey::new("whatsapp:1").unwrap()
}

/// What one step does, by small numbers that proptest can shrink.
#[derive(Debug, Clone)]
pub enum Step {
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
        timer: u8,
    },
    /// What the owner mostly does, by its number in [`owners_wish`].
    Owners {
        customer: u128,
        actor: Option<usize>,
        wish: u8,
    },
    Ask {
        customer: u128,
        actor: Option<usize>,
        to: usize,
    },
    /// What the recipient mostly says: yes or no.
    Answer {
        customer: u128,
        actor: Option<usize>,
        yes: bool,
    },
    Withdraw {
        customer: u128,
        actor: Option<usize>,
    },
    Reply {
        customer: u128,
        actor: usize,
        leave_unassigned: bool,
    },
    /// The turn of a conversation in a bulk to a person, or after them a team.
    Bulk {
        customer: u128,
        actor: usize,
        to: usize,
    },
    /// The turn of a conversation in the undoing of a bulk that took it from a person, or after them a team.
    Undo {
        customer: u128,
        actor: usize,
        from: usize,
    },
    Remove {
        of: usize,
    },
    Forget {
        customer: u128,
        actor: usize,
    },
}

pub fn step() -> impl Strategy<Value = Step> {
    let customer = 0..CUSTOMERS;
    let who = 0..=AGENTS.len();
    // Mostly whoever it concerns; sometimes anyone.
    let mostly = proptest::option::weighted(0.2, who.clone());
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
        3 => (customer.clone(), who.clone(), 0..AGENTS.len() + TEAMS.len())
            .prop_map(|(customer, actor, to)| Step::Bulk { customer, actor, to }),
        1 => (customer.clone(), who.clone(), 0..AGENTS.len() + TEAMS.len())
            .prop_map(|(customer, actor, from)| Step::Undo { customer, actor, from }),
        1 => (0..AGENTS.len()).prop_map(|of| Step::Remove { of }),
        1 => (customer.clone(), who.clone()).prop_map(|(customer, actor)| Step::Forget { customer, actor }),
        3 => (customer.clone(), 0..9i64, 0..5u8)
            .prop_map(|(customer, minutes, timer)| Step::Clock { customer, minutes, timer }),
        3 => (customer.clone(), mostly.clone(), 0..6u8)
            .prop_map(|(customer, actor, wish)| Step::Owners { customer, actor, wish }),
        3 => (customer.clone(), mostly.clone(), who.clone())
            .prop_map(|(customer, actor, to)| Step::Ask { customer, actor, to }),
        2 => (customer.clone(), mostly.clone(), any::<bool>())
            .prop_map(|(customer, actor, yes)| Step::Answer { customer, actor, yes }),
        1 => (customer.clone(), mostly).prop_map(|(customer, actor)| Step::Withdraw { customer, actor }),
        2 => (customer, who, proptest::bool::weighted(0.2))
            .prop_map(|(customer, actor, leave_unassigned)| Step::Reply { customer, actor, leave_unassigned }),
    ]
}

/// A plan with a rule to a team, a manual team, and a default.
pub fn plan(strategy: Way, reopen: Reopen, aging: u64) -> Plan {
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

pub fn beginning(plan: Plan) -> State {
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

pub fn actor(number: usize) -> Actor {
    Actor::Agent(agent(AGENTS.get(number).copied().unwrap_or("boss")))
}

fn item(customer: u128, who: usize, task: Task, was: Option<Was>) -> Body {
    let bulk = Uuid::from_u128(77);
    let order = Arc::new(Order {
        bulk,
        actor: actor(who),
        task,
    });
    Body::Timer(Timer::Bulk(Box::new(Item {
        run: bulk,
        order,
        place: 0,
        conversation: ConversationId(Uuid::from_u128(customer + 1)),
        was,
    })))
}

/// What an owner may want, and its name.
pub fn owners_wish(number: u8, now: Timestamp) -> (&'static str, Wish) {
    match number {
        0 => ("hold", Wish::Hold { until: None }),
        1 => {
            let until = Some(now + SignedDuration::from_mins(3));
            ("hold", Wish::Hold { until })
        }
        2 | 3 => ("resume", Wish::Resume),
        4 => ("note", Wish::Note { text: "vip".into() }),
        _ => ("priority", Wish::Prioritize(Priority::High)),
    }
}

pub fn input(step: &Step, number: usize, state: &State, now: Timestamp) -> Input {
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
    let number_of = |who: Option<&AgentId>| {
        let position = who.and_then(|who| AGENTS.iter().position(|name| *name == who.as_str()));
        position.unwrap_or(AGENTS.len())
    };
    let owner = |customer| number_of(state.conversation(id(customer)).and_then(|c| c.owner.agent()));
    let pending = |customer, of: fn(&PendingRequest) -> &AgentId| {
        let request = state.conversation(id(customer)).and_then(|c| c.request.as_ref());
        number_of(request.map(of))
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
                    leave_unassigned: false,
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
        Step::Owners {
            customer,
            actor: other,
            wish: number,
        } => {
            let (name, what) = owners_wish(*number, now);
            wish(name, *customer, other.unwrap_or(owner(*customer)), None, what)
        }
        Step::Ask {
            customer,
            actor: other,
            to,
        } => {
            let to = agent(AGENTS.get(*to).copied().unwrap_or("boss"));
            let who = other.unwrap_or(owner(*customer));
            wish("request", *customer, who, None, Wish::Request { to })
        }
        Step::Answer {
            customer,
            actor: other,
            yes,
        } => {
            let who = other.unwrap_or(pending(*customer, |request| &request.to));
            let request = None;
            if *yes {
                wish("accept", *customer, who, None, Wish::Accept { request })
            } else {
                let reason = "busy".into();
                wish("reject", *customer, who, None, Wish::Reject { request, reason })
            }
        }
        Step::Withdraw {
            customer,
            actor: other,
        } => {
            let who = other.unwrap_or(pending(*customer, |request| &request.from));
            let (request, reason) = (None, "no need".into());
            wish(
                "withdraw",
                *customer,
                who,
                None,
                Wish::Withdraw { request, reason },
            )
        }
        Step::Reply {
            customer,
            actor: who,
            leave_unassigned,
        } => {
            let reply = Wish::Reply {
                message: ReplyBody("{}".into()),
                template: false,
                leave_unassigned: *leave_unassigned,
            };
            wish("reply", *customer, *who, None, reply)
        }
        Step::Bulk {
            customer,
            actor: who,
            to,
        } => {
            let to = match to.checked_sub(AGENTS.len()) {
                None => Recipient::Agent(agent(AGENTS[*to])),
                Some(team_number) => Recipient::Team(team(TEAMS[team_number])),
            };
            let note = None;
            item(*customer, *who, Task::Assign { to, note }, None)
        }
        Step::Undo {
            customer,
            actor: who,
            from,
        } => {
            let owner = match from.checked_sub(AGENTS.len()) {
                None => Owner::Agent(agent(AGENTS[*from])),
                Some(team_number) => Owner::Team(team(TEAMS[team_number])),
            };
            let was = state.conversation(id(*customer)).map(|conversation| Was {
                owner,
                ..Was::found(conversation, now)
            });
            item(*customer, *who, Task::Undo, was)
        }
        Step::Remove { of } => Body::Command(Command {
            name: "agent.remove".into(),
            actor: actor(AGENTS.len()),
            action: Action::RemoveAgent {
                agent: agent(AGENTS[*of]),
            },
        }),
        Step::Forget { customer, actor: who } => Body::Command(Command {
            name: "contact.forget".into(),
            actor: actor(*who),
            action: Action::ForgetContact {
                conversations: vec![id(*customer)],
                keys: vec!["k".into()],
            },
        }),
        Step::Clock { customer, timer, .. } => {
            let conversation = id(*customer);
            Body::Timer(match timer {
                0 => Timer::AssignDue { conversation },
                1 => Timer::HoldEnds { conversation },
                2 => Timer::RequestDue { conversation },
                3 => Timer::OwnerGone { conversation },
                _ => Timer::RecipientGone { conversation },
            })
        }
    };
    Input {
        cause: format!("cause-{number}").into(),
        key: Uuid::from_u128(number as u128 + 1000),
        body,
    }
}
