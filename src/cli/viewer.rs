//! Looking with somebody's eyes: who may see what, decided by the core's table of permissions.

use super::{CliError, world};
use crate::domain::conversation::Conversation;
use crate::domain::ids::{AgentId, Tenant};
use crate::domain::input::Actor;
use crate::domain::permission::{self, Acting, Sight};
use crate::domain::state::State;
use crate::store::read::Eyes;
use crate::store::{Session, Store};
use crate::worker::directory::Directory;

/// A person, and the world their rights follow from.
pub struct Viewer {
    state: State,
    actor: Actor,
    agent: AgentId,
}

impl Viewer {
    /// An agent of this tenant, or of the only one there is.
    pub async fn find(
        store: &Store,
        session: &Session,
        tenant: Option<Tenant>,
        agent: &AgentId,
    ) -> Result<Self, CliError> {
        let directory = world::directory(store).await?;
        let tenant = match tenant {
            Some(tenant) => tenant,
            None => only_tenant(&directory)?,
        };
        let state = world::people(session, directory.plan(&tenant)).await?;
        let viewer = Self {
            state,
            actor: Actor::Agent(agent.clone()),
            agent: agent.clone(),
        };
        viewer.acting().map(drop)?;
        Ok(viewer)
    }

    /// Whose agent they are.
    pub fn tenant(&self) -> &Tenant {
        &self.state.plan.tenant
    }

    fn acting(&self) -> Result<Acting<'_>, CliError> {
        let nobody = |_| format!("there is no active agent {} in {}", self.agent, self.tenant()).into();
        permission::acting(&self.state, &self.actor).map_err(nobody)
    }

    /// What they see; `None`: everything.
    pub fn eyes(&self) -> Result<Option<Eyes>, CliError> {
        Ok(match permission::sight(&self.state, self.acting()?) {
            Sight::Everything => None,
            Sight::Teams(teams) => Some(Eyes {
                agent: self.agent.clone(),
                teams,
            }),
        })
    }

    /// Fails unless they may see this one.
    pub fn must_see(&self, conversation: &Conversation) -> Result<(), CliError> {
        let hidden = |_| format!("{} may not see conversation {}", self.agent, conversation.id).into();
        permission::view(&self.state, self.acting()?, conversation).map_err(hidden)
    }
}

fn only_tenant(directory: &Directory) -> Result<Tenant, CliError> {
    let mut tenants = directory.tenants().map(|(tenant, _)| tenant);
    match (tenants.next(), tenants.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err("no plan has been applied yet".into()),
        (Some(_), Some(_)) => Err("there are several tenants: say which with --tenant".into()),
    }
}
