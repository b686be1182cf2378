//! Giving a conversation up, and the guard against one that is handed around for ever.
//!
//! It goes up along a path: to the first of those the response policy names who is there, else to a manager of its team,
//! else to an admin. Nobody's capacity is asked. Whoever was silent about it in this episode is not asked again, so it
//! climbs. Where nobody is there it stays where it is, and is tried again.
//!
//! Moves are counted by whom it was taken from without a word of theirs: for not answering, or for not being there. Whoever
//! declines a request, or lets it pass, never had it: that is no move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::agent::{Presence, Role};
use super::super::conversation::{
    Care, Clock, Conversation, EscalationReason, Hop, HopReason, PendingEscalation,
};
use super::super::event::{By, Candidate, Change, Decision, MAX_CANDIDATES, PassedOver, Quiet, Reason};
use super::super::ids::{AgentId, PolicyId, TeamId};
use super::super::input::{Actor, System};
use super::super::matching;
use super::super::plan::ResponsePolicy;
use super::super::state::State;
use super::placing::{self, Arrival, Background, Given, Place};
use super::queues;
use super::story::Story;

/// An escalation that found nobody is tried again after this long.
pub const RETRY: Duration = Duration::from_secs(30);

/// Moves that a story tells one by one: the last ones.
const MOVES_TOLD: usize = 10;

/// Characters of a name that a story shows.
const MAX_NAME_CHARS: usize = 40;

/// Takes it from its owner without a word of theirs: to the next one of its team, or up if it moved too often already.
///
/// Says whether anything was done. Nothing is where neither it nor the rules know a team for it, or where it is on hold and
/// nobody is free, since nobody would look for it in a queue: then it stays where it is. Where it has to go up and nobody is
/// there, it stays too, and is tried again: whoever calls this for something that would be due again writes down first that
/// it was looked at.
pub fn guarded(state: &State, story: &mut Story, hop: Hop, if_waiting: Reason) -> bool {
    if moved_too_often(state, &story.draft) {
        let (policy, _) = in_force(state, &story.draft);
        escalate(state, story, EscalationReason::Hops, &policy);
        return true;
    }
    let Some(place) = next_place(state, story, hop, if_waiting) else {
        return false;
    };
    let arrival = Arrival {
        message: None,
        since: story.at(),
        actor: Actor::System(System::Router),
    };
    let mut moved = Story::of(&story.draft, story.at());
    placing::in_team(state, &mut moved, place, arrival);
    if !moved.draft.is_open() && moved.draft.owner.queue().is_some() {
        return false;
    }
    story.draft = moved.draft;
    story.events.append(&mut moved.events);
    true
}

/// Whether taking it from its owner would lead anywhere.
pub fn can_move(state: &State, story: &Story, hop: Hop, if_waiting: Reason) -> bool {
    let mut trial = Story::of(&story.draft, story.at());
    guarded(state, &mut trial, hop, if_waiting)
}

fn moved_too_often(state: &State, draft: &Conversation) -> bool {
    let most = usize::try_from(state.plan.settings.max_hops).unwrap_or(usize::MAX);
    most > 0 && draft.care.hops.len() >= most.min(Care::MAX_HOPS)
}

/// Where it goes next: its own team (or who stands in for that while nobody is there), else the one that the rules name for
/// it now.
fn next_place(state: &State, story: &Story, hop: Hop, if_waiting: Reason) -> Option<Place> {
    let draft = &story.draft;
    let served = |team| queues::serving_team(state, None, team, story.at());
    let own = team_in_plan(state, draft).map(|team| (served(team), draft.route.clone(), draft.priority));
    let (team, route, priority) = own.or_else(|| placing::team_by_rules(state, story))?;
    Some(Place {
        team,
        route,
        priority,
        exclude: excluded(state, &hop),
        hop: Some(hop),
        by: By::Auto,
        if_waiting,
        note: None,
        background: Background::default(),
    })
}

fn team_in_plan<'a>(state: &State, draft: &'a Conversation) -> Option<&'a TeamId> {
    let team = draft.team.as_ref();
    team.filter(|team| state.plan.teams.contains_key(*team))
}

/// Who did not answer is not chosen again in this episode. Who was not there may be, once they are; but not at once.
fn excluded(state: &State, hop: &Hop) -> Option<AgentId> {
    let takes_new = || {
        let agent = state.agents.get(&hop.from);
        agent.is_some_and(|agent| matching::takes_new(state, agent))
    };
    (hop.why == HopReason::Silent || takes_new()).then(|| hop.from.clone())
}

/// Gives it up along the path. Where nobody is there that is told once, and tried again until somebody is.
pub fn escalate(state: &State, story: &mut Story, why: EscalationReason, policy: &PolicyId) {
    let pending = story.draft.care.escalation.is_some();
    // It is on its way up already; only the window's end is something else to tell.
    if pending && why != EscalationReason::Window {
        return;
    }
    let (to, decision) = look_up(state, story, policy);
    let escalated = Change::Escalated { why, to: to.clone() };
    let timer = Actor::System(System::Timer);
    match to {
        Some(agent) => {
            story.then(timer, escalated);
            // The assignment is the decision: it is recorded with it.
            give(state, story, agent, why, policy);
        }
        None => {
            story.decided(timer, Some(decision), escalated);
            if !pending {
                wait_for_somebody(story, why, policy);
            }
        }
    }
}

