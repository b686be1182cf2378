//! What of a customer may stand on a screen: screens are copied into tickets.

/// Whether to show who the customer is and what they wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// Identifiers by their ends, texts by their lengths.
    Masked,
    /// As they are.
    Shown,
}

/// Characters of an identifier that stay, the last ones; of a short one a quarter.
const MAX_SHOWN: usize = 4;

impl Personal {
    /// An identifier: enough of its end to tell two apart, too little to call or to find somebody.
    pub fn identifier(self, text: &str) -> String {
        match self {
            Self::Shown => text.to_owned(),
            Self::Masked => {
                let characters = text.chars().count();
                let shown = MAX_SHOWN.min(characters / 4);
                let end: String = text.chars().skip(characters - shown).collect();
                format!("…{end}")
            }
        }
    }

    /// Words: only whoever asks for them sees them.
    pub fn words(self, text: &str) -> Option<String> {
        (self == Self::Shown && !text.is_empty()).then(|| text.to_owned())
    }
}
