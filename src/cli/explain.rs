//! `switchboard explain`: why this owner, decision by decision, with what came of each.

use std::collections::BTreeMap;
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::print::say;
use super::{CliError, Done, connect, print, sentence};
use crate::domain::conversation::{Conversation, EscalationReason, HopReason, Owner, Relaxation};
use crate::domain::ids::ConversationId;
use crate::store::read::{self, Decision, Engagement};

/// Tell why a conversation has the owner it has, decision by decision, from the first to the last.
///
/// A decision says which rule of which plan led to which team, who was chosen, and why each other candidate was not: also
/// where nobody was found and it had to wait. Between decisions stands what people did.
///
/// Examples:
///   switchboard explain 0193a7c2-…
///   switchboard explain 0193a7c2-… --json | jq '.[] | {at, chosen, passed_over}'
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The conversation.
    id: Uuid,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> Done {
    let id = ConversationId(arguments.id);
    let session = connect::store()?.session().await?;
    let found = read::conversation(&session, id).await?;
    let loaded = found.ok_or_else(|| CliError::from(format!("there is no conversation {id}")))?;
    let decisions = read::decisions(&session, &loaded.tenant, id).await?;
    let engagements = read::engagements(&session, &loaded.tenant, id).await?;
    if arguments.json {
        let values = decisions.iter().map(|decision| value(decision, &engagements));
        print::json(&values.collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if decisions.is_empty() {
        say!("no automatic decision was made about this conversation");
    }
    let mut story = story(&decisions, &engagements);
    story.extend(relaxations(&loaded.conversation));
    story.sort_by_key(|(at, _)| *at);
    let mut parts: Vec<String> = story.into_iter().map(|(_, text)| text).collect();
    parts.push(now(&loaded.conversation));
    print::write(&parts.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// What came of a decision.
fn outcome<'a>(decision: &Decision, engagements: &'a [Engagement]) -> Option<&'a Engagement> {
    let of_it = |one: &&Engagement| one.decision == Some(decision.decision);
    engagements.iter().find(of_it)
}

fn value(decision: &Decision, engagements: &[Engagement]) -> Value {
    json!({
        "decision": decision.decision,
        "at": decision.at.to_string(),
        "cause": decision.cause,
        "rule": decision.rule,
        "plan_version": decision.plan_version,
        "team": decision.team,
        "strategy": decision.strategy,
        "chosen": decision.chosen,
        "candidates": decision.detail.get("candidates").cloned().unwrap_or_else(|| json!([])),
        "passed_over": decision.detail.get("passed_over").cloned().unwrap_or_else(|| json!({})),
        "failed_rules": decision.detail.get("failed_rules").cloned().unwrap_or_else(|| json!([])),
        "asked_by": decision.detail.get("asked_by"),
        "engagement": outcome(decision, engagements),
    })
}

/// Decisions, each with what came of it, and what people did without one.
fn story(decisions: &[Decision], engagements: &[Engagement]) -> Vec<(Timestamp, String)> {
    let decided = decisions
        .iter()
        .map(|decision| (decision.at, decided(decision, outcome(decision, engagements))));
    let known = |one: &&Engagement| {
        let behind = one.decision;
        !decisions.iter().any(|decision| Some(decision.decision) == behind)
    };
    let done = engagements
        .iter()
        .filter(known)
        .map(|one| (one.created_at, done(one)));
    decided.chain(done).collect()
}

/// A decision in a few sentences, a line each.
fn decided(decision: &Decision, outcome: Option<&Engagement>) -> String {
    let rule = match &decision.rule {
        Some(rule) => format!("rule \"{rule}\""),
        None => "no rule: the default, or a person's choice".into(),
    };
    let asked = decision.detail.get("asked_by").and_then(Value::as_str);
    let asked = asked.map_or(String::new(), |agent| format!(", asked by {agent}"));
    let team = decision
        .team
        .as_deref()
        .map_or("no team".into(), |team| format!("team {team}"));
    let strategy = decision
        .strategy
        .as_deref()
        .map_or(String::new(), |strategy| format!(", {strategy}"));
    let mut text = format!(
        "{}  {rule} (plan {}){asked} → {team}{strategy}\n",
        decision.at, decision.plan_version
    );
    match &decision.chosen {
        Some(agent) => text.push_str(&format!("  chosen: {agent}\n")),
        None => text.push_str(&format!("  chosen: nobody{}\n", why_nobody(decision))),
    }
    for (reason, agents) in passed_over(decision) {
        text.push_str(&format!(
            "  passed over: {agents} ({})\n",
            reason.replace('_', " ")
        ));
    }
    let failed = decision.detail.get("failed_rules").and_then(Value::as_array);
    for rule in failed.into_iter().flatten() {
        text.push_str(&format!("  could not be evaluated: rule {rule}\n"));
    }
    if let Some(outcome) = outcome {
        text.push_str(&format!("  so: {}\n", operation(outcome)));
    }
    text
}

/// What becomes of it when nobody is chosen.
fn why_nobody(decision: &Decision) -> &'static str {
    let counts = decision.detail.get("passed_over").and_then(Value::as_object);
    let nobody_asked = counts.is_none_or(serde_json::Map::is_empty);
    match (&decision.team, decision.strategy.as_deref()) {
        (None, _) => "; it stays with nobody until a person takes it",
        (Some(_), Some("manual")) => "; it waits for a person, as the team wants",
        (Some(_), _) if nobody_asked => "; it waits for a person",
        (Some(_), _) => "; it waits until one of them can",
    }
}

/// Who was passed over, by reason: the names that the record lists, and how many more it counts.
fn passed_over(decision: &Decision) -> Vec<(String, String)> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let candidates = decision.detail.get("candidates").and_then(Value::as_array);
    for candidate in candidates.into_iter().flatten() {
        let agent = candidate.get("agent").and_then(Value::as_str).unwrap_or_default();
        if let Some(why) = candidate.get("passed_over").and_then(Value::as_str) {
            names.entry(why).or_default().push(agent);
        }
    }
    let counts = decision.detail.get("passed_over").and_then(Value::as_object);
    for why in counts.into_iter().flatten().map(|(why, _)| why) {
        names.entry(why).or_default();
    }
    let line = |(why, listed): (&str, Vec<&str>)| {
        let all = counts.and_then(|counts| counts.get(why)).and_then(Value::as_u64);
        let more = all.unwrap_or(0).saturating_sub(listed.len() as u64);
        let text = match (listed.is_empty(), more) {
            (_, 0) => listed.join(", "),
            (true, more) => format!("{more}"),
            (false, more) => format!("{} and {more} more", listed.join(", ")),
        };
        (why.to_owned(), text)
    };
    names.into_iter().map(line).collect()
}

