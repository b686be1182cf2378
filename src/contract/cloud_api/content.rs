//! What a Cloud API message says in words, wherever its kind puts them.

use std::borrow::Cow;

use super::super::dead::Dead;
use super::super::json::Object;

/// Where each kind puts its words. Reactions, edits and the like are no turns: their words matter to nobody.
const WORDS: [(&str, &str); 6] = [
    ("text", "body"),
    ("button", "text"),
    ("image", "caption"),
    ("video", "caption"),
    ("document", "caption"),
    ("order", "text"),
];

/// The kinds of answer to an interactive message that show a title.
const ANSWERS: [&str; 2] = ["button_reply", "list_reply"];

/// The words of a message; "" when it has none.
pub(super) fn content<'a>(said: &Object<'a, '_>) -> Result<Cow<'a, str>, Dead> {
    for (kind, words) in WORDS {
        if let Some(part) = said.object(kind)? {
            return part.text(words);
        }
    }
    if let Some(interactive) = said.object("interactive")? {
        for answer in ANSWERS {
            if let Some(answer) = interactive.object(answer)? {
                return answer.text("title");
            }
        }
    }
    Ok(Cow::Borrowed(""))
}
