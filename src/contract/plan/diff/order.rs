//! Rules in another order: which of them moved, and past which others.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;

/// The rules that moved, of those that both plans have: as few as possible, so that one rule dragged to the top is one
/// move. In the order of the second plan.
pub(super) fn moves<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(&'a str, Change)> {
    let (old, new) = (shared(old, new), shared(new, old));
    if old == new {
        return Vec::new();
    }
    let (before, now) = (places(&old), places(&new));
    // Which of two neighbours moved past the other is anyone's guess. It is guessed alike in both directions, so that
    // the difference from here to there says what the one from there to here says.
    let stayed = if old < new {
        stay(&old, &now)
    } else {
        stay(&new, &before)
    };
    let moved = new.iter().filter(|rule| !stayed.contains(*rule));
    let change = |rule: &&'a str| {
        let passed = |first: &BTreeMap<&str, usize>, then: &BTreeMap<&str, usize>, in_order: &[&str]| {
            let passed = in_order
                .iter()
                .filter(|other| first[*other] < first[rule] && then[*other] > then[rule]);
            passed.map(|other| (*other).to_owned()).collect()
        };
        Change::Moved {
            now_before: passed(&before, &now, &new),
            now_after: passed(&now, &before, &new),
        }
    };
    moved.map(|rule| (*rule, change(rule))).collect()
}

/// Those of the first that the second has too.
fn shared<'a>(rules: &[&'a str], others: &[&'a str]) -> Vec<&'a str> {
    let others: BTreeSet<&str> = others.iter().copied().collect();
    rules
        .iter()
        .copied()
        .filter(|rule| others.contains(rule))
        .collect()
}

fn places<'a>(rules: &[&'a str]) -> BTreeMap<&'a str, usize> {
    rules
        .iter()
        .enumerate()
        .map(|(place, rule)| (*rule, place))
        .collect()
}

/// As many as possible that are in the same order in both: the longest run of rising places.
fn stay<'a>(rules: &[&'a str], places: &BTreeMap<&str, usize>) -> BTreeSet<&'a str> {
    // The last rule of the best run of each length so far, and before each rule the one before it in its run.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let length = ends.partition_point(|end| places[rules[*end]] < places[rule]);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut run = BTreeSet::new();
    let mut next = ends.last().copied();
    while let Some(index) = next {
        run.insert(rules[index]);
        next = before[index];
    }
    run
}
