//! Which conversation a fact belongs to: by any of the customer's identifiers, or a new one. Conversations are never merged:
//! where identifiers lead to several, the most preferred one wins, and that they disagree is told.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::directory::Directory;
use super::gather::{Pending, Work};
use super::world::World;
use crate::contract::{ArrivedFact, partition};
use crate::domain::conversation::Conversation;
use crate::domain::identity::{self, AliasKind, Leading};
use crate::domain::ids::{ConversationId, Partition, Tenant};
use crate::domain::input::{Origin, What};
use crate::domain::plan::Plan;
use crate::store::{Session, StoreError, aliases};

/// An alias as the database knows it: the tenant, and a hash of channel, kind and value.
pub type AliasKey = (Tenant, Uuid);

/// What the aliases of a batch lead to.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The conversation of each pending input, by its place in the batch; none: it means nothing here.
    pub conversations: HashMap<usize, ConversationId>,
    /// Where the identifiers of an input lead that lead to several conversations, the one it belongs to first.
    pub conflicts: HashMap<usize, Vec<Leading>>,
    /// Conversations that do not exist yet.
    pub unborn: Vec<(Tenant, Conversation)>,
    /// Aliases to add: of new conversations, and newly met ones of old.
    pub aliases: Vec<(Tenant, Uuid, ConversationId)>,
}

/// Every alias that the facts of a batch carry, sorted: the order of locks.
pub fn aliases_of(pending: &[Pending<'_>]) -> Vec<AliasKey> {
    let keys: BTreeSet<AliasKey> = facts(pending)
        .flat_map(|(_, tenant, fact)| keys_of(tenant, fact))
        .map(|(_, key)| key)
        .collect();
    keys.into_iter().collect()
}

/// Finds or founds the conversation of every fact that is new, in order: the second message of a new customer meets the
/// first's. What is new of a customer is learned by the conversation that wins, and what is known of another stays there. One
/// that was there before founds nothing and teaches nothing: its conversation would never be opened.
pub fn resolve(
    pending: &[Pending<'_>],
    new: &[bool],
    known: &[(Tenant, Uuid, ConversationId)],
    directory: &Directory,
    partitions: u16,
) -> Resolved {
    let mut by_alias: HashMap<AliasKey, ConversationId> = known
        .iter()
        .map(|(tenant, key, id)| ((tenant.clone(), *key), *id))
        .collect();
    let stored: HashSet<AliasKey> = by_alias.keys().cloned().collect();
    let mut resolved = Resolved::default();
    for (place, tenant, fact) in facts(pending).filter(|(place, ..)| new[*place]) {
        let keys: Vec<(AliasKind, AliasKey)> = keys_of(tenant, fact).collect();
        let known = keys
            .iter()
            .filter_map(|(kind, key)| Some((*kind, *by_alias.get(key)?)));
        let leads = identity::leading(known);
        let id = match leads.first() {
            Some(leading) => leading.conversation,
            None if may_open(fact, &directory.plan(tenant)) => {
                let id = ConversationId(Uuid::now_v7());
                let key = fact.home_key();
                let home = Partition(partition::of(&key, partitions));
                let unborn = Conversation::unborn(id, fact.channel.clone(), key, home);
                resolved.unborn.push((tenant.clone(), unborn));
                id
            }
            None => continue,
        };
        resolved.conversations.insert(place, id);
        if leads.len() > 1 {
            resolved.conflicts.insert(place, leads);
        }
        for (_, key) in keys {
            by_alias.entry(key).or_insert(id);
        }
    }
    resolved.aliases = by_alias
        .into_iter()
        .filter(|(key, _)| !stored.contains(key))
        .map(|((tenant, key), id)| (tenant, key, id))
        .collect();
    resolved.aliases.sort();
    resolved
}

/// Takes back the aliases of conversations that did not come to be: an identifier must lead somewhere.
pub async fn forget_unborn(session: &Session, resolved: &Resolved, world: &World) -> Result<(), StoreError> {
    let stillborn: HashSet<ConversationId> = resolved
        .unborn
        .iter()
        .filter(|(tenant, c)| !world.conversation(tenant, c.id).is_some_and(Conversation::exists))
        .map(|(_, conversation)| conversation.id)
        .collect();
    let keys: Vec<_> = resolved
        .aliases
        .iter()
        .filter(|(_, _, id)| stillborn.contains(id))
        .map(|(tenant, key, _)| (tenant.clone(), *key))
        .collect();
    aliases::remove(session, &keys).await
}

/// Whether a fact can begin a conversation; others mean nothing where there is none. Whether one that was sent does, the
/// core decides: it knows the people.
fn may_open(fact: &ArrivedFact, plan: &Plan) -> bool {
    match &fact.what {
        What::Received(message) => message.turn,
        What::Handover { .. } => true,
        What::Sent {
            origin,
            leave_unassigned,
            ..
        } => {
            let has_phone_agent = || {
                let channel = plan.channels.get(&fact.channel);
                channel.is_some_and(|channel| channel.phone_agent.is_some())
            };
            match origin {
                Origin::Agent(_) => !leave_unassigned,
                Origin::Phone => !leave_unassigned && has_phone_agent(),
                Origin::Automation => false,
            }
        }
    }
}

fn facts<'a>(pending: &'a [Pending<'a>]) -> impl Iterator<Item = (usize, &'a Tenant, &'a ArrivedFact)> {
    pending
        .iter()
        .enumerate()
        .filter_map(|(place, pending)| match pending.what {
            Work::Fact(fact) => Some((place, &pending.tenant, fact)),
            Work::Command(_) => None,
        })
}

/// In order of preference: where identifiers disagree, the first that is known wins.
fn keys_of<'a>(
    tenant: &'a Tenant,
    fact: &'a ArrivedFact,
) -> impl Iterator<Item = (AliasKind, AliasKey)> + 'a {
    fact.identifiers()
        .map(|alias| (alias.kind, (tenant.clone(), alias.key(&fact.channel))))
}
