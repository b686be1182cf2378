//! `switchboard fairness`: who was chosen, who was passed over and why, and how far that is from even.

use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::print::say;
use super::world::Scope;
use super::{Done, connect, print, world};
use crate::domain::event::MAX_CANDIDATES;
use crate::domain::fairness::{Account, Book};
use crate::domain::ids::{AgentId, TeamId, Tenant};
use crate::domain::plan::Plan;
use crate::domain::state::State;
use crate::store::insight;
use crate::store::ledger::{self, Asked, Entry};
use crate::store::read;

/// Show whose turns the strategies gave, whom they passed over and why, and how far that is from even.
///
/// Of a choice between k eligible people each has an ideal share of 1/k; the deviation says how much more often somebody
/// was chosen than their shares add up to. A ranked team is not meant to be even: it shows turns and skips only.
///
/// Examples:
///   switchboard fairness
///   switchboard fairness --team support --since 8h
///   switchboard fairness --json | jq '.[] | {team, largest_deviation}'
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    scope: Scope,
    /// How far back: 30m, 24h, 7d.
    #[arg(long, default_value = "24h", value_parser = how_long)]
    since: Duration,
}

pub async fn run(arguments: Arguments) -> Done {
    let team = arguments.scope.team()?;
    let store = connect::store()?;
    let directory = world::directory(&store).await?;
    let mut reports = Vec::new();
    for (tenant, plan) in world::tenants(&directory, arguments.scope.tenant.as_deref())? {
        let session = store.session().await?;
        insight::begin(&session).await?;
        let now = read::now(&session).await?;
        let since = now.checked_sub(arguments.since).unwrap_or(Timestamp::UNIX_EPOCH);
        let preferring = preferring(&plan);
        let asked = Asked {
            tenant: &tenant,
            team: team.as_ref(),
            since,
            preferring: &preferring,
        };
        let entries = ledger::entries(&session, asked).await?;
        let state = world::people(&session, plan.clone()).await?;
        session.commit().await?;
        let report = |entry| Report::of(entry, &tenant, &state, since);
        reports.extend(entries.into_iter().map(report));
    }
    if arguments.scope.json {
        print::json(&reports.iter().map(Report::value).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if reports.is_empty() {
        say!("no strategy has decided anything in this time");
    }
    for (place, report) in reports.iter().enumerate() {
        if place > 0 {
            say!("");
        }
        report.print();
    }
    Ok(ExitCode::SUCCESS)
}

fn how_long(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => 0,
    };
    let number: u64 = number.parse().unwrap_or(0);
    match number.checked_mul(seconds) {
        Some(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err("a number and one of s, m, h, d: 30m, 24h, 7d".into()),
    }
}

/// Rules that name an agent: what they prefer is nobody's turn.
fn preferring(plan: &Plan) -> Vec<&str> {
    let naming = plan.rules.iter().filter(|rule| rule.target.agent.is_some());
    naming.map(|rule| &*rule.name).collect()
}

/// A team's turns under one strategy.
struct Report {
    tenant: Tenant,
    entry: Entry,
    since: Timestamp,
    /// Whether an even share means anything.
    has_ideal: bool,
}

impl Report {
    fn of(mut entry: Entry, tenant: &Tenant, state: &State, since: Timestamp) -> Self {
        entry.book.spread(&beyond_the_list(state, &entry.team));
        let has_ideal = Book::has_ideal(entry.strategy);
        Self {
            tenant: tenant.clone(),
            entry,
            since,
            has_ideal,
        }
    }

    fn value(&self) -> Value {
        let book = &self.entry.book;
        let accounts = book
            .accounts
            .iter()
            .map(|(agent, account)| self.account_value(agent, account));
        json!({
            "tenant": self.tenant.as_str(),
            "team": self.entry.team.as_str(),
            "strategy": read::strategy_word(self.entry.strategy),
            "since": self.since.to_string(),
            "decisions": book.decisions,
            "found_nobody": self.entry.nobody,
            "counted_from": self.entry.cut.then(|| self.entry.from.to_string()),
            "largest_deviation": self.has_ideal.then(|| rounded(book.largest_deviation())),
            "agents": accounts.collect::<Vec<_>>(),
        })
    }

    fn account_value(&self, agent: &AgentId, account: &Account) -> Value {
        let skips = account
            .skips
            .iter()
            .map(|(why, count)| (read::passed_over_word(*why).to_owned(), json!(count)));
        json!({
            "agent": agent.as_str(),
            "turns": account.turns,
            "outranked": account.outranked,
            "skips": skips.collect::<Map<_, _>>(),
            "expected": self.has_ideal.then(|| rounded(account.expected)),
            "deviation": self.has_ideal.then(|| rounded(account.deviation())),
            "estimated": self.has_ideal && account.estimated > 0.0,
        })
    }

    fn print(&self) {
        let book = &self.entry.book;
        let strategy = read::strategy_word(self.entry.strategy);
        say!(
            "{} of {}, {strategy}: {} turns since {}; {} times nobody was free",
            self.entry.team,
            self.tenant,
            book.decisions,
            if self.entry.cut {
                self.entry.from
            } else {
                self.since
            },
            self.entry.nobody
        );
        if self.entry.cut {
            say!("only the newest {} decisions are counted", ledger::MOST_DECISIONS);
        }
        let rows: Vec<[String; 6]> = book
            .accounts
            .iter()
            .map(|(agent, account)| self.row(agent, account))
            .collect();
        print::table(
            ["agent", "turns", "outranked", "expected", "deviation", "skipped"],
            &rows,
        );
        if self.has_ideal {
            say!("largest deviation: {:.2}", book.largest_deviation());
        }
        if book.accounts.values().any(|account| account.estimated > 0.0) {
            say!("~ is an estimate: a record lists {MAX_CANDIDATES} candidates, and counts the rest");
        }
    }

    fn row(&self, agent: &AgentId, account: &Account) -> [String; 6] {
        let about = if account.estimated > 0.0 { "~" } else { "" };
        let skips: Vec<String> = account
            .skips
            .iter()
            .map(|(why, count)| format!("{count} {}", read::passed_over_word(*why).replace('_', " ")))
            .collect();
        let ideal = |number: String| if self.has_ideal { number } else { "-".into() };
        [
            agent.to_string(),
            account.turns.to_string(),
            account.outranked.to_string(),
            ideal(format!("{about}{:.2}", account.expected)),
            ideal(format!("{about}{:+.2}", account.deviation())),
            print::or_dash(Some(&skips.join(", "))),
        ]
    }
}

/// Members whom the records of a large team do not list unless they are chosen.
fn beyond_the_list(state: &State, team: &TeamId) -> Vec<AgentId> {
    let members = state.teams.get(team).into_iter().flat_map(|team| &team.members);
    members
        .skip(MAX_CANDIDATES)
        .map(|member| member.agent.clone())
        .collect()
}

/// To four places: what comes after is how numbers are stored.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}
