//! `plan.apply`: the plan a command carries, checked by the reader of plans.

use super::super::{json::Object, plan};
use super::Unreadable;
use crate::domain::ids::Tenant;
use crate::domain::input::Fault;
use crate::domain::plan::Plan;

/// Reads the plan, which must be of the command's own tenant, and its document in canonical form.
pub(super) fn read(tenant: &Tenant, data: &Object<'_, '_>) -> Result<(Plan, serde_json::Value), Unreadable> {
    let item = data.field("plan").ok_or_else(|| data.missing("plan"))?;
    let unreadable = |_| item.bad("is nested too deeply to be read");
    let value: serde_json::Value = serde_json::from_str(item.raw()).map_err(unreadable)?;
    let plan::Checked { plan, document, .. } = plan::from_json(&value).map_err(refused)?;
    if &plan.tenant != tenant {
        return Err(refused(vec![Fault {
            path: "tenant".to_owned(),
            line: 0,
            column: 0,
            message: "is not the tenant of the command".to_owned(),
        }]));
    }
    Ok((plan, document))
}

fn refused(faults: Vec<Fault>) -> Unreadable {
    let message = match faults.as_slice() {
        [only] => format!("the plan has a fault: {} {}", only.path, only.message),
        faults => format!("the plan has {} faults", faults.len()),
    };
    Unreadable::new(message, faults)
}
