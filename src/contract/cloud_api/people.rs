//! Who a Cloud API message is from, or to: phones can be missing, and identifiers stand in five places.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::dead::{Dead, DeadReason};
use super::super::identity::{Alias, AliasKind, Found, Identity};
use super::super::json::Object;
use super::super::message;
use super::super::reading::Reading;

/// Most contacts read of one value: a value has one per customer, and holds at most a thousand messages.
const MAX_PEOPLE: usize = super::super::arrived::MAX_FACTS;

/// The `contacts` of a value.
pub(super) struct People(Vec<Person>);

struct Person {
    wa_id: String,
    user_id: String,
    parent_user_id: String,
    name: Arc<str>,
}

/// The customer of one message.
pub(super) struct Who {
    pub(super) identity: Identity,
    pub(super) previous: Vec<Alias>,
    pub(super) name: Arc<str>,
}

impl People {
    /// Reads the contacts; what is wrong with one is noted, and the messages are read without it.
    pub(super) fn read(reading: &mut Reading, value: &Object<'_, '_>) -> Self {
        let mut people = Vec::new();
        match value.list("contacts") {
            Err(dead) => reading.refuse(dead),
            Ok(list) => {
                for item in list.iter().take(MAX_PEOPLE) {
                    match item.object().and_then(|contact| Person::read(&contact)) {
                        Ok(person) => people.push(person),
                        Err(dead) => reading.refuse(dead),
                    }
                }
            }
        }
        Self(people)
    }

    /// The customer who sent this message.
    pub(super) fn sender(&self, said: &Object<'_, '_>) -> Result<Who, Dead> {
        let mut told = Told {
            phone: said.text("from")?,
            user_id: said.text("from_user_id")?,
            parent_user_id: said.text("from_parent_user_id")?,
        };
        let mut previous = Found::default();
        if let Some(system) = said.object("system")? {
            told.change(said, &system, &mut previous)?;
        }
        self.complete(&told, previous, said)
    }

    /// The customer to whom the business sent this message.
    pub(super) fn recipient(&self, said: &Object<'_, '_>) -> Result<Who, Dead> {
        let told = Told {
            phone: said.text("to")?,
            user_id: said.text("to_user_id")?,
            parent_user_id: said.text("to_parent_user_id")?,
        };
        self.complete(&told, Found::default(), said)
    }

    /// What the message itself says goes first, its contact adds what is missing.
    fn complete(&self, told: &Told<'_>, previous: Found, said: &Object<'_, '_>) -> Result<Who, Dead> {
        let mut found = Found::default();
        found.offer(AliasKind::Bsuid, &told.user_id);
        found.offer(AliasKind::ParentBsuid, &told.parent_user_id);
        found.offer_phone(&told.phone);
        let person = self.of(told);
        if let Some(person) = person {
            found.offer(AliasKind::Bsuid, &person.user_id);
            found.offer(AliasKind::ParentBsuid, &person.parent_user_id);
            found.offer_phone(&person.wa_id);
        }
        let nobody = || {
            said.place()
                .dead(DeadReason::NoIdentity, "names no usable customer")
        };
        Ok(Who {
            identity: found.identity().ok_or_else(nobody)?,
            previous: previous.into_aliases().collect(),
            name: person.map_or_else(|| "".into(), |person| person.name.clone()),
        })
    }

    /// The contact that belongs to a message: one with an identifier in common, else the only one there is, unless it
    /// is plainly somebody else (to join two customers would be worse than to know less of one).
    fn of(&self, told: &Told<'_>) -> Option<&Person> {
        let shared = self.0.iter().find(|person| person.shares(told));
        shared.or_else(|| match self.0.as_slice() {
            [only] if !only.contradicts(told) => Some(only),
            _ => None,
        })
    }
}

/// What a message says of its customer.
struct Told<'a> {
    phone: Cow<'a, str>,
    user_id: Cow<'a, str>,
    parent_user_id: Cow<'a, str>,
}

impl<'a> Told<'a> {
    /// A system message that tells of a change comes from who the customer was: it is about who they are now.
    fn change(
        &mut self,
        said: &Object<'a, '_>,
        system: &Object<'a, '_>,
        previous: &mut Found,
    ) -> Result<(), Dead> {
        for holder in [system, said] {
            previous.offer_phone(&holder.text("previous_user_id")?);
            previous.offer_phone(&holder.text("previous_parent_user_id")?);
        }
        for name in ["wa_id", "new_wa_id"] {
            let now = system.text(name)?;
            if !now.is_empty() && now != self.phone {
                previous.offer_phone(&std::mem::replace(&mut self.phone, now));
            }
        }
        let now = system.text("user_id")?;
        if !now.is_empty() && now != self.user_id {
            previous.offer_phone(&std::mem::replace(&mut self.user_id, now));
        }
        let now = system.text("parent_user_id")?;
        if !now.is_empty() && now != self.parent_user_id {
            previous.offer_phone(&std::mem::replace(&mut self.parent_user_id, now));
        }
        Ok(())
    }
}

impl Person {
    fn read(contact: &Object<'_, '_>) -> Result<Self, Dead> {
        let profile = contact.object("profile")?;
        let name = match &profile {
            Some(profile) => profile.text("name")?,
            None => "".into(),
        };
        Ok(Self {
            wa_id: contact.text("wa_id")?.into_owned(),
            user_id: contact.text("user_id")?.into_owned(),
            parent_user_id: contact.text("parent_user_id")?.into_owned(),
            name: message::name(&name),
        })
    }

    fn pairs<'s>(&'s self, told: &'s Told<'_>) -> [(&'s str, &'s str); 4] {
        [
            (&self.wa_id, &told.phone),
            (&self.user_id, &told.user_id),
            (&self.user_id, &told.phone), // a business-scoped user id may stand where the phone belongs
            (&self.wa_id, &told.user_id),
        ]
    }

    fn shares(&self, told: &Told<'_>) -> bool {
        self.pairs(told)
            .iter()
            .any(|(ours, theirs)| !ours.is_empty() && ours == theirs)
    }

    /// Whether the same kind of identifier is there twice and differs.
    fn contradicts(&self, told: &Told<'_>) -> bool {
        let usable = |kind, text: &str| Alias::new(kind, text);
        let differs = |kind, ours: &str, theirs: &str| matches!((usable(kind, ours), usable(kind, theirs)), (Some(a), Some(b)) if a != b);
        differs(AliasKind::Phone, &self.wa_id, &told.phone)
            || differs(AliasKind::Bsuid, &self.user_id, &told.user_id)
    }
}
