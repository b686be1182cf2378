//! The guide to plans leaves nothing out: every recipe, every key of the reader, every fact of conditions.

use std::collections::BTreeSet;

use regex::Regex;
use switchboard::contract::plan;
use switchboard::domain::condition::Condition;
use toml::{Table, Value};

use super::{read, root};

/// The recipes: file and heading.
const RECIPES: [(&str, &str); 10] = [
    ("vip", "VIP"),
    ("language-teams", "Language teams"),
    ("follow-the-sun", "Follow the sun"),
    ("sales-and-support", "Sales and support"),
    ("ad-traffic", "Ad traffic"),
    ("night-shift", "Night shift"),
    ("escalation", "Escalation"),
    ("skill-relaxation", "Skill relaxation"),
    ("sticky-accounts", "Sticky accounts"),
    ("holiday", "Holiday"),
];

/// Tables whose keys are the writer's own.
const OWN_KEYS: &[&str] = &["skills"];

#[test]
fn nothing_can_be_said_against_a_recipe() {
    for (recipe, _) in RECIPES {
        let text = read(&format!("docs/recipes/{recipe}.toml"));
        let checked = plan::from_toml(&text).unwrap_or_else(|faults| panic!("{recipe}: {faults:#?}"));
        assert_eq!(checked.warnings, vec![], "{recipe}");
        assert_eq!(checked.plan.tenant.as_str(), "acme", "{recipe}");
        assert!(text.starts_with("# "), "{recipe} says what it is for");
    }
}

#[test]
fn every_recipe_is_in_the_guide_and_nothing_else_is_in_the_folder() {
    let guide = read("docs/plans.md");
    for (recipe, heading) in RECIPES {
        let section = section(&guide, &format!("### {heading}"));
        let link = format!("[recipes/{recipe}.toml](recipes/{recipe}.toml)");
        assert!(section.contains(&link), "{heading} links to its file");
    }
    let files = std::fs::read_dir(root().join("docs/recipes")).unwrap();
    let names: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = RECIPES
        .iter()
        .map(|(recipe, _)| format!("{recipe}.toml"))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn the_rules_of_the_guide_are_those_of_the_recipes() {
    let guide = read("docs/plans.md");
    let recipes: String = RECIPES
        .iter()
        .map(|(recipe, _)| read(&format!("docs/recipes/{recipe}.toml")))
        .collect();
    let conditions = Regex::new(r"(?m)^when = '([^'\n]+)'$|'''\n([^']+)'''").unwrap();
    let mut found = 0;
    for cells in conditions.captures_iter(&guide) {
        let condition = cells.get(1).or(cells.get(2)).unwrap().as_str();
        assert!(recipes.contains(condition), "no recipe has {condition}");
        found += 1;
    }
    assert!(found >= 2, "{found}");
}

#[test]
fn the_smallest_plan_of_the_guide_is_good() {
    let guide = read("docs/plans.md");
    let (_, after) = guide.split_once("```toml\n").unwrap();
    let (smallest, _) = after.split_once("```").unwrap();
    assert_eq!(plan::from_toml(smallest).unwrap().warnings, vec![]);
}

#[test]
fn every_key_that_the_reader_takes_is_in_the_guide() {
    let guide = read("docs/plans.md");
    let keys = keys_of_fixture();
    for (place, key) in &keys {
        let section = section(&guide, &format!("### `{place}`"));
        assert!(
            section.contains(&format!("`{key}`")),
            "{place} does not explain {key}"
        );
    }
    // The document with every key has every key: nothing the reader asks for is missing in it.
    let written: BTreeSet<&str> = keys.iter().flat_map(|(_, key)| key.split('.')).collect();
    let top = [
        "settings",
        "channels",
        "agents",
        "teams",
        "responses",
        "calendars",
        "rules",
        "default",
        "tenant",
    ];
    for key in keys_in_source() {
        assert!(
            written.contains(&*key) || top.contains(&&*key),
            "tests/fixtures/plans/every_key.toml does not have {key}"
        );
    }
}

#[test]
fn every_fact_of_conditions_is_in_the_guide() {
    let guide = read("docs/plans.md");
    let section = section(&guide, "## Conditions");
    for subject in ["message", "contact", "channel", "conversation", "now"] {
        let error = Condition::compile(&format!("{subject} == \"\""))
            .unwrap_err()
            .to_string();
        let (_, facts) = error.split_once("; it has ").unwrap_or_else(|| panic!("{error}"));
        for fact in facts.split(", ") {
            assert!(
                section.contains(&format!("| `{subject}.{fact}` |")),
                "{subject}.{fact}"
            );
        }
    }
}

/// What stands under a heading, up to the next of its rank or a higher one.
fn section<'a>(guide: &'a str, heading: &str) -> &'a str {
    let start = format!("\n{heading}\n");
    let (_, after) = guide
        .split_once(&start)
        .unwrap_or_else(|| panic!("the guide has no {heading}"));
    let rank = heading.chars().take_while(|letter| *letter == '#').count();
    let ends = (2..=rank).filter_map(|rank| after.find(&format!("\n{} ", "#".repeat(rank))));
    &after[..ends.min().unwrap_or(after.len())]
}

/// Every key of the document that has them all, by the heading it belongs under.
fn keys_of_fixture() -> BTreeSet<(String, String)> {
    let document: Table = read("tests/fixtures/plans/every_key.toml").parse().unwrap();
    let mut keys = BTreeSet::new();
    for (name, value) in &document {
        match value {
            Value::Table(table) => collect(&format!("[{name}]"), "", table, &mut keys),
            Value::Array(tables) => {
                for table in tables.iter().filter_map(Value::as_table) {
                    collect(&format!("[[{name}]]"), "", table, &mut keys);
                }
            }
            _ => {}
        }
    }
    keys
}

fn collect(place: &str, above: &str, table: &Table, keys: &mut BTreeSet<(String, String)>) {
    for (key, value) in table {
        let path = format!("{above}{key}");
        keys.insert((place.to_owned(), path.clone()));
        if OWN_KEYS.contains(&&**key) {
            continue;
        }
        let below = format!("{path}.");
        match value {
            Value::Table(table) => collect(place, &below, table, keys),
            Value::Array(items) => {
                for table in items.iter().filter_map(Value::as_table) {
                    collect(place, &below, table, keys);
                }
            }
            _ => {}
        }
    }
}

/// The keys that the reader's source asks for.
fn keys_in_source() -> BTreeSet<String> {
    let asks = Regex::new(r#"\b(?:take|need|here|agents_in)\(\s*(?:fields,\s*)?"([a-z_]+)""#).unwrap();
    let folder = root().join("src/contract/plan");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file());
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    let keys: BTreeSet<String> = texts
        .flat_map(|text| {
            let found = asks.captures_iter(&text).map(|cells| cells[1].to_owned());
            found.collect::<Vec<_>>()
        })
        .collect();
    assert!(keys.len() > 50, "the reader has more keys than {keys:?}");
    keys
}
