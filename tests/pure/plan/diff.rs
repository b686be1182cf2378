//! Plans are compared by what they mean: nothing is overlooked, and nothing is made up.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard::contract::plan;
use switchboard::contract::plan::diff::{Change, Difference, diff, summary};
use switchboard::domain::conversation::Relaxation;
use switchboard::domain::ids::{PolicyId, TeamId};
use switchboard::domain::plan::{Burst, Plan, ResponsePolicy};

use super::properties::good_plan;
use super::{fixture, good, small_with};

fn sentences(from: &str, to: &str) -> Vec<String> {
    let differences = diff(&good(from).plan, &good(to).plan);
    differences.iter().map(ToString::to_string).collect()
}

fn summed_up(from: &str, to: &str) -> String {
    summary(&diff(&good(from).plan, &good(to).plan))
}

/// What is left of a plan if its version is not looked at: two that mean the same are the same here.
fn meaning(plan: &Plan) -> String {
    format!("{plan:?}")
}

fn mirrored(difference: Difference) -> Difference {
    let change = match difference.change {
        Change::Added(said) => Change::Removed(said),
        Change::Removed(said) => Change::Added(said),
        Change::Changed { key, from, to } => Change::Changed {
            key,
            from: to,
            to: from,
        },
        Change::Moved {
            now_before,
            now_after,
        } => Change::Moved {
            now_before: now_after,
            now_after: now_before,
        },
    };
    Difference { change, ..difference }
}

/// Differences without their order, and names without theirs.
fn sorted(differences: impl IntoIterator<Item = Difference>) -> Vec<String> {
    let plain = |difference: Difference| match difference.change {
        Change::Moved {
            mut now_before,
            mut now_after,
        } => {
            now_before.sort();
            now_after.sort();
            format!("{} moved {now_before:?} {now_after:?}", difference.name)
        }
        _ => format!("{difference:?}"),
    };
    let mut texts: Vec<String> = differences.into_iter().map(plain).collect();
    texts.sort();
    texts
}

/// Every place in a document, by the keys and indexes that lead there.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    let mut inside = |key: String, value: &Value| {
        let path = format!("{path}/{key}");
        places(value, &path, found);
        found.push(path);
    };
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(n, item)| inside(n.to_string(), item)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| inside(key.clone(), field)),
        _ => {}
    }
}

/// The same document with one place taken out, or with something else in it.
fn edited(document: &Value, path: &str, other: Option<Value>) -> Value {
    let mut edited = document.clone();
    let (parent, key) = path.rsplit_once('/').unwrap();
    match (edited.pointer_mut(parent).unwrap(), other) {
        (Value::Object(fields), None) => drop(fields.remove(key)),
        (Value::Array(items), None) => drop(items.remove(key.parse().unwrap())),
        (Value::Object(fields), Some(other)) => drop(fields.insert(key.to_owned(), other)),
        (Value::Array(items), Some(other)) => items[key.parse::<usize>().unwrap()] = other,
        _ => unreachable!("only lists and objects have something in them"),
    }
    edited
}

/// What may stand somewhere in a plan, by what stands there.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Number(_) => vec![json!(0), json!(7)],
        Value::Array(items) => {
            let mut turned = items.clone();
            turned.reverse();
            vec![json!([]), json!(turned)]
        }
        Value::String(_) => [
            "0s",
            "7m",
            "keep",
            "all",
            "any",
            "none",
            "own",
            "team",
            "teams",
            "sticky",
            "reroute",
            "manual",
            "nobody",
            "auto",
            "low",
            "ranked",
            "round_robin",
            "wait",
            "fallback",
            "always",
            "working",
            "notify",
            "reassign",
            "UTC",
            "ana",
            "boss",
            "general",
            "support",
            "vip",
            "admin",
            "agent",
            "french",
            "message.text == \"x\"",
            "standard",
            "2027-01-06",
            "08:00-09:00",
            "whatsapp:7",
            "office",
        ]
        .map(Value::from)
        .to_vec(),
        Value::Object(_) | Value::Null => Vec::new(),
    }
}

