//! What the parts of a condition yield and what that costs at worst, put together from the parts inside them.
//!
//! Sizes are bytes, work is in units of about a nanosecond. Both are upper bounds: what a condition does not reach
//! (behind `&&`, in the other branch) is counted too.

use cel::common::ast::{LiteralValue, operators};

use super::facts::{Fact, MAX_ATTRIBUTE_BYTES};
use super::kind::{Function, Kind, MATCHES};

/// Work of visiting one part: finding a name, making a value.
const VISIT: u64 = 100;
/// Work of one round of a loop besides its parts: binding the element.
const ROUND: u64 = 200;
/// Bytes looked through, compared or copied for one unit of work.
const BYTES_PER_UNIT: u64 = 4;
/// How much slower a regular expression looks through a text than a comparison does.
const PATTERN_PER_BYTE: u64 = 64;
/// A number, or true or false, written out is at most this long, in bytes.
const PRINTED_BYTES: u64 = 32;

/// What a part yields, how large that can be, and what it costs to get it.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub kind: Kind,
    /// Its size at most, in bytes; a list's or map's is that of all it holds, and at least 1 for each.
    pub bytes: u64,
    /// Rounds of a loop over it, at most.
    pub count: u64,
    /// What it costs to get it.
    pub work: u64,
}

impl Part {
    pub fn new(kind: Kind, bytes: u64, work: u64) -> Self {
        Self {
            kind,
            bytes,
            count: bytes,
            work: work.saturating_add(VISIT),
        }
    }

    /// The same where it is only named again.
    pub fn again(self) -> Self {
        Self { work: VISIT, ..self }
    }

    /// Something small that costs what its parts do.
    pub fn small(kind: Kind, work: u64) -> Self {
        Self::new(kind, PRINTED_BYTES, work)
    }
}

/// Added up, never past the end.
fn sum(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::saturating_add)
}

pub(super) fn literal(value: &LiteralValue) -> Part {
    match value {
        LiteralValue::String(text) => Part::new(Kind::Text, text.inner().len() as u64, 0),
        LiteralValue::Bytes(bytes) => Part::new(Kind::Any, bytes.inner().len() as u64, 0),
        LiteralValue::Boolean(_) => Part::small(Kind::Truth, 0),
        LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => {
            Part::small(Kind::Number, 0)
        }
        LiteralValue::Null => Part::small(Kind::Nothing, 0),
    }
}

/// A fact of a message, a customer, a conversation.
pub(super) fn fact(fact: &Fact) -> Part {
    let part = Part::new(fact.kind, fact.max_bytes, 0);
    if fact.kind != Kind::Texts {
        return part;
    }
    // A map is put together each time it is asked for.
    let entries = fact.max_bytes / (2 * MAX_ATTRIBUTE_BYTES);
    Part {
        count: entries,
        work: VISIT.saturating_mul(entries.saturating_add(1)),
        ..part
    }
}

/// A list or map written in the condition.
pub(super) fn collection(kind: Kind, parts: &[Part]) -> Part {
    let bytes = sum(parts.iter().map(|part| part.bytes.saturating_add(1)));
    let work = sum(parts.iter().map(|part| part.work).chain([bytes / BYTES_PER_UNIT]));
    Part {
        count: parts.len() as u64,
        ..Part::new(kind, bytes, work)
    }
}

/// One element of a list or map.
pub(super) fn element(whole: Part) -> Part {
    match whole.kind {
        Kind::Texts => Part::new(Kind::Text, MAX_ATTRIBUTE_BYTES, whole.work),
        _ => Part::new(Kind::Any, whole.bytes, whole.work),
    }
}

/// What a loop calls the element it is at: a key, if it goes over a map.
pub(super) fn bound_element(range: Part) -> Part {
    match range.kind {
        Kind::Texts => Part::new(Kind::Text, MAX_ATTRIBUTE_BYTES, 0),
        _ => Part::new(Kind::Any, range.bytes, 0),
    }
}

/// What a loop makes of its rounds: the parts of a round are done once for each element.
pub(super) fn repeated(range: Part, start: Part, round: &[Part], result: Part) -> Part {
    let one = sum(round.iter().map(|part| part.work).chain([ROUND]));
    let work = sum([
        range.work,
        start.work,
        range.count.saturating_mul(one),
        result.work,
    ]);
    let largest = round.iter().map(|part| part.bytes).max().unwrap_or(0);
    let bytes = range.count.saturating_mul(largest).max(PRINTED_BYTES);
    Part {
        count: range.count.max(1),
        ..Part::new(result.kind, bytes, work)
    }
}

