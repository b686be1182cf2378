//! What waits asks for less as time goes on, and is left to people when it has waited too long.
//!
//! Steps count from when the conversation was first queued under its rule's route, and from then on only forward: a skill
//! that was dropped is not asked for again in this episode. What a person sends to a team has no steps; it is theirs to
//! say how it goes on.

use super::super::alarm;
use super::super::conversation::{Relaxation, Route};
use super::super::event::{By, Change, Decision, Quiet, Reason, Terms};
use super::super::ids::TeamId;
use super::super::input::{Actor, System};
use super::super::matching::{self, Choice, Wanted};
use super::super::state::State;
use super::placing::{self, Arrival, Background, Place};
use super::story::Story;

/// Nothing has happened in it for so long that it is left to people.
pub fn grow_stale(state: &State, story: &mut Story) {
    if alarm::goes_stale(&story.draft, &state.plan).is_some_and(|at| at <= story.at()) {
        story.then(router(), Change::Quiet(Quiet::WentStale));
    }
}

/// The next steps in which it asks for less, those that are due, in their order. Each one taken is one fewer to take.
pub fn relax(state: &State, story: &mut Story) {
    while let Some(step) = due_step(story) {
        take(state, story, &step);
    }
}

fn due_step(story: &Story) -> Option<Relaxation> {
    let (step, at) = alarm::relaxes(&story.draft)?;
    (at <= story.at()).then(|| step.clone())
}

/// One step: it asks for less, is more urgent, and goes elsewhere, as the step says. Managers are told of the first of
/// these events, while it is still in their team.
fn take(state: &State, story: &mut Story, step: &Relaxation) {
    let mut route = story.draft.route.clone();
    route.relaxed += 1;
    if let Some(skill) = &step.drop {
        route.skills.remove(skill);
    }
    let decision = on_record(state, story, &route);
    story.decided(router(), Some(decision), Change::Quiet(Quiet::Relaxed(route)));
    if let Some(priority) = step.priority.filter(|priority| *priority > story.draft.priority) {
        let note = None;
        story.then(router(), Change::Prioritized { priority, note });
    }
    let elsewhere =
        |team: &&TeamId| state.plan.teams.contains_key(*team) && story.draft.owner.queue() != Some(*team);
    if let Some(team) = step.team.as_ref().filter(elsewhere) {
        overflow(state, story, team);
    }
}

/// To another team, with what it asks and how long it has waited.
fn overflow(state: &State, story: &mut Story, team: &TeamId) {
    let place = Place {
        team: team.clone(),
        route: story.draft.route.clone(),
        priority: story.draft.priority,
        exclude: None,
        hop: None,
        by: By::Auto,
        if_waiting: Reason::NoAgentFree,
        note: None,
        background: Background::default(),
    };
    let arrival = Arrival {
        message: None,
        since: story.at(),
        actor: router(),
    };
    placing::in_team(state, story, place, arrival);
}

/// The record of a step: its rule and number, and why nobody can take the conversation yet. Where somebody can, the
/// choice that follows has a record of its own.
fn on_record(state: &State, story: &Story, route: &Route) -> Decision {
    let draft = &story.draft;
    let team = draft.owner.queue();
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: team.and_then(|team| state.plan.strategy(team)),
    };
    let wanted = Wanted {
        team,
        agent: route.agent.as_ref(),
        skills: &route.skills,
        excluded: &draft.excluded,
        carried: None,
        now: story.at(),
    };
    let choice = matching::choose(state, wanted);
    let choice = match choice.chosen {
        Some(_) => Choice::default(),
        None => choice,
    };
    let rule = route.rule.as_deref().unwrap_or("default");
    let rule = Some(format!("{rule}, step {}", route.relaxed).into());
    let mut decision = placing::decision(story, &terms, rule, team.cloned(), choice, Background::default());
    // No event with a number goes with it: a name of its own keeps it apart from the next decision's.
    decision.id = draft
        .id
        .derive(&format!("step {}", route.relaxed), draft.sequence);
    decision
}

fn router() -> Actor {
    Actor::System(System::Router)
}