#[test]
fn every_edit_of_every_key_is_noticed_exactly_where_the_meaning_is_another() {
    let document = good(&fixture("every_key.toml")).document;
    let before = plan::from_json(&document).unwrap().plan;
    let mut paths = Vec::new();
    places(&document, "", &mut paths);
    let (mut tried, mut noticed) = (0, 0);
    for path in paths {
        let here = document.pointer(&path).unwrap();
        let edits = others(here).into_iter().map(Some).chain([None]);
        for document in edits.map(|other| edited(&document, &path, other)) {
            let Ok(after) = plan::from_json(&document) else {
                continue;
            };
            let found = diff(&before, &after.plan);
            let is_other = meaning(&before) != meaning(&after.plan);
            assert_eq!(!found.is_empty(), is_other, "{path}: {found:#?}");
            assert_eq!(
                sorted(diff(&after.plan, &before)),
                sorted(found.iter().cloned().map(mirrored)),
                "{path}"
            );
            assert_eq!(summary(&found).is_empty(), found.is_empty());
            tried += 1;
            noticed += usize::from(is_other);
        }
    }
    assert!(tried > 300 && noticed > 150, "{tried} edits, {noticed} noticed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_plan_is_not_different_from_itself_and_two_differ_alike_both_ways(one in good_plan(), other in good_plan()) {
        let [one, other] = [one, other].map(|plan| plan::from_json(&plan).unwrap().plan);
        prop_assert_eq!(diff(&one, &one.clone()), vec![]);
        let there = diff(&one, &other);
        prop_assert_eq!(there.is_empty(), meaning(&one) == meaning(&other));
        prop_assert_eq!(sorted(diff(&other, &one)), sorted(there.into_iter().map(mirrored)));
    }

    #[test]
    fn rules_in_any_other_order_are_moves_that_tell_every_pair_that_changed_places(
        order in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle(),
        was in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let [from, to] = [&was, &order].map(|order| {
            let rules: Vec<Value> = order.iter().map(|n| json!({ "name": format!("r{n}"), "team": "t" })).collect();
            let plan = json!({ "tenant": "t", "teams": [{ "id": "t" }], "rules": rules });
            plan::from_json(&plan).unwrap().plan
        });
        let place = |order: &[usize], rule: &str| order.iter().position(|n| format!("r{n}") == rule).unwrap();
        let differences = diff(&from, &to);
        let mut told = std::collections::BTreeSet::new();
        for difference in &differences {
            let Change::Moved { now_before, now_after } = &difference.change else {
                return Err(TestCaseError::fail(format!("no move: {difference:?}")));
            };
            prop_assert!(!now_before.is_empty() || !now_after.is_empty());
            for other in now_before {
                told.insert((difference.name.clone(), other.clone()));
            }
            for other in now_after {
                told.insert((other.clone(), difference.name.clone()));
            }
        }
        let all = || (0..9).map(|n| format!("r{n}"));
        for (a, b) in all().flat_map(|a| all().map(move |b| (a.clone(), b))).filter(|(a, b)| a != b) {
            let passed = place(&was, &a) > place(&was, &b) && place(&order, &a) < place(&order, &b);
            prop_assert_eq!(told.contains(&(a.clone(), b.clone())), passed, "{} before {}", a, b);
        }
        prop_assert_eq!(sorted(diff(&to, &from)), sorted(differences.into_iter().map(mirrored)));
    }
}

#[test]
fn a_default_that_is_written_another_order_of_keys_and_a_comment_are_no_difference() {
    let plain = small_with("");
    let same = "# The same.\n\n".to_owned()
        + &small_with("[settings]\naging = \"600s\"\nreopen = \"sticky\"\nmax_hops = 3\n").replace(
            "{ id = \"desk\", members = [\"ana\"] }",
            "{ members = [\"ana\"], capacity = 0, id = \"desk\", strategy = \"round_robin\" }",
        );
    assert_eq!(sentences(&plain, &same), Vec::<String>::new());
    assert_eq!(summed_up(&plain, &same), "");
}

#[test]
fn what_changed_is_told_key_by_key_in_the_words_of_plans() {
    let from = small_with("");
    let to = small_with("[settings]\nreopen = \"reroute\"\naging = \"90s\"\n")
        .replace("capacity = 3", "skills = { french = 2 }, name = \"Ana Lima\"")
        .replace(
            "members = [\"ana\"]",
            "members = [\"zoe\", \"mark\"], strategy = \"ranked\"",
        )
        .replace(
            "default = { team = \"desk\" }",
            "default = { team = \"desk\", priority = \"low\" }",
        );
    assert_eq!(
        sentences(&from, &to),
        [
            "settings: reopen: sticky → reroute",
            "settings: aging: 10m → 90s",
            "agent ana: name: ana → Ana Lima",
            "agent ana: capacity: 3 → none",
            "agent ana: skills: with french = 2",
            "team desk: members: without ana, with zoe, mark",
            "team desk: strategy: round_robin → ranked",
            "default: priority: normal → low",
        ]
    );
    assert_eq!(
        summed_up(&from, &to),
        "2 settings changed, 1 agent changed, 1 team changed, default changed"
    );
    let turned = to.replace("[\"zoe\", \"mark\"]", "[\"mark\", \"zoe\"]");
    assert_eq!(
        sentences(&to, &turned),
        ["team desk: members: in another order: mark, zoe"]
    );
}

