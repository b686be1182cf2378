//! What is read off a text and a number when nobody says it.

use switchboard::contract::derive::{country, language};

#[test]
fn the_language_of_a_plain_sentence_is_found() {
    for (expected, text) in [
        ("pt", "bom dia, queria saber o preço"),
        ("pt", "quero falar com uma pessoa"),
        ("fr", "Bonjour, je voudrais une facture"),
        ("fr", "Bonjour, j'ai une question sur ma facture du mois dernier"),
        ("en", "Hi, I need help with my order please"),
        ("en", "can you send me the invoice for last month?"),
        ("de", "ich möchte meine Bestellung stornieren"),
        ("es", "¿cuánto cuesta?"),
        ("tr", "merhaba, yardıma ihtiyacım var"),
        ("he", "שלום, אני צריך עזרה"),
        ("ja", "注文はどこですか"),
        ("zh", "我的订单在哪里"),
        ("ko", "제 주문은 어디에 있나요"),
        ("el", "καλημέρα"),
    ] {
        assert_eq!(language(text), expected, "{text}");
    }
}

#[test]
fn a_text_that_says_too_little_has_no_language() {
    for text in [
        "",
        "ok",
        "Oi",
        "12345",
        "👍",
        "Maria",
        "John Smith",
        "hahaha",
        "AB-12345-XY",
        "https://example.com/track/12345",
    ] {
        assert_eq!(language(text), "", "{text}");
    }
}

#[test]
fn the_country_of_a_number_is_that_of_its_prefix() {
    for (phone, expected) in [
        ("+5511999990000", "BR"),
        ("+972501234567", "IL"),
        ("+33612345678", "FR"),
        ("+14155552671", "US"),
        ("+16135550123", "CA"),
        ("+77012345678", "KZ"),
        ("+79161234567", "RU"),
    ] {
        assert_eq!(country(phone), expected, "{phone}");
    }
}

#[test]
fn a_number_nobody_has_counts_for_the_main_country_of_its_code() {
    assert_eq!(country("+15550001111"), "US");
    assert_eq!(country("+390612345678"), "IT");
}

#[test]
fn a_prefix_of_no_single_country_has_none() {
    for phone in [
        "+80012340000",
        "+999123456",
        "+00000",
        "",
        "+",
        "nobody",
        "BR.123",
    ] {
        assert_eq!(country(phone), "", "{phone}");
    }
}
