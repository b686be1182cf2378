//! What conditions answer.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Given;
use switchboard::domain::calendar::{Calendar, Span};
use switchboard::domain::condition::{Condition, EvaluationError};

#[track_caller]
fn true_of_all(given: &Given, sources: &[&str]) {
    for source in sources {
        assert_eq!(given.holds(source), Ok(true), "{source}");
    }
}

#[test]
fn every_fact_can_be_asked_for() {
    true_of_all(
        &Given::new(),
        &[
            r#"message.kind == "text""#,
            r#"message.text.contains("FATURA")"#,
            r#"message.referral == "ad-77""#,
            r#"message.reply_to == "wamid.0""#,
            r#"contact.name == "Ana""#,
            r#"contact.language == "pt" && contact.country == "BR""#,
            r#"contact.attributes.tier == "gold""#,
            r#"contact.attributes["odd key"] == "x""#,
            r#"has(contact.attributes.tier) && !has(contact.attributes.age)"#,
            r#""tier" in contact.attributes && !("age" in contact.attributes)"#,
            "contact.returning",
            r#"channel.key == "whatsapp:123456789012345""#,
            "conversation.episode == 2",
            r#"conversation.previous_owner == "mark""#,
            r#"conversation.priority == "high""#,
            "conversation.waiting == 90",
            "now.hour == 19",
            r#"now.weekday == "sat""#,
            "now.working",
        ],
    );
}

#[test]
fn what_is_absent_is_empty() {
    let mut given = Given::new();
    given.message = None;
    given.conversation.contact = Arc::default();
    given.conversation.last_owner = None;
    given.conversation.waiting_since = None;
    given.conversation.episode = 1;
    true_of_all(
        &given,
        &[
            r#"message.kind == "" && message.text == "" && message.referral == "" && message.reply_to == """#,
            r#"contact.name == "" && contact.language == "" && contact.country == """#,
            "contact.attributes.size() == 0",
            "!contact.returning",
            r#"conversation.previous_owner == """#,
            "conversation.waiting == 0",
        ],
    );
}

#[test]
fn it_is_working_time_while_the_plans_calendar_is_open_by_its_own_clock() {
    let mut given = Given::new();
    // The message comes on a Saturday at 19:30 in São Paulo, on Sunday morning in Auckland.
    let on_saturdays = |from: u16, until: u16| -> [Vec<Span>; 7] {
        std::array::from_fn(|day| {
            if day == 5 {
                vec![Span { from, until }]
            } else {
                vec![]
            }
        })
    };
    let in_zone = |name: &str, hours| Calendar::new(TimeZone::get(name).unwrap(), hours, []);
    for (calendar, open) in [
        (in_zone("America/Sao_Paulo", on_saturdays(9 * 60, 20 * 60)), true),
        (in_zone("America/Sao_Paulo", on_saturdays(9 * 60, 19 * 60)), false),
        (
            in_zone("Pacific/Auckland", on_saturdays(0, Span::MIDNIGHT)),
            false,
        ),
    ] {
        given.calendar = Some(calendar);
        assert_eq!(given.holds("now.working"), Ok(open));
        assert_eq!(given.holds("!now.working"), Ok(!open));
    }
}

#[test]
fn waiting_is_counted_from_the_first_unanswered_turn_else_from_the_queue() {
    let mut given = Given::new();
    given.conversation.queued_at = Some("2026-11-21T22:29:30Z".parse().unwrap());
    true_of_all(&given, &["conversation.waiting == 90"]);
    given.conversation.waiting_since = None;
    true_of_all(&given, &["conversation.waiting == 30"]);
    given.conversation.queued_at = Some("2026-11-21T23:00:00Z".parse().unwrap());
    true_of_all(&given, &["conversation.waiting == 0"]);
}

#[test]
fn the_functions_and_operators_of_cel_are_there() {
    true_of_all(
        &Given::new(),
        &[
            r#"message.text.startsWith("Olá") && message.text.endsWith("1234")"#,
            r#"message.text.lowerAscii().contains("fatura")"#,
            r#"message.text.upperAscii().contains("SEGUNDA VIA")"#,
            r#""  x ".trim() == "x""#,
            r#"message.text.matches("(?i)\\bfatura\\b") && matches(message.text, "[0-9]{4}")"#,
            r#"size(message.text) > 10 && "olá".size() == 3"#,
            r#"int(contact.attributes.score) >= 5 && double("1.5") < 2.0 && string(7) == "7""#,
            r#"["boleto", "FATURA"].exists(word, message.text.contains(word))"#,
            r#"contact.attributes.exists(name, contact.attributes[name].contains("gold"))"#,
            r#"[1, 2, 3].all(n, n > 0) && [1, 2].exists_one(n, n == 2)"#,
            r#"[1, 2, 3].filter(n, n > 1).map(n, n * 2) == [4, 6]"#,
            r#"contact.country in ["BR", "PT"]"#,
            r#"(contact.returning ? "old" : "new") == "old""#,
            r#"{"pt": true, "es": false}[contact.language]"#,
            r#"{"a": {"b": 1}}.a.b == 1"#,
            "(1 + 2) * 3 - 4 / 2 == 7 && 7 % 4 == 3 && -1 < 0",
            "now.hour < 8 || now.hour >= 18",
        ],
    );
}

#[test]
fn a_failed_condition_says_what_kind_of_failure_it_was_and_no_value() {
    let given = Given::new();
    let failing = [
        (r#"contact.attributes.age == "7""#, EvaluationError::NoSuchKey),
        (
            r#"contact.attributes[message.text] == "7""#,
            EvaluationError::NoSuchKey,
        ),
        ("[1][3] == 1", EvaluationError::NoSuchKey),
        (
            r#"[message.text].exists(text, text > 5)"#,
            EvaluationError::WrongKind,
        ),
        (
            "conversation.episode / (conversation.episode - 2) == 1",
            EvaluationError::OutOfRange,
        ),
        (
            "conversation.episode + 9223372036854775807 > 0",
            EvaluationError::OutOfRange,
        ),
        ("int(contact.attributes.tier) > 5", EvaluationError::Failed),
        ("[message.text][0]", EvaluationError::NoAnswer),
    ];
    for (source, error) in failing {
        assert_eq!(given.holds(source), Err(error), "{source}");
        assert!(!error.to_string().contains("FATURA"));
    }
}

#[test]
fn whether_a_condition_reads_texts_is_exact() {
    let reads = |source: &str| Condition::compile(source).unwrap().reads_text();
    assert!(reads(r#"message.kind == "text" && message.text == "x""#));
    assert!(reads(r#"["a"].exists(w, message.text.contains(w))"#));
    assert!(!reads(r#"message.kind == "text""#));
    assert!(!reads(r#"contact.attributes["message.text"] == "text""#));
}

#[test]
fn only_a_plain_true_is_always() {
    let always = |source: &str| Condition::compile(source).unwrap().is_always();
    assert!(always("true"));
    assert!(!always("false"));
    assert!(!always("now.working"));
}

#[test]
fn conditions_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&Condition::compile("true").unwrap());
}
