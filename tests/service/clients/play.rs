//! A deployment, a client that says everything that is said to it, and those who read what comes of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use switchboard::contract::partition;

use super::program::{Language, Reader, Writer, order};
use crate::support::bodies::CHANNEL;
use crate::support::witness::{Seen, Witness};
use crate::support::{PARTITIONS, Stage};

/// CloudEvents in both modes, by turns.
const MODES: [&str; 2] = ["structured", "binary"];

pub struct Play {
    pub stage: Stage,
    pub witness: Witness,
    /// The first is the writer's: it waits for answers.
    pub readers: Vec<Reader>,
    writer: Writer,
    /// The last command that was published.
    asked: Value,
    /// Commands that were accepted, by name.
    pub accepted: BTreeSet<String>,
    /// Where it began decides what is said in which mode: another in each language.
    said: usize,
}

impl Play {
    /// An empty deployment with a worker, a writer in this language, and a reader in each that is there.
    pub async fn new(writes: Language) -> Self {
        let mut stage = Stage::empty().await;
        let witness = stage.witness().await;
        let mut readers = vec![Reader::start(&stage, writes).await];
        for language in Language::ALL {
            if language != writes && language.is_there() {
                readers.push(Reader::start(&stage, language).await);
            }
        }
        stage.worker();
        Self {
            stage,
            witness,
            readers,
            writer: Writer::start(writes),
            asked: Value::Null,
            accepted: BTreeSet::new(),
            said: writes as usize,
        }
    }

    /// A body as a gateway publishes it, through the open door.
    pub async fn foreign(&mut self, body: &Value) {
        let ingress = self.stage.rabbit.topology.name("ingress");
        let order = order(ingress, "gateway", "raw", &json!({}), body);
        self.writer.publish(&order).await;
    }

    /// A native fact, straight into the partition of its key; answers its id.
    pub async fn fact(&mut self, kind: &str, key: &str, data: Value) -> String {
        let mode = self.mode();
        let inbound = self.stage.rabbit.topology.name("inbound");
        let attributes =
            json!({"type": format!("whatsapp.{kind}"), "source": "gateway", "partitionkey": key});
        let mut data = data;
        data["channel"] = json!(CHANNEL);
        let lane = partition::of(key, PARTITIONS).to_string();
        self.writer
            .publish(&order(inbound, &lane, mode, &attributes, &data))
            .await
    }

    /// A command: about a conversation straight into the partition that its events name, else through the open door.
    /// Answers its id, and what its sender was answered.
    async fn command(&mut self, name: &str, actor: &str, fields: &Value) -> (String, Value) {
        let mut data = json!({"tenant": "acme", "actor": actor});
        for (field, value) in fields.as_object().expect("fields") {
            data[field] = value.clone();
        }
        let lane = fields["conversation"].as_str().map(|conversation| {
            let of_it = |line: &&Value| line["event"]["subject"] == conversation;
            let event = self.readers[0].read.iter().find(of_it);
            let event = event.unwrap_or_else(|| panic!("{conversation} was not heard of"));
            event["event"]["partition"].as_str().expect("a text").to_owned()
        });
        let door = if lane.is_some() { "commands" } else { "ingress" };
        let mut attributes = json!({"type": format!("switchboard.command.{name}"), "source": "crm"});
        self.trace(&mut attributes);
        let exchange = self.stage.rabbit.topology.name(door);
        let mode = self.mode();
        let key = lane.as_deref().unwrap_or("any");
        let mut order = order(exchange, key, mode, &attributes, &data);
        order["reply_to"] = json!(self.readers[0].queue);
        self.ask(order).await
    }

    /// Has a command published, and waits for the answer.
    async fn ask(&mut self, order: Value) -> (String, Value) {
        let id = self.writer.publish(&order).await;
        let is_answer = |line: &Value| line["exchange"] == "" && line["correlation_id"] == *id;
        let answer = self.readers[0]
            .until(&format!("the answer to {order}"), is_answer)
            .await;
        // A bulk is carried out and answered by timers, which are of no trace.
        let kind = answer["event"]["type"].as_str().expect("a type");
        let of_timer = kind.starts_with("switchboard.bulk.");
        for attribute in ["traceparent", "tracestate"] {
            let said = (!of_timer).then_some(&order["attributes"][attribute]);
            assert_eq!(answer["event"].get(attribute), said, "{attribute}: {answer}");
        }
        self.asked = order;
        (id, answer["event"].clone())
    }

    /// The last command once more, as a client does that does not know whether it arrived: it took effect before.
    pub async fn repeats_itself(&mut self, id: &str) {
        let mut order = self.asked.clone();
        order["attributes"]["id"] = json!(id);
        let (_, answer) = self.ask(order).await;
        assert_eq!(answer["type"], "switchboard.command.duplicate", "{answer}");
        assert_eq!(answer["data"]["cause"], id);
    }

    /// A command that is accepted; answers the event that says so.
    pub async fn does(&mut self, actor: &str, name: &str, fields: Value) -> Value {
        let (id, answer) = self.command(name, actor, &fields).await;
        assert_ne!(answer["type"], "switchboard.command.rejected", "{name}: {answer}");
        assert_eq!(answer["data"]["cause"], id, "{name}");
        self.accepted.insert(name.to_owned());
        answer
    }

    /// A command that is refused with this code.
    pub async fn is_refused(&mut self, actor: &str, name: &str, fields: Value, code: &str) {
        let (id, answer) = self.command(name, actor, &fields).await;
        assert_eq!(answer["type"], "switchboard.command.rejected", "{name}: {answer}");
        assert_eq!(answer["data"]["code"], code, "{name}");
        assert_eq!(answer["data"]["cause"], id, "{name}");
    }

    /// Waits for an event of this kind that came of this cause, until the writer's reader has it; answers its subject.
    pub async fn hears(&mut self, kind: &str, cause: &str) -> String {
        let of_cause = |seen: &Seen| seen.kind() == kind && seen.text("/data/cause") == cause;
        let any = |seen: &[Seen]| seen.iter().any(of_cause);
        self.witness.until(format!("{kind} of {cause}"), any).await;
        let event = self
            .witness
            .seen
            .iter()
            .find(|seen| of_cause(seen))
            .expect("just seen");
        let (id, subject) = (event.text("/id").to_owned(), event.text("/subject").to_owned());
        let is_it = |line: &Value| line["event"]["id"] == *id;
        if !self.readers[0].read.iter().any(is_it) {
            self.readers[0].until(kind, is_it).await;
        }
        subject
    }

    /// Everything that is said is of a trace of its own.
    fn trace(&self, attributes: &mut Value) {
        let span = self.said + 1;
        attributes["traceparent"] = json!(format!("00-{span:032x}-{span:016x}-01"));
        attributes["tracestate"] = json!(format!("vendor={span}"));
    }

    fn mode(&mut self) -> &'static str {
        self.said += 1;
        MODES[self.said % MODES.len()]
    }
}
