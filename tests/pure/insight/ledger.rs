//! The ledger's arithmetic: shares, skips, and what records of large teams do not say.

use switchboard::domain::event::{Candidate, Decision, PassedOver};
use switchboard::domain::fairness::Book;
use switchboard::domain::ids::AgentId;
use switchboard::domain::plan::Strategy;
use uuid::Uuid;

use crate::support::{agent, id, team};

/// A choice: who, with everyone who was listed and those counted beside them.
fn decision(chosen: Option<&str>, listed: &[(&str, PassedOver)], unlisted_outranked: u32) -> Decision {
    let chosen_one = chosen.map(|who| Candidate {
        agent: agent(who),
        passed_over: None,
    });
    let others = listed.iter().map(|(who, why)| Candidate {
        agent: agent(who),
        passed_over: Some(*why),
    });
    let mut decision = Decision {
        id: Uuid::nil(),
        conversation: id(1),
        rule: None,
        plan_version: 1,
        team: Some(team("support")),
        strategy: Some(Strategy::RoundRobin),
        chosen: chosen.map(agent),
        candidates: chosen_one.into_iter().chain(others).collect(),
        passed_over: [(PassedOver::Outranked, unlisted_outranked)].into(),
        failed_rules: Vec::new(),
    };
    for (_, why) in listed {
        *decision.passed_over.entry(*why).or_default() += 1;
    }
    decision
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn each_of_k_eligible_people_has_a_share_of_one_kth_and_who_was_stopped_has_none() {
    let mut book = Book::default();
    book.add(&decision(
        Some("ana"),
        &[("bob", PassedOver::Outranked), ("cid", PassedOver::Offline)],
        0,
    ));
    book.add(&decision(
        Some("ana"),
        &[("cid", PassedOver::Capacity), ("bob", PassedOver::Away)],
        0,
    ));
    book.add(&decision(None, &[("ana", PassedOver::Offline)], 0));
    assert_eq!(book.decisions, 2, "what found nobody is nobody's turn");
    let ana = &book.accounts[&agent("ana")];
    assert_eq!((ana.turns, ana.outranked), (2, 0));
    assert!(ana.skips.is_empty());
    assert!(close(ana.expected, 1.5) && close(ana.deviation(), 0.5));
    let bob = &book.accounts[&agent("bob")];
    assert_eq!((bob.turns, bob.outranked), (0, 1));
    assert_eq!(bob.skips, [(PassedOver::Away, 1)].into());
    assert!(close(bob.deviation(), -0.5));
    assert!(close(book.accounts[&agent("cid")].expected, 0.0));
    assert!(close(book.largest_deviation(), 0.5));
}

#[test]
fn what_a_record_counts_and_does_not_list_is_spread_and_marked_and_nothing_is_lost() {
    let mut book = Book::default();
    // Four were eligible; the record names two of them.
    for _ in 0..8 {
        book.add(&decision(Some("ana"), &[("bob", PassedOver::Outranked)], 2));
    }
    assert!(close(book.unlisted, 4.0));
    let beyond: Vec<AgentId> = ["x", "y", "z", "w"].map(agent).into();
    book.spread(&beyond);
    let x = &book.accounts[&agent("x")];
    assert!(close(x.expected, 1.0) && close(x.estimated, 1.0));
    assert!(close(book.accounts[&agent("ana")].estimated, 0.0));
    let expected: f64 = book.accounts.values().map(|account| account.expected).sum();
    assert!(close(expected, 8.0), "as many shares as turns");
    let mut alone = Book::default();
    alone.add(&decision(Some("ana"), &[], 1));
    alone.spread(&[]);
    assert!(
        close(alone.unlisted, 0.5),
        "with nobody to have been meant, it stays with nobody"
    );
}

#[test]
fn an_even_share_means_something_only_where_people_are_alike() {
    let even = [Strategy::RoundRobin, Strategy::LeastLoaded, Strategy::LongestIdle];
    assert!(even.into_iter().all(Book::has_ideal));
    assert!(
        ![Strategy::Ranked, Strategy::Manual]
            .into_iter()
            .any(Book::has_ideal)
    );
}
