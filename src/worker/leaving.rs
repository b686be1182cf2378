//! Who leaves in a batch: agents, for good or for too long, whose conversations their homes look at again, and customers,
//! who are erased.

use std::collections::{BTreeSet, HashSet};
use std::str::FromStr;

use tokio::try_join;
use uuid::Uuid;

use super::directory::Directory;
use super::entry::Entry;
use super::gather::{Pending, Work};
use super::resolve::AliasKey;
use crate::contract::{Arrived, ArrivedCommand, identity};
use crate::domain::event::Kind;
use crate::domain::ids::{AgentId, ConversationId, Partition, Tenant};
use crate::domain::input::{Action, Body};
use crate::store::timers::DueTimer;
use crate::store::{Session, StoreError, leaving};

/// Conversations of someone who left that one batch finds a new place for; more are left to the next.
const OWNED_AT_ONCE: usize = 100;

/// Whether this erases a customer: whatever comes after it has to look them up anew, so it is a batch of its own.
pub fn erases(arrived: &Arrived) -> bool {
    let erases = |command: &ArrivedCommand| matches!(command.command.action, Action::ForgetContact { .. });
    arrived.commands.iter().any(erases)
}

/// What customers who are to be erased may be known by, in the order of locks.
pub fn aliases_of(pending: &[Pending<'_>], directory: &Directory) -> Vec<AliasKey> {
    let keys: BTreeSet<AliasKey> = to_erase(pending)
        .flat_map(|(tenant, command)| keys_of(tenant, command, directory))
        .collect();
    keys.into_iter().collect()
}

fn to_erase<'a>(pending: &'a [Pending<'a>]) -> impl Iterator<Item = (&'a Tenant, &'a ArrivedCommand)> {
    pending.iter().filter_map(|one| match one.what {
        Work::Command(command) if !command.contact.is_empty() => Some((&one.tenant, command)),
        Work::Command(_) | Work::Fact(_) => None,
    })
}

/// An identifier is hashed with its channel: there is one for each.
fn keys_of(tenant: &Tenant, command: &ArrivedCommand, directory: &Directory) -> Vec<AliasKey> {
    let plan = directory.plan(tenant);
    let channels = plan.channels.keys();
    channels
        .flat_map(|channel| command.contact.iter().map(move |alias| alias.key(channel)))
        .map(|key| (tenant.clone(), key))
        .collect()
}

/// Conversations of customers who are to be erased.
pub fn conversations_of(
    pending: &[Pending<'_>],
    known: &[(Tenant, Uuid, ConversationId)],
    directory: &Directory,
) -> Vec<(Tenant, ConversationId)> {
    let keys: HashSet<AliasKey> = aliases_of(pending, directory).into_iter().collect();
    let theirs = known
        .iter()
        .filter(|(tenant, key, _)| keys.contains(&(tenant.clone(), *key)));
    theirs.map(|(tenant, _, id)| (tenant.clone(), *id)).collect()
}

/// Tells the core which conversations a customer has, who is known to it by nothing else.
pub fn tell(
    entries: &mut [Entry],
    pending: &[Pending<'_>],
    known: &[(Tenant, Uuid, ConversationId)],
    directory: &Directory,
) {
    for entry in entries {
        let Some(one) = entry.place.and_then(|place| pending.get(place)) else {
            continue;
        };
        let (Work::Command(command), Body::Command(told)) = (&one.what, &mut entry.input.body) else {
            continue;
        };
        let Action::ForgetContact { conversations, keys } = &mut told.action else {
            continue;
        };
        let theirs: BTreeSet<ConversationId> = conversations_of(std::slice::from_ref(one), known, directory)
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        *conversations = theirs.into_iter().collect();
        let plan = directory.plan(&one.tenant);
        let identifier = command.contact.first();
        *keys = plan
            .channels
            .keys()
            .zip(std::iter::repeat(identifier))
            .filter_map(|(channel, alias)| Some(identity::partition_key(channel, &alias?.value).into()))
            .collect();
    }
}

/// What somebody who left owns in this lane, a page of it.
pub async fn owned(
    session: &Session,
    partition: Partition,
    timer: &DueTimer,
) -> Result<Vec<ConversationId>, StoreError> {
    let Some((after, _, agent)) = subject(timer) else {
        return Ok(Vec::new());
    };
    let limit = i64::try_from(OWNED_AT_ONCE).unwrap_or(i64::MAX);
    leaving::owned(session, &timer.tenant, &agent, partition, after, limit).await
}

/// The timer that goes on where this page ends, if there may be more.
pub fn goes_on_as(timer: &DueTimer, page: &[ConversationId]) -> Option<String> {
    let last = page.last().filter(|_| page.len() >= OWNED_AT_ONCE)?;
    let (home, _) = timer.subject.split_once('/')?;
    let (_, name, agent) = subject(timer)?;
    Some(format!("{home}/{last}/{name}/{agent}"))
}

fn subject(timer: &DueTimer) -> Option<(Uuid, &str, AgentId)> {
    let (_, rest) = timer.subject.split_once('/')?;
    let (after, rest) = rest.split_once('/')?;
    let (name, agent) = rest.split_once('/')?;
    Some((Uuid::from_str(after).ok()?, name, AgentId::new(agent).ok()?))
}

/// Who left, as far as it has to be written.
#[derive(Debug, Default)]
pub struct Leaving {
    /// Removed or deactivated.
    agents: BTreeSet<(Tenant, AgentId)>,
    /// Away or offline for too long.
    absent: BTreeSet<(Tenant, AgentId)>,
    /// Conversations of erased customers.
    forgotten: Vec<(Tenant, ConversationId)>,
}

impl Leaving {
    /// Takes what an event says of who left.
    pub fn note(&mut self, tenant: &Tenant, kind: &Kind) {
        match kind {
            Kind::AgentRemoved { agent } => drop(self.agents.insert((tenant.clone(), agent.id.clone()))),
            Kind::GraceOver { agent } => drop(self.absent.insert((tenant.clone(), agent.clone()))),
            Kind::AgentUpserted { agent, .. } if !agent.profile.active => {
                self.agents.insert((tenant.clone(), agent.id.clone()));
            }
            Kind::PlanActivated { plan, .. } => {
                let inactive = plan.agents.iter().filter(|(_, profile)| !profile.active);
                self.agents
                    .extend(inactive.map(|(id, _)| (tenant.clone(), id.clone())));
            }
            Kind::ContactForgotten {
                conversation: Some(conversation),
                ..
            } => self.forgotten.push((tenant.clone(), *conversation)),
            _ => {}
        }
    }

    /// Writes it, in one pipeline. Returns the lanes that have something to look at.
    pub async fn write(&self, session: &Session) -> Result<Vec<Partition>, StoreError> {
        let owners: Vec<_> = self
            .agents
            .union(&self.absent)
            .map(|(tenant, agent)| (tenant, agent))
            .collect();
        let left: Vec<_> = self
            .agents
            .iter()
            .map(|(tenant, agent)| (tenant, agent))
            .collect();
        let (owners, requesters, ()) = try_join!(
            biased;
            leaving::owners_gone(session, &owners),
            leaving::requesters_gone(session, &left),
            leaving::forget(session, &self.forgotten),
        )?;
        Ok(owners.into_iter().chain(requesters).collect())
    }
}
