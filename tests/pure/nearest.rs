//! Which word was probably meant.

use switchboard::domain::nearest::{did_you_mean, nearest};

const KNOWN: [&str; 5] = ["team", "members", "may_reply", "language", "on_away"];

#[test]
fn a_misspelt_word_is_recognised() {
    for (wrong, meant) in [
        ("langage", "language"),
        ("member", "members"),
        ("may-reply", "may_reply"),
        ("mayReply", "may_reply"),
        ("TEAM", "team"),
        ("on_awya", "on_away"),
    ] {
        assert_eq!(nearest(wrong, KNOWN), Some(meant), "{wrong}");
    }
    assert_eq!(did_you_mean("tema", KNOWN), "; did you mean `team`?");
}

#[test]
fn another_word_is_not_taken_for_a_misspelling() {
    for other in ["name", "colour", "x", "te", "", "on", &"language".repeat(100_000)] {
        assert_eq!(nearest(other, KNOWN), None);
    }
    assert_eq!(did_you_mean("colour", KNOWN), "");
}
