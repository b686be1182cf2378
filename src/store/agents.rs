//! People: loaded under the match row, written when something about them changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::ToSql;

use super::codec;
use super::{Session, StoreError};
use crate::domain::agent::{Agent, Member, Membership, Profile};
use crate::domain::ids::{AgentId, ChannelKey, TeamId, Tenant};

pub(super) const STATEMENTS: &[&str] = &[LOAD, LOAD_MEMBERS, SAVE_LOADS, SAVE_TURNS];

const LOAD: &str =
    "select tenant, id, name, role, capacity, skills, active, may_reply, subscriptions, presence,
    presence_expires, loads, last_assigned, last_chosen, removed,
    calendar, absent_since, recent, offline_since
  from agent where tenant = any($1::text[])";

/// Everyone of these tenants.
pub async fn load(session: &Session, tenants: &[Tenant]) -> Result<Vec<(Tenant, Agent)>, StoreError> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = tenants.iter().map(Tenant::as_str).collect();
    let rows = session.query(LOAD, &[&names]).await?;
    rows.iter()
        .map(|row| Ok((codec::tenant(row.get(0))?, agent(row)?)))
        .collect()
}

fn agent(row: &tokio_postgres::Row) -> Result<Agent, StoreError> {
    let profile = Profile {
        name: row.get::<_, &str>(2).into(),
        role: codec::role(row.get(3))?,
        capacity: row.get::<_, Option<i32>>(4).map(codec::from_int4).transpose()?,
        skills: codec::skills(&row.get::<_, Value>(5)),
        active: row.get(6),
        may_reply: row.get(7),
        subscriptions: row
            .get::<_, Vec<&str>>(8)
            .into_iter()
            .map(codec::channel)
            .collect::<Result<_, _>>()?,
        // Of a plan that is no longer in force, it may name nothing any more.
        calendar: row
            .get::<_, Option<&str>>(15)
            .map(codec::calendar_id)
            .transpose()?,
    };
    Ok(Agent {
        id: codec::agent_id(row.get(1))?,
        profile,
        removed: row.get(14),
        presence: codec::presence(row.get(9))?,
        presence_expires: row.get(10),
        loads: codec::loads(&row.get::<_, Value>(11))?,
        last_assigned: row.get(12),
        last_chosen: row.get(13),
        absent_since: row.get(16),
        recent: codec::moments(row.get(17))?,
        offline_since: row.get(18),
    })
}

const LOAD_MEMBERS: &str = "select tenant, team, agent, position, turn, manager from membership
  where tenant = any($1::text[]) order by tenant, team, position nulls last, agent";

/// Everyone's place in the teams of these tenants: members in their order, managers in that of their ids.
pub async fn load_members(
    session: &Session,
    tenants: &[Tenant],
) -> Result<BTreeMap<Tenant, BTreeMap<TeamId, Membership>>, StoreError> {
    if tenants.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: Vec<&str> = tenants.iter().map(Tenant::as_str).collect();
    let mut teams: BTreeMap<Tenant, BTreeMap<TeamId, Membership>> = BTreeMap::new();
    for row in session.query(LOAD_MEMBERS, &[&names]).await? {
        let of_tenant = teams.entry(codec::tenant(row.get(0))?).or_default();
        let team = of_tenant.entry(codec::team_id(row.get(1))?).or_default();
        let agent = codec::agent_id(row.get(2))?;
        if row.get(5) {
            team.managers.push(agent.clone());
        }
        if row.get::<_, Option<i32>>(3).is_some() {
            team.members.push(Member {
                agent,
                turn: codec::from_int8(row.get(4))?,
            });
        }
    }
    for team in teams.values_mut().flat_map(BTreeMap::values_mut) {
        // Only members have a place in a list.
        team.managers.sort();
    }
    Ok(teams)
}

