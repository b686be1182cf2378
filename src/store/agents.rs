//! People: loaded under the match row, written when something about them changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::codec;
use super::{Session, StoreError};
use crate::domain::agent::{Agent, Member, Membership, Profile};
use crate::domain::ids::{AgentId, ChannelKey, TeamId, Tenant};

pub(super) const STATEMENTS: &[&str] = &[LOAD, LOAD_MEMBERS, SAVE_LOADS, SAVE_TURNS];

const LOAD: &str =
    "select tenant, id, name, role, capacity, skills, active, may_reply, subscriptions, presence,
    presence_expires, loads, last_assigned, last_chosen
  from agent where tenant = any($1::text[])";

/// Everyone of these tenants.
pub async fn load(session: &Session, tenants: &[Tenant]) -> Result<Vec<(Tenant, Agent)>, StoreError> {
    let statement = session.prepared(LOAD).await?;
    let names: Vec<&str> = tenants.iter().map(Tenant::as_str).collect();
    let rows = session.query(&statement, &[&names]).await?;
    rows.iter()
        .map(|row| Ok((codec::tenant(row.get(0))?, agent(row)?)))
        .collect()
}

fn agent(row: &tokio_postgres::Row) -> Result<Agent, StoreError> {
    let profile = Profile {
        name: row.get::<_, &str>(2).into(),
        role: codec::role(row.get(3))?,
        capacity: row
            .get::<_, Option<i32>>(4)
            .and_then(|limit| u32::try_from(limit).ok()),
        skills: codec::skills(&row.get::<_, Value>(5)),
        active: row.get(6),
        may_reply: row.get(7),
        subscriptions: row
            .get::<_, Vec<&str>>(8)
            .into_iter()
            .filter_map(ChannelKey::new)
            .collect(),
    };
    Ok(Agent {
        id: codec::agent_id(row.get(1))?,
        profile,
        presence: codec::presence(row.get(9))?,
        presence_expires: row.get(10),
        loads: codec::loads(&row.get::<_, Value>(11))?,
        last_assigned: row.get(12),
        last_chosen: row.get(13),
    })
}

const LOAD_MEMBERS: &str = "select tenant, team, agent, position, turn, manager from membership
  where tenant = any($1::text[]) order by tenant, team, position nulls last, agent";

/// Everyone's place in the teams of these tenants.
pub async fn load_members(
    session: &Session,
    tenants: &[Tenant],
) -> Result<BTreeMap<Tenant, BTreeMap<TeamId, Membership>>, StoreError> {
    let statement = session.prepared(LOAD_MEMBERS).await?;
    let names: Vec<&str> = tenants.iter().map(Tenant::as_str).collect();
    let mut teams: BTreeMap<Tenant, BTreeMap<TeamId, Membership>> = BTreeMap::new();
    for row in session.query(&statement, &[&names]).await? {
        let of_tenant = teams.entry(codec::tenant(row.get(0))?).or_default();
        let team = of_tenant.entry(codec::team_id(row.get(1))?).or_default();
        let agent = codec::agent_id(row.get(2))?;
        if row.get(5) {
            team.managers.push(agent.clone());
        }
        if row.get::<_, Option<i32>>(3).is_some() {
            team.members.push(Member {
                agent,
                turn: u64::try_from(row.get::<_, i64>(4)).unwrap_or(0),
            });
        }
    }
    Ok(teams)
}

const SAVE_LOADS: &str = "update agent a set presence = u.presence, presence_expires = u.expires, loads = u.loads,
    last_assigned = u.assigned, last_chosen = u.chosen
  from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::jsonb[], $6::timestamptz[], $7::timestamptz[])
    u(tenant, id, presence, expires, loads, assigned, chosen)
  where a.tenant = u.tenant and a.id = u.id";

