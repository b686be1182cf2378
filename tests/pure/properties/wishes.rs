//! What people may want beside giving and closing: to set aside, to ask each other, to reply; and what concerns many: bulks,
//! their undoing, whoever leaves.

use std::sync::Arc;

use proptest::prelude::*;
use switchboard::domain::bulk::{Item, Order, Task, Was};
use switchboard::domain::conversation::{Conversation, Owner, PendingRequest, Priority};
use switchboard::domain::ids::{AgentId, ConversationId};
use switchboard::domain::input::{Action, Actor, Body, Command, Recipient, Timer};
use uuid::Uuid;

use super::histories::{AGENTS, CUSTOMERS, TEAMS};
use crate::support::inputs::{Speaker, by};
use crate::support::world::World;
use crate::support::{MINUTE, agent, id, team};

/// What somebody wants. Where no actor is given, it is the one who mostly would.
#[derive(Debug, Clone)]
pub enum Want {
    /// What an owner does with what they have, by its number in `owners`.
    Owners {
        chat: u8,
        actor: Option<usize>,
        wish: u8,
    },
    Ask {
        chat: u8,
        actor: Option<usize>,
        to: usize,
    },
    /// What the recipient says: yes or no.
    Answer {
        chat: u8,
        actor: Option<usize>,
        yes: bool,
    },
    Withdraw {
        chat: u8,
        actor: Option<usize>,
    },
    Reply {
        chat: u8,
        actor: usize,
        leave_unassigned: bool,
    },
    /// The turn of a conversation in a bulk to a person, or after them a team.
    Bulk {
        chat: u8,
        actor: usize,
        to: usize,
    },
    /// The turn of a conversation in the undoing of a bulk that took it from a person, or after them a team.
    Undo {
        chat: u8,
        actor: usize,
        from: usize,
    },
    /// The turn of a conversation whose assignment is taken back.
    Reroute {
        chat: u8,
    },
    Remove {
        of: usize,
    },
    Forget {
        chat: u8,
        actor: usize,
    },
}

pub fn want() -> impl Strategy<Value = Want> {
    let (chat, who) = (0..CUSTOMERS, 0..=AGENTS.len());
    let mostly = proptest::option::weighted(0.3, who.clone());
    let many = 0..AGENTS.len() + TEAMS.len();
    prop_oneof![
        3 => (chat.clone(), mostly.clone(), 0..6u8).prop_map(|(chat, actor, wish)| Want::Owners { chat, actor, wish }),
        3 => (chat.clone(), mostly.clone(), who.clone()).prop_map(|(chat, actor, to)| Want::Ask { chat, actor, to }),
        2 => (chat.clone(), mostly.clone(), any::<bool>()).prop_map(|(chat, actor, yes)| Want::Answer { chat, actor, yes }),
        1 => (chat.clone(), mostly).prop_map(|(chat, actor)| Want::Withdraw { chat, actor }),
        2 => (chat.clone(), who.clone(), proptest::bool::weighted(0.2))
            .prop_map(|(chat, actor, leave_unassigned)| Want::Reply { chat, actor, leave_unassigned }),
        3 => (chat.clone(), who.clone(), many.clone()).prop_map(|(chat, actor, to)| Want::Bulk { chat, actor, to }),
        1 => (chat.clone(), who.clone(), many).prop_map(|(chat, actor, from)| Want::Undo { chat, actor, from }),
        2 => chat.clone().prop_map(|chat| Want::Reroute { chat }),
        1 => (0..AGENTS.len()).prop_map(|of| Want::Remove { of }),
        1 => (chat, who).prop_map(|(chat, actor)| Want::Forget { chat, actor }),
    ]
}

/// An agent, or behind them the admin.
fn name(number: usize) -> &'static str {
    AGENTS.get(number).copied().unwrap_or("root")
}

/// The one with this number, or else the one who mostly would; without one, the admin.
fn speaker(number: Option<usize>, mostly: Option<&AgentId>) -> Speaker {
    match number {
        Some(number) => by(name(number)),
        None => by(mostly.map_or("root", AgentId::as_str)),
    }
}

