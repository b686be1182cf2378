//! Where an unowned conversation goes: to a person, into a queue, or to nobody. Each ends in exactly one event.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::conversation::{Clock, Hop, Owner, Priority, Route};
use super::super::event::{Assignment, By, Candidate, Change, Decision, PassedOver, Quiet, Reason, Terms};
use super::super::ids::{AgentId, TeamId};
use super::super::input::{Actor, Message, System};
use super::super::matching::{self, Choice, Wanted};
use super::super::plan::{Outcome, Reopen, Strategy, Target};
use super::super::routing::{self, Routed};
use super::super::state::State;
use super::story::Story;
use super::{clocks, queues};

/// How a conversation comes to be placed.
pub struct Arrival<'a> {
    /// What the customer wrote, if that is why.
    pub message: Option<&'a Message>,
    /// Since when nobody has owned it: its assign clock runs from here.
    pub since: Timestamp,
    /// On whose behalf the choice is made.
    pub actor: Actor,
}

/// A place in a team: what is known before a person is looked for.
pub struct Place {
    /// Whose queue.
    pub team: TeamId,
    /// What the rules said.
    pub route: Route,
    /// How urgent.
    pub priority: Priority,
    /// A former owner not to be chosen.
    pub exclude: Option<AgentId>,
    /// It is taken from somebody without a word of theirs.
    pub hop: Option<Hop>,
    /// Which way a person comes to it.
    pub by: By,
    /// What to say if it has to wait.
    pub if_waiting: Reason,
    /// Told by the one who sent it here.
    pub note: Option<Arc<str>>,
    /// Rules whose condition failed, and a former owner who was asked first.
    pub background: Background,
}

/// What a decision record mentions beside the candidates.
#[derive(Default)]
pub struct Background {
    failed_rules: Vec<Arc<str>>,
    asked_first: Option<Candidate>,
}

/// By the plan's rules as if it had just begun: nobody is asked first.
pub fn afresh(state: &State, story: &mut Story, arrival: Arrival<'_>) {
    let routed = routing::route(&state.plan, &story.draft, arrival.message, story.at());
    let background = Background {
        failed_rules: routed.failed.clone(),
        asked_first: None,
    };
    by_target(state, story, &routed, background, arrival);
}

/// By the plan's rules; a conversation in its second or a later episode by the reopening policy first.
pub fn by_rules(state: &State, story: &mut Story, arrival: Arrival<'_>) {
    let routed = routing::route(&state.plan, &story.draft, arrival.message, story.at());
    let returning = story.draft.episode > 1;
    let policy = routed
        .target
        .and_then(|target| target.reopen)
        .unwrap_or(state.plan.settings.reopen);
    let mut background = Background {
        failed_rules: routed.failed.clone(),
        asked_first: None,
    };
    match policy {
        Reopen::Unassign if returning => return to_nobody(state, story, &routed, arrival),
        Reopen::Sticky if returning => match to_last_owner(state, story, &routed, &arrival) {
            Ok(()) => return,
            Err(asked) => background.asked_first = asked,
        },
        Reopen::Unassign | Reopen::Sticky | Reopen::Reroute => {}
    }
    by_target(state, story, &routed, background, arrival);
}

/// Where the matching rule says.
fn by_target(
    state: &State,
    story: &mut Story,
    routed: &Routed<'_>,
    background: Background,
    arrival: Arrival<'_>,
) {
    let Some(target) = routed.target.filter(|target| target.outcome != Outcome::Nobody) else {
        return to_nobody(state, story, routed, arrival);
    };
    let route = route_of(routed, target);
    match &target.team {
        Some(team) => {
            let team = queues::serving_team(state, target.fallback.as_deref(), team, story.at());
            let if_waiting = if route.manual {
                Reason::ManualTeam
            } else {
                Reason::NoAgentFree
            };
            let priority = target.priority;
            let place = Place {
                team,
                route,
                priority,
                exclude: None,
                hop: None,
                by: By::Auto,
                if_waiting,
                note: None,
                background,
            };
            in_team(state, story, place, arrival);
        }
        None => to_named_agent(state, story, routed, route, target.priority, arrival),
    }
}

