//! W3C trace context: which trace an input belongs to, so that all it causes can say the same.
//!
//! Passed on as it came, as the specification has it of whoever adds no spans of their own. What is malformed is no trace,
//! and never a reason to refuse a message.

use std::fmt;
use std::sync::Arc;

use super::arrived::Incoming;
use super::cloudevent;

/// Name of the attribute, and of the header, that says which trace and which span of it.
pub const PARENT: &str = "traceparent";

/// Name of the attribute, and of the header, that says what tracing systems add.
pub const STATE: &str = "tracestate";

/// Bytes of a `traceparent`: version, trace id, span id and flags in hexadecimal, with a dash between each.
const PARENT_BYTES: usize = 55;

/// Where the trace id stands in it.
const ID: std::ops::Range<usize> = 3..35;

/// Longest `tracestate`, in bytes: as much as everybody should hand on, and it is repeated in every event.
const MAX_STATE_BYTES: usize = 512;

/// Most members of a `tracestate`.
const MAX_STATE_MEMBERS: usize = 32;

/// Longest key and longest value of a member, in bytes.
const MAX_MEMBER_BYTES: usize = 256;

/// One place in one trace.
#[derive(Clone, PartialEq, Eq)]
pub struct Trace {
    parent: Arc<str>,
    state: Option<Arc<str>>,
}

impl Trace {
    /// Reads both fields. Without a well-formed `traceparent` there is no trace; a malformed or too long `tracestate` is left
    /// out.
    pub fn read(parent: &str, state: Option<&str>) -> Option<Self> {
        Some(Self {
            parent: read_parent(parent)?,
            state: state.and_then(read_state),
        })
    }

    /// The trace of a message, by its headers: those of its CloudEvent's attributes, else the plain ones.
    pub(super) fn of_headers(incoming: &Incoming<'_>) -> Option<Self> {
        let attribute = |name| cloudevent::header(incoming, name);
        let plain = |name| {
            let mut headers = incoming.headers.iter();
            let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        // Never the one of here with the other of there.
        attribute(PARENT)
            .and_then(|parent| Self::read(&parent, attribute(STATE).as_deref()))
            .or_else(|| Self::read(&plain(PARENT)?, plain(STATE).as_deref()))
    }

    /// As a `traceparent` of version 00.
    pub fn parent(&self) -> &str {
        &self.parent
    }

    /// As a `tracestate`, if it has one.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The trace id: 32 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.parent[ID]
    }
}

/// Shows the trace id only: what vendors write into the rest is not ours to show.
impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({})", self.id())
    }
}

fn read_parent(text: &str) -> Option<Arc<str>> {
    let (known, rest) = text.split_at_checked(PARENT_BYTES)?;
    let mut fields = known.split('-');
    let [version, trace, span, flags] = [(); 4].map(|()| fields.next().unwrap_or_default());
    let lengths = [(version, 2), (trace, 32), (span, 16), (flags, 2)];
    let sound = lengths
        .iter()
        .all(|(field, length)| field.len() == *length && field.bytes().all(is_hex))
        && [trace, span]
            .iter()
            .all(|id| id.bytes().any(|digit| digit != b'0'));
    match version {
        _ if !sound => None,
        "ff" => None,
        "00" if rest.is_empty() => Some(known.into()),
        "00" => None,
        // A version to come: what this one knows of it, in this one's words, with the only flag that is the same in all.
        _ if rest.is_empty() || rest.starts_with('-') => {
            let sampled = u8::from_str_radix(flags, 16).unwrap_or(0) & 1;
            Some(format!("00-{trace}-{span}-{sampled:02x}").into())
        }
        _ => None,
    }
}

fn is_hex(digit: u8) -> bool {
    matches!(digit, b'0'..=b'9' | b'a'..=b'f')
}

/// The members with nothing around them: blanks and empty members mean nothing, and a tab could be no attribute's.
fn read_state(text: &str) -> Option<Arc<str>> {
    if text.len() > MAX_STATE_BYTES {
        return None;
    }
    let members = text.split(',').map(|member| member.trim_matches([' ', '\t']));
    let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    let sound =
        (1..=MAX_STATE_MEMBERS).contains(&members.len()) && members.iter().all(|member| is_member(member));
    sound.then(|| members.join(",").into())
}

fn is_member(text: &str) -> bool {
    let Some((key, value)) = text.split_once('=') else {
        return false;
    };
    let starts = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let goes_on = |byte: u8| starts(&byte) || b"_-*/@".contains(&byte);
    let shows = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    let lengths = 1..=MAX_MEMBER_BYTES;
    lengths.contains(&key.len())
        && lengths.contains(&value.len())
        && key.as_bytes().first().is_some_and(starts)
        && key.bytes().all(goes_on)
        && value.bytes().all(shows)
}
