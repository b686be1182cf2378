//! `agent.upsert`: which fields of an agent are written; what is absent stays as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::dead::Dead;
use super::super::json::{Item, Object};
use super::{Unreadable, id};
use crate::domain::agent::{Role, Skills};
use crate::domain::ids::{AgentId, ChannelKey, IdError, TeamId};
use crate::domain::input::{Action, Upsert};

/// Longest name of a person, in characters.
const MAX_NAME_CHARS: usize = 128;

/// Most teams, subscriptions or skills of one person; each is a row or a word that every choice reads.
const MAX_ENTRIES: usize = 1_000;

/// Reads the command.
pub(super) fn read(data: &Object<'_, '_>) -> Result<Action, Unreadable> {
    let agent = data.object("agent")?.ok_or_else(|| data.missing("agent"))?;
    let capacity = agent
        .field("capacity")
        .map(|item| item.number(u32::MAX.into()))
        .transpose()?;
    let fields = Upsert {
        name: agent.field("name").map(|item| name(&item)).transpose()?,
        role: agent.field("role").map(|item| role(&item)).transpose()?,
        teams: ids(&agent, "teams", TeamId::new)?,
        manages: ids(&agent, "manages", TeamId::new)?,
        skills: skills(&agent)?,
        capacity: capacity.and_then(|capacity| u32::try_from(capacity).ok()),
        subscriptions: set(&agent, "subscriptions", |text| {
            ChannelKey::new(text).ok_or("is no channel: `provider:id`".to_owned())
        })?,
        active: agent.field("active").map(|item| item.flag()).transpose()?,
        may_reply: agent.field("may_reply").map(|item| item.flag()).transpose()?,
    };
    Ok(Action::UpsertAgent {
        agent: id(&agent, "id", AgentId::new)?,
        fields,
    })
}

fn name(item: &Item<'_, '_>) -> Result<Arc<str>, Dead> {
    let name = item.text()?;
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(item.bad(format_args!("is longer than {MAX_NAME_CHARS} characters")));
    }
    Ok(name.into())
}

fn role(item: &Item<'_, '_>) -> Result<Role, Dead> {
    match &*item.text()? {
        "agent" => Ok(Role::Agent),
        "manager" => Ok(Role::Manager),
        "admin" => Ok(Role::Admin),
        _ => Err(item.bad("is not agent, manager or admin")),
    }
}

/// A set of ids; an empty list is an empty set, an absent one no change.
fn ids<T: Ord>(
    agent: &Object<'_, '_>,
    field: &'static str,
    new: fn(&str) -> Result<T, IdError>,
) -> Result<Option<BTreeSet<T>>, Dead> {
    let id = |text: &str| new(text).map_err(|error| format!("is no id: {error}"));
    set(agent, field, id)
}

fn set<T: Ord>(
    agent: &Object<'_, '_>,
    field: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<BTreeSet<T>>, Dead> {
    let Some(item) = agent.field(field) else {
        return Ok(None);
    };
    let list = item.list()?;
    if list.len() > MAX_ENTRIES {
        return Err(item.bad(format_args!("has more than {MAX_ENTRIES} entries")));
    }
    let entry = |item: Item<'_, '_>| read(&item.text()?).map_err(|complaint| item.bad(complaint));
    list.iter().map(entry).collect::<Result<_, _>>().map(Some)
}

/// Skill levels by name. Names follow the rules of ids, because a waiting conversation's needs are written as words.
fn skills(agent: &Object<'_, '_>) -> Result<Option<Skills>, Dead> {
    let Some(skills) = agent.object("skills")? else {
        return Ok(None);
    };
    let mut levels = Skills::new();
    for (name, level) in skills.entries() {
        AgentId::new(name).map_err(|error| level.bad(format_args!("has a bad name: {error}")))?;
        let level = level.number(u8::MAX.into())?;
        levels.insert(name.into(), u8::try_from(level).unwrap_or(u8::MAX));
        if levels.len() > MAX_ENTRIES {
            return Err(skills
                .place()
                .bad(format_args!("has more than {MAX_ENTRIES} entries")));
        }
    }
    Ok(Some(levels))
}
