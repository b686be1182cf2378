//! How fair the ring is while people join, leave, come and go.
//!
//! *Nobody who stays is overtaken twice.* Let i be a member and eligible at every choice of some stretch. Then in that stretch
//! no other member is chosen more than once more often than i. For if j is chosen at two moments between which i is not,
//! then at the second one j has the highest number of the ring since the first, i has a lower one and is eligible: the ring
//! prefers i. So between two turns of j lies one of i. For two who both stay, the difference is one at most.
//!
//! *Even shares.* While the set of those eligible stays the same, its k members are chosen in cyclic order: after any number of
//! choices each was chosen as often as 1/k of them says, give or take less than one. So an agent's deviation is less than the
//! number of such stretches in which they were eligible; while nothing changes, less than one.
//!
//! There is no bound that does not grow with the changes. Whoever is skipped keeps their place: somebody who is there only
//! when it is their turn is chosen every time, out of three with a share of a third. The last test shows it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use switchboard::domain::agent::Presence;
use switchboard::domain::event::{Decision, PassedOver};
use switchboard::domain::fairness::Book;
use switchboard::domain::ids::AgentId;
use switchboard::domain::input::{Body, Upsert};
use switchboard::domain::plan::Strategy as Way;

use crate::support::inputs::{by, cli, turn};
use crate::support::people::online;
use crate::support::plans::support;
use crate::support::scenario::{Scenario, given};
use crate::support::{agent, team};

const PEOPLE: [&str; 5] = ["ana", "bob", "cid", "dora", "eva"];

/// What happens to the ring.
#[derive(Debug, Clone, Copy)]
enum Act {
    Customer,
    Comes(usize),
    Goes(usize),
    Joins(usize),
    Leaves(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let who = || 0..PEOPLE.len();
    prop_oneof![
        6 => Just(Act::Customer),
        1 => who().prop_map(Act::Comes),
        1 => who().prop_map(Act::Goes),
        1 => who().prop_map(Act::Joins),
        1 => who().prop_map(Act::Leaves),
    ]
}

fn body(act: Act, customer: &mut u8) -> Body {
    let teams = |teams: &[&str]| Upsert {
        teams: Some(teams.iter().map(|id| team(id)).collect()),
        ..Upsert::default()
    };
    match act {
        Act::Customer => {
            *customer += 1;
            turn(*customer).into()
        }
        Act::Comes(who) => by(PEOPLE[who]).sets(PEOPLE[who], Presence::Online).into(),
        Act::Goes(who) => by(PEOPLE[who]).sets(PEOPLE[who], Presence::Away).into(),
        Act::Joins(who) => cli().upserts(PEOPLE[who], teams(&["support"])).into(),
        Act::Leaves(who) => cli().upserts(PEOPLE[who], teams(&[])).into(),
    }
}

/// A ring as one would write it down: a list, front first.
struct Reference {
    ring: VecDeque<&'static str>,
    there: BTreeSet<&'static str>,
    waiting: u32,
    choices: Vec<Choice>,
    /// How often each joined: who leaves and comes back is new to the ring.
    joined: BTreeMap<&'static str, u32>,
}

/// A choice of the reference, with everyone eligible as the member they then were.
#[derive(Debug, Clone)]
struct Choice {
    chosen: &'static str,
    eligible: BTreeSet<(&'static str, u32)>,
}

impl Reference {
    fn new() -> Self {
        Self {
            ring: PEOPLE.into(),
            there: PEOPLE.into(),
            waiting: 0,
            choices: Vec::new(),
            joined: PEOPLE.map(|who| (who, 0)).into(),
        }
    }

    fn happen(&mut self, act: Act) {
        match act {
            Act::Customer => self.waiting += 1,
            Act::Comes(who) => drop(self.there.insert(PEOPLE[who])),
            Act::Goes(who) => drop(self.there.remove(PEOPLE[who])),
            Act::Joins(who) if self.ring.contains(&PEOPLE[who]) => {}
            Act::Joins(who) => {
                self.ring.push_back(PEOPLE[who]);
                *self.joined.entry(PEOPLE[who]).or_default() += 1;
            }
            Act::Leaves(who) => self.ring.retain(|other| *other != PEOPLE[who]),
        }
        while self.waiting > 0 && self.choose() {
            self.waiting -= 1;
        }
    }

    fn choose(&mut self) -> bool {
        let eligible = |who: &&&'static str| self.there.contains(**who);
        let Some(chosen) = self.ring.iter().find(eligible).copied() else {
            return false;
        };
        let eligible = self
            .ring
            .iter()
            .filter(eligible)
            .map(|who| (*who, self.joined[who]));
        self.choices.push(Choice {
            chosen,
            eligible: eligible.collect(),
        });
        self.ring.retain(|other| *other != chosen);
        self.ring.push_back(chosen);
        true
    }

