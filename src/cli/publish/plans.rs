//! Whose rules are asked: those of a file, those in force, or none.

use std::path::Path;
use std::sync::Arc;

use super::routed::Known;
use crate::cli::plan::files;
use crate::cli::{CliError, connect};
use crate::config::{Environment, Source};
use crate::domain::ids::ChannelKey;
use crate::domain::plan::Plan;
use crate::worker::directory::{Directories, Directory};

/// The plans there are to ask.
pub enum Plans {
    /// None was given.
    None,
    /// The one of a file.
    File(Arc<Plan>),
    /// Those in force.
    InForce(Arc<Directory>),
}

/// The plan of this file, else those in the database that the environment names, else none.
pub async fn given(file: Option<&Path>) -> Result<Plans, CliError> {
    if let Some(file) = file {
        return match files::read(file)? {
            Ok(checked) => Ok(Plans::File(Arc::new(checked.plan))),
            Err(faults) => {
                files::complain(&file.display().to_string(), &faults, "error");
                Err(format!("{}: is no good plan", file.display()).into())
            }
        };
    }
    if Environment.get("DATABASE_URL").is_none() {
        return Ok(Plans::None);
    }
    let directories = Directories::new(connect::store()?);
    Ok(Plans::InForce(directories.refresh(0).await?))
}

impl Plans {
    /// What is known of a channel's plan.
    pub fn of(&self, channel: &ChannelKey) -> Known {
        match self {
            Self::None => Known::NoPlan,
            Self::File(plan) if plan.channels.contains_key(channel) => Known::Plan(plan.clone()),
            Self::File(_) => Known::NoTenant,
            Self::InForce(directory) => match directory.tenant_of(channel) {
                Some(tenant) => Known::Plan(directory.plan(tenant)),
                None => Known::NoTenant,
            },
        }
    }
}
