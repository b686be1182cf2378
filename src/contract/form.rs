//! What a body was recognised as, and by what: told to whoever asks, decided by nobody.

use super::adapter::Adapter;

/// How a body was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Form {
    /// What made it a CloudEvent; `None`: it is none.
    pub event: Option<Announced>,
    /// What it carries; `None`: nothing we know.
    pub carries: Option<Carries>,
}

/// What says that a body is a CloudEvent, or has one around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// The content type, of the structured mode.
    ContentType,
    /// The headers of the binary mode.
    Headers,
    /// `specversion` in the body, whatever the content type.
    Specversion,
}

/// What a body carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// A command, by the CloudEvent's type.
    Command,
    /// A native fact, by the CloudEvent's type.
    Fact,
    /// A gateway's own body, by its shape.
    Gateway(Adapter),
}
