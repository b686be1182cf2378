//! One input of a batch as an observer sees it: the world before, what was said, the world after.

use std::collections::BTreeSet;

use jiff::Timestamp;
use switchboard::domain::event::{Kind, Recorded};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::Input;

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
            }
            (Kind::AgentUpserted { .. } | Kind::PresenceChanged { .. } | Kind::PlanActivated { .. }, _) => {
                world.agents = self.after.agents.clone();
                world.teams = self.after.teams.clone();
                world.plan = self.after.plan.clone();
            }
            (Kind::DrainPending(pending), _) => world.drain_pending = *pending,
            _ => {}
        }
    }
}