/// What an operator makes of its operands.
pub(super) fn operation(operator: &str, parts: &[Part]) -> Result<Part, String> {
    let bytes = sum(parts.iter().map(|part| part.bytes));
    let work = sum(parts.iter().map(|part| part.work));
    let looked = work.saturating_add(bytes / BYTES_PER_UNIT);
    let all_be = |wanted: &[Kind]| match parts.iter().find(|part| !part.kind.may_be(wanted)) {
        Some(part) => Err(format!("cannot be applied to {}", part.kind.name())),
        None => Ok(()),
    };
    match (operator, parts) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, _) | (operators::LOGICAL_NOT, [_]) => {
            all_be(&[Kind::Truth])?;
            Ok(Part::small(Kind::Truth, work))
        }
        (operators::NOT_STRICTLY_FALSE, [_]) => Ok(Part::small(Kind::Truth, work)),
        (operators::CONDITIONAL, [condition, yes, no]) => {
            if !condition.kind.may_be(&[Kind::Truth]) {
                return Err(format!("asks {} whether it is true", condition.kind.name()));
            }
            let kind = if yes.kind == no.kind { yes.kind } else { Kind::Any };
            Ok(Part {
                count: yes.count.max(no.count),
                ..Part::new(kind, yes.bytes.max(no.bytes), work)
            })
        }
        (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
            comparable(*left, *right)?;
            Ok(Part::small(Kind::Truth, looked))
        }
        (
            operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
            [left, right],
        ) => {
            all_be(&[Kind::Text, Kind::Number, Kind::Truth])?;
            comparable(*left, *right)?;
            Ok(Part::small(Kind::Truth, looked))
        }
        (operators::ADD, [left, right]) => {
            all_be(&[Kind::Text, Kind::Number, Kind::List])?;
            comparable(*left, *right)?;
            let kind = if left.kind == Kind::Any {
                right.kind
            } else {
                left.kind
            };
            let count = left.count.saturating_add(right.count);
            Ok(Part {
                count,
                ..Part::new(kind, bytes.max(PRINTED_BYTES), looked)
            })
        }
        (operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO, [_, _])
        | (operators::NEGATE, [_]) => {
            all_be(&[Kind::Number])?;
            Ok(Part::small(Kind::Number, work))
        }
        (operators::INDEX, [whole, _]) if whole.kind.may_be(&[Kind::List, Kind::Map, Kind::Texts]) => {
            Ok(element(Part { work, ..*whole }))
        }
        (operators::INDEX, [whole, _]) => Err(format!("{} has no elements", whole.kind.name())),
        (operators::IN, [_, whole]) if whole.kind.may_be(&[Kind::List, Kind::Map, Kind::Texts]) => {
            let compared = whole.count.saturating_mul(VISIT);
            Ok(Part::small(Kind::Truth, looked.saturating_add(compared)))
        }
        (operators::IN, [_, whole]) => Err(format!("{} holds nothing; ask with contains", whole.kind.name())),
        _ => Err("is no operator for conditions".to_owned()),
    }
}

/// Values of different kinds are never equal, and have no order.
fn comparable(left: Part, right: Part) -> Result<(), String> {
    let map = |kind| if kind == Kind::Texts { Kind::Map } else { kind };
    let (left, right) = (map(left.kind), map(right.kind));
    if left == Kind::Nothing || right == Kind::Nothing {
        return Err("nothing is ever null here; a text that is absent is \"\"".to_owned());
    }
    if left.may_be(&[right]) {
        return Ok(());
    }
    Err(format!("{} and {} do not go together", left.name(), right.name()))
}

/// What a function makes of what it is called on and its arguments.
pub(super) fn apply(function: &Function, given: &[Part]) -> Result<Part, String> {
    let wanted = function.on.into_iter().chain(function.takes.iter().copied());
    if let Some((_, wrong)) = wanted
        .zip(given)
        .find(|(wanted, given)| !given.kind.may_be(wanted))
    {
        return Err(format!(
            "`{}` cannot be applied to {}",
            function.name,
            wrong.kind.name()
        ));
    }
    let bytes = sum(given.iter().map(|part| part.bytes));
    let per_byte = if function.name == MATCHES {
        PATTERN_PER_BYTE
    } else {
        1
    };
    let looked = bytes.saturating_mul(per_byte) / BYTES_PER_UNIT;
    let work = sum(given.iter().map(|part| part.work).chain([looked]));
    Ok(match function.yields {
        Kind::Text => Part::new(Kind::Text, bytes.max(PRINTED_BYTES), work),
        kind => Part::small(kind, work),
    })
}
