//! What must hold of everything that is read, whatever it was.

use jiff::{SignedDuration, Timestamp};
use switchboard::contract::{
    AHEAD, Adapter, Arrived, ArrivedFact, MAX_FACTS, MAX_TEXT_CHARS, STALE_AFTER, forward,
};
use switchboard::domain::conversation::Contact;
use switchboard::domain::input::What;

use super::letter::{ARRIVAL, Letter};

/// Most characters of the complaint about a body.
const MAX_DETAIL_CHARS: usize = 400;

/// Longest id of a message or cause, longest partition key, in bytes.
const MAX_ID_BYTES: usize = 512;
const MAX_KEY_BYTES: usize = 255;

/// So many digits in a row are taken for a phone number: lines, columns and counts have fewer.
const DIGITS_OF_A_PHONE: usize = 8;

/// A word that nothing of ours says: where it turns up, it was let out.
pub const CANARY: &str = "Zenobia";

/// Holds what was read to everything that is promised of it.
pub fn hold(arrived: &Arrived) {
    let told = arrived.facts.len() + arrived.commands.len() + arrived.skipped.len();
    assert!(told > 0 || arrived.dead.is_some(), "a body came to nothing");
    assert!(arrived.facts.len() <= MAX_FACTS, "more facts than are read");
    assert!(
        arrived.skipped.values().all(|count| *count > 0),
        "counted what is not there"
    );
    for fact in &arrived.facts {
        bounded(fact);
        shows_nothing(fact);
        reads_back(fact);
    }
    if let Some(dead) = &arrived.dead {
        let detail = &dead.detail;
        assert!(!detail.is_empty(), "dead for no reason");
        assert!(
            detail.chars().count() <= MAX_DETAIL_CHARS,
            "a long complaint: {detail}"
        );
        assert!(
            !detail.chars().any(char::is_control),
            "a complaint of several lines: {detail:?}"
        );
        assert!(!shows_a_person(detail), "a complaint shows a value: {detail}");
    }
}

/// Everything of a fact has a bound, and nothing in it is what Postgres cannot keep.
fn bounded(fact: &ArrivedFact) {
    let arrival: Timestamp = ARRIVAL.parse().expect("a time");
    assert!(fact.identity.aliases().count() > 0, "a fact about nobody");
    assert!(
        !fact.cause.is_empty() && fact.cause.len() <= MAX_ID_BYTES,
        "a bad cause"
    );
    let key = fact.home_key();
    assert!(
        !key.is_empty() && key.len() <= MAX_KEY_BYTES,
        "a bad partition key"
    );
    let age = arrival.duration_since(fact.at);
    assert!(
        age <= STALE_AFTER && age >= SignedDuration::ZERO - AHEAD,
        "happened at {}",
        fact.at
    );
    let Contact {
        name,
        language,
        country,
        attributes,
    } = &fact.contact;
    assert!(attributes.len() <= Contact::MAX_ATTRIBUTES);
    let mut texts = vec![
        (&**name, 128),
        (&**language, 2),
        (&**country, 2),
        (&*fact.cause, MAX_ID_BYTES),
    ];
    texts.extend(
        attributes
            .iter()
            .flat_map(|(name, value)| [(&**name, 64), (&**value, 256)]),
    );
    let aliases = fact.identity.aliases().chain(&fact.previous);
    texts.extend(aliases.map(|alias| (&*alias.value, MAX_ID_BYTES)));
    match &fact.what {
        What::Received(message) | What::Sent { message, .. } => texts.extend([
            (&*message.id, MAX_ID_BYTES),
            (&*message.kind, 64),
            (&*message.text, MAX_TEXT_CHARS),
            (&*message.referral, 256),
            (&*message.reply_to, MAX_ID_BYTES),
        ]),
        What::Handover { reason } => texts.push((&**reason, 500)),
    }
    for (text, max) in texts {
        assert!(text.chars().count() <= max, "longer than {max}: {text:?}");
        assert!(!text.contains('\0'), "holds NUL: {text:?}");
    }
}

/// What a log line could hold is the hash, the channel and the time, and nothing else.
fn shows_nothing(fact: &ArrivedFact) {
    let mut shown = format!(
        "{fact:?} {:?} {:?} {:?}",
        fact.dedupe, fact.identity, fact.previous
    );
    for allowed in [
        fact.dedupe.key().to_string(),
        format!("{:?}", fact.channel),
        fact.channel.to_string(),
        fact.at.to_string(),
    ] {
        shown = shown.replace(&allowed, "");
    }
    assert!(!shows_a_person(&shown), "Debug shows a value: {shown}");
    for alias in fact.identity.aliases().chain(&fact.previous) {
        let told = alias.value.len() >= DIGITS_OF_A_PHONE && shown.contains(&*alias.value);
        assert!(!told, "Debug shows an identifier: {shown}");
    }
}

/// Whether a text may hold a phone number or what only a customer says.
pub fn shows_a_person(text: &str) -> bool {
    let mut digits = 0;
    let phone = text.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits >= DIGITS_OF_A_PHONE
    });
    phone || text.contains(CANARY)
}

/// What ingress makes of a fact reads back as the same fact, under the partition key it was given.
fn reads_back(fact: &ArrivedFact) {
    let key = fact.home_key();
    let forwarded = forward(fact, &key);
    let letter = Letter {
        content_type: Some(forwarded.content_type.into()),
        headers: Vec::new(),
        body: forwarded.body.into(),
    };
    let mut back = letter.read(Adapter::Detect);
    assert_eq!(back.dead, None, "what was forwarded is dead");
    assert_eq!(back.facts.len(), 1, "what was forwarded is no fact");
    let back = back.facts.remove(0);
    assert_eq!(told(&back), told(fact), "forwarding changed it");
    assert_eq!(back.partition_key.as_deref(), Some(&*key));
}

/// Everything about a fact but its partition key, in words that can be compared.
pub fn told(fact: &ArrivedFact) -> String {
    let aliases: Vec<_> = fact
        .identity
        .aliases()
        .map(|alias| (alias.kind, &alias.value))
        .collect();
    let previous: Vec<_> = fact
        .previous
        .iter()
        .map(|alias| (alias.kind, &alias.value))
        .collect();
    format!(
        "{} {:?} {:?} {} {aliases:?} {previous:?} {:?} {} {} {:?}",
        fact.cause, fact.dedupe, fact.own_time, fact.channel, fact.contact, fact.at, fact.standby, fact.what
    )
}

/// Everything that was read, but where a fault was.
pub fn outcome(arrived: &Arrived) -> String {
    let facts: Vec<_> = arrived.facts.iter().map(told).collect();
    let reason = arrived.dead.as_ref().map(|dead| dead.reason);
    format!(
        "{facts:?} {:?} {:?} {reason:?}",
        arrived.commands, arrived.skipped
    )
}
