//! Places in a body, by keys and numbers, as complaints name them.

use std::fmt;

use super::dead::{Dead, DeadReason};

/// Where something stands in a body: written only when there is something to complain about.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root(&'static str),
    Field(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// The top of a body, by the name it has in complaints. The name "" is left out of the places below it.
    pub(super) fn root(name: &'static str) -> Self {
        Place {
            parent: None,
            step: Step::Root(name),
        }
    }

    /// A field of the object that stands here.
    pub(super) fn field(&'p self, name: &'p str) -> Self {
        Place {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    /// An item of the list that stands here.
    pub(super) fn index(&'p self, index: usize) -> Self {
        Place {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// A complaint about this place; reads on from its name ("is missing").
    pub(super) fn bad(&self, complaint: impl fmt::Display) -> Dead {
        self.dead(DeadReason::Invalid, complaint)
    }

    /// A complaint with a reason of its own.
    pub(super) fn dead(&self, reason: DeadReason, complaint: impl fmt::Display) -> Dead {
        Dead::new(reason, format_args!("{self} {complaint}"))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self
            .parent
            .filter(|parent| !matches!(parent.step, Step::Root("")));
        if let Some(parent) = parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root("") => f.write_str("the body"),
            Step::Root(name) => f.write_str(name),
            Step::Field(name) if parent.is_none() => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}
