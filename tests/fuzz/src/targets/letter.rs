//! A message as bytes that can be read and changed by hand: header lines, an empty line, the body.
//!
//! `content-type` is the property, every other name a header. Without header lines and an empty line all of it is the body.

use std::borrow::Cow;

use switchboard::contract::{Adapter, Arrived, Incoming, Limits, read};

/// When all letters arrive: a little after the fixtures happened.
pub const ARRIVAL: &str = "2026-11-21T10:00:05Z";

/// Most header lines that are looked for.
const MAX_LINES: usize = 16;

/// A message off the wire.
#[derive(Debug, Clone, Default)]
pub struct Letter<'a> {
    pub content_type: Option<Cow<'a, str>>,
    pub headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub body: Cow<'a, [u8]>,
}

impl<'a> Letter<'a> {
    /// A body without anything beside it.
    pub fn of_body(body: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            body: body.into(),
            ..Self::default()
        }
    }

    /// Splits header lines from a body.
    pub fn of(input: &'a [u8]) -> Self {
        let end = head_length(input);
        let mut letter = Self::of_body(&input[end..]);
        for line in input[..end].split(|byte| *byte == b'\n') {
            let Some((name, value)) = named(line) else {
                continue;
            };
            if name.eq_ignore_ascii_case("content-type") {
                letter.content_type = Some(value);
            } else {
                letter.headers.push((name, value));
            }
        }
        letter
    }

    /// Reads it.
    pub fn read(&self, adapter: Adapter) -> Arrived {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (&**name, Cow::Borrowed(&**value)))
            .collect();
        let incoming = Incoming {
            content_type: self.content_type.as_deref(),
            headers: &headers,
            body: &self.body,
        };
        let arrival = ARRIVAL.parse().expect("a time");
        read(&incoming, arrival, &Limits::default(), adapter)
    }
}

/// How many bytes at the start are header lines and the empty line after them.
pub fn head_length(input: &[u8]) -> usize {
    let mut at = 0;
    for _ in 0..MAX_LINES {
        let Some(length) = input[at..].iter().position(|byte| *byte == b'\n') else {
            return 0;
        };
        let line = &input[at..at + length];
        at += length + 1;
        if line.is_empty() {
            return at;
        }
        if named(line).is_none() {
            return 0;
        }
    }
    0
}

fn named(line: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    // A header's name may hold a colon (`cloudEvents:id`), so the space belongs to what divides.
    let at = line.windows(2).position(|two| two == b": ")?;
    let name = String::from_utf8_lossy(&line[..at]);
    let clean = !name.is_empty() && !name.contains(['{', '"']);
    clean.then(|| (name, String::from_utf8_lossy(&line[at + 2..])))
}
