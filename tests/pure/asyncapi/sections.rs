//! A schema as a table for people: its own fields, with links to what it shares with others.

use super::messages::{schemas, text_of};
use super::ordered::Node;

/// A schema that has a section of its own is linked by the stem of its file.
pub fn link(file: &str) -> String {
    match stem(file) {
        // A guide of its own says what every key does.
        "plan" => "[plan](plans.md)".into(),
        stem => format!("[`{stem}`](#{stem})"),
    }
}

fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".json").unwrap_or(name)
}

/// A part that other schemas share.
pub fn part(stem: &str) -> Node {
    let parts = schemas().join("parts");
    Node::of_json(&text_of(&parts.join(format!("{stem}.json"))))
}

/// What a reference leads to, if it leads to a shared part.
fn target(reference: &str) -> Option<Node> {
    match stem(reference) {
        "plan" => None,
        _ if reference.starts_with('#') => None,
        stem => Some(part(stem)),
    }
}

/// The fields of an object, one row each, with those of objects inside it; below which name, and not those named.
pub fn table(schema: &Node, below: &str, without: &[&str]) -> String {
    let mut rows = Vec::new();
    collect(schema, below, without, &mut rows);
    if rows.is_empty() {
        return String::new();
    }
    format!("| field | type | meaning |\n|---|---|---|\n{}\n", rows.join("\n"))
}

fn collect(schema: &Node, below: &str, without: &[&str], rows: &mut Vec<String>) {
    let required: Vec<_> = schema
        .get("required")
        .map_or(&[][..], Node::items)
        .iter()
        .collect();
    let properties = schema.get("properties").map(Node::entries);
    for (name, field) in properties.into_iter().flatten() {
        if without.contains(&name) {
            continue;
        }
        let path = format!("{below}{name}");
        let maybe = if required.iter().any(|one| one.text() == Some(name)) {
            ""
        } else {
            "?"
        };
        let (kind, meaning) = (kind(field), meaning(field));
        rows.push(format!("| `{path}`{maybe} | {kind} | {meaning} |"));
        inside(field, &path, rows);
    }
}

/// The rows of what is in a field, where that has no section of its own.
fn inside(field: &Node, path: &str, rows: &mut Vec<String>) {
    collect(field, &format!("{path}."), &[], rows);
    if let Some(items) = field.get("items") {
        inside(items, &format!("{path}[]"), rows);
    }
    for branch in alternatives(field) {
        inside(branch, path, rows);
    }
}

fn alternatives(schema: &Node) -> impl Iterator<Item = &Node> {
    let keywords = ["anyOf", "oneOf"];
    keywords
        .into_iter()
        .filter_map(|keyword| schema.get(keyword))
        .flat_map(Node::items)
}

fn meaning(field: &Node) -> String {
    let own = field.get("description").and_then(Node::text).map(str::to_owned);
    let of_target = || {
        let target = target(field.get("$ref")?.text()?)?;
        Some(target.get("description")?.text()?.to_owned())
    };
    own.or_else(of_target).unwrap_or_default().replace('|', "\\|")
}

/// What a value may be, in a few words.
pub fn kind(schema: &Node) -> String {
    if let Some(to) = schema.get("$ref").and_then(Node::text) {
        return link(to);
    }
    if let Some(only) = schema.get("const") {
        return value(only);
    }
    if let Some(values) = schema.get("enum") {
        let values: Vec<_> = values.items().iter().map(value).collect();
        return values.join(", ");
    }
    let branches: Vec<_> = alternatives(schema)
        .map(kind)
        .filter(|branch| branch != ANYTHING)
        .collect();
    if !branches.is_empty() {
        return either(branches);
    }
    let types = match schema.get("type") {
        Some(Node::List(types)) => types.iter().filter_map(Node::text).collect(),
        Some(Node::Text(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    let types: Vec<_> = types.into_iter().map(|one| of_type(one, schema)).collect();
    if !types.is_empty() {
        return either(types);
    }
    let all: Vec<_> = schema
        .get("allOf")
        .map_or(&[][..], Node::items)
        .iter()
        .map(kind)
        .collect();
    if all.is_empty() {
        ANYTHING.into()
    } else {
        all.join(" and ")
    }
}

const ANYTHING: &str = "anything";

fn either(kinds: Vec<String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for kind in kinds {
        if !different.contains(&kind) {
            different.push(kind);
        }
    }
    different.join(" or ")
}

fn of_type(name: &str, schema: &Node) -> String {
    match name {
        "array" => match schema.get("items") {
            Some(items) => format!("list of {}", kind(items)),
            None => "list".into(),
        },
        "object" => match schema.get("additionalProperties") {
            Some(values @ Node::Map(_)) => format!("object of {}", kind(values)),
            _ => "object".into(),
        },
        other => other.to_owned(),
    }
}

fn value(value: &Node) -> String {
    match value {
        Node::Text(text) if text.is_empty() => "\"\"".into(),
        Node::Text(text) => format!("`{text}`"),
        Node::Null => "null".into(),
        Node::Flag(flag) => flag.to_string(),
        Node::Number(number) => number.to_string(),
        other => panic!("say how {other:?} is shown"),
    }
}

/// Links to the parts whose fields an object has as well.
pub fn shared(schema: &Node) -> Vec<String> {
    let all = schema.get("allOf").map_or(&[][..], Node::items).iter();
    all.filter_map(|one| Some(link(one.get("$ref")?.text()?)))
        .collect()
}

/// Every shared part that is reached from these schemas, by name.
pub fn parts_of(schemas: &[&Node]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut next: Vec<Node> = schemas.iter().map(|&schema| schema.clone()).collect();
    while let Some(schema) = next.pop() {
        for to in schema.references() {
            let stem = stem(to).to_owned();
            if let Some(target) = target(to).filter(|_| !found.contains(&stem)) {
                found.push(stem);
                next.push(target);
            }
        }
    }
    found.sort();
    found
}

/// The description of an attribute, in this schema or what it shares; the most exact one.
pub fn about(schema: &Node, attribute: &str) -> Option<String> {
    let own = schema
        .get("properties")
        .and_then(|properties| properties.get(attribute));
    if let Some(own) = own.map(meaning).filter(|text| !text.is_empty()) {
        return Some(own);
    }
    let all = schema.get("allOf").map_or(&[][..], Node::items).iter();
    all.filter_map(|one| about(&target(one.get("$ref")?.text()?)?, attribute))
        .next()
}