#[test]
fn what_came_and_went_is_told_with_what_it_says_beyond_the_usual() {
    let from = small_with("");
    let vip = r#"{ id = "vip", members = ["ana"], strategy = "longest_idle" }, { id = "desk"#;
    let to = small_with(
        r#"
[[responses]]
id = "fast"
assign_within = "90s"

[[rules]]
name = "vip"
when = '''
contact.attributes.tier == "vip"
  && now.hour < 9'''
team = "vip"
"#,
    )
    .replace("{ id = \"desk", vip);
    let told = [
        "team vip: added (members [ana], strategy longest_idle)",
        "response fast: added (assign_within 90s)",
        "rule vip: added (when contact.attributes.tier == \"vip\" && now.hour < 9, team vip)",
    ];
    assert_eq!(sentences(&from, &to), told);
    assert_eq!(
        sentences(&to, &from),
        told.map(|told| told.replace("added", "removed"))
    );
    assert_eq!(
        summed_up(&from, &to),
        "1 team added, 1 response added, 1 rule added"
    );
}

#[test]
fn bursts_steps_and_breaches_are_told_as_plans_have_them() {
    let before = good(&small_with("")).plan;
    let mut after = before.clone();
    after.settings.burst = Some(Burst {
        limit: 5,
        window: Duration::from_secs(300),
    });
    after.settings.close_idle_after = Some(Duration::from_millis(1_500));
    let step = Relaxation {
        after: Duration::from_secs(120),
        team: Some(TeamId::new("desk").unwrap()),
        notify: true,
        ..Relaxation::default()
    };
    after.default.as_mut().unwrap().relax = vec![step].into();
    let policy = ResponsePolicy {
        escalate: true,
        working_hours: true,
        warn_before: Some(Duration::from_secs(3_600)),
        ..ResponsePolicy::built_in()
    };
    after.responses.insert(PolicyId::new("fast").unwrap(), policy);
    let told: Vec<String> = diff(&before, &after).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "settings: burst: none → 5 in 5m",
            "settings: close_idle_after: none → 1500ms",
            "response fast: added (assign_within 5m, respond_within 30m, warn_before 1h, hours working, on_breach [notify, escalate])",
            "default: relax: with after 2m team desk and notify",
        ]
    );
}

#[test]
fn a_rule_that_is_dragged_to_the_top_is_one_move() {
    let rules = |names: &[&str]| {
        let rule = |name: &&str| format!("[[rules]]\nname = \"{name}\"\nteam = \"desk\"\n");
        small_with(&names.iter().map(rule).collect::<String>())
    };
    let from = rules(&["french", "vip", "sales", "spam"]);
    assert_eq!(
        sentences(&from, &rules(&["spam", "french", "vip", "sales"])),
        ["rule spam: is now asked before french, vip, sales"]
    );
    assert_eq!(
        sentences(&from, &rules(&["vip", "sales", "french", "spam"])),
        ["rule french: is now asked after vip, sales"]
    );
    assert_eq!(
        summed_up(&from, &rules(&["spam", "vip", "new"])),
        "1 rule added, 1 rule moved, 2 rules removed"
    );
}

#[test]
fn working_time_is_told_day_by_day() {
    let calendar = |hours: &str, holidays: &str| {
        small_with(&format!(
            "[[calendars]]\nid = \"office\"\ntimezone = \"Europe/Lisbon\"\nhours = {{ {hours} }}\nholidays = [{holidays}]\n"
        ))
    };
    let from = calendar("mon = [\"09:00-12:00\", \"13:00-18:00\"]", "\"2026-12-25\"");
    let to = calendar("mon = [\"09:00-18:00\"], sun = [\"00:00-24:00\"]", "");
    assert_eq!(
        sentences(&from, &to),
        [
            "calendar office: hours: without mon 09:00-12:00 13:00-18:00, with mon 09:00-18:00, sun 00:00-24:00",
            "calendar office: holidays: without 2026-12-25",
        ]
    );
    assert_eq!(
        sentences(&small_with(""), &from),
        [
            "calendar office: added (timezone Europe/Lisbon, hours [mon 09:00-12:00 13:00-18:00], holidays [2026-12-25])"
        ]
    );
}

#[test]
fn many_names_are_told_by_their_number() {
    let members = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("\"a{n}\"")).collect();
        small_with("").replace(
            "members = [\"ana\"]",
            &format!("members = [{}]", names.join(", ")),
        )
    };
    assert_eq!(
        sentences(&members(1), &members(40)),
        ["team desk: members: with a1, a2, a3, a4, a5, a6, a7, a8 and 31 more"]
    );
}
