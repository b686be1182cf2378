//! JSON with its keys in the order they were written in, and YAML made of it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Null,
    Flag(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A map, its keys in this order.
pub fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    Node::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

/// A reference to another place of the same document, or another file.
pub fn reference(to: impl Into<String>) -> Node {
    map([("$ref", Node::Text(to.into()))])
}

pub fn list(items: impl IntoIterator<Item = impl Into<Node>>) -> Node {
    Node::List(items.into_iter().map(Into::into).collect())
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Node::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Node::Text(text)
    }
}

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Node::Flag(flag)
    }
}

impl From<i32> for Node {
    fn from(number: i32) -> Self {
        Node::Number(number.into())
    }
}

impl Node {
    /// Parses JSON.
    #[track_caller]
    pub fn of_json(text: &str) -> Self {
        serde_json::from_str(text).expect("it is JSON")
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// What a JSON pointer leads to, without its leading slash; the empty one to the whole.
    pub fn at(&self, pointer: &str) -> Option<&Node> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.split('/').try_fold(self, |node, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match node {
                Node::List(items) => items.get(step.parse::<usize>().ok()?),
                _ => node.get(&step),
            }
        })
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; of anything else none.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        let entries = match self {
            Node::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The items of a list; of anything else none.
    pub fn items(&self) -> &[Node] {
        match self {
            Node::List(items) => items,
            _ => &[],
        }
    }

    /// Puts an entry at the end of a map.
    pub fn put(&mut self, key: &str, value: impl Into<Node>) {
        let Node::Map(entries) = self else {
            panic!("{self:?} is no map");
        };
        entries.push((key.to_owned(), value.into()));
    }

    /// Every reference in it.
    pub fn references(&self) -> Vec<&str> {
        let of_children: Vec<_> = match self {
            Node::Map(entries) => entries.iter().flat_map(|(_, value)| value.references()).collect(),
            Node::List(items) => items.iter().flat_map(Node::references).collect(),
            _ => Vec::new(),
        };
        let own = self.get("$ref").and_then(Node::text);
        own.into_iter().chain(of_children).collect()
    }

    /// As YAML. Every text that could be read as anything else is quoted as in JSON, which YAML reads too.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }

    /// After what introduces it (`key:` or `-`), which a block ends with a line of its own and a scalar does not.
    fn write(&self, into: &mut String, depth: usize) {
        match self {
            Node::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    indent(into, depth);
                    into.push_str(&scalar(key));
                    into.push(':');
                    value.write_value(into, depth + 1);
                }
            }
            Node::List(items) if !items.is_empty() => {
                for item in items {
                    indent(into, depth);
                    into.push('-');
                    item.write_item(into, depth + 1);
                }
            }
            scalar => {
                into.push_str(&scalar.inline());
                into.push('\n');
            }
        }
    }

    fn write_value(&self, into: &mut String, depth: usize) {
        into.push(if self.is_block() { '\n' } else { ' ' });
        self.write(into, depth);
    }

    /// The first entry of a map stands beside its dash.
    fn write_item(&self, into: &mut String, depth: usize) {
        let mut block = String::new();
        self.write(&mut block, depth);
        into.push(' ');
        into.push_str(block.trim_start_matches(' '));
    }

    fn is_block(&self) -> bool {
        match self {
            Node::Map(entries) => !entries.is_empty(),
            Node::List(items) => !items.is_empty(),
            _ => false,
        }
    }

    fn inline(&self) -> String {
        match self {
            Node::Null => "null".into(),
            Node::Flag(flag) => flag.to_string(),
            Node::Number(number) => number.to_string(),
            Node::Text(text) => scalar(text),
            Node::List(_) => "[]".into(),
            Node::Map(_) => "{}".into(),
        }
    }
}

fn indent(into: &mut String, depth: usize) {
    into.extend(std::iter::repeat_n("  ", depth));
}

/// A text as YAML: bare where nobody can take it for anything but a text.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$');
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-./$(),;'+".contains(c);
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if begins && text.chars().all(plain) && !text.ends_with(' ') && !is_word {
        text.to_owned()
    } else {
        serde_json::to_string(text).expect("a text")
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
                Ok(Node::Flag(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
                Ok(Node::Number(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
                Ok(Node::Number(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
                let number = serde_json::Number::from_f64(number);
                Ok(Node::Number(number.expect("JSON has no other numbers")))
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(text.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[test]
fn yaml_quotes_what_could_be_read_as_anything_else() {
    let node = map([
        ("plain", "a sentence, with commas; it's fine.".into()),
        ("word", "Yes".into()),
        ("number", "1.0".into()),
        ("colon", "a: b".into()),
        ("hash", "a #b".into()),
        ("$ref", "#/x".into()),
        ("on", true.into()),
        ("list", list([map([("a", 1.into()), ("b", list(["c"]))])])),
        ("empty", map([])),
    ]);
    let expected = "plain: a sentence, with commas; it's fine.\nword: \"Yes\"\nnumber: \"1.0\"\ncolon: \"a: b\"\n\
                    hash: \"a #b\"\n$ref: \"#/x\"\n\"on\": true\nlist:\n  - a: 1\n    b:\n      - c\nempty: {}\n";
    assert_eq!(node.to_yaml(), expected);
}

#[test]
fn keys_keep_their_order() {
    let node = Node::of_json(r#"{"b":[1,{"z":null,"a":1.5}],"a":"x"}"#);
    assert_eq!(node.to_yaml(), "b:\n  - 1\n  - z: null\n    a: 1.5\na: x\n");
    assert_eq!(node.at("b/1/a").map(Node::inline), Some("1.5".into()));
    assert_eq!(node.at("b/2"), None);
}
