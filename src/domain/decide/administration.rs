//! Presence, agents and plans: who is there, who they are, and by which rules.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::agent::{Agent, Presence, Profile, Role};
use super::super::event::{Code, Event, Kind};
use super::super::ids::{AgentId, TeamId};
use super::super::input::{Action, Command, Upsert};
use super::super::permission;
use super::super::plan::Plan;
use super::super::state::State;
use super::commands::refusal;

/// What the command leads to.
pub fn decide(state: &State, command: &Command, now: Timestamp) -> Vec<Event> {
    let outcome = match &command.action {
        Action::Presence { agent, presence, ttl } => {
            change_presence(state, command, agent, *presence, *ttl, now)
        }
        Action::UpsertAgent { agent, fields } => upsert(state, command, agent, fields),
        Action::ApplyPlan { plan, unchanged } => apply_plan(state, command, plan, *unchanged),
        _ => return Vec::new(),
    };
    let event = match outcome {
        Ok(kind) => Event {
            at: now,
            actor: command.actor.clone(),
            decision: None,
            kind,
        },
        Err((code, message)) => refusal(command, None, code, message.into(), Vec::new(), now),
    };
    vec![event]
}

type Refused = (Code, &'static str);

fn change_presence(
    state: &State,
    command: &Command,
    id: &AgentId,
    presence: Presence,
    ttl: Option<Duration>,
    now: Timestamp,
) -> Result<Kind, Refused> {
    let acting = permission::acting(state, &command.actor).map_err(unknown_actor)?;
    let agent = state
        .active_agent(id)
        .ok_or((Code::UnknownAgent, "there is no such active agent"))?;
    permission::presence(state, acting, id)
        .map_err(|code| (code, "only they, their managers and admins may say so"))?;
    Ok(Kind::PresenceChanged {
        agent: id.clone(),
        presence,
        previous: agent.presence,
        expires: ttl.and_then(|ttl| now.checked_add(ttl).ok()),
    })
}

fn upsert(state: &State, command: &Command, id: &AgentId, fields: &Upsert) -> Result<Kind, Refused> {
    let acting = permission::acting(state, &command.actor).map_err(unknown_actor)?;
    let mut teams = fields.teams.iter().chain(&fields.manages).flatten();
    if teams.any(|team| !state.plan.teams.contains_key(team)) {
        return Err((Code::UnknownTeam, "there is no such team in the plan"));
    }
    permission::administer(acting).map_err(|code| (code, "only admins may write agents"))?;
    let mut agent = state
        .agents
        .get(id)
        .cloned()
        .unwrap_or_else(|| Agent::new(id.clone(), Profile::named(id)));
    if agent.removed {
        // They begin anew, but what they still own counts.
        agent.removed = false;
        agent.profile = Profile::named(id);
    }
    write_fields(&mut agent.profile, fields);
    let now_in = |named: &Option<BTreeSet<TeamId>>, is_in: &dyn Fn(&TeamId) -> bool| match named {
        Some(teams) => teams.iter().cloned().collect(),
        None => state
            .teams
            .keys()
            .filter(|team| is_in(team))
            .cloned()
            .collect::<Vec<_>>(),
    };
    let member_of = now_in(&fields.teams, &|team| state.teams[team].has_member(id));
    let manages = now_in(&fields.manages, &|team| state.manages(id, team));
    Ok(Kind::AgentUpserted {
        agent: Arc::new(agent),
        member_of,
        manages,
    })
}

fn write_fields(profile: &mut Profile, fields: &Upsert) {
    fn write<T: Clone>(field: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            *field = value.clone();
        }
    }
    write(&mut profile.name, &fields.name);
    write(&mut profile.role, &fields.role);
    write(&mut profile.skills, &fields.skills);
    write(&mut profile.subscriptions, &fields.subscriptions);
    write(&mut profile.active, &fields.active);
    write(&mut profile.may_reply, &fields.may_reply);
    if fields.capacity.is_some() {
        profile.capacity = fields.capacity;
    }
}

/// The first plan of a tenant needs no known actor, but must name an admin: or nobody could ever apply the second.
fn apply_plan(state: &State, command: &Command, plan: &Arc<Plan>, unchanged: bool) -> Result<Kind, Refused> {
    let is_first = state.plan.version == 0;
    if is_first {
        let names_admin = plan
            .agents
            .values()
            .any(|agent| agent.role == Role::Admin && agent.active);
        if !names_admin {
            return Err((
                Code::Invalid,
                "a tenant's first plan must name an active admin among its agents",
            ));
        }
    } else {
        let acting = permission::acting(state, &command.actor).map_err(unknown_actor)?;
        permission::administer(acting).map_err(|code| (code, "only admins may apply plans"))?;
    }
    let unchanged = unchanged && !is_first;
    let version = state.plan.version + u32::from(!unchanged);
    Ok(Kind::PlanActivated {
        plan: Arc::new(Plan {
            version,
            ..(**plan).clone()
        }),
        unchanged,
    })
}

fn unknown_actor(code: Code) -> Refused {
    (code, "the actor is no active agent of this tenant")
}
