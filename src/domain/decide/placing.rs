//! Where an unowned conversation goes: to a person, into a queue, or to nobody. Each ends in exactly one event.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::conversation::{AssignClock, Conversation, Owner, Priority, Route};
use super::super::event::{Assignment, By, Candidate, Change, Decision, Event, PassedOver, Reason, Terms};
use super::super::ids::{AgentId, ConversationId, TeamId};
use super::super::input::{Actor, Message, System};
use super::super::matching::{self, Choice, Wanted};
use super::super::plan::{Outcome, Plan, Reopen, ResponsePolicy, Strategy, Target};
use super::super::routing::{self, Routed};
use super::super::state::State;
use super::story::Story;

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
            let team = serving_team(state, target, team);
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
pub fn in_team(state: &State, story: &mut Story, place: Place, arrival: Arrival<'_>) {
    let strategy = state.plan.strategy(&place.team);
    let terms = Terms {
        plan_version: state.plan.version,
        strategy,
    };
    let manual = place.route.manual || strategy == Some(Strategy::Manual);
    let mut excluded = story.draft.excluded.clone();
    excluded.extend(place.exclude.clone());
    let team = Some(&place.team);
    let wanted = Wanted {
        team,
        agent: place.route.agent.as_ref(),
        skills: &place.route.skills,
        excluded: &excluded,
    };
    let choice = match (manual, state.drain_pending) {
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
        };
        let assignment = assignment(state, story, given, place.route, place.priority, terms);
        story.decided(
            arrival.actor,
            Some(decision),
            Change::Assigned(Box::new(assignment)),
        );
        return;
    }
    let clock = assign_clock(
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
    let queued = Change::Queued {
        team: place.team,
        reason,
        route: place.route,
        priority: place.priority,
        exclude: place.exclude,
        note: place.note,
        assign_clock: clock,
        terms,
    };
    story.decided(arrival.actor, Some(decision), queued);
}

/// Offers a waiting conversation to whoever is eligible now; nothing happens if it has to go on waiting.
pub fn offer(state: &State, id: ConversationId, now: Timestamp) -> Vec<Event> {
    state
        .conversation(id)
        .filter(|conversation| conversation.may_be_matched())
        .and_then(|conversation| taken_from_queue(state, conversation, now))
        .unwrap_or_default()
}

