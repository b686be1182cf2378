//! Recipes whose point is where a conversation goes.

use switchboard::domain::conversation::{Contact, Priority};
use switchboard::domain::ids::ChannelKey;

use super::{MINUTE, Story, company, known};
use crate::support::HOUR;
use crate::support::inputs::{by, received, turn};
use crate::support::scenario::Scenario;

const FRIDAY_NOON: &str = "2026-11-20T12:00:00Z";

/// A customer from this country who writes in this language, if that can be told.
fn speaker(language: &str, country: &str) -> Contact {
    Contact {
        language: language.into(),
        country: country.into(),
        ..Contact::default()
    }
}

fn channel(key: &str) -> ChannelKey {
    ChannelKey::new(key).unwrap()
}

/// Whoever has it answers and closes it.
fn served(company: Scenario, number: u8, by_whom: &str) -> Scenario {
    company
        .when(by(by_whom).replies(number))
        .when(by(by_whom).closes(number))
}

#[test]
fn vips_meet_the_seniors_by_their_own_policy_and_others_do_not() {
    let company = company("vip", FRIDAY_NOON, ["sara", "tom", "ulla"])
        .gets(turn(1).from(known("tier", "gold")))
        .owned(1, "sara")
        .gets(turn(2).from(known("tier", "bronze")))
        .owned(2, "tom")
        .gets(turn(3))
        .owned(3, "ulla");
    assert_eq!(company.chat(1).priority, Priority::Urgent);
    assert_eq!(company.chat(1).route.response.as_ref().unwrap().as_str(), "vip");
    assert!(company.chat(2).route.response.is_none());
}

#[test]
fn vips_wait_for_a_busy_senior_and_fall_back_while_no_senior_is_there() {
    company("vip", FRIDAY_NOON, ["sara", "tom", "ulla"])
        .gets(turn(1).from(known("tier", "gold")))
        .gets(turn(2).from(known("tier", "platinum")))
        .gets(turn(3).from(known("tier", "gold")))
        .owned(3, "queue of seniors")
        .when(by("sara").closes(1))
        .owned(3, "sara");
    company("vip", FRIDAY_NOON, ["tom", "ulla"])
        .gets(turn(1).from(known("tier", "gold")))
        .owned(1, "tom")
        .in_team(1, "support");
}

#[test]
fn customers_are_served_in_their_language_or_that_of_their_country() {
    company("language-teams", FRIDAY_NOON, ["ana", "rui", "lea", "tom"])
        .gets(turn(1).from(speaker("pt", "")))
        .owned(1, "ana")
        .gets(turn(2).from(speaker("", "BR")))
        .owned(2, "rui")
        .gets(turn(3).from(speaker("fr", "BR")))
        .owned(3, "lea")
        .gets(turn(4).from(speaker("en", "BR")))
        .owned(4, "tom")
        .gets(turn(5).from(speaker("", "")))
        .owned(5, "tom");
}

#[test]
fn where_nobody_speaks_the_language_english_has_to_do() {
    company("language-teams", FRIDAY_NOON, ["rui", "tom"])
        .gets(turn(1).from(speaker("fr", "FR")))
        .owned(1, "rui")
        .leaves("rui")
        .gets(turn(2).from(speaker("fr", "FR")))
        .owned(2, "queue of english")
        .gets(turn(3).from(speaker("pt", "PT")))
        .owned(3, "tom")
        .in_team(3, "english");
}

#[test]
fn sales_get_their_number_baskets_and_questions_for_prices() {
    let poster = channel("whatsapp:109000000000002");
    company("sales-and-support", FRIDAY_NOON, ["pia", "quin", "sam", "tia"])
        .gets(turn(1).on(poster))
        .in_team(1, "sales")
        .gets(received(2, "order", true))
        .in_team(2, "sales")
        .writes(3, "What is the PRICE of this?")
        .in_team(3, "sales")
        .writes(4, "This is priceless, it broke on the first day")
        .in_team(4, "support")
        .owned(4, "sam");
}