/// Tries again what found nobody. That it went up was told then: now it is only assigned.
pub fn try_again(state: &State, story: &mut Story, pending: &PendingEscalation) {
    match look_up(state, story, &pending.policy) {
        (Some(agent), _) => give(state, story, agent, pending.why, &pending.policy),
        (None, _) => wait_for_somebody(story, pending.why, &pending.policy),
    }
}

fn wait_for_somebody(story: &mut Story, why: EscalationReason, policy: &PolicyId) {
    let pending = PendingEscalation {
        why,
        policy: policy.clone(),
        retry_at: story.at().checked_add(RETRY).unwrap_or(Timestamp::MAX),
    };
    let pending = Change::Quiet(Quiet::EscalationPending(pending));
    story.then(Actor::System(System::Timer), pending);
}

/// The team stays: its managers and its response policy go with it.
fn give(state: &State, story: &mut Story, agent: AgentId, why: EscalationReason, policy: &PolicyId) {
    let (_, decision) = look_up(state, story, policy);
    let hop = left(&story.draft, why);
    let given = Given {
        agent,
        team: story.draft.team.clone(),
        by: By::Escalation,
        note: what_happened(state, &story.draft.care.hops, hop.as_ref()),
        exclude: hop.as_ref().and_then(|hop| excluded(state, hop)),
        hop,
    };
    let assignment = placing::by_hand(state, story, given);
    let assigned = Change::Assigned(Box::new(assignment));
    story.decided(Actor::System(System::Router), Some(decision), assigned);
}

/// Whom it is taken from, if a person has it.
fn left(draft: &Conversation, why: EscalationReason) -> Option<Hop> {
    let absent = why == EscalationReason::Hops && draft.respond_clock != Clock::Breached;
    draft.owned_by().map(|owner| Hop {
        from: owner.clone(),
        why: if absent {
            HopReason::Absent
        } else {
            HopReason::Silent
        },
    })
}

/// The first on the path who is there, and why not those before.
fn look_up(state: &State, story: &Story, policy: &PolicyId) -> (Option<AgentId>, Decision) {
    let draft = &story.draft;
    let terms = state.plan.responses.get(policy);
    let named = terms.into_iter().flat_map(|policy| &policy.escalate_to);
    let team = draft.team.as_ref().and_then(|team| state.teams.get(team));
    let managers = team.into_iter().flat_map(|team| &team.managers);
    let admins = state
        .agents
        .values()
        .filter(|agent| agent.profile.role == Role::Admin);
    let path = named.chain(managers).chain(admins.map(|agent| &agent.id));
    let mut decision = Decision {
        id: draft.id.derive("decision", draft.sequence + 1),
        conversation: draft.id,
        rule: draft.route.rule.clone(),
        plan_version: state.plan.version,
        team: draft.team.clone(),
        strategy: None,
        chosen: None,
        candidates: Vec::new(),
        passed_over: BTreeMap::new(),
        failed_rules: Vec::new(),
    };
    for id in path {
        let passed_over = not_there(state, draft, id);
        if let Some(reason) = passed_over {
            *decision.passed_over.entry(reason).or_default() += 1;
        }
        if passed_over.is_none() || decision.candidates.len() < MAX_CANDIDATES {
            let agent = id.clone();
            decision.candidates.push(Candidate { agent, passed_over });
        }
        if passed_over.is_none() {
            decision.chosen = Some(id.clone());
            break;
        }
    }
    (decision.chosen.clone(), decision)
}

/// Why somebody on the path cannot have it; `None`: they can, whatever they carry.
fn not_there(state: &State, draft: &Conversation, id: &AgentId) -> Option<PassedOver> {
    let Some(agent) = state.active_agent(id) else {
        return Some(PassedOver::Inactive);
    };
    if !agent.profile.may_reply {
        return Some(PassedOver::MayNotReply);
    }
    let was_silent = |hop: &Hop| hop.from == *id && hop.why == HopReason::Silent;
    match agent.presence {
        Presence::Offline => Some(PassedOver::Offline),
        Presence::Away => Some(PassedOver::Away),
        Presence::Online if draft.owned_by() == Some(id) => Some(PassedOver::Excluded),
        Presence::Online if draft.care.hops.iter().any(was_silent) => Some(PassedOver::Excluded),
        Presence::Online => None,
    }
}

/// The response policy in force for a conversation.
pub fn in_force(state: &State, draft: &Conversation) -> (PolicyId, ResponsePolicy) {
    let named = draft.route.response.as_ref();
    state.plan.response_policy(named, draft.team.as_ref())
}

/// What happened to it, in one sentence for whoever gets it.
fn what_happened(state: &State, hops: &[Hop], last: Option<&Hop>) -> Option<Arc<str>> {
    let tell = |hop: &Hop| {
        let name = state.agents.get(&hop.from).map(|agent| &*agent.profile.name);
        let name: String = name
            .unwrap_or(hop.from.as_str())
            .chars()
            .take(MAX_NAME_CHARS)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        match hop.why {
            HopReason::Silent => format!("{name} did not answer"),
            HopReason::Absent => format!("{name} was away"),
        }
    };
    let last = last.map(tell);
    if hops.is_empty() {
        return last.map(|last| format!("{last}.").into());
    }
    let untold = hops.len().saturating_sub(MOVES_TOLD);
    let told: Vec<String> = hops.iter().skip(untold).map(tell).collect();
    let before = if untold > 0 { "… " } else { "" };
    let after = last.map_or(String::new(), |last| format!("; then {last}"));
    let moved = match hops.len() {
        1 => "Moved once".to_owned(),
        times => format!("Moved {times} times"),
    };
    Some(format!("{moved}: {before}{}{after}.", told.join(", ")).into())
}