/// Writes what changes all day: presence, loads, turns.
pub async fn save_loads(session: &Session, agents: &[(&Tenant, &Agent)]) -> Result<(), StoreError> {
    let statement = session.prepared(SAVE_LOADS).await?;
    let all = || agents.iter().map(|(_, agent)| *agent);
    let tenants: Vec<&str> = agents.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let ids: Vec<&str> = all().map(|agent| agent.id.as_str()).collect();
    let presences: Vec<&str> = all().map(|agent| codec::presence_word(agent.presence)).collect();
    let expires: Vec<Option<Timestamp>> = all().map(|agent| agent.presence_expires).collect();
    let loads: Vec<Value> = all().map(|agent| codec::loads_value(&agent.loads)).collect();
    let assigned: Vec<Option<Timestamp>> = all().map(|agent| agent.last_assigned).collect();
    let chosen: Vec<Option<Timestamp>> = all().map(|agent| agent.last_chosen).collect();
    session
        .execute(
            &statement,
            &[&tenants, &ids, &presences, &expires, &loads, &assigned, &chosen],
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
    let statement = session.prepared(SAVE_TURNS).await?;
    let tenants: Vec<&str> = turns.iter().map(|turn| turn.0.as_str()).collect();
    let teams: Vec<&str> = turns.iter().map(|turn| turn.1.as_str()).collect();
    let agents: Vec<&str> = turns.iter().map(|turn| turn.2.as_str()).collect();
    let numbers: Vec<i64> = turns
        .iter()
        .map(|turn| i64::try_from(turn.3).unwrap_or(i64::MAX))
        .collect();
    session
        .execute(&statement, &[&tenants, &teams, &agents, &numbers])
        .await?;
    Ok(())
}

/// Writes who people are: by upserts and plans, rarely.
pub async fn save_profiles(session: &Session, tenant: &Tenant, agents: &[&Agent]) -> Result<(), StoreError> {
    let sql = "insert into agent (tenant, id, name, role, capacity, skills, active, may_reply, subscriptions, presence)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      on conflict (tenant, id) do update set name = excluded.name, role = excluded.role, capacity = excluded.capacity,
        skills = excluded.skills, active = excluded.active, may_reply = excluded.may_reply,
        subscriptions = excluded.subscriptions";
    let statement = session.prepared(sql).await?;
    for agent in agents {
        let profile = &agent.profile;
        let capacity = profile
            .capacity
            .map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        let subscriptions: Vec<&str> = profile.subscriptions.iter().map(ChannelKey::as_str).collect();
        session
            .execute(
                &statement,
                &[
                    &tenant.as_str(),
                    &agent.id.as_str(),
                    &&*profile.name,
                    &codec::role_word(profile.role),
                    &capacity,
                    &codec::skills_value(&profile.skills),
                    &profile.active,
                    &profile.may_reply,
                    &subscriptions,
                    &codec::presence_word(agent.presence),
                ],
            )
            .await?;
    }
    Ok(())
}

/// Makes the memberships of a tenant exactly these: by upserts and plans, rarely.
pub async fn replace_members(
    session: &Session,
    tenant: &Tenant,
    teams: &BTreeMap<TeamId, Membership>,
) -> Result<(), StoreError> {
    session
        .execute("delete from membership where tenant = $1", &[&tenant.as_str()])
        .await?;
    let mut rows: BTreeMap<(&str, &str), (Option<i32>, i64, bool)> = BTreeMap::new();
    for (id, team) in teams {
        for (position, member) in team.members.iter().enumerate() {
            let row = rows.entry((id.as_str(), member.agent.as_str())).or_default();
            row.0 = i32::try_from(position).ok();
            row.1 = i64::try_from(member.turn).unwrap_or(i64::MAX);
        }
        for manager in &team.managers {
            rows.entry((id.as_str(), manager.as_str())).or_default().2 = true;
        }
    }
    let names: Vec<&str> = rows.keys().map(|key| key.0).collect();
    let agents: Vec<&str> = rows.keys().map(|key| key.1).collect();
    let positions: Vec<Option<i32>> = rows.values().map(|row| row.0).collect();
    let turns: Vec<i64> = rows.values().map(|row| row.1).collect();
    let managers: Vec<bool> = rows.values().map(|row| row.2).collect();
    let sql = "insert into membership (tenant, team, agent, position, turn, manager)
      select $1, * from unnest($2::text[], $3::text[], $4::int4[], $5::int8[], $6::bool[])";
    session
        .execute(
            sql,
            &[&tenant.as_str(), &names, &agents, &positions, &turns, &managers],
        )
        .await?;
    Ok(())
}
