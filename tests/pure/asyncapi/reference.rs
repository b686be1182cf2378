//! The reference page: what is written by hand up to a mark, then a section for every message and every shared part.

use super::channels::PREFIX;
use super::messages::{self, DUPLICATE, Message, Sort, root, schemas, text_of};
use super::ordered::Node;
use super::sections::{about, kind, part, parts_of, shared, table};

/// Where the page goes on from the schemas.
const MARK: &str = "<!-- From here on written by the tests, from schemas/messages and the examples. -->\n";

/// The page with what the schemas say today.
pub fn text() -> String {
    let page = text_of(&root().join("docs/reference.md"));
    let (by_hand, _) = page.split_once(MARK).expect("the page has its mark");
    let messages = messages::all();
    let mut text = format!("{by_hand}{MARK}\n## Contents\n\n");
    for (title, sort) in CHAPTERS {
        let links = messages
            .iter()
            .filter(|message| message.sort == sort)
            .map(|message| format!("[{}](#{})", short(message), anchor(&message.full)));
        let links: Vec<_> = links.collect();
        text.push_str(&format!(
            "- [{title}](#{}): {}\n",
            anchor(title),
            links.join(", ")
        ));
    }
    text.push_str("- [Dead letters](#dead-letters), [Shared parts](#shared-parts)\n");
    for (title, sort) in CHAPTERS {
        text.push_str(&format!("\n## {title}\n"));
        for message in messages.iter().filter(|message| message.sort == sort) {
            text.push_str(&section(message));
        }
    }
    let letters = Node::of_json(&text_of(&schemas().join("dead_letter.headers.json")));
    text.push_str(&format!(
        "\n## Dead letters\n\n{}\n\n{}",
        said(&letters, "description"),
        table(&letters, "", &[])
    ));
    text.push_str("\n## Shared parts\n");
    let mut all: Vec<&Node> = messages.iter().map(|message| &message.schema).collect();
    all.push(&letters);
    for stem in parts_of(&all) {
        text.push_str(&shared_part(&stem));
    }
    text
}

const CHAPTERS: [(&str, Sort); 5] = [
    ("Facts in", Sort::Fact),
    ("Commands in", Sort::Command),
    ("Events out", Sort::Event),
    ("Notifications out", Sort::Notification),
    ("Answers out", Sort::Answer),
];

/// As the page's renderers make it of a heading.
pub fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || "_- ".contains(*c);
    let kept = heading.to_lowercase().chars().filter(kept).collect::<String>();
    kept.replace(' ', "-")
}

/// What tells it from others of its sort.
fn short(message: &Message) -> &str {
    let full = message.full.as_str();
    let prefix = match message.sort {
        Sort::Fact => "whatsapp.",
        Sort::Command => "switchboard.command.",
        Sort::Event | Sort::Answer => "switchboard.",
        Sort::Notification => "switchboard.notification.",
    };
    full.strip_prefix(prefix).unwrap_or(full)
}

fn said<'a>(schema: &'a Node, key: &str) -> &'a str {
    schema.get(key).and_then(Node::text).unwrap_or_default()
}

fn section(message: &Message) -> String {
    let full = &message.full;
    let mut text = format!("\n### {full}\n\n{}\n\n", message.said("description"));
    let (exchange, key) = message.way();
    let way = match message.sort {
        Sort::Fact => format!(
            "a gateway, to `{PREFIX}.ingress` under any key, or to `{PREFIX}.{exchange}` under the partition's number"
        ),
        Sort::Command => format!(
            "an agent's client, to `{PREFIX}.ingress` under any key, or to `{PREFIX}.{exchange}` under the partition's number"
        ),
        Sort::Event | Sort::Notification => {
            format!("a worker, to `{PREFIX}.{exchange}` under `{key}`")
        }
        Sort::Answer => "a worker, to the queue that the command named in `reply_to`".to_owned(),
    };
    text.push_str(&format!("- Sent by {way}.\n"));
    if !message.sort.comes_in() {
        let subject = about(&message.schema, "subject").unwrap_or_else(|| panic!("{full} has no subject"));
        text.push_str(&format!("- Subject: {subject}\n"));
    }
    let data = message
        .schema
        .at("properties/data")
        .expect("a schema of its data");
    let (attributes, of_data) = (shared(&message.schema), shared(data));
    text.push_str(&format!("- Attributes: {}.\n", attributes.join(", ")));
    let own = table(data, "data.", &[]);
    match (of_data.as_slice(), own.is_empty()) {
        ([], true) => {}
        ([], false) => text.push_str(&format!("- Data:\n\n{own}")),
        (parts, true) => text.push_str(&format!("- Data: {}.\n", parts.join(", "))),
        (parts, false) => text.push_str(&format!("- Data: {}, and:\n\n{own}", parts.join(", "))),
    }
    text.push_str(&format!("\n```json\n{}\n```\n", message.example.trim_end()));
    text
}

fn shared_part(stem: &str) -> String {
    let schema = part(stem);
    let mut text = format!("\n### {stem}\n\n{}\n", said(&schema, "description"));
    let parts = shared(&schema);
    if !parts.is_empty() {
        text.push_str(&format!("\nAlso has the fields of {}.\n", parts.join(", ")));
    }
    let fields = table(&schema, "", &[]);
    if fields.is_empty() {
        text.push_str(&format!("\nJSON: {}.\n", kind(&schema)));
    } else {
        text.push_str(&format!("\n{fields}"));
    }
    text
}

#[test]
fn every_link_of_the_page_leads_to_one_heading() {
    let page = text();
    let mut in_example = false;
    let headings: Vec<String> = page
        .lines()
        .filter(|line| {
            in_example ^= line.starts_with("```");
            !in_example && line.starts_with('#')
        })
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    let links: Vec<_> = page
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(links.len() > headings.len(), "every section is linked");
    for link in links {
        let leads_to = headings.iter().filter(|heading| *heading == link).count();
        assert_eq!(leads_to, 1, "#{link}");
    }
    assert!(headings.contains(&anchor(DUPLICATE)));
}
