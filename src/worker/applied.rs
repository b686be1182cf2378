//! Plans as batches put them in force, and what came of them for whoever applied one by hand.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::input::{Actor, Fault};
use crate::domain::plan::Plan;

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It is in force.
    Activated {
        /// Under this number.
        version: u32,
        /// It said the same as the one before.
        unchanged: bool,
    },
    /// It was refused.
    Refused {
        /// Why.
        message: String,
        /// What is wrong where.
        errors: Vec<Fault>,
    },
}

/// A plan that a batch puts in force.
#[derive(Debug)]
pub struct Activated {
    /// It, with its version.
    pub plan: Arc<Plan>,
    /// As it was written.
    pub document: Value,
    /// Who applied it.
    pub actor: String,
    /// The input's cause.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

/// Who, as the plan's history shows them.
pub fn actor_text(actor: &Actor) -> String {
    match actor {
        Actor::Agent(agent) => format!("agent/{agent}"),
        Actor::System(_) => "system/cli".into(),
        Actor::Customer => "customer".into(),
        Actor::Gateway => "gateway".into(),
    }
}
