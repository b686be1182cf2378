//! What a gateway did not say of a customer, read off what it did: the language of a text, the country of a number.
//!
//! Slow next to everything else here (tens of microseconds), so the worker asks only when a conversation begins and a
//! rule wants to know.

use whatlang::Lang;

/// The language of a text as ISO 639-1; "" unless it is quite sure.
pub fn language(text: &str) -> &'static str {
    let sure = whatlang::detect(text).filter(|info| info.is_reliable());
    sure.map_or("", |info| iso_639_1(info.lang()))
}

/// The country of a phone number (E.164 with `+`) as ISO 3166-1 alpha-2; "" when the prefix belongs to none.
pub fn country(phone: &str) -> String {
    let number = phonenumber::parse(None, phone).ok();
    let country = number.and_then(|number| number.country().id());
    country.map_or_else(String::new, |id| id.as_ref().to_owned())
}

fn iso_639_1(language: Lang) -> &'static str {
    match language {
        Lang::Por => "pt",
        _ => "",
    }
}
