//! What holds of every world between two inputs.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::domain::agent::{Agent, Presence};
use switchboard::domain::blocked::Ask;
use switchboard::domain::conversation::{Clock, Owner, Status};
use switchboard::domain::ids::AgentId;

use super::Verdict;
use crate::support::oracle;
use crate::support::world::World;

/// Loads equal open conversations owned, and nobody who waits is stranded.
pub fn check_sound(world: &World) -> Verdict {
    for who in world.agents.values() {
        let mut owned: BTreeMap<_, u32> = BTreeMap::new();
        for conversation in world.conversations.values() {
            if conversation.status == Status::Open && conversation.owner == Owner::Agent(who.id.clone()) {
                *owned.entry(conversation.team.clone()).or_default() += 1;
            }
        }
        prop_assert_eq!(&who.loads, &owned, "loads of {}", who.id);
    }
    for conversation in world.conversations.values() {
        let waits = conversation.status == Status::Open
            && conversation.waiting_since.is_some()
            && !conversation.standby;
        let has_a_place = conversation.owner != Owner::Nobody || conversation.assign_clock != Clock::Off;
        prop_assert!(!waits || has_a_place, "stranded: {conversation:?}");
        let is_queued = conversation.status != Status::Closed && conversation.owner.queue().is_some();
        prop_assert_eq!(is_queued, conversation.queued_at.is_some(), "{:?}", conversation);
        prop_assert!(conversation.held_until.is_none() || conversation.status == Status::OnHold);
        let is_closed = conversation.status == Status::Closed;
        prop_assert!(
            !is_closed || conversation.assign_clock == Clock::Off,
            "{conversation:?}"
        );
    }
    Ok(())
}

/// Once nothing is left to do, nobody eligible idles while something waits for them.
pub fn check_conserving(world: &World) -> Verdict {
    prop_assert!(!world.drain_pending, "a drain is always finished");
    let idle = oracle::idle_hands(world);
    prop_assert!(idle.is_empty(), "idle while these wait: {idle:?}");
    let ghosts = world.conversations.values().filter(|conversation| {
        let owner = conversation.owned_by().and_then(|owner| world.agents.get(owner));
        owner.is_some_and(|owner| !owner.profile.active)
    });
    let ghosts: Vec<_> = ghosts.collect();
    prop_assert!(ghosts.is_empty(), "left with whoever has left: {ghosts:?}");
    check_exclusions(world)?;
    check_blocked(world)
}

/// Nothing waits for ever because all of its team had it: once, they may have it again. But what its last owner gave away
/// waits for somebody else.
fn check_exclusions(world: &World) -> Verdict {
    let waiting = world.conversations.values().filter(|c| oracle::waits(world, c));
    for conversation in waiting.filter(|c| !c.care.exclusions_cleared && !c.excluded.is_empty()) {
        let team = conversation.owner.queue().and_then(|team| world.teams.get(team));
        let people = team.into_iter().flat_map(|team| &team.members);
        let choosable: Vec<_> = people
            .filter_map(|member| world.agents.get(&member.agent))
            .filter(|agent| agent.profile.active && agent.profile.may_reply)
            .collect();
        let had = |agent: &&_| conversation.excluded.contains(&Agent::clone(agent).id);
        let moved = |owner| conversation.care.hops.iter().any(|hop| &hop.from == owner);
        let given_away = conversation
            .last_owner
            .as_ref()
            .is_some_and(|owner| conversation.excluded.contains(owner) && !moved(owner));
        prop_assert!(
            given_away || choosable.is_empty() || !choosable.iter().all(had),
            "excludes all there are: {conversation:?}"
        );
    }
    Ok(())
}

/// What is said to be blocked is what nobody who is there could serve, outside its hours apart.
fn check_blocked(world: &World) -> Verdict {
    let serves = |ask: &Ask, id: &AgentId| {
        world.agents.get(id).is_some_and(|agent| {
            let there = agent.presence == Presence::Online
                || agent.presence == Presence::Away && world.plan.settings.assign_away;
            let skilled = |(skill, level)| agent.profile.skills.get(skill).is_some_and(|has| has >= level);
            agent.profile.active && agent.profile.may_reply && there && ask.skills.iter().all(skilled)
        })
    };
    let served = |ask: &Ask| {
        let members = world
            .teams
            .get(&ask.team)
            .into_iter()
            .flat_map(|team| &team.members);
        let mut anyone = ask.agent.iter().chain(members.map(|member| &member.agent));
        anyone.any(|id| serves(ask, id))
    };
    for ask in &world.blocked {
        prop_assert!(!served(ask), "somebody is there for {ask:?}");
    }
    for conversation in world.conversations.values().filter(|c| oracle::waits(world, c)) {
        let team = conversation.owner.queue().expect("it waits in a queue").clone();
        let calendar = world.plan.calendar_of(None, Some(&team));
        let ask = Ask {
            team,
            agent: conversation.route.agent.clone(),
            skills: conversation.route.skills.clone(),
        };
        let off = calendar.is_some_and(|calendar| !calendar.is_open(world.now));
        prop_assert!(
            off || served(&ask) || world.blocked.contains(&ask),
            "nobody was told of {conversation:?}"
        );
    }
    Ok(())
}
