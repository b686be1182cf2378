//! Where ingress sends what it reads of one customer, while the database does not know them yet: by the same lane, in order.
//!
//! A new customer's second message, or the first one under a changed identifier, may be read before a lane has decided the one
//! before it. Sent to another lane, it could overtake that and be taken for somebody else's. What is remembered here is only a
//! help: the lanes look identifiers up under their locks, wherever a message comes from.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use crate::contract::ArrivedFact;

/// Identifiers remembered: what a deployment is told of in the time its lanes are behind. The oldest is forgotten.
pub const MOST: usize = 20_000;

/// The partition keys that facts were sent by lately.
#[derive(Debug, Default)]
pub struct Steering {
    keys: HashMap<Uuid, Arc<str>>,
    oldest_first: VecDeque<Uuid>,
}

impl Steering {
    /// The key to send this fact by: that of the conversation its identifiers are known to lead to, else the one that any of
    /// them was sent by before, else its own.
    pub fn key<'a>(&mut self, fact: &ArrivedFact, known: impl Fn(Uuid) -> Option<&'a str>) -> Arc<str> {
        let identifiers: Vec<Uuid> = fact.identifiers().map(|alias| alias.key(&fact.channel)).collect();
        let known = identifiers.iter().find_map(|alias| known(*alias).map(Arc::from));
        let lately = || identifiers.iter().find_map(|alias| self.keys.get(alias).cloned());
        let key = known.or_else(lately).unwrap_or_else(|| fact.home_key());
        for alias in identifiers {
            self.remember(alias, key.clone());
        }
        key
    }

    fn remember(&mut self, alias: Uuid, key: Arc<str>) {
        if self.keys.insert(alias, key).is_some() {
            return;
        }
        self.oldest_first.push_back(alias);
        if self.oldest_first.len() > MOST
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}
