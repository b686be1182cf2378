//! What waits in queues: offered to whoever is eligible, left to people when it is too old, freed of exclusions that
//! leave nobody.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::super::event::{By, Change, Event, Quiet, Terms};
use super::super::exclusion;
use super::super::ids::{AgentId, ConversationId, TeamId};
use super::super::input::{Actor, System};
use super::super::matching::{self, Choice, Wanted};
use super::super::plan::Outside;
use super::super::state::State;
use super::placing::{self, Background, Given, Place};
use super::story::Story;

/// Offers a waiting conversation to whoever is eligible now; nothing happens if it has to go on waiting.
pub fn offer(state: &State, id: ConversationId, now: Timestamp) -> Vec<Event> {
    let waiting = state
        .conversation(id)
        .filter(|conversation| conversation.may_be_matched());
    let Some((conversation, team)) = waiting.and_then(|waiting| Some((waiting, waiting.owner.queue()?)))
    else {
        return Vec::new();
    };
    let mut story = Story::of(conversation, now);
    if matching::is_too_old(&state.plan, conversation, now) {
        story.then(router(), Change::Quiet(Quiet::WentStale));
        return story.events;
    }
    if exclusion::lose_their_point(state, conversation, team, None) {
        story.then(router(), Change::Quiet(Quiet::ExclusionsCleared));
    }
    take_from_queue(state, &mut story, team);
    story.events
}

fn take_from_queue(state: &State, story: &mut Story, team: &TeamId) {
    let route = story.draft.route.clone();
    let wanted = Wanted::by(&story.draft, story.at());
    let choice = wanted.map_or(Choice::default(), |wanted| matching::choose(state, wanted));
    let Some(agent) = choice.chosen.clone() else {
        return;
    };
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: state.plan.strategy(team),
    };
    let rule = route.rule.clone();
    let team = Some(team.clone());
    let decision = placing::decision(story, &terms, rule, team.clone(), choice, Background::default());
    let given = Given {
        agent,
        team,
        by: By::Auto,
        note: story.draft.care.handoff.clone(),
        exclude: None,
        hop: None,
    };
    let assignment = placing::assignment(state, story, given, route, story.draft.priority, terms);
    let assigned = Change::Assigned(Box::new(assignment));
    story.decided(router(), Some(decision), assigned);
}

/// Before it comes to a team: exclusions that would leave nobody there are cleared, once an episode. Whoever it is just
/// being taken from is asked again only if there is nobody else.
pub fn clear_exclusions(state: &State, story: &mut Story, place: &mut Place) {
    // What a person gives away does not come back to them by itself.
    let by_a_person = place.exclude.is_some() && place.hop.is_none();
    if by_a_person || !exclusion::lose_their_point(state, &story.draft, &place.team, place.exclude.as_ref()) {
        return;
    }
    story.then(router(), Change::Quiet(Quiet::ExclusionsCleared));
    let taken_from: BTreeSet<AgentId> = place.exclude.iter().cloned().collect();
    if exclusion::leave_nobody(state, &place.team, &taken_from) {
        place.exclude = None;
    }
}

/// The team, or the first of its fallbacks that has someone there while it has nobody. Outside its hours what comes to a
/// team may rather wait for its next shift.
pub fn serving_team(state: &State, fallback: Option<&[TeamId]>, team: &TeamId, now: Timestamp) -> TeamId {
    let anyone = |team: &TeamId| {
        let members = state.teams.get(team).into_iter().flat_map(|team| &team.members);
        members
            .filter_map(|member| state.active_agent(&member.agent))
            .any(|agent| matching::takes_new(state, agent) && matching::works(state, agent, Some(team), now))
    };
    let written = state.plan.teams.get(team);
    let waits =
        written.is_some_and(|written| written.outside == Outside::Wait) && is_closed(state, team, now);
    if waits || anyone(team) {
        return team.clone();
    }
    let of_team = written.map(|written| written.fallback.as_slice());
    let fallbacks = fallback.or(of_team).into_iter().flatten();
    fallbacks
        .into_iter()
        .find(|team| anyone(team))
        .unwrap_or(team)
        .clone()
}

fn is_closed(state: &State, team: &TeamId, now: Timestamp) -> bool {
    let calendar = state.plan.calendar_of(None, Some(team));
    calendar.is_some_and(|calendar| !calendar.is_open(now))
}

fn router() -> Actor {
    Actor::System(System::Router)
}
