//! Who waits, first come first, without walking past those who ask for what nobody can give: the queues of all requirements,
//! merged as far as somebody looks at them.

use std::collections::BTreeMap;

use super::state::{Place, Requirement, State};

/// The merged queues, from the first who waits. Its length costs nothing: only the first of each requirement is looked at,
/// and who stands behind them when they are asked for.
#[derive(Debug)]
pub struct Line {
    /// Of each requirement, the first who was not asked for yet.
    heads: BTreeMap<Place, Requirement>,
    /// Who was asked for last: who stands behind them comes up, unless they are struck out.
    last: Option<(Place, Requirement)>,
}

impl Line {
    /// All who wait.
    pub fn of(state: &State) -> Self {
        Self {
            heads: state
                .heads()
                .map(|(place, requirement)| (place, requirement.clone()))
                .collect(),
            last: None,
        }
    }

    /// The next one. Those before may have left their queue since; nobody may have come.
    pub fn next(&mut self, state: &State) -> Option<(Place, Requirement)> {
        if let Some((place, requirement)) = self.last.take()
            && let Some(behind) = state.behind(place, &requirement)
        {
            self.heads.insert(behind, requirement);
        }
        self.last = self.heads.pop_first();
        self.last.clone()
    }

    /// Nobody is there for what the last one asks: those behind them, who ask for the same, are left out.
    pub fn strike(&mut self) {
        self.last = None;
    }
}
