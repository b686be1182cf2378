//! The shape of the source, as tests: who may import whom, what the core may not touch, that every file says why it is there.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines: beyond it a reader loses the thread.
const MAX_LINES: usize = 600;

/// Each part of the program and the parts it may name.
const IMPORTS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("contract", &["domain"]),
    ("store", &["domain"]),
    ("broker", &[]),
    ("simulate", &["domain"]),
    (
        "worker",
        &[
            "domain",
            "contract",
            "store",
            "broker",
            "config",
            "telemetry",
            "retry",
        ],
    ),
    ("config", &["contract", "broker"]),
    ("telemetry", &[]),
    ("retry", &[]),
    (
        "cli",
        &[
            "domain",
            "contract",
            "store",
            "broker",
            "worker",
            "simulate",
            "config",
            "telemetry",
            "retry",
        ],
    ),
];

/// Every part there is: a new one has to find its place in the table above.
const PARTS: &[&str] = &[
    "domain",
    "contract",
    "store",
    "broker",
    "worker",
    "simulate",
    "cli",
    "config",
    "telemetry",
    "retry",
    "lib",
    "main",
];

/// What would make the core depend on when, where or by chance it runs.
const IMPURE: &[&str] = &[
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant::",
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "tokio",
    "async fn",
    "tracing",
    "metrics",
    "serde",
    "rand::",
    "new_v4",
    "now_v7",
    "lapin",
    "println!",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file below a folder, as its path and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files_under(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} is there");
    let name = |path: &PathBuf| path.strip_prefix(root()).unwrap().display().to_string();
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The part a source file belongs to.
fn part_of(file: &str) -> &str {
    let below = file.strip_prefix("src/").unwrap();
    below.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Code without comments: words in prose are free.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_part_names_only_the_parts_below_it() {
    for (file, text) in sources("src") {
        let part = part_of(&file);
        assert!(
            PARTS.contains(&part),
            "{file}: {part} has no place in the table of imports"
        );
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == part) else {
            continue;
        };
        let code = code(&text);
        for other in PARTS
            .iter()
            .filter(|other| **other != part && !allowed.contains(other))
        {
            let named =
                code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};"));
            assert!(!named, "{file} names {other}, which {part} may not");
        }
        let grouped = code.lines().find(|line| line.contains("use crate::{"));
        assert!(
            grouped.is_none(),
            "{file}: {grouped:?} hides from this test which parts it names"
        );
    }
}

#[test]
fn the_core_knows_no_clock_no_io_no_chance_and_no_serialisation() {
    // The simulation has chance from a seed: its generator is none of these words.
    for (file, text) in sources("src/domain").into_iter().chain(sources("src/simulate")) {
        let code = code(&text);
        for word in IMPURE {
            assert!(!code.contains(word), "{file} has `{word}`");
        }
    }
}

#[test]
fn only_one_module_names_the_unmaintained_crate() {
    for (file, text) in sources("src") {
        assert!(
            file == "src/retry.rs" || !code(&text).contains("backoff::"),
            "{file} names backoff"
        );
    }
}

#[test]
fn every_file_begins_by_saying_why_it_is_there_and_ends_before_the_reader_is_lost() {
    for (file, text) in sources("src").into_iter().chain(sources("tests")) {
        assert!(text.starts_with("//!"), "{file} does not say why it is there");
        assert!(
            text.lines().count() <= MAX_LINES,
            "{file} is longer than {MAX_LINES} lines"
        );
    }
}

#[test]
fn every_metric_is_documented() {
    let page = fs::read_to_string(root().join("docs/operate.md")).unwrap();
    for (name, _, _, help) in switchboard::telemetry::METRICS {
        assert!(
            page.contains(name),
            "docs/operate.md does not mention the metric {name} ({help})"
        );
    }
}

#[test]
fn every_event_and_notification_is_documented() {
    let page = fs::read_to_string(root().join("docs/consume.md")).unwrap();
    for kind in switchboard::contract::event::kinds_of_events() {
        assert!(
            page.contains(kind),
            "docs/consume.md does not mention the event {kind}"
        );
    }
    for kind in switchboard::contract::notification::kinds_of_notifications() {
        assert!(
            page.contains(kind),
            "docs/consume.md does not mention the notification {kind}"
        );
    }
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut pages = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    let entries = fs::read_dir(root().join("docs")).unwrap();
    pages.extend(
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file()),
    );
    let link = regex::Regex::new(r"\]\(([^)#:\s]+)(#[^)\s]*)?\)").unwrap();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for found in link.captures_iter(&text) {
            let target = page.parent().unwrap().join(&found[1]);
            assert!(
                target.exists(),
                "{} leads to {}, which is not there",
                page.display(),
                &found[1]
            );
        }
    }
}
