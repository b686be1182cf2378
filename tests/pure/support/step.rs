//! One input of a batch as an observer sees it: the world before, what was said, the world after.

use std::collections::BTreeSet;

use jiff::Timestamp;
use switchboard::domain::conversation::Conversation;
use switchboard::domain::event::{By, Change, Kind, Recorded};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::Input;

use super::moments::given_in;
use super::world::World;

/// What one input did.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub before: &'a World,
    /// The batch's time.
    pub now: Timestamp,
    pub input: &'a Input,
    pub events: &'a [Recorded],
    pub after: &'a World,
    /// Conversations that another batch holds meanwhile.
    pub held: &'a BTreeSet<ConversationId>,
}

/// One event, with the world right before it.
#[derive(Debug)]
pub struct Moment<'a> {
    pub world: World,
    pub recorded: &'a Recorded,
}

impl Step<'_> {
    /// The events one by one, each with the world that the ones before it made.
    pub fn moments(&self) -> Vec<Moment<'_>> {
        let mut world = self.before.clone();
        let moments = self.events.iter().map(|recorded| {
            let moment = Moment {
                world: world.clone(),
                recorded,
            };
            self.happen(&mut world, recorded);
            moment
        });
        moments.collect()
    }

    /// Who there is, and by which plan, is written by at most one event of a step: afterwards it is as at the end.
    fn happen(&self, world: &mut World, recorded: &Recorded) {
        match (&recorded.event.kind, &recorded.after) {
            (Kind::Conversation(id, _), Some(after)) => {
                world.conversations.insert(*id, (**after).clone());
                world.given.extend(given_in(recorded));
                used_turn(world, recorded);
            }
            (Kind::ContactForgotten { conversation, .. }, _) => {
                let forgotten = conversation.and_then(|id| world.conversations.get_mut(&id));
                forgotten.into_iter().for_each(Conversation::forget);
            }
            (
                Kind::AgentUpserted { .. }
                | Kind::AgentRemoved { .. }
                | Kind::PresenceChanged { .. }
                | Kind::PlanActivated { .. },
                _,
            ) => {
                let before = std::mem::replace(&mut world.agents, self.after.agents.clone());
                // But for the turns, which are used up one by one by what follows.
                for (id, agent) in &mut world.agents {
                    let before = before.get(id);
                    agent.last_assigned = before.and_then(|before| before.last_assigned);
                    agent.last_chosen = before.and_then(|before| before.last_chosen);
                }
                world.teams = self.after.teams.clone();
                world.plan = self.after.plan.clone();
            }
            (Kind::DrainPending(pending), _) => world.drain_pending = *pending,
            _ => {}
        }
    }
}

/// Whoever is given something is less idle; whom a strategy chose has had a turn.
fn used_turn(world: &mut World, recorded: &Recorded) {
    let Kind::Conversation(_, Change::Assigned(assignment)) = &recorded.event.kind else {
        return;
    };
    if let Some(agent) = world.agents.get_mut(&assignment.agent) {
        agent.last_assigned = Some(recorded.event.at);
        if assignment.by == By::Auto || assignment.terms.strategy.is_some() {
            agent.last_chosen = Some(recorded.event.at);
        }
    }
}