const SAVE_LOADS: &str = "update agent a set presence = u.presence, presence_expires = u.expires, loads = u.loads,
    last_assigned = u.assigned, last_chosen = u.chosen, absent_since = u.absent, recent = u.recent,
    offline_since = u.offline
  from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::jsonb[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::text[], $10::timestamptz[])
    u(tenant, id, presence, expires, loads, assigned, chosen, absent, recent, offline)
  where a.tenant = u.tenant and a.id = u.id";

/// Writes what changes all day: presence, loads, turns.
pub async fn save_loads(session: &Session, agents: &[(&Tenant, &Agent)]) -> Result<(), StoreError> {
    if agents.is_empty() {
        return Ok(());
    }
    let all = || agents.iter().map(|(_, agent)| *agent);
    let tenants: Vec<&str> = agents.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let ids: Vec<&str> = all().map(|agent| agent.id.as_str()).collect();
    let presences: Vec<&str> = all().map(|agent| codec::presence_word(agent.presence)).collect();
    let expires: Vec<Option<Timestamp>> = all().map(|agent| agent.presence_expires).collect();
    let loads: Vec<Value> = all().map(|agent| codec::loads_value(&agent.loads)).collect();
    let assigned: Vec<Option<Timestamp>> = all().map(|agent| agent.last_assigned).collect();
    let chosen: Vec<Option<Timestamp>> = all().map(|agent| agent.last_chosen).collect();
    let absent: Vec<Option<Timestamp>> = all().map(|agent| agent.absent_since).collect();
    let offline: Vec<Option<Timestamp>> = all().map(|agent| agent.offline_since).collect();
    let recent: Vec<String> = all().map(|agent| codec::moments_text(&agent.recent)).collect();
    session
        .execute(
            SAVE_LOADS,
            &[
                &tenants, &ids, &presences, &expires, &loads, &assigned, &chosen, &absent, &recent, &offline,
            ],
        )
        .await?;
    Ok(())
}

const SAVE_TURNS: &str = "update membership m set turn = u.turn
  from unnest($1::text[], $2::text[], $3::text[], $4::int8[]) u(tenant, team, agent, turn)
  where m.tenant = u.tenant and m.team = u.team and m.agent = u.agent";

/// Writes members' places in their rings.
pub async fn save_turns(
    session: &Session,
    turns: &[(&Tenant, &TeamId, &AgentId, u64)],
) -> Result<(), StoreError> {
    if turns.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = turns.iter().map(|turn| turn.0.as_str()).collect();
    let teams: Vec<&str> = turns.iter().map(|turn| turn.1.as_str()).collect();
    let agents: Vec<&str> = turns.iter().map(|turn| turn.2.as_str()).collect();
    let numbers: Vec<i64> = turns.iter().map(|turn| codec::int8(turn.3)).collect();
    session
        .execute(SAVE_TURNS, &[&tenants, &teams, &agents, &numbers])
        .await?;
    Ok(())
}

const SAVE_PROFILES: &str = "
insert into agent (tenant, id, name, role, capacity, skills, active, may_reply, subscriptions, presence,
  removed, calendar)
select $1, id, name, role, capacity, skills, active, may_reply, string_to_array(subscriptions, ' '), presence, removed,
  calendar
from unnest($2::text[], $3::text[], $4::text[], $5::int4[], $6::jsonb[], $7::bool[], $8::bool[], $9::text[], $10::text[],
    $11::bool[], $12::text[])
  u(id, name, role, capacity, skills, active, may_reply, subscriptions, presence, removed, calendar)
order by id
on conflict (tenant, id) do update set name = excluded.name, role = excluded.role, capacity = excluded.capacity,
  skills = excluded.skills, active = excluded.active, may_reply = excluded.may_reply,
  subscriptions = excluded.subscriptions, removed = excluded.removed, calendar = excluded.calendar
-- A plan names everyone and changes few.
where (agent.name, agent.role, agent.capacity, agent.skills, agent.active, agent.may_reply, agent.subscriptions,
    agent.removed, agent.calendar)
  is distinct from (excluded.name, excluded.role, excluded.capacity, excluded.skills, excluded.active,
    excluded.may_reply, excluded.subscriptions, excluded.removed, excluded.calendar)";

