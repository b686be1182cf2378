//! JSON that can be written in many ways that all mean the same.

use serde_json::Value;

use crate::fuzzed::targets::mutate::Chance;

/// A value as its writer means it.
#[derive(Debug, Clone)]
pub enum Json {
    /// A number, true or false, as it is written.
    Plain(String),
    Text(String),
    List(Vec<Json>),
    /// Fields in order. One without a value is known and says nothing: it is left out, null or "".
    Fields(Vec<(String, Option<Json>)>),
}

pub fn text(text: impl Into<String>) -> Json {
    Json::Text(text.into())
}

pub fn number(number: i64) -> Json {
    Json::Plain(number.to_string())
}

/// An object of known fields.
pub fn fields<const N: usize>(fields: [(&str, Option<Json>); N]) -> Json {
    let owned = |(name, value): (&str, Option<Json>)| (name.to_owned(), value);
    Json::Fields(fields.into_iter().map(owned).collect())
}

/// An object of fields that are all there.
pub fn object<const N: usize>(given: [(&str, Json); N]) -> Json {
    fields(given.map(|(name, value)| (name, Some(value))))
}

/// How a value is written.
pub struct Hand {
    chance: Chance,
    /// Whether it adds what nobody knows, and writes everything in any way that means the same.
    wild: bool,
}

impl Hand {
    /// As a gateway would.
    pub fn plain() -> Self {
        Self {
            chance: Chance::new(0),
            wild: false,
        }
    }

    /// As nobody would; the seed says how.
    pub fn wild(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            wild: true,
        }
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.wild && self.chance.below(times) == 0
    }

    pub fn write(&mut self, json: &Json) -> String {
        let mut out = String::new();
        self.value(json, &mut out);
        out
    }

    fn value(&mut self, json: &Json, out: &mut String) {
        self.space(out);
        match json {
            Json::Plain(text) => out.push_str(text),
            Json::Text(text) => self.text(text, out),
            Json::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.value(item, out);
                }
                out.push(']');
            }
            Json::Fields(known) => self.object(known, out),
        }
        self.space(out);
    }

    fn object(&mut self, known: &[(String, Option<Json>)], out: &mut String) {
        let mut written = Vec::new();
        for (name, value) in known {
            let mut field = String::new();
            match value {
                Some(value) => {
                    self.name(name, &mut field);
                    self.value(value, &mut field);
                }
                None if self.one_in(3) => {
                    self.name(name, &mut field);
                    field.push_str(if self.one_in(2) { " null" } else { "\"\"" });
                }
                None => continue,
            }
            written.push(field);
        }
        self.shuffle(&mut written);
        while self.one_in(3) {
            let at = self.chance.below(written.len() + 1);
            let name = unknown_name(&mut self.chance);
            let again = usize::from(self.one_in(4));
            for _ in 0..=again {
                let mut field = String::new();
                self.name(&name, &mut field);
                field.push_str(&anything(&mut self.chance));
                written.insert(at, field);
            }
        }
        out.push('{');
        out.push_str(&written.join(","));
        out.push('}');
    }

    fn name(&mut self, name: &str, out: &mut String) {
        self.space(out);
        self.text(name, out);
        self.space(out);
        out.push(':');
    }

    fn shuffle(&mut self, written: &mut [String]) {
        if self.wild {
            for end in (1..written.len()).rev() {
                written.swap(end, self.chance.below(end + 1));
            }
        }
    }

    fn text(&mut self, text: &str, out: &mut String) {
        if !self.one_in(8) {
            return out.push_str(&Value::from(text).to_string());
        }
        out.push('"');
        for unit in text.encode_utf16() {
            out.push_str(&format!("\\u{unit:04X}"));
        }
        out.push('"');
    }

    fn space(&mut self, out: &mut String) {
        if self.one_in(12) {
            out.push_str([" ", "\n", "\t\r\n  "][self.chance.below(3)]);
        }
    }
}

/// A name that no reader asks for, though some look as if.
fn unknown_name(chance: &mut Chance) -> String {
    const NAMES: [&str; 14] = [
        "",
        " ",
        "Messages",
        "FROM",
        "from ",
        "Entry",
        "wa_Id",
        "x",
        "__proto__",
        "$ref",
        "é\u{1f44d}",
        "\u{0}from",
        "apikey",
        "a.b[0]",
    ];
    match chance.below(3) {
        0 => format!("x_{}", chance.below(1_000)),
        1 => "x".repeat(1 + chance.below(300)),
        _ => NAMES[chance.below(NAMES.len())].to_owned(),
    }
}

/// The text of any JSON, hostile if need be: it stands where nobody looks.
fn anything(chance: &mut Chance) -> String {
    const VALUES: [&str; 18] = [
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "-0.0000000001",
        "123456789012345678901234567890",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800 half\"",
        "\"5511977776666\"",
        "{}",
        "[]",
        "[[],{},null]",
        "{\"from\":\"5511977776666\",\"from\":7,\"messages\":[{\"id\":\"no\"}]}",
        "{\"\":{\"\":{\"\":\"\\\"\\\\\"}}}",
        "{\"object\":\"whatsapp_business_account\",\"specversion\":\"1.0\"}",
    ];
    match chance.below(12) {
        0 => {
            let levels = 1 + chance.below(400);
            format!("{}{}", "[".repeat(levels), "]".repeat(levels))
        }
        1 => {
            let levels = 1 + chance.below(400);
            format!("{}1{}", "{\"entry\":".repeat(levels), "}".repeat(levels))
        }
        2 => format!("\"{}\"", "long ".repeat(chance.below(2_000))),
        _ => VALUES[chance.below(VALUES.len())].to_owned(),
    }
}
