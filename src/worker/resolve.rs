//! Which conversation a fact belongs to: by any of the customer's identifiers, or a new one.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::gather::{Pending, Work};
use crate::contract::{ArrivedFact, partition};
use crate::domain::conversation::Conversation;
use crate::domain::ids::{ConversationId, Partition, Tenant};
use crate::domain::input::{Origin, What};

/// An alias as the database knows it: the tenant, and a hash of channel, kind and value.
pub type AliasKey = (Tenant, Uuid);

/// What the aliases of a batch lead to.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The conversation of each pending input, by its place in the batch; none: it means nothing here.
    pub conversations: HashMap<usize, ConversationId>,
    /// Conversations that do not exist yet.
    pub unborn: Vec<(Tenant, Conversation)>,
    /// Aliases to add: of new conversations, and newly met ones of old.
    pub aliases: Vec<(Tenant, Uuid, ConversationId)>,
}

/// Every alias that the facts of a batch carry, sorted: the order of locks.
pub fn aliases_of(pending: &[Pending<'_>]) -> Vec<AliasKey> {
    let keys: BTreeSet<AliasKey> = facts(pending)
        .flat_map(|(_, tenant, fact)| keys_of(tenant, fact))
        .collect();
    keys.into_iter().collect()
}

/// Finds or founds the conversation of every fact that is new, in order: the second message of a new customer meets the
/// first's. One that was there before founds nothing and teaches nothing: its conversation would never be opened.
pub fn resolve(
    pending: &[Pending<'_>],
    new: &[bool],
    known: &[(Tenant, Uuid, ConversationId)],
    partitions: u16,
) -> Resolved {
    let mut by_alias: HashMap<AliasKey, ConversationId> = known
        .iter()
        .map(|(tenant, key, id)| ((tenant.clone(), *key), *id))
        .collect();
    let stored: HashSet<AliasKey> = by_alias.keys().cloned().collect();
    let mut resolved = Resolved::default();
    for (place, tenant, fact) in facts(pending).filter(|(place, ..)| new[*place]) {
        // Identifiers come in order of preference: where they disagree, the first that is known wins.
        let keys: Vec<AliasKey> = keys_of(tenant, fact).collect();
        let found = keys.iter().find_map(|key| by_alias.get(key).copied());
        let id = match found {
            Some(id) => id,
            None if may_open(fact) => {
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
        for key in keys {
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

/// Whether a fact can begin a conversation; others mean nothing where there is none.
fn may_open(fact: &ArrivedFact) -> bool {
    match &fact.what {
        What::Received(message) => message.turn,
        What::Handover { .. } => true,
        What::Sent {
            origin: Origin::Agent(_) | Origin::Phone | Origin::Automation,
            ..
        } => false,
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

fn keys_of<'a>(tenant: &'a Tenant, fact: &'a ArrivedFact) -> impl Iterator<Item = AliasKey> + 'a {
    fact.identity
        .aliases()
        .map(|alias| (tenant.clone(), alias.key(&fact.channel)))
}
