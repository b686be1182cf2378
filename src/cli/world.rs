//! A tenant's people, teams and plan, as the core sees them: for questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::CliError;
use crate::domain::ids::{TeamId, Tenant};
use crate::domain::plan::Plan;
use crate::domain::state::State;
use crate::store::{Session, Store, agents};
use crate::worker::directory::{Directories, Directory};

/// What a question is about, and how the answer is wanted.
#[derive(Debug, clap::Args)]
pub struct Scope {
    /// Whose; all tenants if left out.
    #[arg(long)]
    pub tenant: Option<String>,
    /// One team only.
    #[arg(long)]
    team: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

impl Scope {
    /// The team, if it is about one only.
    pub fn team(&self) -> Result<Option<TeamId>, CliError> {
        Ok(self.team.as_deref().map(TeamId::new).transpose()?)
    }
}

/// Everyone's plans now.
pub async fn directory(store: &Store) -> Result<Arc<Directory>, CliError> {
    Ok(Directories::new(store.clone()).refresh(0).await?)
}

/// The tenants that were asked for: this one, or all of them, in order, each with its plan.
pub fn tenants(directory: &Directory, tenant: Option<&str>) -> Result<BTreeMap<Tenant, Arc<Plan>>, CliError> {
    let asked = tenant.map(Tenant::new).transpose()?;
    let all = directory
        .tenants()
        .map(|(tenant, active)| (tenant.clone(), active.plan.clone()));
    let found: BTreeMap<_, _> = all
        .filter(|(tenant, _)| asked.as_ref().is_none_or(|asked| asked == tenant))
        .collect();
    match (asked, found.is_empty()) {
        (Some(tenant), true) => Err(format!("{tenant} has no plan").into()),
        _ => Ok(found),
    }
}

/// Everyone of a tenant, under this plan; no conversations.
pub async fn people(session: &Session, plan: Arc<Plan>) -> Result<State, CliError> {
    let tenants = [plan.tenant.clone()];
    let mut state = State::new(plan);
    for (_, agent) in agents::load(session, &tenants).await? {
        state.agents.insert(agent.id.clone(), agent);
    }
    let [tenant] = &tenants;
    let teams = agents::load_members(session, &tenants).await?.remove(tenant);
    state.teams = teams.unwrap_or_default();
    Ok(state)
}
