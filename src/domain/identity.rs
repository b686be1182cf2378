//! Which conversation a customer's identifiers mean, and whether they disagree about it. Conversations are never merged.

use super::ids::ConversationId;

/// What an identifier is, in the order in which they are preferred as *the* identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AliasKind {
    /// A phone number, E.164 with `+`.
    Phone,
    /// The business-scoped user id.
    Bsuid,
    /// The one above it, shared by a group of businesses.
    ParentBsuid,
    /// WhatsApp's linked id, which hides the phone.
    Lid,
    /// A group.
    Group,
}

impl AliasKind {
    /// Every kind, most preferred first.
    pub const ALL: [Self; 5] = [
        Self::Phone,
        Self::Bsuid,
        Self::ParentBsuid,
        Self::Lid,
        Self::Group,
    ];
}

/// A conversation, and the identifiers of one message that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leading {
    /// Which.
    pub conversation: ConversationId,
    /// By which; the values are nobody's business.
    pub identifiers: Vec<AliasKind>,
}

/// The conversations that identifiers lead to, in the order of the identifiers. The first is the one that is meant; if
/// there is another, the identifiers disagree.
pub fn leading(leads: impl IntoIterator<Item = (AliasKind, ConversationId)>) -> Vec<Leading> {
    let mut all: Vec<Leading> = Vec::new();
    for (kind, conversation) in leads {
        let known = all.iter_mut().find(|one| one.conversation == conversation);
        match known {
            Some(one) if one.identifiers.contains(&kind) => {}
            Some(one) => one.identifiers.push(kind),
            None => all.push(Leading {
                conversation,
                identifiers: vec![kind],
            }),
        }
    }
    all
}
