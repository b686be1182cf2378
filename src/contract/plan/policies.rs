//! `[[responses]]`: how long is too long, and what is done about it.

use std::collections::BTreeMap;

use super::mentions::Named;
use super::people::{agents_in, each, own_id};
use super::reader::{Item, Reading};
use crate::domain::ids::PolicyId;
use crate::domain::plan::ResponsePolicy;

/// Most response policies.
const MAX_RESPONSES: usize = 1_000;
/// What is done about a breach.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnBreach {
    Notify,
    Reassign,
    Escalate,
}

const ON_BREACH: [(&str, OnBreach); 3] = [
    ("notify", OnBreach::Notify),
    ("reassign", OnBreach::Reassign),
    ("escalate", OnBreach::Escalate),
];
/// Whether only working time counts.
const HOURS: [(&str, bool); 2] = [("always", false), ("working", true)];

/// Reads the response policies.
pub(super) fn responses(list: Option<Item<'_>>, reading: &mut Reading) -> BTreeMap<PolicyId, ResponsePolicy> {
    each(list, MAX_RESPONSES, reading, |fields, reading| {
        let id = own_id(fields, Named::Policy, policy_id, reading);
        let assign_within = fields
            .take("assign_within")
            .and_then(|item| item.duration(reading));
        let respond_within = fields
            .take("respond_within")
            .and_then(|item| item.duration(reading));
        let at_warning = fields.take("warn_before");
        let warn_before = at_warning.as_ref().and_then(|item| item.duration(reading));
        if let (Some(item), Some(before)) = (&at_warning, warn_before)
            && [assign_within, respond_within]
                .into_iter()
                .flatten()
                .all(|within| within <= before)
        {
            reading.warn(
                &item.spot,
                "is not shorter than any time the policy gives: nobody is ever warned",
            );
        }
        let hours = fields.take("hours").and_then(|item| item.word(&HOURS, reading));
        let on_breach = fields.take("on_breach").map(|item| measures(&item, reading));
        // Whoever does not say what to do about a breach is told of it, as by the built-in policy.
        let measures = on_breach.unwrap_or_else(|| vec![OnBreach::Notify]);
        let escalate = measures.contains(&OnBreach::Escalate);
        let at_path = fields.take("escalate_to");
        if let Some(item) = at_path.filter(|_| !escalate) {
            reading.warn(
                &item.spot,
                "is not asked on a breach: on_breach does not say escalate",
            );
        }
        Some((
            id?,
            ResponsePolicy {
                assign_within,
                respond_within,
                warn_before,
                working_hours: hours.unwrap_or(false),
                notify: measures.contains(&OnBreach::Notify),
                reassign: measures.contains(&OnBreach::Reassign),
                escalate,
                escalate_to: agents_in(fields, "escalate_to", reading),
            },
        ))
    })
}

/// What is done about a breach, each thing once.
fn measures(item: &Item<'_>, reading: &mut Reading) -> Vec<OnBreach> {
    let mut said = Vec::new();
    for item in item.list(ON_BREACH.len(), reading) {
        let Some(measure) = item.word(&ON_BREACH, reading) else {
            continue;
        };
        if said.contains(&measure) {
            reading.error(&item.spot, "is there a second time");
        }
        said.push(measure);
    }
    said
}

fn policy_id(text: &str) -> Result<PolicyId, String> {
    match text {
        ResponsePolicy::BUILT_IN => {
            Err("this is what the policy is called that applies where none is named".into())
        }
        _ => PolicyId::new(text).map_err(|error| error.to_string()),
    }
}
