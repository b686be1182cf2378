//! JSON that can be bent in ways a map of values cannot: names given twice, odd escapes, deep nests.

use serde_json::Value;

use super::{Chance, words};

/// Most levels that one change adds.
const MAX_LEVELS: usize = 300;

/// Most copies that one change adds.
const MAX_COPIES: usize = 40;

/// A value.
#[derive(Clone)]
pub enum Node {
    /// Anything without parts, as it is written.
    Leaf(String),
    /// A text, as it is meant.
    Text(String),
    List(Vec<Node>),
    Fields(Vec<(String, Node)>),
}

impl Node {
    /// Reads JSON; `None` if it is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().map(Self::of)
    }

    fn of(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::of).collect()),
            Value::Object(fields) => Self::Fields(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, Self::of(value)))
                    .collect(),
            ),
            other => Self::Leaf(other.to_string()),
        }
    }

    /// Itself and everything below.
    fn count(&self) -> usize {
        match self {
            Self::Leaf(_) | Self::Text(_) => 1,
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Fields(fields) => 1 + fields.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }

    /// About how many bytes it takes when it is written; never more.
    pub fn size(&self) -> usize {
        match self {
            Self::Leaf(text) | Self::Text(text) => text.len(),
            Self::List(items) => items.iter().map(|item| 1 + item.size()).sum(),
            Self::Fields(fields) => fields
                .iter()
                .map(|(name, value)| 1 + name.len() + value.size())
                .sum(),
        }
    }

    /// Itself or a part, by number in the order of the text.
    fn at(&mut self, number: &mut usize) -> Option<&mut Self> {
        if *number == 0 {
            return Some(self);
        }
        *number -= 1;
        let parts: Box<dyn Iterator<Item = &mut Self>> = match self {
            Self::Leaf(_) | Self::Text(_) => return None,
            Self::List(items) => Box::new(items.iter_mut()),
            Self::Fields(fields) => Box::new(fields.iter_mut().map(|(_, value)| value)),
        };
        for part in parts {
            // Asked twice, because a borrow that is returned cannot be given up otherwise.
            let size = part.count();
            if *number < size {
                return part.at(number);
            }
            *number -= size;
        }
        None
    }

    /// Bends one part of it.
    pub fn change(&mut self, words: &[&str], chance: &mut Chance) {
        let count = self.count();
        let mut other = chance.below(count);
        let copy = self.at(&mut other).cloned();
        let mut number = chance.below(count);
        let Some(here) = self.at(&mut number) else { return };
        match chance.below(8) {
            0 => *here = leaf(words, chance),
            1 => *here = copy.unwrap_or(Self::Leaf("null".to_owned())),
            2 => here.nest(words, chance),
            _ => here.inside(words, copy, chance),
        }
    }

    /// Bends what is in it, or its text.
    fn inside(&mut self, words: &[&str], copy: Option<Self>, chance: &mut Chance) {
        match self {
            Self::Fields(fields) => {
                let at = chance.below(fields.len());
                match chance.below(5) {
                    0 if !fields.is_empty() => drop(fields.remove(at)),
                    1 if !fields.is_empty() => (*chance.of(words)).clone_into(&mut fields[at].0),
                    2 if !fields.is_empty() => {
                        let name = fields[at].0.clone();
                        fields.push((name, leaf(words, chance)));
                    }
                    3 => fields.push((name(words, chance), copy.unwrap_or_else(|| leaf(words, chance)))),
                    _ => fields.insert(at, (name(words, chance), leaf(words, chance))),
                }
            }
            Self::List(items) => {
                let at = chance.below(items.len());
                match chance.below(4) {
                    0 if !items.is_empty() => drop(items.remove(at)),
                    1 if !items.is_empty() => {
                        let again = items[at].clone();
                        items.extend(std::iter::repeat_n(again, chance.below(MAX_COPIES)));
                    }
                    2 => items.push(copy.unwrap_or_else(|| leaf(words, chance))),
                    _ => items.insert(at, leaf(words, chance)),
                }
            }
            Self::Text(text) => match chance.below(5) {
                0 => text.push_str(words[chance.below(words.len())]),
                1 => text.insert(0, *chance.of(&['\0', ' ', '+', '\u{1f44d}', '.', '\n', '@'])),
                2 => *text = text.repeat(1 + chance.below(MAX_COPIES)),
                3 => *self = Self::Leaf(text.clone()).sane(),
                _ => *text = text.chars().rev().collect(),
            },
            Self::Leaf(_) => *self = leaf(words, chance),
        }
    }

    /// A number given as a text becomes the number; what is no JSON becomes null.
    fn sane(self) -> Self {
        match &self {
            Self::Leaf(text) if serde_json::from_str::<Value>(text).is_ok() => self,
            _ => Self::Leaf("null".to_owned()),
        }
    }

    fn nest(&mut self, words: &[&str], chance: &mut Chance) {
        let levels = match chance.below(4) {
            0 => chance.below(MAX_LEVELS),
            _ => 1,
        };
        for _ in 0..levels {
            let inner = std::mem::replace(self, Self::Leaf(String::new()));
            *self = if chance.below(2) == 0 {
                Self::List(vec![inner])
            } else {
                Self::Fields(vec![(name(words, chance), inner)])
            };
        }
    }

    /// Writes it, now and then with spaces, and with escapes where none are needed.
    pub fn write(&self, out: &mut Vec<u8>, chance: &mut Chance) {
        match self {
            Self::Leaf(text) => out.extend_from_slice(text.as_bytes()),
            Self::Text(text) => quote(text, out, chance),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    out.extend_from_slice(if index > 0 { b"," } else { b"" });
                    item.write(out, chance);
                }
                out.push(b']');
            }
            Self::Fields(fields) => {
                out.push(b'{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    out.extend_from_slice(if index > 0 { b"," } else { b"" });
                    quote(name, out, chance);
                    out.extend_from_slice(if chance.below(20) == 0 { b" :\n" } else { b":" });
                    value.write(out, chance);
                }
                out.push(b'}');
            }
        }
    }
}

fn quote(text: &str, out: &mut Vec<u8>, chance: &mut Chance) {
    if chance.below(30) > 0 {
        return out.extend_from_slice(Value::from(text).to_string().as_bytes());
    }
    out.push(b'"');
    for unit in text.encode_utf16() {
        out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
    }
    if chance.below(3) == 0 {
        out.extend_from_slice(b"\\ud83d"); // half of a pair
    }
    out.push(b'"');
}

fn name(words: &[&str], chance: &mut Chance) -> String {
    match chance.below(8) {
        0 => format!("x_{}", chance.below(1000)),
        _ => (*chance.of(words)).to_owned(),
    }
}

fn leaf(words: &[&str], chance: &mut Chance) -> Node {
    match chance.below(4) {
        0 => Node::Leaf((*chance.of(words::LEAVES)).to_owned()),
        1 => Node::Text((*chance.of(words::TEXTS)).to_owned()),
        _ => Node::Text((*chance.of(words)).to_owned()),
    }
}
