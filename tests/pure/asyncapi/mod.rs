//! The AsyncAPI document and the reference page: written from the code's own lists, the schemas and the golden examples,
//! so that they cannot say anything else. To write them anew after a change that is meant:
//! `SWITCHBOARD_WRITE_DOCS=1 cargo test --test pure asyncapi`.

mod channels;
mod checks;
mod document;
mod messages;
mod ordered;
mod reference;
mod sections;

use std::fs;

use messages::{root, text_of};

/// Fails unless the file is this text; writes it where that is asked for.
#[track_caller]
fn is_up_to_date(file: &str, today: &str) {
    let path = root().join(file);
    if std::env::var_os("SWITCHBOARD_WRITE_DOCS").is_some() {
        fs::write(&path, today).expect("the file can be written");
    }
    let there = text_of(&path);
    let differs = there
        .lines()
        .zip(today.lines())
        .find(|(there, today)| there != today);
    assert!(
        there == today,
        "{file} is out of date: SWITCHBOARD_WRITE_DOCS=1 cargo test --test pure asyncapi; first: {differs:#?}"
    );
}

#[test]
fn the_document_says_what_the_code_says() {
    is_up_to_date("schemas/asyncapi.yaml", &document::text());
}

#[test]
fn the_reference_says_what_the_schemas_say() {
    is_up_to_date("docs/reference.md", &reference::text());
}