    /// Turns, shares and deviation, counted from the choices alone.
    fn account(&self, who: &str) -> (u64, f64) {
        let turns = self.choices.iter().filter(|choice| choice.chosen == who).count();
        let eligible = self
            .choices
            .iter()
            .filter(|choice| choice.eligible.iter().any(|(one, _)| *one == who));
        (
            turns as u64,
            eligible.map(|choice| 1.0 / choice.eligible.len() as f64).sum(),
        )
    }

    /// Stretches in which the same were eligible, and this one among them.
    fn stretches(&self, who: &str) -> usize {
        let with = |choice: &&Choice| choice.eligible.iter().any(|(one, _)| *one == who);
        let mut stretches = 0;
        let mut before: Option<&BTreeSet<(&str, u32)>> = None;
        for choice in &self.choices {
            if before != Some(&choice.eligible) && with(&choice) {
                stretches += 1;
            }
            before = Some(&choice.eligible);
        }
        stretches
    }
}

/// Runs the acts through the core; the decisions it made, in order.
fn decisions(acts: &[Act]) -> Vec<Decision> {
    let mut scenario = company();
    let mut customer = 0;
    let mut decisions = Vec::new();
    for act in acts {
        scenario = scenario.when(body(*act, &mut customer));
        let made = scenario
            .events()
            .filter_map(|recorded| recorded.event.decision.as_deref().cloned());
        decisions.extend(made);
    }
    decisions
}

fn company() -> Scenario {
    given(support(Way::RoundRobin, &PEOPLE)).agents(PEOPLE.map(online))
}

fn book(decisions: &[Decision]) -> Book {
    let mut book = Book::default();
    decisions.iter().for_each(|decision| book.add(decision));
    book
}

/// In every stretch in which one stays eligible, how much more often was the other chosen, at most?
fn overtaken(choices: &[Choice], one: (&str, u32), other: &str) -> i32 {
    let (mut most, mut lead) = (0, 0);
    for choice in choices {
        if !choice.eligible.contains(&one) {
            lead = 0;
            continue;
        }
        // The largest sum of any run, as one goes along.
        lead += i32::from(choice.chosen == other) - i32::from(choice.chosen == one.0);
        lead = lead.max(0);
        most = most.max(lead);
    }
    most
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_ring_is_the_list_one_would_keep_by_hand_and_its_ledger_says_so(
        acts in proptest::collection::vec(act(), 1..120),
    ) {
        let mut reference = Reference::new();
        acts.iter().for_each(|act| reference.happen(*act));
        let decisions = decisions(&acts);
        let chosen: Vec<AgentId> = decisions.iter().filter_map(|decision| decision.chosen.clone()).collect();
        let expected: Vec<AgentId> = reference.choices.iter().map(|choice| agent(choice.chosen)).collect();
        prop_assert_eq!(chosen, expected);
        let book = book(&decisions);
        prop_assert_eq!(book.decisions as usize, reference.choices.len());
        prop_assert!(book.unlisted.abs() < 1e-9);
        for who in PEOPLE {
            let account = book.accounts.get(&agent(who)).cloned().unwrap_or_default();
            let (turns, shares) = reference.account(who);
            prop_assert_eq!(account.turns, turns);
            prop_assert!((account.expected - shares).abs() < 1e-9);
            let bound = reference.stretches(who) as f64;
            prop_assert!(account.deviation().abs() < bound.max(f64::EPSILON), "{} by {}", who, account.deviation());
        }
    }

    #[test]
    fn nobody_who_stays_is_overtaken_twice_whoever_else_joins_leaves_comes_and_goes(
        acts in proptest::collection::vec(act(), 1..200),
    ) {
        // The core's choices are those of the reference, as the other test shows.
        let mut reference = Reference::new();
        acts.iter().for_each(|act| reference.happen(*act));
        for one in PEOPLE {
            for membership in 0..=reference.joined[one] {
                for other in PEOPLE.into_iter().filter(|other| *other != one) {
                    let lead = overtaken(&reference.choices, (one, membership), other);
                    prop_assert!(lead <= 1, "{} was chosen {} more often than {}", other, lead, one);
                }
            }
        }
    }
}

#[test]
fn who_is_there_only_when_it_is_their_turn_gets_more_than_an_even_share() {
    const ROUNDS: usize = 20;
    let (ana, others) = (0, [3, 4]);
    let mut acts: Vec<Act> = others.map(Act::Leaves).into();
    for _ in 0..ROUNDS {
        // Her turn out of three; then she is away for those of the other two.
        acts.extend([
            Act::Comes(ana),
            Act::Customer,
            Act::Goes(ana),
            Act::Customer,
            Act::Customer,
        ]);
    }
    let decisions = decisions(&acts);
    let book = book(&decisions);
    let account = &book.accounts[&agent("ana")];
    assert_eq!(account.turns, ROUNDS as u64);
    assert!((account.deviation() - ROUNDS as f64 * 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(account.skips, [(PassedOver::Away, 2 * ROUNDS as u64)].into());
    // Turns are even all the same: the ring kept her place.
    let turns: BTreeSet<u64> = ["ana", "bob", "cid"]
        .map(|who| book.accounts[&agent(who)].turns)
        .into();
    assert_eq!(turns, [ROUNDS as u64].into());
}
