//! What is no condition, where it is wrong, and what no text can do.

use proptest::prelude::*;
use switchboard::contract::MAX_TEXT_CHARS;
use switchboard::domain::condition::{
    CompileError, Condition, MAX_DEPTH, MAX_SOURCE_BYTES, MAX_TEXT_BYTES, MAX_WORK,
};

use super::Given;

#[track_caller]
fn refused(source: &str) -> CompileError {
    Condition::compile(source).expect_err(source)
}

#[test]
fn what_could_never_be_right_is_refused_where_it_stands() {
    let table = [
        (
            "contact.langage == \"fr\"",
            1,
            9,
            "`contact` has no `langage`; did you mean `language`?",
        ),
        (
            "contakt.language == \"fr\"",
            1,
            1,
            "there is no `contakt`; did you mean `contact`?",
        ),
        ("true &&\n  customer.name == \"\"", 2, 3, "there is no `customer`"),
        ("\"é\" == contact.langage", 1, 16, "did you mean `language`?"),
        (
            "contact == \"Ana\"",
            1,
            1,
            "cannot be asked for as a whole; it has name, language",
        ),
        (
            "contact[\"name\"] == \"Ana\"",
            1,
            1,
            "cannot be asked for as a whole",
        ),
        (
            "message.text.contians(\"a\")",
            1,
            22,
            "there is no function `contians`; did you mean `contains`?",
        ),
        (
            "message.text.contains(\"a\", \"b\")",
            1,
            22,
            "`contains` is not used like this",
        ),
        (
            "contains(message.text, \"a\")",
            1,
            9,
            "`contains` is not used like this",
        ),
        ("message.text.exists(x)", 1, 20, "`exists` is not used like this"),
        ("has(contact.name)", 1, 4, "`contact.name` is always there"),
        ("contact.name == null", 1, 14, "a text that is absent is \"\""),
        (
            "conversation.episode == \"2\"",
            1,
            22,
            "a number and a text do not go together",
        ),
        (
            "contact.returning == \"true\"",
            1,
            19,
            "true or false and a text do not go together",
        ),
        (
            "conversation.episode.contains(\"2\")",
            1,
            30,
            "`contains` cannot be applied to a number",
        ),
        ("now.hour && now.working", 1, 10, "cannot be applied to a number"),
        ("!contact.name", 1, 1, "cannot be applied to a text"),
        ("\"a\" in contact.name", 1, 5, "ask with contains"),
        (
            "contact.name.first == \"A\"",
            1,
            14,
            "there is no `first` in a text",
        ),
        ("contact.name[0] == \"A\"", 1, 13, "a text has no elements"),
        (
            "contact.name.exists(c, c == \"A\")",
            1,
            20,
            "cannot loop over a text",
        ),
        (
            "[1].exists(message, message == 1)",
            1,
            11,
            "has a meaning already",
        ),
        (
            "message.text",
            1,
            8,
            "a condition must be true or false, this is a text",
        ),
        (
            "1 + 1",
            1,
            3,
            "a condition must be true or false, this is a number",
        ),
        (
            "type(contact.name) == string",
            1,
            5,
            "there is no function `type`",
        ),
        ("Foo{a: 1} == 1", 1, 4, "there are no structures here"),
        (
            "message.text.matches(\"(\")",
            1,
            22,
            "this is no regular expression: unclosed group",
        ),
        (
            "message.text.matches(\"\\\\w{200}\")",
            1,
            22,
            "this pattern is too large",
        ),
        (
            "message.text.matches(contact.name)",
            1,
            21,
            "needs its pattern written here",
        ),
        ("contact.name = \"Ana\"", 1, 14, "equal is =="),
        ("\"é\" == contact.name = 1", 1, 21, "equal is =="),
        ("contact.name == ", 1, 17, "mismatched input '<EOF>'"),
        ("", 1, 1, "is empty"),
        (" \n ", 1, 1, "is empty"),
    ];
    for (source, line, column, message) in table {
        let error = refused(source);
        assert!(error.message.contains(message), "{source}: {error:?}");
        assert_eq!((error.line, error.column), (line, column), "{source}: {error:?}");
    }
}

#[test]
fn a_condition_is_bounded_in_length_depth_and_work() {
    let long = format!("contact.name == \"{}\"", "x".repeat(MAX_SOURCE_BYTES));
    assert!(refused(&long).message.contains("is longer than"));
    let deep = format!("0{} > 0", " + 1".repeat(MAX_DEPTH));
    assert!(refused(&deep).message.contains("is nested more than"));
    let brackets = format!("{}true{}", "(".repeat(900), ")".repeat(900));
    assert!(refused(&brackets).message.contains("is nested more than"));
    let looped =
        "contact.attributes.all(a, contact.attributes.all(b, contact.attributes.all(c, a + b == c)))";
    assert!(refused(looped).message.contains("could take too long"));
    let doubling = format!("[message.text]{} == []", ".map(x, x + x)".repeat(8));
    assert!(refused(&doubling).message.contains("could take too long"));
}

#[test]
fn two_hundred_words_may_be_looked_for_in_a_text() {
    let words: Vec<String> = (0..200).map(|n| format!("\"w{n}\"")).collect();
    let source = format!("[{}].exists(w, message.text.contains(w))", words.join(","));
    let condition = Condition::compile(&source).unwrap();
    assert!(condition.work() <= MAX_WORK);
    assert_eq!(Given::new().answer(&condition), Ok(false));
}

#[test]
fn the_longest_text_that_is_read_is_the_longest_that_is_reckoned_with() {
    assert!(MAX_TEXT_CHARS * 'é'.len_utf8().max(4) <= MAX_TEXT_BYTES);
}

/// Pieces that make almost-conditions of every shape.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "message.text",
        "contact.attributes",
        "contact",
        "now.hour",
        "x",
        "1",
        "0.5",
        "1u",
        "\"a\"",
        "'b'",
        "b'c'",
        "null",
        "true",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "?",
        ":",
        ",",
        ".",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "in",
        " ",
        "\n",
        ".exists(x, ",
        ".map(x, ",
        ".filter(x, x == ",
        "has(",
        ".contains(",
        ".matches(",
        "size(",
        "\\",
        "\"",
        "`",
        "@",
        "$",
        "\u{0}",
        "é",
        "🙂",
        "//",
        "0x",
        "-9223372036854775808",
        "9223372036854775808",
        "e9",
        "r\"",
        "\"\"\"",
        "if",
        ".?",
        "[?",
        "message.text.matches(\"a+\")",
        "contact.attributes.x",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_text_makes_the_compiler_panic(source in prop_oneof![any::<String>(), soup(), "[\\[({!:?,.@a-c1-3\"]{0,80}"]) {
        match Condition::compile(&source) {
            Ok(condition) => { let _ = Given::new().answer(&condition); }
            Err(error) => {
                prop_assert_ne!(error.message, "it cannot be understood");
                prop_assert!(error.line >= 1 && error.column >= 1);
                prop_assert!(error.line as usize <= source.lines().count().max(1) + 1);
            }
        }
    }
}