/// Into a team: its strategy picks at once, or the conversation waits in its queue.
pub fn in_team(state: &State, story: &mut Story, mut place: Place, arrival: Arrival<'_>) {
    let strategy = state.plan.strategy(&place.team);
    let terms = Terms {
        plan_version: state.plan.version,
        strategy,
    };
    let manual = place.route.manual || strategy == Some(Strategy::Manual);
    // What a person does with it is activity; that the system moves it is none. Whom it is taken from is no reason to wait.
    let moved = matches!(arrival.actor, Actor::System(System::Router | System::Timer));
    let too_old = moved && place.hop.is_none() && matching::is_too_old(&state.plan, &story.draft, story.at());
    if !manual {
        queues::clear_exclusions(state, story, &mut place);
    }
    let mut excluded = story.draft.excluded.clone();
    excluded.extend(place.exclude.clone());
    let team = Some(&place.team);
    let wanted = Wanted {
        team,
        agent: place.route.agent.as_ref(),
        skills: &place.route.skills,
        excluded: &excluded,
        carried: state.carrier_of(story.draft.id),
        now: story.at(),
    };
    let choice = match (manual || too_old, state.drain_pending) {
        (true, _) => Choice::default(),
        (false, true) => behind_the_queue(matching::choose(state, wanted)),
        (false, false) => matching::choose(state, wanted),
    };
    let chosen = choice.chosen.clone();
    let decision = decision(
        story,
        &terms,
        place.route.rule.clone(),
        team.cloned(),
        choice,
        place.background,
    );
    if let Some(agent) = chosen {
        let given = Given {
            agent,
            team: Some(place.team),
            by: place.by,
            note: place.note,
            exclude: place.exclude,
            hop: place.hop,
        };
        let assignment = assignment(state, story, given, place.route, place.priority, terms);
        story.decided(
            arrival.actor,
            Some(decision),
            Change::Assigned(Box::new(assignment)),
        );
        return;
    }
    let clock = clocks::assign_clock(
        &state.plan,
        &story.draft,
        &place.route,
        Some(&place.team),
        arrival.since,
    );
    let reason = if manual && place.if_waiting == Reason::NoAgentFree {
        Reason::ManualTeam
    } else {
        place.if_waiting
    };
    if !place.route.relax.is_empty() {
        place.route.relaxing_since.get_or_insert(arrival.since);
    }
    let queued = Change::Queued {
        team: place.team,
        reason,
        route: Box::new(place.route),
        priority: place.priority,
        exclude: place.exclude,
        hop: place.hop,
        note: place.note,
        assign_clock: clock,
        terms,
    };
    story.decided(arrival.actor, Some(decision), queued);
    if too_old {
        story.then(Actor::System(System::Router), Change::Quiet(Quiet::WentStale));
    }
}

/// To nobody: only its clock runs.
fn to_nobody(state: &State, story: &mut Story, routed: &Routed<'_>, arrival: Arrival<'_>) {
    let route = routed
        .target
        .map(|target| route_of(routed, target))
        .unwrap_or_default();
    nobody(state, story, routed, &route, Choice::default(), arrival);
}

/// The rule names an agent and no team: theirs, or nobody's.
fn to_named_agent(
    state: &State,
    story: &mut Story,
    routed: &Routed<'_>,
    route: Route,
    priority: Priority,
    arrival: Arrival<'_>,
) {
    let excluded = &story.draft.excluded;
    let wanted = Wanted {
        team: None,
        agent: route.agent.as_ref(),
        skills: &route.skills,
        excluded,
        carried: state.carrier_of(story.draft.id),
        now: story.at(),
    };
    let choice = matching::choose(state, wanted);
    let Some(agent) = choice.chosen.clone() else {
        return nobody(state, story, routed, &route, choice, arrival);
    };
    let team = team_after_giving(state, story.draft.team.as_ref(), &agent);
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: None,
    };
    let background = Background {
        failed_rules: routed.failed.clone(),
        asked_first: None,
    };
    let decision = decision(story, &terms, routed.rule.clone(), None, choice, background);
    let given = Given {
        agent,
        team,
        by: By::Auto,
        note: None,
        exclude: None,
        hop: None,
    };
    let assignment = assignment(state, story, given, route, priority, terms);
    story.decided(
        arrival.actor,
        Some(decision),
        Change::Assigned(Box::new(assignment)),
    );
}

