//! Why something that arrived cannot take effect: the reasons of the dead-letter queue, and a detail fit for logs.

use std::fmt;

/// Longest detail, in characters: it travels in a header and in log lines.
const MAX_DETAIL_CHARS: usize = 400;

/// Why a body is dead-lettered. The words are wire names: outside tools act on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeadReason {
    /// It is not JSON.
    Unparseable,
    /// It is JSON of no shape we know.
    Unrecognised,
    /// No plan has its business number.
    UnknownChannel,
    /// Its tenant is missing or has no plan.
    UnknownTenant,
    /// Its shape is known, but something in it is missing or wrong.
    Invalid,
    /// It says nothing usable about who the customer is.
    NoIdentity,
    /// It is larger, or holds more messages, than is read.
    TooLarge,
    /// It is older than duplicates are remembered.
    TooOld,
    /// It alone makes its batch fail.
    Poison,
}

impl DeadReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Unparseable,
        Self::Unrecognised,
        Self::UnknownChannel,
        Self::UnknownTenant,
        Self::Invalid,
        Self::NoIdentity,
        Self::TooLarge,
        Self::TooOld,
        Self::Poison,
    ];

    /// Its word in `x-switchboard-reason`.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Unparseable => "unparseable",
            Self::Unrecognised => "unrecognised",
            Self::UnknownChannel => "unknown_channel",
            Self::UnknownTenant => "unknown_tenant",
            Self::Invalid => "invalid",
            Self::NoIdentity => "no_identity",
            Self::TooLarge => "too_large",
            Self::TooOld => "too_old",
            Self::Poison => "poison",
        }
    }
}

/// Why a body (or a part of it) is dead-lettered, and where the fault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// For machines.
    pub reason: DeadReason,
    /// For people: the place and what is wrong there, never a value from the body (it might be a phone number).
    pub detail: String,
}

impl Dead {
    /// A reason with its detail, cut to what a header should carry.
    pub fn new(reason: DeadReason, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string();
        let detail = match detail.char_indices().nth(MAX_DETAIL_CHARS) {
            Some((end, _)) => detail[..end].to_owned(),
            None => detail,
        };
        Self { reason, detail }
    }
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.wire(), self.detail)
    }
}
