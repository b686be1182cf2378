//! Everything that the schemas of what leaves list is really written: each field, null and not null, there and not there,
//! each word.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::examples::golden;
use super::strict::LEFT;
use super::{FILES, leaving_types};

/// What was seen where in the schemas.
#[derive(Default)]
struct Seen {
    values: BTreeMap<String, BTreeSet<String>>,
}

/// A schema and where it stands: file, then JSON pointer.
#[derive(Clone)]
struct At {
    file: String,
    pointer: String,
    schema: &'static Value,
}

impl At {
    fn file(name: &str) -> Self {
        let schema = FILES.get(name).unwrap_or_else(|| panic!("there is no {name}"));
        Self {
            file: name.to_owned(),
            pointer: String::new(),
            schema,
        }
    }

    fn below(&self, steps: &[&str]) -> Option<Self> {
        let mut below = self.clone();
        for step in steps {
            below.schema = match below.schema {
                Value::Array(list) => list.get(step.parse::<usize>().ok()?)?,
                schema => schema.get(*step)?,
            };
            below.pointer = format!("{}/{step}", below.pointer);
        }
        Some(below)
    }

    fn all_of(&self, keyword: &str) -> Vec<Self> {
        let count = self.schema[keyword].as_array().map_or(0, Vec::len);
        (0..count)
            .filter_map(|index| self.below(&[keyword, &index.to_string()]))
            .collect()
    }

    /// What it refers to.
    fn referred(&self) -> Option<Self> {
        let reference = self.schema.get("$ref")?.as_str()?;
        let folder = self
            .file
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| format!("{folder}/"));
        Some(Self::file(&format!(
            "{folder}{}",
            reference.strip_suffix(".json")?
        )))
    }

    /// What else says something about the same value, unless that is null.
    fn beside(&self) -> Vec<Self> {
        let referred = self.referred().into_iter();
        referred
            .chain(self.all_of("allOf"))
            .chain(self.all_of("anyOf"))
            .collect()
    }

    fn fields(&self) -> Vec<(&'static str, Self)> {
        let fields = self.schema.get("properties").and_then(Value::as_object);
        let fields = fields.into_iter().flat_map(|fields| fields.keys());
        fields
            .filter_map(|name| Some((name.as_str(), self.below(&["properties", name])?)))
            .collect()
    }

    fn may_be_absent(&self, field: &str) -> bool {
        let required = self.schema.get("required").and_then(Value::as_array);
        !required.is_some_and(|required| required.iter().any(|name| name == field))
    }

    fn may_be_null(&self) -> bool {
        let own = self.schema.get("type").is_some_and(|kinds| {
            kinds
                .as_array()
                .is_some_and(|kinds| kinds.contains(&"null".into()))
        });
        own || self
            .all_of("anyOf")
            .iter()
            .any(|branch| branch.schema["type"] == "null")
    }

    fn words(&self) -> impl Iterator<Item = &'static Value> {
        self.schema
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    fn name(&self) -> String {
        format!("{}{}", self.file, self.pointer)
    }
}

impl Seen {
    fn note(&mut self, at: &At, what: impl Into<String>) {
        let known = self.values.entry(at.name()).or_default();
        let what = what.into();
        if !known.contains(&what) {
            known.insert(what);
        }
    }

    /// Looks at a value as its schema describes it.
    fn look(&mut self, at: &At, value: &Value) {
        self.note(at, if value.is_null() { "null" } else { "a value" });
        if at.schema.get("enum").is_some() {
            self.note(at, value.to_string());
        }
        if value.is_null() {
            return;
        }
        for beside in at.beside() {
            self.look(&beside, value);
        }
        for (name, field) in at.fields() {
            match value.get(name) {
                Some(value) => self.look(&field, value),
                None => self.note(&field, "absent"),
            }
        }
        let items = at.below(&["items"]).into_iter();
        for (items, value) in items.flat_map(|items| {
            value
                .as_array()
                .into_iter()
                .flatten()
                .map(move |value| (items.clone(), value))
        }) {
            self.look(&items, value);
        }
        if let Some(more) = at
            .below(&["additionalProperties"])
            .filter(|more| more.schema.is_object())
        {
            for value in value.as_object().into_iter().flat_map(|fields| fields.values()) {
                self.look(&more, value);
            }
        }
    }

    /// What a schema promises and nothing has shown, here and below.
    fn wanting(&self, at: &At, missing: &mut BTreeSet<String>) {
        let seen = |what: &str| {
            self.values
                .get(&at.name())
                .is_some_and(|seen| seen.contains(what))
        };
        let only_null = at.schema["type"] == "null";
        let mut want = |what: &str| {
            if !seen(what) {
                missing.insert(format!("{}: {what}", at.name()));
            }
        };
        want(if only_null { "null" } else { "a value" });
        if at.may_be_null() {
            want("null");
        }
        for word in at.words() {
            want(&word.to_string());
        }
        for (name, field) in at.fields() {
            if at.may_be_absent(name) && !seen_absent(self, &field) {
                missing.insert(format!("{}: absent", field.name()));
            }
            self.wanting(&field, missing);
        }
        let below = ["items", "additionalProperties"]
            .into_iter()
            .filter_map(|keyword| at.below(&[keyword]));
        for inner in below.filter(|inner| inner.schema.is_object()).chain(at.beside()) {
            if inner.schema["type"] != "null" || only_null {
                self.wanting(&inner, missing);
            }
        }
    }
}

fn seen_absent(seen: &Seen, field: &At) -> bool {
    seen.values
        .get(&field.name())
        .is_some_and(|seen| seen.contains("absent"))
}

#[test]
fn every_field_and_word_that_a_schema_lists_is_written() {
    let mut seen = Seen::default();
    let golden = golden();
    for body in LEFT.iter().chain(golden.values()) {
        let kind = body["type"].as_str().expect("a type");
        seen.look(&At::file(kind), body);
    }
    let mut missing = BTreeSet::new();
    for name in leaving_types() {
        seen.wanting(&At::file(&name), &mut missing);
    }
    assert!(missing.is_empty(), "listed, and never written: {missing:#?}");
}