fn nobody(
    state: &State,
    story: &mut Story,
    routed: &Routed<'_>,
    route: &Route,
    choice: Choice,
    arrival: Arrival<'_>,
) {
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: None,
    };
    let background = Background {
        failed_rules: routed.failed.clone(),
        asked_first: None,
    };
    let mut decision = decision(story, &terms, routed.rule.clone(), None, choice, background);
    let assign_clock = clocks::clock_with_nobody(&state.plan, &story.draft, route, None, arrival.since);
    if story.draft.owner == Owner::Nobody && !story.draft.standby {
        // This event has no number in the sequence: a name of its own keeps it apart from the next decision's.
        decision.id = story.draft.id.derive("nobody", story.draft.sequence);
        story.decided(
            arrival.actor,
            Some(decision),
            Change::Quiet(Quiet::ClockStarted(assign_clock)),
        );
    } else {
        // That a bot let go is announced, also where nobody had it before and nobody has it now.
        let unassigned = Change::Unassigned {
            reason: Reason::Plan,
            note: None,
            assign_clock,
        };
        story.decided(arrival.actor, Some(decision), unassigned);
    }
}

/// Back to the last owner, if eligible now (their team membership apart); else why not.
fn to_last_owner(
    state: &State,
    story: &mut Story,
    routed: &Routed<'_>,
    arrival: &Arrival<'_>,
) -> Result<(), Option<Candidate>> {
    let agent = story.draft.last_owner.clone().ok_or(None)?;
    let route = routed
        .target
        .map(|target| route_of(routed, target))
        .unwrap_or_default();
    let routed_to = routed.target.and_then(|target| target.team.as_ref());
    let team = team_after_giving(state, routed_to, &agent);
    let excluded = &story.draft.excluded;
    let wanted = Wanted {
        team: team.as_ref(),
        agent: None,
        skills: &route.skills,
        excluded,
        carried: state.carrier_of(story.draft.id),
        now: story.at(),
    };
    let waits_behind = || (state.drain_pending && can_wait(state, routed)).then_some(PassedOver::Outranked);
    let passed_over = matching::passed_over(state, &agent, wanted).or_else(waits_behind);
    let candidate = Candidate {
        agent: agent.clone(),
        passed_over,
    };
    if passed_over.is_some() {
        return Err(Some(candidate));
    }
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: None,
    };
    let choice = Choice {
        chosen: Some(agent.clone()),
        candidates: vec![candidate],
        ..Choice::default()
    };
    let background = Background {
        failed_rules: routed.failed.clone(),
        asked_first: None,
    };
    let decision = decision(
        story,
        &terms,
        routed.rule.clone(),
        team.clone(),
        choice,
        background,
    );
    let priority = routed.target.map(|target| target.priority).unwrap_or_default();
    let given = Given {
        agent,
        team,
        by: By::Sticky,
        note: None,
        exclude: None,
        hop: None,
    };
    let assignment = assignment(state, story, given, route, priority, terms);
    story.decided(
        arrival.actor.clone(),
        Some(decision),
        Change::Assigned(Box::new(assignment)),
    );
    Ok(())
}

/// Whether the rules give it a queue that a strategy empties: there it can wait behind those whom a drain has still to serve.
fn can_wait(state: &State, routed: &Routed<'_>) -> bool {
    let target = routed.target.filter(|target| target.outcome == Outcome::Auto);
    let team = target.and_then(|target| target.team.as_ref());
    team.and_then(|team| state.plan.strategy(team))
        .is_some_and(|strategy| strategy != Strategy::Manual)
}

/// A person gets it: who, for which team, which way.
pub struct Given {
    /// The new owner.
    pub agent: AgentId,
    /// The conversation's team from now on.
    pub team: Option<TeamId>,
    /// Which way.
    pub by: By,
    /// Told by the one who gave it.
    pub note: Option<Arc<str>>,
    /// A former owner not to be chosen again.
    pub exclude: Option<AgentId>,
    /// It is taken from somebody without a word of theirs.
    pub hop: Option<Hop>,
}

