//! What people report of the systems that do this job today, as stories that must end well here. The list has twenty-two
//! lines; this table says which tests answer for each. Names without a file are in this folder.
//!
//! | line | answered by |
//! |---|---|
//! | 1 two owners | `of_two_who_claim_…`, `a_command_that_names_an_older_epoch_…`, `service/defects.rs`: `of_many_claims_…` |
//! | 2 a person's choice overridden | `what_a_person_took_from_the_queue_…`, `what_was_given_by_hand_…`, `what_a_person_unassigned_…` |
//! | 3 a stale team | `who_left_the_team_…`, `a_plan_without_them_…`; `service/journey.rs`: `a_plan_is_in_force_everywhere_…` |
//! | 4 capacity exceeded | `a_burst_…`, `a_transfer_to_a_team_…`, `a_returning_customer_does_not_…`, `above_the_limit_…`; `properties` |
//! | 5 unfair spread | `who_comes_back_to_the_ring_…`, `whoever_is_skipped_…`, `who_is_full_…`; `properties` |
//! | 6 newcomers first | `a_newcomer_does_not_…`; `behaviour/queues.rs` |
//! | 7 the first to come gets all | `the_first_to_come_online_…`, `a_backlog_is_shared_…` |
//! | 8 sticky to the absent | `a_returning_customer_is_not_kept_for_…` (two) |
//! | 9 the ghost's conversations | `who_is_no_longer_active_…` |
//! | 10 a clock that is dropped | `a_breach_does_not_take_…`, `what_breached_…`; `service/timers.rs`: `a_clock_survives_…` |
//! | 11 may not reply; flapping | `who_may_not_reply_…` (two), `a_presence_that_flaps_…` |
//! | 12 nothing says why | `whatever_waits_has_a_record_…`, `a_condition_that_failed_…`, `a_conversation_no_rule_wants_…`; `properties` |
//! | 13 a burst opens several | `service/journey.rs`: `defect_13_…` |
//! | 14 lost or doubled | `service/faults.rs` |
//! | 15 a transfer that fails half-way | `a_transfer_to_a_team_that_sleeps_…`, `a_transfer_to_a_team_without_…` |
//! | 16 an auto-reply, the wrong actor | `an_automatic_reply_…`, `what_is_no_turn_…`, `each_event_names_…` |
//! | 17 back to the decliner | `who_gave_it_away_…` (the part that needs no requests) |
//! | 18 an unroutable head | `one_that_nobody_can_serve_…`, `a_page_of_those_…` |
//! | 19 one shutdown, all locks | `service/defects.rs`: `a_worker_that_stops_…` |
//! | 20 a depth of zero | `service/defects.rs`: `the_depth_of_a_queue_…` |
//! | 21 one body, several messages | `service/journey.rs`: `defect_21_…` |
//! | 22 a new field | `contract_in/door.rs`: `unknown_fields_are_ignored_…`; `service/defects.rs`: `fields_nobody_knows_…` |

mod ownership;
mod sharing;
mod waiting;

use switchboard::domain::plan::Strategy;

use crate::support::plans::{Draft, support};

/// Everything goes to team `support`, which shares it out by load.
fn by_load(members: &[&str]) -> Draft {
    support(Strategy::LeastLoaded, members)
}
