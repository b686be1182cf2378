//! People in a few words.

use switchboard::domain::agent::{Agent, Presence, Profile, Role};
use switchboard::domain::ids::{AgentId, CalendarId};

use super::agent;

/// A person as a world knows them before anything happens.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: AgentId,
    pub profile: Profile,
    pub presence: Presence,
}

pub fn online(id: &str) -> Person {
    person(id, Presence::Online)
}

pub fn away(id: &str) -> Person {
    person(id, Presence::Away)
}

pub fn offline(id: &str) -> Person {
    person(id, Presence::Offline)
}

fn person(id: &str, presence: Presence) -> Person {
    let id = agent(id);
    let profile = Profile::named(&id);
    Person {
        id,
        profile,
        presence,
    }
}

impl Person {
    pub fn capacity(mut self, capacity: u32) -> Self {
        self.profile.capacity = Some(capacity);
        self
    }

    pub fn skill(mut self, skill: &str, level: u8) -> Self {
        self.profile.skills.insert(skill.into(), level);
        self
    }

    pub fn role(mut self, role: Role) -> Self {
        self.profile.role = role;
        self
    }

    pub fn admin(self) -> Self {
        self.role(Role::Admin)
    }

    pub fn manager(self) -> Self {
        self.role(Role::Manager)
    }

    /// They work by this calendar, whatever their team does.
    pub fn works_by(mut self, calendar: &str) -> Self {
        self.profile.calendar = Some(CalendarId::new(calendar).expect("it is an id"));
        self
    }

    pub fn inactive(mut self) -> Self {
        self.profile.active = false;
        self
    }

    pub fn may_not_reply(mut self) -> Self {
        self.profile.may_reply = false;
        self
    }

    /// As the domain knows them.
    pub fn build(self) -> Agent {
        Agent {
            presence: self.presence,
            ..Agent::new(self.id, self.profile)
        }
    }
}