/// The assignment with everything its event says.
pub fn assignment(
    state: &State,
    story: &Story,
    given: Given,
    mut route: Route,
    priority: Priority,
    terms: Terms,
) -> Assignment {
    let draft = &story.draft;
    let agent = state.agents.get(&given.agent);
    // What is on hold weighs nothing, whoever has it.
    let one_more = u32::from(draft.is_open() && draft.carried_by() != Some(&given.agent));
    let load = agent.map_or(0, |agent| agent.load()).saturating_add(one_more);
    let capacity = agent.map_or(0, |agent| state.capacity_of(agent));
    let respond_clock = draft.waiting_since.map_or(Clock::Off, |since| {
        clocks::respond_clock(&state.plan, &route, given.team.as_ref(), since.max(story.at()))
    });
    // It waits no more; should it wait again, the steps that are left count from then.
    route.relaxing_since = None;
    Assignment {
        agent: given.agent,
        team: given.team,
        by: given.by,
        route,
        priority,
        exclude: given.exclude,
        hop: given.hop,
        note: given.note,
        over_capacity: draft.is_open() && capacity > 0 && load > capacity,
        load,
        capacity,
        engagement: draft.id.derive("engagement", draft.sequence + 1),
        respond_clock,
        terms,
    }
}

/// A person's doing: what the rules asked for stays as it is.
pub fn by_hand(state: &State, story: &Story, given: Given) -> Assignment {
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: None,
    };
    let (route, priority) = (story.draft.route.clone(), story.draft.priority);
    assignment(state, story, given, route, priority, terms)
}

/// The team a conversation has once this agent owns it: its own if they are a member, else their first, else none.
pub fn team_after_giving(state: &State, own: Option<&TeamId>, agent: &AgentId) -> Option<TeamId> {
    let own = own.filter(|team| state.teams.get(team).is_some_and(|t| t.has_member(agent)));
    own.or_else(|| state.teams_of(agent).next()).cloned()
}

/// The team that the rules name for it now, if they name one, with what they say of it.
pub fn team_by_rules(state: &State, story: &Story) -> Option<(TeamId, Route, Priority)> {
    let routed = routing::route(&state.plan, &story.draft, None, story.at());
    let target = routed.target.filter(|target| target.outcome != Outcome::Nobody)?;
    let team = queues::serving_team(
        state,
        target.fallback.as_deref(),
        target.team.as_ref()?,
        story.at(),
    );
    Some((team, route_of(&routed, target), target.priority))
}

fn route_of(routed: &Routed<'_>, target: &Target) -> Route {
    Route {
        rule: routed.rule.clone(),
        agent: target.agent.clone(),
        skills: target.skills.clone(),
        response: target.response.clone(),
        manual: target.outcome == Outcome::Manual,
        relax: target.relax.clone(),
        relaxed: 0,
        relaxing_since: None,
    }
}

/// While a drain has work left, newcomers wait behind it: who would be free is kept for those who waited longer.
fn behind_the_queue(mut choice: Choice) -> Choice {
    if let Some(kept) = choice.chosen.take() {
        *choice.passed_over.entry(PassedOver::Outranked).or_default() += 1;
        for candidate in choice
            .candidates
            .iter_mut()
            .filter(|candidate| candidate.agent == kept)
        {
            candidate.passed_over = Some(PassedOver::Outranked);
        }
    }
    choice
}

/// The record of a choice that came out like this.
pub fn decision(
    story: &Story,
    terms: &Terms,
    rule: Option<Arc<str>>,
    team: Option<TeamId>,
    choice: Choice,
    background: Background,
) -> Decision {
    let already_named = |asked: &Candidate| choice.candidates.iter().any(|other| other.agent == asked.agent);
    let asked_first = background.asked_first.filter(|asked| !already_named(asked));
    Decision {
        id: story.draft.id.derive("decision", story.draft.sequence + 1),
        conversation: story.draft.id,
        rule,
        plan_version: terms.plan_version,
        team,
        strategy: terms.strategy,
        chosen: choice.chosen,
        candidates: asked_first.into_iter().chain(choice.candidates).collect(),
        passed_over: choice.passed_over,
        failed_rules: background.failed_rules,
    }
}
