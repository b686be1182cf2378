//! Recipes whose point is what happens as time goes on.

use switchboard::domain::conversation::{Contact, Priority};

use super::{MINUTE, Story, company, known};
use crate::support::inputs::turn;
use crate::support::scenario::Scenario;

const FRIDAY_NOON: &str = "2026-11-20T12:00:00Z";

fn gold() -> Contact {
    known("tier", "gold")
}

fn french() -> crate::support::inputs::Report {
    turn(1).in_language("fr").saying("Une question sur ma facture")
}

#[test]
fn a_vip_whom_no_senior_can_take_goes_to_anyone_after_two_minutes() {
    company("vip", FRIDAY_NOON, ["sara", "tom"])
        .gets(turn(1).from(gold()))
        .gets(turn(2).from(gold()))
        .gets(turn(3).from(gold()))
        .owned(3, "queue of seniors")
        .passes(2 * MINUTE)
        .owned(3, "tom");
}

#[test]
fn a_french_customer_waits_a_minute_for_french_and_then_speaks_english() {
    company("language-teams", FRIDAY_NOON, ["tom"])
        .gets(french())
        .owned(1, "queue of english")
        .passes(MINUTE)
        .owned(1, "tom");
}

#[test]
fn a_burst_of_clicks_is_spread_over_people_and_the_rest_goes_on_to_support() {
    let mut company = company("ad-traffic", FRIDAY_NOON, ["nia", "otto", "tom"]);
    for number in 1..=7 {
        company = company.gets(turn(number).referred_by("120210000000000101"));
    }
    let owned = |company: &Scenario, who: &str| {
        let owner = |number: &u8| {
            company
                .chat(*number)
                .owned_by()
                .is_some_and(|owner| owner.as_str() == who)
        };
        (1..=7).filter(owner).count()
    };
    assert_eq!((owned(&company, "nia"), owned(&company, "otto")), (3, 3));
    company
        .owned(7, "queue of campaign")
        .passes(MINUTE)
        .owned(7, "tom");
}

#[test]
fn an_invoice_in_french_asks_for_less_and_less() {
    company("skill-relaxation", FRIDAY_NOON, ["rui", "tom"])
        .gets(french())
        .owned(1, "queue of billing")
        .passes(2 * MINUTE)
        .owned(1, "tom");
    let company = company("skill-relaxation", FRIDAY_NOON, ["rui"])
        .gets(french())
        .passes(2 * MINUTE)
        .owned(1, "queue of billing")
        .passes(3 * MINUTE);
    assert_eq!(company.chat(1).priority, Priority::High);
    company
        .owned(1, "queue of billing")
        .passes(5 * MINUTE)
        .owned(1, "rui")
        .in_team(1, "general");
}

#[test]
fn after_three_moves_it_goes_to_a_lead() {
    let company = company("escalation", FRIDAY_NOON, ["ana", "ben", "cleo", "lia"]).writes(1, "Hello?");
    let told = ["ana", "ben", "cleo", "ana"]
        .iter()
        .fold(company, |company, silent| {
            company.owned(1, silent).passes(15 * MINUTE)
        });
    told.owned(1, "lia");
}

#[test]
fn who_logs_off_leaves_what_is_unanswered_to_the_next_office() {
    company("follow-the-sun", "2026-11-24T16:50:00Z", ["ines", "joe"])
        .writes(1, "One more question")
        .owned(1, "ines")
        .after(8 * MINUTE)
        .leaves("ines")
        .passes(5 * MINUTE)
        .passes(10 * MINUTE)
        .owned(1, "joe");
}
