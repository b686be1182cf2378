//! When it has to be looked at what people own who are away or offline: one timer for each of them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::world::World;
use crate::domain::absence;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::{AgentId, Tenant};
use crate::domain::state::State;

/// Who came or went in a batch, or is measured by another plan from now on.
#[derive(Debug, Default)]
pub struct Graces {
    people: BTreeSet<(Tenant, AgentId)>,
}

impl Graces {
    /// Takes what an event says of who is there.
    pub fn note(&mut self, tenant: &Tenant, state: &State, event: &Event) {
        match &event.kind {
            // Who only says the same again has their timer already, or it went off.
            Kind::PresenceChanged {
                agent,
                presence,
                previous,
                ..
            } if presence != previous => drop(self.people.insert((tenant.clone(), agent.clone()))),
            Kind::AgentRemoved { agent } => drop(self.people.insert((tenant.clone(), agent.id.clone()))),
            Kind::PlanActivated { unchanged: false, .. } => self.measure_anew(tenant, state, event.at),
            _ => {}
        }
    }

    /// Also those whose grace is over by now, if they have anything: what another plan let them keep may move.
    fn measure_anew(&mut self, tenant: &Tenant, state: &State, now: Timestamp) {
        let settings = &state.plan.settings;
        let concerned = state.agents.values().filter(|agent| {
            let ends = absence::grace_ends(agent, settings);
            agent.load() > 0 || ends.is_none_or(|ends| ends > now)
        });
        self.people
            .extend(concerned.map(|agent| (tenant.clone(), agent.id.clone())));
    }

    /// When each of them has been gone for too long, as things stand after the batch; `None`: never.
    pub fn ends<'a>(
        &'a self,
        world: &'a World,
    ) -> impl Iterator<Item = (&'a Tenant, &'a AgentId, Option<Timestamp>)> {
        self.people.iter().map(|(tenant, id)| {
            let known = world.state(tenant).zip(world.agent(tenant, id));
            let ends = known.and_then(|(state, agent)| absence::grace_ends(agent, &state.plan.settings));
            (tenant, id, ends)
        })
    }
}
