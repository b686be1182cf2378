//! Routing keys: ids as words that topic patterns can match, and never longer than a key may be.

use sha2::{Digest, Sha256};

/// Longest word an id becomes, in bytes. AMQP allows a key 255; the fixed words and dots of the longest key take fewer
/// than 35, and there are at most two ids in one.
const MAX_WORD_BYTES: usize = 110;

/// Hexadecimal digits (of SHA-256) that stand for an id whose word would be too long.
const HASH_DIGITS: usize = 32;

/// What stands where an event has no channel.
pub(super) const NO_CHANNEL: &str = "_";

/// An id as one word: every byte outside `A-Z a-z 0-9 _ -` percent-encoded (a dot would split it, `*` and `#` match).
///
/// An id whose word would be longer than [`MAX_WORD_BYTES`] (only ids far from plain ASCII are) becomes `~` and the
/// first 32 hexadecimal digits of its SHA-256: no other id looks like that, because `~` itself is always encoded.
pub(super) fn word(id: &str) -> String {
    let mut word = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => word.push(char::from(byte)),
            _ => word.push_str(&format!("%{byte:02X}")),
        }
    }
    if word.len() > MAX_WORD_BYTES {
        word.clear();
        word.push('~');
        let hash = Sha256::digest(id.as_bytes());
        let digits = hash.iter().map(|byte| format!("{byte:02x}"));
        word.extend(digits.take(HASH_DIGITS / 2));
    }
    word
}
