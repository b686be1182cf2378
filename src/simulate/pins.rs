//! Arrivals that are routed as they had been: by the rule that was recorded, because not everything it asks was.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::trace::Routed;
use crate::domain::plan::{Plan, Rule};

/// The plan with a single rule and without its condition, for each rule that arrivals were routed by.
pub struct Pins {
    by_rule: BTreeMap<Arc<str>, Arc<Plan>>,
    by_default: Arc<Plan>,
}

impl Pins {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        let only = |rules: Vec<Rule>| {
            Arc::new(Plan {
                rules,
                ..plan.clone()
            })
        };
        let pinned = |rule: &Rule| {
            only(vec![Rule {
                when: None,
                ..rule.clone()
            }])
        };
        // Rules of one name: the first is the one that is asked first.
        let by_rule = plan
            .rules
            .iter()
            .rev()
            .map(|rule| (rule.name.clone(), pinned(rule)));
        Self {
            by_rule: by_rule.collect(),
            by_default: only(Vec::new()),
        }
    }

    /// The plan that routes as it was; `None`: this plan has no such rule.
    pub fn plan(&self, routed: &Routed) -> Option<&Arc<Plan>> {
        match routed {
            Routed::Rule(name) => self.by_rule.get(name),
            Routed::Default => Some(&self.by_default),
        }
    }
}
