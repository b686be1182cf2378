//! Commands about many conversations at once, and about who leaves: an agent, a customer.

use std::collections::HashSet;

use uuid::Uuid;

use super::super::cloudevent::CloudEvent;
use super::super::dead::Dead;
use super::super::fact;
use super::super::identity::Alias;
use super::super::json::Object;
use super::{Unreadable, id, note, recipient};
use crate::domain::bulk::{MAX_ITEMS, Selection};
use crate::domain::ids::{AgentId, ConversationId};
use crate::domain::input::Action;

/// Reads `bulk_assign`. Without a name of its own the bulk is called by its command's id, or by the key derived from that
/// where the id is no UUID.
pub(super) fn assign(event: &CloudEvent<'_>, data: &Object<'_, '_>) -> Result<Action, Unreadable> {
    let named = match data.field("bulk") {
        Some(_) => Some(uuid(data)?),
        None => Uuid::try_parse(&event.id).ok(),
    };
    Ok(Action::BulkAssign {
        bulk: named.unwrap_or_else(|| event.dedupe().key()),
        selection: selection(data)?,
        to: recipient(data)?,
        note: note(data)?,
        taken: false, // the worker, which knows the others, knows better
    })
}

/// Reads `bulk_undo`.
pub(super) fn undo(data: &Object<'_, '_>) -> Result<Action, Unreadable> {
    Ok(Action::BulkUndo {
        bulk: uuid(data)?,
        past: None, // the worker looks it up
    })
}

/// Reads `agent.remove`.
pub(super) fn remove_agent(data: &Object<'_, '_>) -> Result<Action, Unreadable> {
    let agent = id(data, "agent", AgentId::new)?;
    Ok(Action::RemoveAgent { agent })
}

/// Reads `contact.forget`: the action, for the worker to fill in, and whom.
pub(super) fn forget(data: &Object<'_, '_>) -> Result<(Action, Vec<Alias>), Unreadable> {
    let contact = data.object("contact")?.ok_or_else(|| data.missing("contact"))?;
    let whom: Vec<Alias> = fact::identifiers(&contact)?.into_aliases().collect();
    if whom.is_empty() {
        return Err(contact.place().bad("has no usable phone or bsuid").into());
    }
    let action = Action::ForgetContact {
        conversations: Vec::new(),
        keys: Vec::new(),
    };
    Ok((action, whom))
}

fn uuid(data: &Object<'_, '_>) -> Result<Uuid, Dead> {
    let item = data.field("bulk").ok_or_else(|| data.missing("bulk"))?;
    Uuid::try_parse(&item.text()?).map_err(|_| item.bad("is not a UUID"))
}

/// Either a list or everything that somebody owns. What is listed twice is meant once.
fn selection(data: &Object<'_, '_>) -> Result<Selection, Dead> {
    match (data.field("conversations"), data.object("from")?) {
        (Some(_), Some(_)) => Err(data.place().bad("has both conversations and from")),
        (None, None) => Err(data.place().bad("has neither conversations nor from")),
        (None, Some(from)) => Ok(Selection::OwnedBy(id(&from, "agent", AgentId::new)?)),
        (Some(item), None) => {
            let list = data.list("conversations")?;
            if list.len() > MAX_ITEMS {
                return Err(item.bad(format_args!("has more than {MAX_ITEMS} entries")));
            }
            let (mut seen, mut listed) = (HashSet::new(), Vec::with_capacity(list.len()));
            for entry in list.iter() {
                let uuid = Uuid::try_parse(&entry.text()?).map_err(|_| entry.bad("is not a UUID"))?;
                if seen.insert(uuid) {
                    listed.push(ConversationId(uuid));
                }
            }
            Ok(Selection::Listed(listed))
        }
    }
}
