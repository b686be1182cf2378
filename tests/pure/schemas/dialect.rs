//! The schemas themselves: valid, resolvable, in the few keywords that their readers know, one for each type and no more.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{AS_PUBLISHED, FILES, OTHERS, leaving_types, taken_types};

/// The keywords in use. A misspelt one would be ignored by every validator.
const KEYWORDS: &[&str] = &[
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contentMediaType",
    "contentSchema",
    "description",
    "else",
    "enum",
    "format",
    "if",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "not",
    "oneOf",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedProperties",
    "uniqueItems",
];

/// What may stand in a schema of something that leaves: what the walk over what was seen understands.
const LEAVING_KEYWORDS: &[&str] = &[
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "description",
    "else",
    "enum",
    "format",
    "if",
    "items",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "then",
    "title",
    "type",
];

/// The schemas directly inside a schema, each with the keyword it stands under.
fn inside(schema: &Value) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        match keyword.as_str() {
            "properties" | "$defs" => {
                let named = value.as_object().expect("schemas by name");
                found.extend(named.values().map(|schema| (keyword.as_str(), schema)));
            }
            "allOf" | "anyOf" | "oneOf" => {
                let list = value.as_array().expect("a list of schemas");
                found.extend(list.iter().map(|schema| (keyword.as_str(), schema)));
            }
            "items"
            | "additionalProperties"
            | "propertyNames"
            | "if"
            | "then"
            | "else"
            | "not"
            | "contentSchema" => {
                found.push((keyword.as_str(), value));
            }
            _ => {}
        }
    }
    found
}

/// Every schema in a file, with the keyword it stands under ("" for the file itself).
fn every(schema: &'static Value) -> Vec<(&'static str, &'static Value)> {
    let mut all = vec![("", schema)];
    let mut next = 0;
    while let Some((_, schema)) = all.get(next).copied() {
        all.extend(inside(schema));
        next += 1;
    }
    all
}

/// The files that something refers to, itself included.
fn reached(name: &str, seen: &mut BTreeSet<String>) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (_, schema) in every(&FILES[name]) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && let Some(file) = reference.strip_suffix(".json")
        {
            let sibling = format!("{folder}/{file}");
            reached(sibling.trim_start_matches('/'), seen);
        }
    }
}

/// The files of what leaves, with all parts of them.
pub fn files_of_what_leaves() -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for name in leaving_types() {
        reached(&name, &mut files);
    }
    files
}

#[test]
fn every_file_is_a_valid_schema_of_2020_12_and_says_so() {
    for (name, schema) in &*FILES {
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{name}"
        );
        if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
            panic!("{name} is no schema: {} {error}", error.instance_path());
        }
    }
    // Compiling resolves every reference.
    assert!(!AS_PUBLISHED.is_empty());
}

#[test]
fn every_type_has_its_schema_and_no_schema_is_of_another() {
    let types = leaving_types().into_iter().chain(taken_types());
    let wanted: BTreeSet<String> = types.chain(OTHERS.map(str::to_owned)).collect();
    let there: BTreeSet<String> = FILES
        .keys()
        .filter(|name| !name.starts_with("parts/"))
        .cloned()
        .collect();
    assert_eq!(there, wanted);
}

#[test]
fn every_part_is_used() {
    let mut used = BTreeSet::new();
    for name in FILES.keys().filter(|name| !name.starts_with("parts/")) {
        reached(name, &mut used);
    }
    let all: BTreeSet<String> = FILES.keys().cloned().collect();
    assert_eq!(all, used);
}

#[test]
fn every_keyword_is_known() {
    let leaving = files_of_what_leaves();
    for (name, file) in &*FILES {
        let known = if leaving.contains(name) {
            LEAVING_KEYWORDS
        } else {
            KEYWORDS
        };
        for (_, schema) in every(file) {
            for keyword in schema.as_object().into_iter().flat_map(|schema| schema.keys()) {
                assert!(known.contains(&keyword.as_str()), "{name}: {keyword}");
            }
        }
    }
}

#[test]
fn every_file_has_a_title_and_every_field_a_description() {
    let described = |schema: &Value| {
        let own = schema.get("description").is_some();
        let elsewhere = ["$ref", "allOf", "const"];
        own || elsewhere.iter().any(|keyword| schema.get(*keyword).is_some())
    };
    for (name, file) in &*FILES {
        for needed in ["title", "description"] {
            assert!(
                file[needed].as_str().is_some_and(|text| !text.is_empty()),
                "{name} has no {needed}"
            );
        }
        // What is said under a condition narrows a field that is described elsewhere.
        let told = |schema: &&Value| schema.get("required").is_none() || schema.get("type").is_some();
        let shown = shown(file);
        for schema in shown.iter().copied().filter(told) {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                assert!(described(property), "{name}: {field} has no description");
            }
        }
    }
}

/// The schemas of a file that describe fields: not those that only ask or narrow.
fn shown(file: &'static Value) -> Vec<&'static Value> {
    let mut shown = vec![file];
    let mut next = 0;
    while let Some(schema) = shown.get(next).copied() {
        let inside = inside(schema).into_iter();
        let narrows = ["if", "then", "else", "not", "oneOf", "contentSchema"];
        shown.extend(
            inside
                .filter(|(keyword, _)| !narrows.contains(keyword))
                .map(|(_, schema)| schema),
        );
        next += 1;
    }
    shown
}

#[test]
fn whatever_is_required_is_described_beside_it() {
    for (name, file) in &*FILES {
        for (under, schema) in every(file) {
            let required = schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            for field in required.map(|field| field.as_str().expect("a name")) {
                let described = schema["properties"].get(field).is_some();
                assert!(
                    described || under == "then",
                    "{name}: {field} is required and not described"
                );
            }
        }
    }
}

#[test]
fn consumers_tolerate_added_fields() {
    for name in files_of_what_leaves() {
        for (_, schema) in every(&FILES[&name]) {
            for closing in ["additionalProperties", "unevaluatedProperties"] {
                assert_ne!(
                    schema.get(closing),
                    Some(&Value::Bool(false)),
                    "{name} forbids added fields"
                );
            }
        }
    }
}

#[test]
fn no_file_names_a_host() {
    for (name, file) in &*FILES {
        for (_, schema) in every(file) {
            let reference = schema.get("$ref").and_then(Value::as_str).unwrap_or_default();
            assert!(!reference.contains(':'), "{name} refers to {reference}");
            assert!(schema.get("$id").is_none(), "{name} has an $id");
        }
    }
}
