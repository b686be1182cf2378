//! `switchboard explain`: why this owner, decision by decision.

use std::process::ExitCode;

use serde_json::{Value, json};
use uuid::Uuid;

use super::print::say;
use super::{CliError, Done, connect, print};
use crate::domain::ids::ConversationId;
use crate::store::read::{self, Decision};

/// Tell why a conversation has the owner it has, decision by decision.
///
/// Example: switchboard explain 0193a7c2-…
#[derive(Debug, clap::Args)]
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
    if arguments.json {
        print::json(&decisions.iter().map(value).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if decisions.is_empty() {
        say!("no automatic decision was made about this conversation");
    }
    let stories: Vec<String> = decisions.iter().map(story).collect();
    print::write(&stories.join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn value(decision: &Decision) -> Value {
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
    })
}

/// A decision in a few sentences, a line each.
fn story(decision: &Decision) -> String {
    let rule = match &decision.rule {
        Some(rule) => format!("rule \"{rule}\""),
        None => "no rule: the default, or a person's choice".into(),
    };
    let team = decision
        .team
        .as_deref()
        .map_or("no team".into(), |team| format!("team {team}"));
    let strategy = decision
        .strategy
        .as_deref()
        .map_or(String::new(), |strategy| format!(", {strategy}"));
    let mut text = format!(
        "{}  {rule} (plan {}) → {team}{strategy}\n",
        decision.at, decision.plan_version
    );
    let chosen = match &decision.chosen {
        Some(agent) => format!("  chosen: {agent}\n"),
        None => "  chosen: nobody; it waits\n".into(),
    };
    text.push_str(&chosen);
    for candidate in decision
        .detail
        .get("candidates")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let agent = candidate.get("agent").and_then(Value::as_str).unwrap_or_default();
        if let Some(why) = candidate.get("passed_over").and_then(Value::as_str) {
            text.push_str(&format!("  passed over: {agent} ({})\n", why.replace('_', " ")));
        }
    }
    for rule in decision
        .detail
        .get("failed_rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        text.push_str(&format!("  could not be evaluated: rule {rule}\n"));
    }
    text
}