fn taken_from_queue(state: &State, conversation: &Conversation, now: Timestamp) -> Option<Vec<Event>> {
    let team = conversation.owner.queue()?.clone();
    let route = conversation.route.clone();
    let wanted = Wanted {
        team: Some(&team),
        agent: route.agent.as_ref(),
        skills: &route.skills,
        excluded: &conversation.excluded,
    };
    let choice = matching::choose(state, wanted);
    let agent = choice.chosen.clone()?;
    let terms = Terms {
        plan_version: state.plan.version,
        strategy: state.plan.strategy(&team),
    };
    let mut story = Story::of(conversation, now);
    let decision = decision(
        &story,
        &terms,
        route.rule.clone(),
        Some(team.clone()),
        choice,
        Background::default(),
    );
    let given = Given {
        agent,
        team: Some(team),
        by: By::Auto,
        note: None,
        exclude: None,
    };
    let assignment = assignment(state, &story, given, route, conversation.priority, terms);
    story.decided(
        Actor::System(System::Router),
        Some(decision),
        Change::Assigned(Box::new(assignment)),
    );
    Some(story.events)
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
    let assign_clock = clock_with_nobody(&state.plan, &story.draft, route, None, arrival.since);
    if story.draft.owner == Owner::Nobody && !story.draft.standby {
        // This event has no number in the sequence: a name of its own keeps it apart from the next decision's.
        decision.id = story.draft.id.derive("nobody", story.draft.sequence);
        story.decided(arrival.actor, Some(decision), Change::ClockStarted(assign_clock));
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
}

/// The assignment with everything its event says.
pub fn assignment(
    state: &State,
    story: &Story,
    given: Given,
    route: Route,
    priority: Priority,
    terms: Terms,
) -> Assignment {
    let draft = &story.draft;
    let agent = state.agents.get(&given.agent);
    // What is on hold weighs nothing, whoever has it.
    let one_more = u32::from(draft.is_open() && draft.carried_by() != Some(&given.agent));
    let load = agent.map_or(0, |agent| agent.load()).saturating_add(one_more);
    let capacity = agent.map_or(0, |agent| state.capacity_of(agent));
    let (_, policy) = state
        .plan
        .response_policy(route.response.as_ref(), given.team.as_ref());
    let respond_due = draft.waiting_since.zip(policy.respond_within);
    Assignment {
        agent: given.agent,
        team: given.team,
        by: given.by,
        route,
        priority,
        exclude: given.exclude,
        note: given.note,
        over_capacity: draft.is_open() && capacity > 0 && load > capacity,
        load,
        capacity,
        engagement: draft.id.derive("engagement", draft.sequence + 1),
        respond_due: respond_due.and_then(|(since, within)| after(since.max(story.at()), within)),
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

/// The clock for a conversation that no agent owns: a run goes on while it stays unowned, and fires once.
pub fn assign_clock(
    plan: &Plan,
    conversation: &Conversation,
    route: &Route,
    team: Option<&TeamId>,
    since: Timestamp,
) -> AssignClock {
    let since = match (&conversation.assign_clock, conversation.owned_by()) {
        (AssignClock::Breached, None) => return AssignClock::Breached,
        (AssignClock::Running { since, .. }, None) => *since,
        (AssignClock::Running { .. } | AssignClock::Breached | AssignClock::Off, _) => since,
    };
    let (policy, terms) = plan.response_policy(route.response.as_ref(), team);
    match terms.assign_within.and_then(|within| after(since, within)) {
        Some(due) => AssignClock::Running { policy, since, due },
        None => AssignClock::Off,
    }
}

/// The clock for a conversation that neither an agent nor a queue has: it never goes without one, or nothing would ever
/// remind anyone of it.
pub fn clock_with_nobody(
    plan: &Plan,
    conversation: &Conversation,
    route: &Route,
    team: Option<&TeamId>,
    since: Timestamp,
) -> AssignClock {
    let built_in = || {
        let within = ResponsePolicy::built_in().assign_within?;
        let due = after(since, within)?;
        let policy = ResponsePolicy::built_in_id();
        Some(AssignClock::Running { policy, since, due })
    };
    match assign_clock(plan, conversation, route, team, since) {
        AssignClock::Off => built_in().unwrap_or(AssignClock::Off),
        clock => clock,
    }
}

fn after(since: Timestamp, within: Duration) -> Option<Timestamp> {
    since.checked_add(within).ok()
}

fn route_of(routed: &Routed<'_>, target: &Target) -> Route {
    Route {
        rule: routed.rule.clone(),
        agent: target.agent.clone(),
        skills: target.skills.clone(),
        response: target.response.clone(),
        manual: target.outcome == Outcome::Manual,
    }
}

/// The team, or the first of its fallbacks that has someone there while it has nobody.
fn serving_team(state: &State, target: &Target, team: &TeamId) -> TeamId {
    let anyone = |team: &TeamId| {
        let members = state.teams.get(team).into_iter().flat_map(|team| &team.members);
        members
            .filter_map(|m| state.active_agent(&m.agent))
            .any(|agent| matching::takes_new(state, agent))
    };
    if anyone(team) {
        return team.clone();
    }
    let of_team = state.plan.teams.get(team).map(|team| &team.fallback);
    let fallbacks = target.fallback.as_ref().or(of_team).into_iter().flatten();
    fallbacks
        .into_iter()
        .find(|team| anyone(team))
        .unwrap_or(team)
        .clone()
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

fn decision(
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