#[test]
fn a_customer_whom_support_knows_stays_there_with_a_question_for_a_price() {
    let company = company("sales-and-support", FRIDAY_NOON, ["sam", "quin"]).writes(1, "It broke");
    served(company, 1, "sam")
        .leaves("sam")
        .writes(1, "What is the price of a new one?")
        .in_team(1, "support");
}

#[test]
fn pia_keeps_room_for_support() {
    let mut company = company("sales-and-support", FRIDAY_NOON, ["pia"]);
    for number in 1..=4 {
        company = company.writes(number, "What is the price?");
    }
    company
        .owned(3, "pia")
        .owned(4, "queue of sales")
        .writes(5, "It broke")
        .owned(5, "pia");
}

#[test]
fn who_comes_from_the_campaign_is_answered_at_once_and_other_ads_wait_for_a_claim() {
    let company = company("ad-traffic", FRIDAY_NOON, ["nia", "otto", "tom"])
        .gets(turn(1).referred_by("120210000000000101"))
        .owned(1, "nia")
        .gets(turn(2).referred_by("https://example.com/poster"))
        .owned(2, "queue of campaign")
        .gets(turn(3))
        .owned(3, "tom")
        .when(by("otto").gives(2, "otto"))
        .owned(2, "otto");
    assert_eq!(company.chat(1).priority, Priority::High);
    assert_eq!(company.chat(1).route.response.as_ref().unwrap().as_str(), "hot");
}

#[test]
fn a_customer_who_clicks_on_an_ad_goes_to_support() {
    let company =
        company("ad-traffic", FRIDAY_NOON, ["nia", "tom"]).gets(turn(1).referred_by("120210000000000101"));
    served(company, 1, "nia")
        .leaves("nia")
        .gets(turn(1).referred_by("120210000000000102"))
        .owned(1, "tom");
}

#[test]
fn what_cannot_wait_goes_to_the_night_shift_by_night_and_only_then() {
    company("night-shift", "2026-11-20T23:00:00Z", ["ana", "nils", "nora"])
        .writes(1, "URGENT: water everywhere")
        .owned(1, "nils")
        .writes(2, "Hello")
        .in_team(2, "day")
        .at("2026-11-21T07:59:59Z")
        .writes(3, "This is urgent")
        .owned(3, "nora")
        .at("2026-11-21T08:00:00Z")
        .writes(4, "This is urgent")
        .in_team(4, "day");
}

#[test]
fn an_account_has_its_person_else_its_team() {
    let initech = || known("account", "initech");
    company("sticky-accounts", FRIDAY_NOON, ["kim", "lou", "tom"])
        .gets(turn(1).from(initech()))
        .owned(1, "kim")
        .leaves("kim")
        .gets(turn(2).from(initech()))
        .owned(2, "lou");
}

#[test]
fn who_comes_back_meets_the_same_person_unless_they_complain_or_nobody_is_there() {
    let company = company("sticky-accounts", FRIDAY_NOON, ["kim", "lou", "tom"])
        .gets(turn(1))
        .owned(1, "tom")
        .gets(turn(2).from(known("account", "initech")));
    let company = served(served(company, 1, "tom"), 2, "kim").after(HOUR);
    let company = company.writes(1, "One more thing").owned(1, "tom");
    let company = served(company, 1, "tom")
        .writes(1, "I have a complaint")
        .in_team(1, "accounts");
    company
        .leaves("kim")
        .writes(2, "Hello again")
        .owned(2, "lou")
        .after(MINUTE)
        .in_team(2, "accounts");
}

#[test]
fn an_invoice_in_french_goes_to_who_has_both_skills() {
    let french = || turn(1).in_language("fr").saying("Où est ma FACTURE ?");
    company("skill-relaxation", FRIDAY_NOON, ["lea", "rui", "tom"])
        .gets(french())
        .owned(1, "lea");
    company("skill-relaxation", FRIDAY_NOON, ["rui", "tom"])
        .gets(french())
        .owned(1, "queue of billing")
        .gets(turn(2).in_language("fr").saying("Bonjour"))
        .in_team(2, "general");
}
