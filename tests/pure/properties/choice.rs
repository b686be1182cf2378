//! What holds of every automatic choice at the moment it is made, in the oracle's eyes.

use proptest::prelude::*;
use switchboard::domain::conversation::Conversation;
use switchboard::domain::event::{Assignment, By, Change, Decision, PassedOver};
use switchboard::domain::input::{Body, Timer};
use switchboard::domain::plan::Strategy;

use super::Verdict;
use crate::support::oracle::{self, Asks};
use crate::support::step::{Moment, Step};
use crate::support::world::World;

pub fn check(step: Step<'_>) -> Verdict {
    for moment in step.moments() {
        let Some((after, change)) = moment.recorded.change() else {
            prop_assert!(moment.recorded.event.decision.is_none(), "{:?}", moment.recorded);
            continue;
        };
        let decision = moment.recorded.event.decision.as_deref();
        match change {
            Change::Assigned(assignment) if is_automatic(assignment) => {
                let decision = decision.ok_or_else(|| TestCaseError::fail("chosen without a record"))?;
                check_chosen(step, &moment, after, assignment, decision)?;
                check_order(step, &moment, after, assignment)?;
            }
            Change::Assigned(assignment) if assignment.by == By::Escalation => {
                prop_assert!(decision.is_some(), "it went up without a record");
            }
            Change::Assigned(_) => prop_assert!(decision.is_none(), "a person's choice needs no record"),
            Change::Queued { team, route, .. } => {
                let decision = decision.ok_or_else(|| TestCaseError::fail("waits without a record"))?;
                prop_assert_eq!(&decision.chosen, &None);
                let asks = Asks {
                    team: Some(team),
                    route,
                    excluded: &after.excluded,
                };
                let by_hand = route.manual || moment.world.plan.strategy(team) == Some(Strategy::Manual);
                let before = moment.world.conversations.get(&after.id);
                let too_old = before.is_some_and(|c| oracle::is_too_old(&moment.world, c));
                if !by_hand && !too_old {
                    check_candidates(&aside(&moment, after), decision, asks)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether nobody chose whom it goes to: of a bulk that is so where it goes to a team.
fn is_automatic(assignment: &Assignment) -> bool {
    let by_strategy = assignment.by == By::Bulk && assignment.terms.strategy.is_some();
    matches!(assignment.by, By::Auto | By::Sticky) || by_strategy
}

/// The one chosen may have it and has room for it; nobody chose instead of a person.
fn check_chosen(
    step: Step<'_>,
    moment: &Moment<'_>,
    after: &Conversation,
    assignment: &Assignment,
    decision: &Decision,
) -> Verdict {
    let world = &moment.world;
    let who = &assignment.agent;
    prop_assert_eq!(
        decision.chosen.as_ref(),
        Some(who),
        "the record names whoever got it"
    );
    prop_assert_eq!(decision.conversation, after.id);
    prop_assert_eq!(decision.plan_version, world.plan.version);
    prop_assert!(!assignment.over_capacity, "above a capacity: {assignment:?}");
    let asks = Asks {
        team: assignment.team.as_ref(),
        route: &assignment.route,
        excluded: &after.excluded,
    };
    let obstacles = oracle::obstacles(&aside(moment, after), who, asks);
    prop_assert!(obstacles.is_empty(), "{who} was chosen in spite of {obstacles:?}");
    let chosen = decision.candidates.iter().filter(|c| c.passed_over.is_none());
    prop_assert!(
        chosen.map(|c| &c.agent).eq([who]),
        "exactly the chosen was not passed over: {decision:?}"
    );
    check_left_alone(step, moment, after)?;
    if assignment.by == By::Auto {
        prop_assert!(oracle::is_candidate(world, who, asks), "{who} is no candidate");
        prop_assert!(!assignment.route.manual);
        let strategy = assignment
            .team
            .as_ref()
            .and_then(|team| world.plan.strategy(team));
        let named = assignment.route.agent.as_ref() == Some(who);
        prop_assert!(named || strategy != Some(Strategy::Manual), "{assignment:?}");
        check_candidates(&aside(moment, after), decision, asks)?;
        if let Some(strategy) = strategy.filter(|_| !named) {
            let best = oracle::preferred(&aside(moment, after), strategy, asks);
            prop_assert!(best.is_none_or(|best| &best == who), "{strategy:?} chose {who}");
        }
    }
    Ok(())
}

/// Nothing is taken from whom a person gave it to, nor from nobody whom a person left it with.
fn check_left_alone(step: Step<'_>, moment: &Moment<'_>, after: &Conversation) -> Verdict {
    let open = moment
        .world
        .conversations
        .get(&after.id)
        .filter(|before| before.is_open());
    let Some(before) = open else {
        return Ok(());
    };
    if step.input.conversation() == Some(after.id) {
        // By a person's command, their bulk, or because its owner has left; or without a word of the owner, but not without
        // a trace: who was gone for too long, or did not answer.
        let is_meant = matches!(
            step.input.body,
            Body::Command(_) | Body::Timer(Timer::Bulk(_) | Timer::OwnerGone { .. })
        );
        let was_taken = after.care.hops.len() > before.care.hops.len();
        prop_assert!(
            before.carried_by().is_none() || is_meant || was_taken,
            "taken away: {before:?}"
        );
    } else {
        prop_assert!(
            oracle::waits(&moment.world, before),
            "never asked for anyone: {before:?}"
        );
    }
    Ok(())
}

/// The world without the conversation: whoever has it already, and is looked at when it is routed anew, is no busier for it.
fn aside(moment: &Moment<'_>, conversation: &Conversation) -> World {
    let mut world = moment.world.clone();
    world.conversations.remove(&conversation.id);
    world
}

/// Everyone who might have had it is in the record, with a reason that was true.
fn check_candidates(world: &World, decision: &Decision, asks: Asks<'_>) -> Verdict {
    let members = asks.team.and_then(|team| world.teams.get(team));
    for member in members.iter().flat_map(|team| &team.members) {
        let named = decision.candidates.iter().find(|c| c.agent == member.agent);
        let Some(candidate) = named else {
            return Err(TestCaseError::fail(format!(
                "{} is missing in {decision:?}",
                member.agent
            )));
        };
        let Some(reason) = candidate.passed_over else {
            continue;
        };
        let obstacles = oracle::obstacles(world, &member.agent, asks);
        let is_true =
            obstacles.contains(&reason) || (obstacles.is_empty() && reason == PassedOver::Outranked);
        prop_assert!(
            is_true,
            "{} was passed over for {reason:?}, not {obstacles:?}",
            member.agent
        );
    }
    Ok(())
}

/// First come, first served: whoever is given something had nothing waiting for them that comes before it.
fn check_order(
    step: Step<'_>,
    moment: &Moment<'_>,
    after: &Conversation,
    assignment: &Assignment,
) -> Verdict {
    let world = &moment.world;
    if assignment.by == By::Sticky && !oracle::would_wait(world, &assignment.route) {
        // A returning customer with no queue to wait in keeps the last owner, also while a drain has work left.
        return Ok(());
    }
    let given = world
        .conversations
        .get(&after.id)
        .filter(|c| oracle::waits(world, c));
    let waiting = world.conversations.values().filter(|c| oracle::waits(world, c));
    for other in waiting.filter(|c| c.id != after.id && !step.held.contains(&c.id)) {
        let for_them = oracle::is_eligible(world, &assignment.agent, oracle::asks(other));
        let first = given.is_none_or(|given| oracle::comes_before(world, other, given));
        prop_assert!(
            !(for_them && first),
            "{} should have had {other:?} before {after:?}",
            assignment.agent
        );
    }
    Ok(())
}
