//! `switchboard tail`: events and notifications as they happen.

use std::process::ExitCode;

use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;

use super::print::say;
use super::{Done, connect};
use crate::broker::Topology;

/// Messages kept for a reader that is slower than the traffic: the oldest are dropped, and nobody waits for it.
const KEPT: i32 = 10_000;
/// Messages in hand at once.
const PREFETCH: u16 = 200;

/// Follow events and notifications: a line each, or as JSON.
///
/// Example: switchboard tail --events 'conversation.assigned.#'
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Whole CloudEvents, one a line.
    #[arg(long)]
    json: bool,
    /// Which events, as a topic pattern; "" for none.
    #[arg(long, default_value = "#")]
    events: String,
    /// Which notifications, as a topic pattern; "" for none.
    #[arg(long, default_value = "#")]
    notifications: String,
    /// Stop after this many.
    #[arg(long)]
    limit: Option<usize>,
}

pub async fn run(arguments: Arguments) -> Done {
    let (connection, prefix) = connect::broker().await?;
    let topology = Topology::new(&prefix, 1);
    let channel = connection.create_channel().await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let mut bounds = FieldTable::default();
    bounds.insert("x-max-length".into(), AMQPValue::LongInt(KEPT));
    let own = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare("".into(), own, bounds)
        .await?
        .name()
        .clone();
    for (exchange, pattern) in [
        ("events", &arguments.events),
        ("notifications", &arguments.notifications),
    ] {
        if !pattern.is_empty() {
            let exchange = topology.name(exchange);
            let (exchange, pattern) = (exchange.as_str().into(), pattern.as_str().into());
            channel
                .queue_bind(
                    queue.clone(),
                    exchange,
                    pattern,
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await?;
        }
    }
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let mut messages = channel
        .basic_consume(queue, "tail".into(), options, FieldTable::default())
        .await?;
    eprintln!("following {prefix}.events and {prefix}.notifications; Ctrl-C ends it");
    let mut seen = 0;
    while arguments.limit.is_none_or(|limit| seen < limit) {
        let message = tokio::select! {
            message = messages.next() => message.ok_or("the broker ended it")??,
            _ = tokio::signal::ctrl_c() => break,
        };
        match (arguments.json, serde_json::from_slice::<Value>(&message.data)) {
            (true, _) | (_, Err(_)) => say!("{}", String::from_utf8_lossy(&message.data)),
            (false, Ok(event)) => say!("{}", line(&event)),
        }
        seen += 1;
    }
    let _ = connection.close(200, "done".into()).await;
    Ok(ExitCode::SUCCESS)
}

/// An event in a line for people: time, what, which conversation, who has it, why.
pub fn line(event: &Value) -> String {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let time = text("/time").get(11..19).unwrap_or_default();
    let kind = text("/type").trim_start_matches("switchboard.");
    // The end of an id tells conversations apart; those of one minute begin alike.
    let id = text("/data/conversation");
    let conversation = id
        .get(id.len().saturating_sub(6)..)
        .filter(|end| !end.is_empty())
        .unwrap_or("------");
    if let Some(what) = kind.strip_prefix("notification.") {
        let to = format!("{}/{}", text("/data/recipient/kind"), text("/data/recipient/id"));
        return format!(
            "{time}  {conversation}  → {to:<16} {what}: {}",
            text("/data/text")
        );
    }
    let owner = match text("/data/owner/kind") {
        "agent" | "team" => format!("{}/{}", text("/data/owner/kind"), text("/data/owner/id")),
        other => other.to_owned(),
    };
    let mut why: Vec<String> = Vec::new();
    for (name, path) in [
        ("by", "/data/by"),
        ("rule", "/data/rule"),
        ("reason", "/data/reason"),
        ("from", "/data/from"),
        ("to", "/data/to"),
        ("until", "/data/until"),
        ("expires", "/data/expires_at"),
        ("agent", "/data/agent"),
        ("presence", "/data/presence"),
        ("kind", "/data/message/kind"),
        ("code", "/data/code"),
        ("due", "/data/due_at"),
    ] {
        if !text(path).is_empty() {
            why.push(format!("{name} {}", text(path)));
        }
    }
    if let (Some(load), Some(capacity)) = (event.pointer("/data/load"), event.pointer("/data/capacity")) {
        why.push(format!("load {load}/{capacity}"));
    }
    format!(
        "{time}  {conversation}  {kind:<24} {owner:<16} {}",
        why.join(", ")
    )
}
