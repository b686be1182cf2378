//! `reply`: a message for the customer, passed through as it is given.

use super::super::dead::Dead;
use super::super::json::Object;
use crate::domain::input::{ReplyBody, Wish};

/// Reads the command.
pub(super) fn read(data: &Object<'_, '_>) -> Result<Wish, Dead> {
    let item = data.field("message").ok_or_else(|| data.missing("message"))?;
    let raw = item.raw();
    item.object()?;
    Ok(Wish::Reply {
        message: ReplyBody(compact(raw).into()),
        template: data.flag("template")?,
        leave_unassigned: data.flag("leave_unassigned")?,
    })
}

/// The same JSON without what stands between its parts: every name, text and number as it was written, in its order, and
/// on one line, as the outbox keeps messages.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    json.chars()
        .filter(|character| {
            let kept = in_text || !character.is_ascii_whitespace();
            match character {
                '"' if !escaped => in_text = !in_text,
                _ => {}
            }
            escaped = in_text && *character == '\\' && !escaped;
            kept
        })
        .collect()
}
