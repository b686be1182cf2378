//! Who is told of what.

mod clocks;
mod rows;
mod rules;

use switchboard::contract::words::Wire;
use switchboard::domain::agent::Presence;
use switchboard::domain::input::{Actor, Recipient, System};
use switchboard::domain::notify::told;
use switchboard::domain::plan::{Plan, Strategy};

use crate::company::{CHAT, Company, Happened, ask, plan, team};

/// `recipient <- kind`, in order.
pub fn heard(company: &Company, happened: &Happened) -> Vec<String> {
    told(&company.state, &happened.events)
        .iter()
        .map(|notification| {
            let recipient = match &notification.recipient {
                Recipient::Agent(agent) => agent.to_string(),
                Recipient::Team(team) => format!("team {team}"),
            };
            format!("{recipient} <- {}", notification.kind.wire())
        })
        .collect()
}

/// The usual plan, but the rules leave everything with nobody.
pub fn plan_to_nobody() -> Plan {
    let mut plan = plan();
    plan.default = None;
    plan
}

/// The usual plan, but conversations wait in the queue for a claim.
pub fn plan_of_claims() -> Plan {
    let mut plan = plan();
    plan.teams.get_mut(&team("support")).unwrap().strategy = Strategy::Manual;
    plan
}

/// A conversation that Mark owns, after its first turn.
pub fn owned_by_mark() -> Company {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    company
}

/// A conversation that Mark owns and has asked Martha to take.
pub fn asked_martha() -> Company {
    let mut company = owned_by_mark();
    company.presence(Actor::System(System::Cli), "martha", Presence::Online);
    company.wish("mark", CHAT, ask("martha"));
    company
}