/// What people did, in a few lines.
fn done(engagement: &Engagement) -> String {
    let mut text = format!("{}  {}\n", engagement.created_at, operation(engagement));
    if let Some(note) = &engagement.note {
        text.push_str(&format!("  told: {note}\n"));
    }
    if let Some(reason) = &engagement.reason {
        text.push_str(&format!("  because: {reason}\n"));
    }
    text
}

/// An assignment operation: `auto, from team/support to ana`.
fn operation(engagement: &Engagement) -> String {
    let mut text = engagement.way.replace('_', " ");
    if let Some(requester) = &engagement.requester {
        text.push_str(&format!(" by {requester}"));
    }
    if let Some(from) = &engagement.from {
        text.push_str(&format!(", from {from}"));
    }
    if let Some(to) = &engagement.to {
        text.push_str(&format!(" to {to}"));
    }
    if engagement.status != "done" {
        text.push_str(&format!(": {}", engagement.status.replace('_', " ")));
    }
    text
}

/// How it came to ask for less, as far as it still is under that route.
fn relaxations(conversation: &Conversation) -> Vec<(Timestamp, String)> {
    let route = &conversation.route;
    let taken = route.relax.iter().take(route.relaxed);
    let step = |step: &Relaxation| {
        let at = route.relaxing_since?.checked_add(step.after).ok()?;
        let mut what = Vec::new();
        what.extend(
            step.drop
                .as_ref()
                .map(|skill| format!("no longer asks for {skill}")),
        );
        what.extend(step.team.as_ref().map(|team| format!("moves to team {team}")));
        what.extend(
            step.priority
                .map(|priority| format!("is {} from now on", read::priority_word(priority))),
        );
        what.extend(step.notify.then(|| "has its managers told".to_owned()));
        Some((
            at,
            format!("{at}  it had waited too long: it {}\n", sentence::and(&what)),
        ))
    };
    taken.filter_map(step).collect()
}

/// How it stands, and what of its episode no decision tells.
fn now(conversation: &Conversation) -> String {
    let owner = match &conversation.owner {
        _ if conversation.is_closed() => "it is closed".into(),
        Owner::Agent(agent) => format!("{agent} has it"),
        Owner::Team(team) => format!("it waits in the queue of {team}"),
        Owner::Nobody if conversation.standby => "a bot has it".into(),
        Owner::Nobody => "nobody has it".into(),
    };
    let mut text = format!("now: {owner}\n");
    for hop in &conversation.care.hops {
        let why = match hop.why {
            HopReason::Silent => "did not answer in time",
            HopReason::Absent => "was not there",
        };
        text.push_str(&format!("  it was taken from {}, who {why}\n", hop.from));
    }
    if let Some(escalation) = &conversation.care.escalation {
        let why = match escalation.why {
            EscalationReason::Breach => "nobody was in time",
            EscalationReason::Hops => "it moved too often",
            EscalationReason::Window => "its window is about to close",
        };
        text.push_str(&format!(
            "  it is to go up, since {why}, and nobody on the way is there; tried again at {}\n",
            escalation.retry_at
        ));
    }
    if conversation.care.stale {
        text.push_str("  it is too old for automatic assignment, until the customer writes\n");
    }
    text
}
