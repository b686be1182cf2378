//! What becomes eligible by time alone: shifts that begin and bursts that end wake the queues. And the other side of it,
//! queues of which was said that nobody can serve them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::world::World;
use crate::domain::event::{Change, Kind, Quiet};
use crate::domain::ids::{AgentId, Tenant};
use crate::domain::matching::burst_ends;
use crate::domain::plan::Plan;
use crate::store::{Session, StoreError, matching};

/// What a batch has to write of it.
#[derive(Debug, Default)]
pub struct Eligible {
    /// Tenants of whom is announced, or taken back, that a queue finds nobody.
    blocked: BTreeSet<Tenant>,
    /// Tenants under a new plan.
    replanned: BTreeSet<Tenant>,
    /// The batch's time.
    now: Option<Timestamp>,
}

impl Eligible {
    /// Takes what an event says.
    pub fn note(&mut self, tenant: &Tenant, kind: &Kind, at: Timestamp) {
        self.now = Some(at);
        match kind {
            Kind::QueueServable(_) | Kind::Conversation(_, Change::Quiet(Quiet::QueueBlocked(_))) => {
                self.blocked.insert(tenant.clone());
            }
            Kind::PlanActivated { .. } => drop(self.replanned.insert(tenant.clone())),
            _ => {}
        }
    }

    /// When the first of the shifts of a new plan begins: `None` in the place of the moment if none will.
    pub fn openings<'a>(&'a self, world: &'a World) -> impl Iterator<Item = (&'a Tenant, Option<Timestamp>)> {
        self.replanned.iter().filter_map(|tenant| {
            let plan = &world.state(tenant)?.plan;
            Some((tenant, next_opening(plan, self.now?)))
        })
    }

    /// When those are eligible again whom the burst guard keeps: of everyone this batch touched, and of everyone under a
    /// new plan, which may count another way.
    pub fn burst_ends<'a>(
        &'a self,
        world: &'a World,
        touched: &'a BTreeSet<(Tenant, AgentId)>,
    ) -> impl Iterator<Item = (&'a Tenant, &'a AgentId, Timestamp)> {
        let touched = touched.iter().map(|(tenant, agent)| (tenant, agent));
        let all = self.replanned.iter().filter_map(|tenant| {
            let people = world.state(tenant)?.agents.keys();
            Some(people.map(move |agent| (tenant, agent)))
        });
        touched.chain(all.flatten()).filter_map(move |(tenant, id)| {
            let burst = world.state(tenant)?.plan.settings.burst?;
            let ends = burst_ends(world.agent(tenant, id)?, burst, self.now?)?;
            Some((tenant, id, ends))
        })
    }

    /// Writes what nobody can serve.
    pub async fn write(&self, session: &Session, world: &World) -> Result<(), StoreError> {
        for tenant in &self.blocked {
            if let Some(state) = world.state(tenant) {
                matching::save_blocked(session, tenant, &state.blocked).await?;
            }
        }
        Ok(())
    }
}

/// When the first shift of a plan's calendars begins, after this moment.
pub fn next_opening(plan: &Plan, after: Timestamp) -> Option<Timestamp> {
    let openings = plan
        .calendars
        .values()
        .map(|calendar| calendar.next_opening(after));
    openings.flatten().min()
}
