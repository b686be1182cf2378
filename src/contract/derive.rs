//! What a gateway did not say of a customer, read off what it did say: the language of a text, the country of a number.
//!
//! Slow beside everything else here (some fifty microseconds for a text; the first number loads the numbering plans of
//! the world, some seventy milliseconds), so the worker asks only where a conversation begins and a rule wants to know.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use phonenumber::metadata::DATABASE;
use whatlang::{Detector, Info, Lang, Script};

/// How sure the detector must be, from 0 to 1. Its own mark of 0.9 is for pages of text and leaves most chat messages
/// without a language; on eighty short messages in twenty languages this one named a third, and one of them wrongly.
const SURE: f64 = 0.38;

/// Shorter texts in a script of many languages say too little ("ok", a first name).
const MIN_LETTERS: usize = 8;

/// Languages left out, because a text in their larger neighbour would so often pass for them that neither is ever sure,
/// and those that nobody writes to a business in.
const LEFT_OUT: [Lang; 15] = [
    Lang::Epo,
    Lang::Lat,
    Lang::Yid,
    Lang::Aka,
    Lang::Sna,
    Lang::Zul,
    Lang::Jav,
    Lang::Tuk,
    Lang::Cat,
    Lang::Cym,
    Lang::Bel,
    Lang::Mkd,
    Lang::Aze,
    Lang::Uzb,
    Lang::Afr,
];

/// The `+` and as many digits as tell a country: calling code and area, also where islands share a code.
const PREFIX: usize = 8;

/// Prefixes remembered; beyond them all are forgotten, which costs time and nothing else.
const MAX_KNOWN: usize = 10_000;

static KNOWN: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| Detector::with_denylist(LEFT_OUT.to_vec()));

/// Loads the tables that the first answer would otherwise wait for: that takes long enough for a transaction to time out.
pub fn warm_up() {
    country("+15550100");
    language("Where is my order, please?");
}

/// The language of a text as ISO 639-1; "" when unsure.
pub fn language(text: &str) -> &'static str {
    let long_enough = text.chars().filter(|c| c.is_alphabetic()).count() >= MIN_LETTERS;
    let sure = |info: &Info| info.confidence() >= SURE && (long_enough || !is_shared(info.script()));
    let detected = DETECTOR.detect(text).filter(sure);
    detected.map_or("", |info| iso_639_1(info.lang()))
}

/// The country of a phone number (E.164 with `+`) as ISO 3166-1 alpha-2; "" when its prefix is no single country's.
/// A number that its country has not given out counts for the main country of its calling code.
///
/// Finding it compiles a pattern per country that shares the calling code, milliseconds each: what a prefix led to is
/// remembered, for numbers that begin alike are the same country's.
pub fn country(phone: &str) -> String {
    let prefix = phone.get(..PREFIX).unwrap_or(phone);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(country) = known.get(prefix) {
        return country.clone();
    }
    let country = look_up(phone);
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(prefix.to_owned(), country.clone());
    country
}

fn look_up(phone: &str) -> String {
    let Ok(number) = phonenumber::parse(None, phone) else {
        return String::new();
    };
    let by_code = || DATABASE.by_code(&number.code().value())?.into_iter().next();
    let region = number.metadata(&DATABASE).or_else(by_code);
    match region.map(|region| region.id()) {
        Some(id) if id.len() == 2 => id.to_owned(), // "001" stands for services of no country
        _ => String::new(),
    }
}

/// Whether many languages are written in this script: the script alone then says nothing.
fn is_shared(script: Script) -> bool {
    matches!(
        script,
        Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari
    )
}

/// The two-letter code of each language the detector knows.
fn iso_639_1(language: Lang) -> &'static str {
    match language {
        Lang::Afr => "af",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Cym => "cy",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Guj => "gu",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jav => "jv",
        Lang::Jpn => "ja",
        Lang::Kan => "kn",
        Lang::Kat => "ka",
        Lang::Khm => "km",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Mkd => "mk",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "nb",
        Lang::Ori => "or",
        Lang::Pan => "pa",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Sin => "si",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Sna => "sn",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tgl => "tl",
        Lang::Tha => "th",
        Lang::Tuk => "tk",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        Lang::Yid => "yi",
        Lang::Zul => "zu",
    }
}
