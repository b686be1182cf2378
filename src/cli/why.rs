//! `switchboard why`: what waits, what it waits for, and what would end that.

use std::collections::BTreeSet;
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::print::say;
use super::sentence::{self, Clock, wait};
use super::world::Scope;
use super::{CliError, Done, connect, print, world};
use crate::domain::agent::Presence;
use crate::domain::conversation::Conversation;
use crate::domain::event::PassedOver;
use crate::domain::ids::{AgentId, TeamId};
use crate::domain::matching::Wanted;
use crate::domain::plan::Strategy;
use crate::domain::why::{Explainer, Why};
use crate::store::Session;
use crate::store::insight::{self, Others, Outside, Queue};
use crate::store::read;

/// Say what waits, what it waits for, and what would end that.
///
/// Every open conversation without an owner is counted once: by team and by what it asks of a person, whether a strategy
/// will give it away or a person has to take it. What is said of each candidate comes from the filters that routing uses.
///
/// Examples:
///   switchboard why
///   switchboard why --tenant acme --team support
///   switchboard why --json | jq '.[] | {team, waiting, blocked_by}'
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    scope: Scope,
}

pub async fn run(arguments: Arguments) -> Done {
    let team = arguments.scope.team()?;
    let store = connect::store()?;
    let directory = world::directory(&store).await?;
    let mut rows = Vec::new();
    for plan in world::tenants(&directory, arguments.scope.tenant.as_deref())?.into_values() {
        let session = store.session().await?;
        insight::begin(&session).await?;
        let found = Asked::of(&session, plan, team.as_ref()).await?.rows().await?;
        session.commit().await?;
        rows.extend(found);
    }
    if arguments.scope.json {
        print::json(&rows.iter().map(|row| &row.value).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    for row in &rows {
        say!("{}", row.text);
    }
    let waiting: i64 = rows.iter().map(|row| row.waiting).sum();
    say!("{} in all", wait(waiting));
    Ok(ExitCode::SUCCESS)
}

/// One line of the answer.
struct Row {
    waiting: i64,
    text: String,
    value: Value,
}

/// One tenant's world at one moment.
struct Asked<'a> {
    session: &'a Session,
    team: Option<&'a TeamId>,
    explainer: Explainer,
    clock: Clock,
    now: Timestamp,
}

impl<'a> Asked<'a> {
    async fn of(
        session: &'a Session,
        plan: std::sync::Arc<crate::domain::plan::Plan>,
        team: Option<&'a TeamId>,
    ) -> Result<Self, CliError> {
        let zone = plan.settings.timezone.clone();
        let state = world::people(session, plan).await?;
        let now = read::now(session).await?;
        Ok(Self {
            session,
            team,
            explainer: Explainer::of(&state),
            clock: Clock::new(now, zone),
            now,
        })
    }

    async fn rows(mut self) -> Result<Vec<Row>, CliError> {
        let tenant = self.explainer.state().plan.tenant.clone();
        let queues = insight::queues(self.session, &tenant, self.team).await?;
        let told_apart_all = (queues.len() as i64) < insight::MOST_QUEUES;
        let mut rows: Vec<Row> = queues.iter().map(|queue| self.queue(queue)).collect();
        if !told_apart_all {
            let short = insight::short_queues(self.session, &tenant, self.team).await?;
            rows.extend(short.iter().map(|others| self.others(others, None)));
        }
        for others in insight::outside(self.session, &tenant, self.team).await? {
            let example = match others.example {
                Some(id) => read::conversation(self.session, id).await?,
                None => None,
            };
            rows.push(self.others(&others, example.as_ref().map(|one| &one.conversation)));
        }
        Ok(rows)
    }

    /// What waits in a team's queue and asks for the same.
    fn queue(&mut self, queue: &Queue) -> Row {
        let head = &queue.head;
        let team = head.owner.queue().cloned();
        let strategy = team
            .as_ref()
            .and_then(|team| self.explainer.state().plan.strategy(team));
        let kind = match strategy {
            Some(Strategy::Manual) => "manual_team",
            Some(_) => "queue",
            None => "dropped_team",
        };
        let mut row = self.row(team.as_ref(), kind, queue.waiting, queue.oldest);
        let in_team = self.in_team(team.as_ref());
        row.value["priorities"] = queue
            .priorities
            .iter()
            .map(|(priority, count)| (read::priority_word(*priority).to_owned(), json!(count)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        row.value["needs"] = needs_value(head);
        match kind {
            "queue" => {
                let wanted = Wanted::by(head, self.now);
                let why = wanted.map_or_else(Why::default, |wanted| self.explainer.explain(wanted));
                self.explain(&mut row, &why);
                let blocked = self.blocked(&why);
                row.text = format!("{}{in_team}{}; {blocked}", wait(queue.waiting), asks(queue));
            }
            "manual_team" => {
                let who = self.takers(&mut row, head);
                row.text = format!("{}{in_team}, for a person to take{who}", wait(queue.waiting));
            }
            _ => {
                row.text = format!(
                    "{}{in_team}, which the plan no longer has: routed anew in a moment",
                    wait(queue.waiting)
                );
            }
        }
        self.finish(row, queue.oldest)
    }

    /// What waits where no strategy looks, or is not told apart.
    fn others(&mut self, others: &Others, example: Option<&Conversation>) -> Row {
        let (kind, why) = match others.outside {
            Outside::ShortQueue => ("short_queues", "in shorter queues that are not told apart"),
            Outside::Manual => ("manual_rule", "left to a person by a rule"),
            Outside::Stale => ("too_old", "too old for automatic assignment, left to people"),
            Outside::Bot => ("standby", "held by a bot until it hands over"),
            Outside::Nobody => ("nobody", "with nobody, for a person to take or to give to a team"),
        };
        let mut row = self.row(others.team.as_ref(), kind, others.waiting, others.oldest);
        let for_a_person = matches!(others.outside, Outside::Manual | Outside::Stale | Outside::Nobody);
        let who = match example.filter(|_| for_a_person) {
            Some(example) => self.takers(&mut row, example),
            None => String::new(),
        };
        let place = match &others.team {
            Some(team) => format!(" in {team},"),
            None => String::new(),
        };
        row.text = format!("{}{place} {why}{who}", wait(others.waiting));
        self.finish(row, others.oldest)
    }

    fn in_team(&self, team: Option<&TeamId>) -> String {
        team.map(|team| format!(" in {team}")).unwrap_or_default()
    }

    fn row(&self, team: Option<&TeamId>, kind: &str, waiting: i64, oldest: Timestamp) -> Row {
        let value = json!({
            "tenant": self.explainer.state().plan.tenant.as_str(),
            "team": team.map(TeamId::as_str),
            "kind": kind,
            "waiting": waiting,
            "oldest": oldest.to_string(),
            "blocked_by": {},
            "unblock": [],
        });
        Row {
            waiting,
            text: String::new(),
            value,
        }
    }

    fn finish(&self, mut row: Row, oldest: Timestamp) -> Row {
        row.text
            .push_str(&format!(" (the oldest since {})", self.clock.minute(oldest)));
        row.value["text"] = json!(row.text);
        row
    }

    fn name<'b>(&'b self, agent: &'b AgentId) -> &'b str {
        let known = self.explainer.state().agents.get(agent);
        known.map_or(agent.as_str(), |agent| &agent.profile.name)
    }

    /// Why candidates do not take it, for programs.
    fn explain(&self, row: &mut Row, why: &Why) {
        let counts = why
            .blocked_by
            .iter()
            .map(|(reason, count)| (read::passed_over_word(*reason).to_owned(), json!(count)));
        row.value["blocked_by"] = counts.collect::<serde_json::Map<_, _>>().into();
        row.value["candidates"] = json!(why.candidates);
        row.value["able"] = json!(why.able);
        row.value["online"] = json!(why.there);
        row.value["free"] = json!(why.free);
        let ways = why.unblock.iter().map(|way| {
            let name = self.name(&way.agent);
            json!({
                "agent": way.agent.as_str(),
                "name": name,
                "lacks": way.lacks.iter().map(sentence::lack_value).collect::<Vec<_>>(),
                "text": self.clock.ways_out(way, name),
            })
        });
        row.value["unblock"] = ways.collect();
    }

    /// The same in words.
    fn blocked(&self, why: &Why) -> String {
        let next = why
            .unblock
            .first()
            .map(|way| format!("; next: {}", self.clock.standing(way, self.name(&way.agent))));
        let next = next.unwrap_or_default();
        match why {
            Why { candidates: 0, .. } => "the team has no members".into(),
            Why { free, .. } if *free > 0 => format!("being given out: {free} free"),
            Why { able: 0, .. } => format!("nobody there can take it{next}"),
            Why { there: 0, able, .. } => format!("0 of {able} who can are online{next}"),
            Why {
                there, able, busy, ..
            } => {
                let busy: Vec<String> = busy
                    .iter()
                    .map(|(why, count)| format!("{count} {}", busy_with(*why)))
                    .collect();
                format!(
                    "{there} of {able} who can are online: {}{next}",
                    sentence::and(&busy)
                )
            }
        }
    }

    /// Who may take it by hand, for programs and in words.
    fn takers(&self, row: &mut Row, conversation: &Conversation) -> String {
        let takers = self.explainer.takers(conversation);
        let ways = takers.iter().map(|agent| {
            let name = self.name(agent);
            json!({ "agent": agent.as_str(), "name": name, "lacks": [], "text": format!("{name} takes one") })
        });
        row.value["unblock"] = ways.collect();
        let is_there = |agent: &&AgentId| {
            let known = self.explainer.state().agents.get(*agent);
            known.is_some_and(|agent| agent.presence == Presence::Online)
        };
        let there: Vec<String> = takers
            .iter()
            .filter(is_there)
            .map(|agent| self.name(agent).into())
            .collect();
        match (takers.is_empty(), there.is_empty()) {
            (true, _) => "; nobody may".into(),
            (false, true) => "; nobody who may is online".into(),
            (false, false) => format!("; online: {}", sentence::and(&there)),
        }
    }
}

/// Why somebody who is there and able takes nothing.
fn busy_with(why: PassedOver) -> &'static str {
    match why {
        PassedOver::Hours => "not at work",
        PassedOver::Burst => "given enough for now",
        PassedOver::TeamCapacity => "at the team's limit",
        _ => "full",
    }
}

fn needs_value(conversation: &Conversation) -> Value {
    json!({
        "skills": sentence::skills_value(&conversation.route.skills),
        "agent": conversation.route.agent.as_ref().map(AgentId::as_str),
        "not": conversation.excluded.iter().map(AgentId::as_str).collect::<BTreeSet<_>>(),
    })
}

/// What they ask of a person, in words; "" where anyone will do.
fn asks(queue: &Queue) -> String {
    let head = &queue.head;
    let mut all = Vec::new();
    if !head.route.skills.is_empty() {
        all.push(format!("need {}", sentence::needs(&head.route.skills)));
    }
    if let Some(agent) = &head.route.agent {
        all.push(format!("{agent} first"));
    }
    if !head.excluded.is_empty() {
        let not: Vec<String> = head.excluded.iter().map(|agent| agent.to_string()).collect();
        all.push(format!("not {} again", sentence::and(&not)));
    }
    let urgent = queue
        .priorities
        .iter()
        .filter(|(priority, _)| priority.steps() > 0);
    all.extend(urgent.map(|(priority, count)| format!("{count} {}", read::priority_word(*priority))));
    if all.is_empty() {
        String::new()
    } else {
        format!(": {}", all.join(", "))
    }
}
