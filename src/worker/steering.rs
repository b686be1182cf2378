//! Where ingress sends what it reads of one customer, while the database does not know them yet: by the same lane, in order.
//!
//! A new customer's second message, or the first one under a changed identifier, may be read before a lane has decided the one
//! before it. Sent to another lane, it could overtake that and be taken for somebody else's. What is remembered here is only a
//! help: the lanes look identifiers up under their locks, wherever a message comes from.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use crate::contract::ArrivedFact;
use crate::domain::input::What;

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
        let Some(key) = known.or_else(lately) else {
            let own = fact.home_key();
            if begins(fact) {
                self.remember(identifiers, &own);
            }
            return own;
        };
        self.remember(identifiers, &key);
        key
    }

    fn remember(&mut self, identifiers: Vec<Uuid>, key: &Arc<str>) {
        for alias in identifiers {
            if self.keys.insert(alias, key.clone()).is_some() {
                continue;
            }
            self.oldest_first.push_back(alias);
            if self.oldest_first.len() > MOST
                && let Some(oldest) = self.oldest_first.pop_front()
            {
                self.keys.remove(&oldest);
            }
        }
    }
}

/// Whether a conversation may begin with it. What else is told of somebody unknown leaves nothing that a later message
/// would have to come after.
fn begins(fact: &ArrivedFact) -> bool {
    !matches!(&fact.what, What::Received(message) if !message.turn)
}
