//! Plans that are, or were, in force.

use serde_json::Value;

use crate::cli::CliError;
use crate::contract::plan;
use crate::domain::ids::Tenant;
use crate::domain::input::Fault;
use crate::domain::plan::Plan;
use crate::store::{Session, plans};

/// A tenant's plans, as the database has them.
pub struct Releases<'a> {
    session: &'a Session,
    /// Whose.
    pub tenant: Tenant,
    /// The version in force.
    pub in_force: u32,
}

impl<'a> Releases<'a> {
    /// Those of this tenant, or of the only one there is.
    pub async fn of(session: &'a Session, tenant: Option<&str>) -> Result<Self, CliError> {
        let listing = plans::directory(session).await?;
        let tenant = match (tenant, listing.plans.as_slice()) {
            (Some(tenant), _) => Tenant::new(tenant)?,
            (None, [(only, _)]) => only.clone(),
            (None, []) => return Err("no plan has been applied yet".into()),
            (None, _) => return Err("there are several tenants: name one with --tenant".into()),
        };
        let active = listing.plans.iter().find(|(other, _)| *other == tenant);
        let (_, in_force) = active.ok_or_else(|| format!("{tenant} has no plan"))?;
        Ok(Self {
            session,
            in_force: *in_force,
            tenant,
        })
    }

    /// The document of a version.
    pub async fn document(&self, version: u32) -> Result<Value, CliError> {
        let tenant = &self.tenant;
        let document = plans::document(self.session, tenant, version).await?;
        document.ok_or_else(|| format!("{tenant} has no plan version {version}").into())
    }

    /// A version, read.
    pub async fn plan(&self, version: u32) -> Result<Plan, CliError> {
        read(&self.document(version).await?).map_err(|faults| self.unreadable(version, &faults))
    }

    /// The version before this one.
    pub async fn before(&self, version: u32) -> Result<u32, CliError> {
        let before = plans::version_before(self.session, &self.tenant, version).await?;
        before.ok_or_else(|| format!("{} had no plan before version {version}", self.tenant).into())
    }

    /// That a version cannot be used any more.
    pub fn unreadable(&self, version: u32, faults: &[Fault]) -> CliError {
        let first = faults.first().map_or(String::new(), |fault| {
            format!(": {} {}", fault.path, fault.message)
        });
        let more = match faults.len().saturating_sub(1) {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let tenant = &self.tenant;
        format!(
            "{tenant}'s plan version {version} is no good plan for this version of switchboard{first}{more}"
        )
        .into()
    }
}

/// Reads a document that was good when it came into force; a newer reader may want more of it.
pub fn read(document: &Value) -> Result<Plan, Vec<Fault>> {
    plan::from_json(document).map(|checked| checked.plan)
}
