//! People, teams and ourselves as objects in data.

use serde::Serialize;

use super::words::Wire;
use crate::domain::conversation::Owner;
use crate::domain::ids::TeamId;
use crate::domain::input::{Actor, Recipient};

/// Who has, or had, a conversation.
#[derive(Serialize)]
pub(super) struct OwnerData<'a> {
    kind: &'static str,
    id: Option<&'a str>,
    /// Only beside an agent: the conversation's team, null if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<Option<&'a str>>,
}

impl<'a> OwnerData<'a> {
    /// Who has it, or had it, and the team it belongs to, or belonged to, with them.
    pub(super) fn of(owner: &'a Owner, team: Option<&'a TeamId>) -> Self {
        let (kind, id) = match owner {
            Owner::Nobody => ("nobody", None),
            Owner::Team(team) => ("team", Some(team.as_str())),
            Owner::Agent(agent) => ("agent", Some(agent.as_str())),
        };
        let team = owner.agent().map(|_| team.map(TeamId::as_str));
        Self { kind, id, team }
    }
}

/// Someone by kind and id.
#[derive(Serialize)]
pub(super) struct PartyData<'a> {
    pub(super) kind: &'static str,
    pub(super) id: Option<&'a str>,
}

impl<'a> From<&'a Actor> for PartyData<'a> {
    fn from(actor: &'a Actor) -> Self {
        let (kind, id) = match actor {
            Actor::Agent(agent) => ("agent", Some(agent.as_str())),
            Actor::System(system) => ("system", Some(system.wire())),
            Actor::Customer => ("customer", None),
            Actor::Gateway => ("gateway", None),
        };
        Self { kind, id }
    }
}

impl<'a> From<&'a Recipient> for PartyData<'a> {
    fn from(recipient: &'a Recipient) -> Self {
        let (kind, id) = match recipient {
            Recipient::Agent(agent) => ("agent", agent.as_str()),
            Recipient::Team(team) => ("team", team.as_str()),
        };
        Self { kind, id: Some(id) }
    }
}
