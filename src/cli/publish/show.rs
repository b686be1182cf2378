//! An explanation in words: one line a thing, the same order as in JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::explain::{Command, Explanation, Fact};
use super::routed::{Routed, To};

/// What one message would become.
pub fn text(explanation: &Explanation) -> String {
    let mut text = String::new();
    let format = explanation.format.unwrap_or("not recognised");
    line(
        &mut text,
        0,
        &format!("{}: {format} ({})", explanation.message, explanation.because),
    );
    for fact in &explanation.facts {
        of_fact(&mut text, fact);
    }
    for command in &explanation.commands {
        of_command(&mut text, command);
    }
    for skipped in &explanation.skipped {
        let times = if skipped.times > 1 {
            format!(" ×{}", skipped.times)
        } else {
            String::new()
        };
        line(
            &mut text,
            1,
            &format!("skipped: {}{times}: {}", skipped.reason, skipped.means),
        );
    }
    if let Some(dead) = &explanation.dead {
        let rest = if explanation.facts.is_empty() && explanation.commands.is_empty() {
            ""
        } else {
            "; the rest takes effect"
        };
        line(
            &mut text,
            1,
            &format!("dead letter: {}: {}{rest}", dead.reason, dead.detail),
        );
    }
    text
}

/// What all of them would become.
pub fn total(explanations: &[Explanation]) -> String {
    let count = |of: fn(&Explanation) -> usize| explanations.iter().map(of).sum::<usize>();
    let unknown =
        count(|one| usize::from(one.facts.iter().any(|fact| fact.route.is_dead()) && one.dead.is_none()));
    let dead = unknown + count(|one| usize::from(one.dead.is_some()));
    let skipped = count(|one| one.skipped.iter().map(|skipped| skipped.times as usize).sum());
    format!(
        "in all: messages {}, facts {}, commands {}, skipped {skipped}, dead letters {dead}",
        explanations.len(),
        count(|one| one.facts.len()),
        count(|one| one.commands.len()),
    )
}

fn line(text: &mut String, depth: usize, words: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{:width$}{words}", "", width = depth * 2);
}

fn of_fact(text: &mut String, fact: &Fact) {
    let kind = match (&fact.kind, fact.turn) {
        (Some(kind), Some(true)) => format!(", {kind}"),
        (Some(kind), _) => format!(", {kind} (no turn)"),
        (None, _) => String::new(),
    };
    line(
        text,
        1,
        &format!("fact: {}{kind} on {}", fact.r#type, fact.channel),
    );
    let mut customer = pairs(&fact.identifiers);
    if !fact.previous.is_empty() {
        customer.push_str(&format!("; before: {}", pairs(&fact.previous)));
    }
    let known = [
        ("name", &fact.name),
        ("language", &fact.language),
        ("country", &fact.country),
    ];
    for (what, value) in known {
        if let Some(value) = value {
            customer.push_str(&format!("; {what} {value}"));
        }
    }
    if !fact.attributes.is_empty() {
        customer.push_str(&format!("; attributes {}", fact.attributes.join(", ")));
    }
    line(text, 2, &format!("customer: {customer}"));
    let mut message = String::new();
    if let Some(id) = &fact.message_id {
        message.push_str(&format!("{id}, "));
    }
    message.push_str(&format!("{} (from the {})", fact.timestamp, fact.timestamp_from));
    if fact.text_chars > 0 {
        message.push_str(&format!(", {} characters of text", fact.text_chars));
    }
    for (what, value) in [("referral", &fact.referral), ("answers", &fact.reply_to)] {
        if let Some(value) = value {
            message.push_str(&format!(", {what} {value}"));
        }
    }
    line(text, 2, &format!("message: {message}"));
    if let Some(words) = &fact.text {
        line(text, 2, &format!("text: {}", one_line(words)));
    }
    if let Some(origin) = fact.origin {
        let agent = fact
            .agent
            .as_ref()
            .map_or(String::new(), |agent| format!(" {agent}"));
        let stays = if fact.leave_unassigned {
            ", claims nothing"
        } else {
            ""
        };
        line(text, 2, &format!("sent by: {origin}{agent}{stays}"));
    }
    if fact.standby {
        line(text, 2, "standby: a bot holds the chat");
    }
    line(
        text,
        2,
        &format!(
            "partition: {} (key {}, {})",
            fact.partition,
            fact.partition_key,
            given(fact.partition_key_given)
        ),
    );
    line(text, 2, &format!("dedupe key: {}", fact.dedupe_key));
    line(text, 2, &route(&fact.route));
}

/// Words of a customer on one line, without what would steer a terminal.
fn one_line(words: &str) -> String {
    words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn given(given: bool) -> &'static str {
    if given { "as given" } else { "computed" }
}

fn pairs(identifiers: &BTreeMap<&'static str, String>) -> String {
    let pairs: Vec<String> = identifiers
        .iter()
        .map(|(kind, value)| format!("{kind} {value}"))
        .collect();
    pairs.join(", ")
}

fn route(route: &Routed) -> String {
    match route {
        Routed::NoPlan => "rule: no plan was given (--plan FILE, or DATABASE_URL)".into(),
        Routed::UnknownChannel => "dead letter: unknown_channel: no plan names the channel".into(),
        Routed::NotRouted { tenant, because } => format!("rule: none is asked of {tenant}'s plan: {because}"),
        Routed::To(to) => format!("rule: {}", went(to)),
    }
}

fn went(to: &To) -> String {
    let rule = match &to.rule {
        Some(rule) => format!("{rule:?} of {}'s plan matches", to.tenant),
        None if to.way == "nobody" => format!("none of {}'s plan matches", to.tenant),
        None => format!("none of {}'s plan matches, so its default counts", to.tenant),
    };
    let mut place = match (&to.team, &to.agent) {
        _ if to.way == "nobody" => "nobody".to_owned(),
        (Some(team), Some(agent)) => format!("{agent}, else team {team}"),
        (Some(team), None) => format!("team {team}"),
        (None, Some(agent)) => agent.clone(),
        (None, None) => "nobody".to_owned(),
    };
    if to.way == "manual" {
        place.push_str(", to be claimed");
    }
    let mut words = format!("{rule}: a new customer goes to {place}, priority {}", to.priority);
    for (what, value) in [("language", &to.language), ("country", &to.country)] {
        if let Some(value) = value {
            words.push_str(&format!(", {what} {value}"));
        }
    }
    if !to.failed.is_empty() {
        words.push_str(&format!("; gave no answer: {}", to.failed.join(", ")));
    }
    words
}

fn of_command(text: &mut String, command: &Command) {
    line(
        text,
        1,
        &format!(
            "command: {} by {} of {}",
            command.name, command.actor, command.tenant
        ),
    );
    if let Some(conversation) = &command.conversation {
        line(text, 2, &format!("conversation: {conversation}"));
    }
    if let Some(malformed) = &command.malformed {
        line(text, 2, &format!("refused as invalid: {malformed}"));
    }
    for error in &command.errors {
        line(text, 3, &format!("{} {}", error.path, error.message));
    }
    let partition = match (&command.partition_key, command.partition) {
        (Some(key), Some(partition)) => {
            format!("{partition} (key {key}, {})", given(command.partition_key_given))
        }
        _ => "its conversation's, which ingress looks up".into(),
    };
    line(text, 2, &format!("partition: {partition}"));
    line(text, 2, &format!("dedupe key: {}", command.dedupe_key));
}
