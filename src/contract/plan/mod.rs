//! Plans as people write them: TOML in files, the same as JSON in commands.
//!
//! Both become one tree of nodes that know their place; one reader turns that into a plan and says everything that is
//! wrong with it, and where. A plan that comes out is valid: what it names is there.

mod check;
mod document;
mod node;
mod reader;

use serde_json::Value;

use crate::domain::input::Fault;
use crate::domain::plan::Plan;
use node::Node;
use reader::Faults;

/// Longest plan read, in bytes: ten thousand agents fit.
pub const MAX_PLAN_BYTES: usize = 4 << 20;

/// A plan without faults.
#[derive(Debug, Clone)]
pub struct Checked {
    /// It; its version is given when it is activated.
    pub plan: Plan,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Fault>,
    /// As stored: the same document whichever way it was written.
    pub document: Value,
}

/// Reads a plan written as TOML.
pub fn from_toml(text: &str) -> Result<Checked, Vec<Fault>> {
    bounded(text)?;
    read(&Node::from_toml(text)?)
}

/// Reads a plan written as JSON.
pub fn from_json_text(text: &str) -> Result<Checked, Vec<Fault>> {
    bounded(text)?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        vec![Fault {
            path: String::new(),
            line: place(error.line()),
            column: place(error.column()),
            message: "is not JSON".into(),
        }]
    })?;
    from_json(&value)
}

/// Reads a plan from a JSON value, where places in a text are not known.
pub fn from_json(value: &Value) -> Result<Checked, Vec<Fault>> {
    read(&Node::from_json(value))
}

fn bounded(text: &str) -> Result<(), Vec<Fault>> {
    if text.len() <= MAX_PLAN_BYTES {
        return Ok(());
    }
    let message = format!("is longer than {MAX_PLAN_BYTES} bytes");
    Err(vec![Fault {
        path: String::new(),
        line: 0,
        column: 0,
        message,
    }])
}

fn read(node: &Node) -> Result<Checked, Vec<Fault>> {
    let mut faults = Faults::default();
    let plan = document::read(node, &mut faults);
    if let Some(plan) = &plan {
        check::references(plan, node, &mut faults);
        check::doubts(plan, &mut faults);
    }
    match plan.filter(|_| faults.errors.is_empty()) {
        Some(plan) => Ok(Checked {
            plan,
            warnings: faults.warnings,
            document: node.to_json(),
        }),
        None => Err(faults.errors),
    }
}