fn item(chat: u8, who: usize, task: Task, was: Option<Was>) -> Body {
    let bulk = Uuid::from_u128(77);
    let actor = Actor::Agent(agent(name(who)));
    let order = Arc::new(Order { bulk, actor, task });
    let (run, place, conversation) = (bulk, 0, id(chat));
    Body::Timer(Timer::Bulk(Box::new(Item {
        run,
        order,
        place,
        conversation,
        was,
    })))
}

fn administer(name: &str, who: &str, action: Action) -> Body {
    Body::Command(Command {
        name: name.into(),
        actor: Actor::Agent(agent(who)),
        action,
    })
}

impl Want {
    /// The conversation it is about.
    pub fn about(&self) -> Option<ConversationId> {
        match self {
            Want::Owners { chat, .. }
            | Want::Ask { chat, .. }
            | Want::Answer { chat, .. }
            | Want::Withdraw { chat, .. }
            | Want::Reply { chat, .. }
            | Want::Bulk { chat, .. }
            | Want::Undo { chat, .. }
            | Want::Reroute { chat }
            | Want::Forget { chat, .. } => Some(id(*chat)),
            Want::Remove { .. } => None,
        }
    }

    /// As it comes in at this moment.
    pub fn body(&self, world: &World) -> Body {
        let known = |chat: u8| world.conversations.get(&id(chat));
        let owner = |chat: u8| known(chat).and_then(|c| c.owner.agent());
        let request = |chat: u8| known(chat).and_then(|c| c.request.as_ref());
        let recipient = |request: &PendingRequest| request.to.clone();
        let requester = |request: &PendingRequest| request.from.clone();
        match self {
            Want::Owners { chat, actor, wish } => {
                let who = speaker(*actor, owner(*chat));
                match wish {
                    0 => who.holds(*chat, None),
                    1 => who.holds(*chat, Some(world.now + MINUTE * 3)),
                    2 | 3 => who.resumes(*chat),
                    4 => who.notes(*chat, "vip"),
                    _ => who.prioritizes(*chat, Priority::High),
                }
                .into()
            }
            Want::Ask { chat, actor, to } => speaker(*actor, owner(*chat)).asks(*chat, name(*to)).into(),
            Want::Answer { chat, actor, yes } => {
                let who = speaker(*actor, request(*chat).map(recipient).as_ref());
                let answer = if *yes {
                    who.accepts(*chat)
                } else {
                    who.rejects(*chat, "busy")
                };
                answer.into()
            }
            Want::Withdraw { chat, actor } => speaker(*actor, request(*chat).map(requester).as_ref())
                .withdraws(*chat, "no need")
                .into(),
            Want::Reply {
                chat,
                actor,
                leave_unassigned,
            } => by(name(*actor))
                .replies_with(*chat, false, *leave_unassigned)
                .into(),
            Want::Bulk { chat, actor, to } => {
                let to = match to.checked_sub(AGENTS.len()) {
                    None => Recipient::Agent(agent(AGENTS[*to])),
                    Some(number) => Recipient::Team(team(TEAMS[number])),
                };
                item(*chat, *actor, Task::Assign { to, note: None }, None)
            }
            Want::Undo { chat, actor, from } => {
                let owner = match from.checked_sub(AGENTS.len()) {
                    None => Owner::Agent(agent(AGENTS[*from])),
                    Some(number) => Owner::Team(team(TEAMS[number])),
                };
                let found = |conversation: &Conversation| Was {
                    owner: owner.clone(),
                    ..Was::found(conversation, world.now)
                };
                item(*chat, *actor, Task::Undo, known(*chat).map(found))
            }
            Want::Reroute { chat } => {
                let since = |c: &Conversation| c.owned_since.unwrap_or(world.now);
                let was = known(*chat).map(|c| Was::found(c, since(c)));
                item(*chat, 0, Task::Reroute, was)
            }
            Want::Remove { of } => {
                let agent = agent(AGENTS[*of]);
                administer("agent.remove", "root", Action::RemoveAgent { agent })
            }
            Want::Forget { chat, actor } => {
                let action = Action::ForgetContact {
                    conversations: vec![id(*chat)],
                    keys: vec!["k".into()],
                };
                administer("contact.forget", name(*actor), action)
            }
        }
    }
}