/// Writes who people are: by upserts and plans, rarely. Those who are new come with their presence; otherwise presence,
/// loads and turns stay as they are.
pub async fn save_profiles(session: &Session, tenant: &Tenant, agents: &[&Agent]) -> Result<(), StoreError> {
    if agents.is_empty() {
        return Ok(());
    }
    let all = || agents.iter().map(|agent| &agent.profile);
    let ids: Vec<&str> = agents.iter().map(|agent| agent.id.as_str()).collect();
    let names: Vec<&str> = all().map(|profile| &*profile.name).collect();
    let roles: Vec<&str> = all().map(|profile| codec::role_word(profile.role)).collect();
    let capacities: Vec<Option<i32>> = all().map(|profile| profile.capacity.map(codec::int4)).collect();
    let skills: Vec<Value> = all()
        .map(|profile| codec::skills_value(&profile.skills))
        .collect();
    let active: Vec<bool> = all().map(|profile| profile.active).collect();
    let may_reply: Vec<bool> = all().map(|profile| profile.may_reply).collect();
    let subscriptions: Vec<String> = all().map(subscriptions_text).collect();
    let presences: Vec<&str> = agents
        .iter()
        .map(|agent| codec::presence_word(agent.presence))
        .collect();
    let removed: Vec<bool> = agents.iter().map(|agent| agent.removed).collect();
    let calendars: Vec<Option<&str>> = all()
        .map(|profile| profile.calendar.as_ref().map(|calendar| calendar.as_str()))
        .collect();
    let tenant = tenant.as_str();
    let parameters: [&(dyn ToSql + Sync); 12] = [
        &tenant,
        &ids,
        &names,
        &roles,
        &capacities,
        &skills,
        &active,
        &may_reply,
        &subscriptions,
        &presences,
        &removed,
        &calendars,
    ];
    session.execute(SAVE_PROFILES, &parameters).await?;
    Ok(())
}

/// An array of arrays has to be square: channel keys hold no spaces.
fn subscriptions_text(profile: &Profile) -> String {
    profile
        .subscriptions
        .iter()
        .map(ChannelKey::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

const REPLACE_MEMBERS: &str = "
with wanted as materialized (
  select * from unnest($2::text[], $3::text[], $4::int4[], $5::int8[], $6::bool[])
    u(team, agent, position, turn, manager)),
gone as (
  delete from membership m
  where m.tenant = $1 and not exists (select from wanted w where w.team = m.team and w.agent = m.agent))
insert into membership (tenant, team, agent, position, turn, manager)
select $1, team, agent, position, turn, manager from wanted
on conflict (tenant, team, agent) do update
  set position = excluded.position, turn = excluded.turn, manager = excluded.manager
  where (membership.position, membership.turn, membership.manager)
    is distinct from (excluded.position, excluded.turn, excluded.manager)";

/// Makes the memberships of a tenant exactly these: by upserts and plans, rarely.
pub async fn replace_members(
    session: &Session,
    tenant: &Tenant,
    teams: &BTreeMap<TeamId, Membership>,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<(&str, &str), (Option<i32>, i64, bool)> = BTreeMap::new();
    for (id, team) in teams {
        for (position, member) in team.members.iter().enumerate() {
            let row = rows.entry((id.as_str(), member.agent.as_str())).or_default();
            row.0 = i32::try_from(position).ok();
            row.1 = codec::int8(member.turn);
        }
        for manager in &team.managers {
            rows.entry((id.as_str(), manager.as_str())).or_default().2 = true;
        }
    }
    let (names, agents): (Vec<&str>, Vec<&str>) = rows.keys().copied().unzip();
    let positions: Vec<Option<i32>> = rows.values().map(|row| row.0).collect();
    let turns: Vec<i64> = rows.values().map(|row| row.1).collect();
    let managers: Vec<bool> = rows.values().map(|row| row.2).collect();
    session
        .execute(
            REPLACE_MEMBERS,
            &[&tenant.as_str(), &names, &agents, &positions, &turns, &managers],
        )
        .await?;
    Ok(())
}
