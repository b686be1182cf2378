//! What people report of the systems that do this job today, as stories that must end well here. The list has twenty-two
//! lines; this table says which tests answer for each, by how their names begin.
//!
//! | line | answered by |
//! |---|---|
//! | 1 two owners | `of_two_who_claim_…`, `a_command_that_names_an_older_epoch_…`, `of_many_claims_…` |
//! | 2 a person's choice overridden | `what_a_person_took_from_the_queue_…`, `what_was_given_by_hand_…`, `what_a_person_unassigned_…` |
//! | 3 a stale team | `who_left_the_team_…`, `a_plan_without_them_…`; `a_plan_is_in_force_everywhere_…` |
//! | 4 capacity exceeded | `a_burst_…`, `a_transfer_to_a_team_…`, `a_returning_customer_does_not_…`, `above_the_limit_…`; all three levels: `promises_hold_…` |
//! | 5 unfair spread | `who_comes_back_to_the_ring_…`, `whoever_is_skipped_…`, `who_is_full_…`; `the_ring_is_a_list_…` |
//! | 6 newcomers first | `a_newcomer_does_not_…`, `defect_6_…` (thousands), `whom_time_frees_is_kept_…`, `nobody_starves_…` |
//! | 7 the first to come gets all | `the_first_to_come_online_…`, `a_backlog_is_shared_…`, `defect_7_…` (thousands), `the_first_to_come_gets_a_wave_…` |
//! | 8 sticky to the absent | `a_returning_customer_is_not_kept_for_…` (two), `defect_8_…` |
//! | 9 the ghost's conversations | `who_is_no_longer_active_…`, `defect_9_…` |
//! | 10 a clock that is dropped | `a_breach_does_not_take_…`, `what_breached_…`, `where_nobody_is_free_it_waits_…`, `a_clock_survives_…` (servers) |
//! | 11 may not reply; flapping | `who_may_not_reply_…` (two), `a_presence_that_flaps_…`, `defect_11_…` (three) |
//! | 12 nothing says why | `whatever_waits_has_a_record_…`, `a_condition_that_failed_…`, `a_conversation_no_rule_wants_…`, `what_still_finds_nobody_has_a_record_…`, `managers_hear_once_…` |
//! | 13 a burst opens several | `defect_13_…` |
//! | 14 lost or doubled | `defect_14_…` |
//! | 15 a transfer that fails half-way | `a_transfer_to_a_team_that_sleeps_…`, `a_transfer_to_a_team_without_…` |
//! | 16 an auto-reply, the wrong actor | `an_automatic_reply_…`, `what_is_no_turn_…`, `each_event_names_…` |
//! | 17 back to the decliner | `who_gave_it_away_…`, `defect_17_…` (four) |
//! | 18 an unroutable head | `one_that_nobody_can_serve_…`, `a_page_of_those_…`, `defect_18_…` (thousands); `defect_18_…` |
//! | 19 one shutdown, all locks | `a_worker_that_stops_…` |
//! | 20 a depth of zero | `the_depth_of_a_queue_…`; `defect_20_…` |
//! | 21 one body, several messages | `defect_21_…` |
//! | 22 a new field | `unknown_fields_are_ignored_…`; `fields_nobody_knows_…` |

mod crowds;
mod ownership;
mod sharing;
mod waiting;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use switchboard::domain::plan::Strategy;

use crate::support::plans::{Draft, support};

/// Everything goes to team `support`, which shares it out by load.
fn by_load(members: &[&str]) -> Draft {
    support(Strategy::LeastLoaded, members)
}

/// Every test there is, by name.
fn names_of_tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            names_of_tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file of tests");
            let functions = text.split("fn ").skip(1);
            names.extend(functions.map(|rest| rest.split('(').next().unwrap_or_default().to_owned()));
        }
    }
}

#[test]
fn every_line_of_the_list_is_answered_by_a_test_that_is_there() {
    let mut names = BTreeSet::new();
    names_of_tests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut names);
    let table = include_str!("mod.rs");
    let lines = table.lines().filter_map(|line| line.strip_prefix("//! | "));
    let mut answered = BTreeSet::new();
    for line in lines {
        let Some(number) = line.split(' ').next().and_then(|word| word.parse::<u32>().ok()) else {
            continue;
        };
        let beginnings: Vec<&str> = line
            .split('`')
            .filter_map(|word| word.strip_suffix('…'))
            .collect();
        assert!(!beginnings.is_empty(), "nothing answers for {line}");
        for beginning in beginnings {
            let found = names.iter().any(|name| name.starts_with(beginning));
            assert!(found, "no test is called {beginning}…: {line}");
        }
        answered.insert(number);
    }
    assert_eq!(answered, (1..=22).collect());
}
