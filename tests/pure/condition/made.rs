//! Conditions made at random that mean something: each is let in or too large, and each that is let in answers.

use proptest::prelude::*;
use switchboard::domain::condition::{Condition, EvaluationError, MAX_WORK};

use super::Given;

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(words).prop_map(str::to_owned).boxed()
}

/// Made parts in the gaps (§) of a form.
fn around(parts: Vec<BoxedStrategy<String>>, form: &'static str) -> BoxedStrategy<String> {
    let fill = move |parts: Vec<String>| {
        let gaps = form.split('§').skip(1);
        let begin = form.split('§').next().unwrap_or_default().to_owned();
        gaps.zip(parts)
            .fold(begin, |text, (after, part)| text + &part + after)
    };
    parts.prop_map(fill).boxed()
}

fn text(depth: u32) -> BoxedStrategy<String> {
    let leaf = one_of(&[
        "message.text",
        "message.kind",
        "contact.name",
        "contact.attributes.tier",
        "contact.attributes.missing",
        "channel.key",
        "'é🙂'",
        "\"\"",
        "r'\\d'",
    ]);
    if depth == 0 {
        return leaf;
    }
    let (t, n, b) = (|| text(depth - 1), || number(depth - 1), || truth(depth - 1));
    prop_oneof![
        3 => leaf,
        1 => around(vec![t(), t()], "(§ + §)"),
        1 => around(vec![t()], "§.lowerAscii()"),
        1 => around(vec![t()], "§.trim()"),
        1 => around(vec![n()], "string(§)"),
        1 => around(vec![t()], "contact.attributes[§]"),
        1 => around(vec![b(), t(), t()], "(§ ? § : §)"),
        1 => around(vec![t(), t(), n()], "[§, §][§]"),
    ]
    .boxed()
}

fn number(depth: u32) -> BoxedStrategy<String> {
    let leaf = one_of(&[
        "conversation.waiting",
        "now.hour",
        "0",
        "1",
        "2.5",
        "(-9223372036854775808)",
        "9223372036854775807",
        "(-1)",
        "1e308",
    ]);
    if depth == 0 {
        return leaf;
    }
    let (t, n) = (|| text(depth - 1), || number(depth - 1));
    prop_oneof![
        3 => leaf,
        1 => around(vec![n(), n()], "(§ + §)"),
        1 => around(vec![n(), n()], "(§ * §)"),
        1 => around(vec![n(), n()], "(§ / §)"),
        1 => around(vec![n(), n()], "(§ % §)"),
        1 => around(vec![n()], "(-§)"),
        1 => around(vec![t()], "size(§)"),
        1 => around(vec![t()], "int(§)"),
        1 => around(vec![n()], "int(§)"),
        1 => around(vec![t()], "double(§)"),
    ]
    .boxed()
}

fn truth(depth: u32) -> BoxedStrategy<String> {
    let leaf = one_of(&[
        "contact.returning",
        "now.working",
        "true",
        "has(contact.attributes.tier)",
    ]);
    if depth == 0 {
        return leaf;
    }
    let (t, n, b) = (|| text(depth - 1), || number(depth - 1), || truth(depth - 1));
    prop_oneof![
        1 => leaf,
        1 => around(vec![t(), t()], "(§ == §)"),
        1 => around(vec![n(), n()], "(§ <= §)"),
        1 => around(vec![t(), t()], "§.contains(§)"),
        1 => around(vec![t()], "§.matches('(?i)a+|\\\\b')"),
        1 => around(vec![t(), t(), t()], "(§ in [§, §])"),
        1 => around(vec![t()], "(§ in contact.attributes)"),
        2 => around(vec![b(), b()], "(§ && §)"),
        2 => around(vec![b(), b()], "(§ || !§)"),
        1 => around(vec![t(), t(), b(), t()], "[§, §].exists(x, § || x == §)"),
        1 => around(vec![b(), n()], "contact.attributes.all(x, § && x.size() > §)"),
        1 => around(vec![t(), t(), n()], "([§, §].filter(x, x != '').map(x, x + 'y').size() > §)"),
        1 => around(vec![t(), b()], "{§: true}.exists_one(x, §)"),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_condition_that_is_let_in_answers_without_a_panic(source in truth(4)) {
        match Condition::compile(&source) {
            Ok(condition) => {
                prop_assert!(condition.work() <= MAX_WORK);
                prop_assert_ne!(Given::new().answer(&condition), Err(EvaluationError::Panicked));
            }
            Err(error) => {
                let too_large = ["too long", "longer than", "nested more", "has at most"];
                prop_assert!(too_large.iter().any(|words| error.message.contains(words)), "{source}: {error}");
            }
        }
    }
}
