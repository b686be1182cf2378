//! Channels of the document: the exchanges and queues of the topology, and where answers go.

use lapin::types::{AMQPValue, FieldTable};
use switchboard::broker::topology::{ExchangeSpec, Feed, QueueSpec, Routing, Source, Topology};
use switchboard::contract::event::kinds_of_events;
use switchboard::contract::notification::kinds_of_notifications;

use super::messages::{Message, Sort, root, text_of};
use super::ordered::{Node, list, map, reference};

/// The prefix and the number of partitions of a deployment that sets neither.
pub const PREFIX: &str = "switchboard";
const PARTITIONS: u16 = 8;

/// What a gateway publishes by itself and ingress takes: it has no type of ours.
#[derive(Debug)]
pub struct Body {
    /// The word of the adapter that reads it.
    pub adapter: &'static str,
    pub about: &'static str,
    /// The fields it is known by; a wrapper may have others beside them.
    pub known_by: &'static [&'static str],
    /// Files of `tests/fixtures/inbound` without `.json`.
    pub examples: &'static [&'static str],
}

pub const BODIES: [Body; 4] = [
    Body {
        adapter: "cloud_api",
        about: "A webhook body of the WhatsApp Cloud API, as Meta sends it.",
        known_by: &["object", "entry"],
        examples: &["webhook_text"],
    },
    Body {
        adapter: "unoapi",
        about: "A webhook body of the Cloud API in the wrapper of UnoAPI.",
        known_by: &["payload"],
        examples: &["gateway_unoapi"],
    },
    Body {
        adapter: "evolution",
        about: "An event of Evolution API, version 2.",
        known_by: &["event", "instance", "data"],
        examples: &["gateway_evolution"],
    },
    Body {
        adapter: "whatsmeow",
        about: "An event of wuzapi or Evolution Go, which wrap those of whatsmeow.",
        known_by: &[],
        examples: &["gateway_wuzapi", "gateway_evolution_go"],
    },
];

impl Body {
    /// What its message is called.
    pub fn key(&self) -> String {
        format!("gateway.{}", self.adapter)
    }

    /// An example as its file has it.
    pub fn example(name: &str) -> String {
        text_of(&root().join("tests/fixtures/inbound").join(format!("{name}.json")))
    }
}

/// The message of the dead queue: any other, with headers of its own.
pub const LETTER: &str = "dead_letter";

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    Sorts(&'static [Sort]),
    /// Everything that may come in, gateways' bodies too.
    Anything,
    Letters,
}

/// One channel of the document.
#[derive(Debug)]
pub struct Channel {
    pub key: String,
    pub carries: Carries,
    pub node: Node,
}

pub fn topology() -> Topology {
    Topology::new(PREFIX, PARTITIONS)
}

fn carried(word: &str) -> Carries {
    match word {
        "ingress" | "source" => Carries::Anything,
        "inbound" => Carries::Sorts(&[Sort::Fact]),
        "commands" => Carries::Sorts(&[Sort::Command]),
        "partition" => Carries::Sorts(&[Sort::Fact, Sort::Command]),
        "events" => Carries::Sorts(&[Sort::Event]),
        "notifications" => Carries::Sorts(&[Sort::Notification]),
        "unrouted" => Carries::Sorts(&[Sort::Event, Sort::Notification]),
        "dead" => Carries::Letters,
        other => panic!("say what {other} carries"),
    }
}

impl Carries {
    /// The keys of the messages, as the document's components have them.
    pub fn keys(self, messages: &[Message]) -> Vec<String> {
        let of = |sorts: &[Sort]| {
            let carried = messages.iter().filter(|message| sorts.contains(&message.sort));
            carried.map(|message| message.full.clone()).collect::<Vec<_>>()
        };
        match self {
            Self::Sorts(sorts) => of(sorts),
            Self::Anything => {
                let bodies = BODIES.iter().map(Body::key);
                bodies.chain(of(&[Sort::Fact, Sort::Command])).collect()
            }
            Self::Letters => vec![LETTER.into()],
        }
    }
}

/// The queue of a source, which is declared like the ingress' own.
fn source(topology: &Topology, messages: &[Message]) -> Channel {
    let any = Source {
        name: "{source}".into(),
        feed: Feed::Exchange {
            exchange: String::new(),
            declared_as: None,
            keys: Vec::new(),
        },
    };
    let ingress = topology.queues.iter().find(|spec| word(&spec.name) == "ingress");
    let spec = QueueSpec {
        name: topology.source_queue(&any),
        ..ingress.expect("the ingress has a queue").clone()
    };
    queue("queue.source".into(), "source", &spec, topology, messages)
}

/// All of them: exchanges and queues as the topology lists them, the queues of sources, then the answers.
pub fn all(messages: &[Message]) -> Vec<Channel> {
    let topology = topology();
    let mut channels: Vec<Channel> = topology
        .exchanges
        .iter()
        .map(|spec| exchange(spec, messages))
        .collect();
    for spec in &topology.queues {
        // The partitions' queues are one channel with a parameter.
        let word = word(&spec.name).split('.').next().unwrap_or_default();
        let key = format!("queue.{word}");
        if !channels.iter().any(|channel| channel.key == key) {
            channels.push(queue(key, word, spec, &topology, messages));
        }
    }
    channels.push(source(&topology, messages));
    channels.push(answers(messages));
    channels
}

fn channel(key: String, carries: Carries, messages: &[Message], mut node: Node, rest: Node) -> Channel {
    let carried = carries.keys(messages).into_iter().map(|message| {
        let to = reference(format!("#/components/messages/{message}"));
        (message, to)
    });
    node.put("messages", Node::Map(carried.collect()));
    for (name, value) in rest.entries() {
        node.put(name, value.clone());
    }
    Channel { key, carries, node }
}

/// The word of a name of ours after the prefix.
pub fn word(name: &str) -> &str {
    let word = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('.'));
    word.unwrap_or_else(|| panic!("{name} has another prefix"))
}

fn exchange(spec: &ExchangeSpec, messages: &[Message]) -> Channel {
    let name = word(&spec.name);
    let routing = match spec.routing {
        Routing::Direct => "direct",
        Routing::Topic => "topic",
        Routing::Fanout => "fanout",
    };
    let (address, parameters, description) = address(name);
    let node = map([
        ("address", address.into()),
        ("title", format!("Exchange {}", spec.name).into()),
        ("description", description.into()),
    ]);
    let binding = map([
        ("is", "routingKey".into()),
        (
            "exchange",
            map([
                ("name", spec.name.as_str().into()),
                ("type", routing.into()),
                ("durable", true.into()),
                ("autoDelete", false.into()),
                ("vhost", "/".into()),
            ]),
        ),
        ("bindingVersion", "0.3.0".into()),
    ]);
    let mut rest = map([]);
    if parameters.entries().next().is_some() {
        rest.put("parameters", parameters);
    }
    rest.put("bindings", map([("amqp", binding)]));
    if let Some(alternate) = &spec.alternate {
        rest.put("x-alternate-exchange", alternate.as_str());
    }
    channel(format!("exchange.{name}"), carried(name), messages, node, rest)
}

/// The routing key under which an exchange takes or gives messages, its parameters, and what the exchange is for.
fn address(word: &str) -> (&'static str, Node, &'static str) {
    let said = |text: &str| map([("description", text.into())]);
    let partition = || {
        said(
            "The partition in decimal: CRC-32 (IEEE) of the UTF-8 `partitionkey`, modulo the number of partitions \
             (`switchboard topology show`). Events repeat it as `partition`. A wrong one costs a hop, never a message.",
        )
    };
    let tenant =
        || said("The tenant's id as one word: every byte outside `A-Z a-z 0-9 _ -` percent-encoded.");
    let one_of = |text: &str, words: Vec<&str>| map([("description", text.into()), ("enum", list(words))]);
    match word {
        "ingress" => (
            "{key}",
            map([("key", said("Anything: nothing is read from it."))]),
            "The open door: bodies of gateways as they come, facts and commands. Nothing to know about partitions; one hop \
             more than the doors of partitions.",
        ),
        "inbound" => (
            "{partition}",
            map([("partition", partition())]),
            "The door for facts, straight to the partition of their conversation.",
        ),
        "commands" => (
            "{partition}",
            map([("partition", partition())]),
            "The door for commands, straight to the partition of their conversation.",
        ),
        "events" => {
            let part = |at: usize| {
                let mut words: Vec<&str> = Vec::new();
                for kind in kinds_of_events() {
                    let word = kind.split('.').nth(at).expect("an entity and a verb");
                    if !words.contains(&word) {
                        words.push(word);
                    }
                }
                words
            };
            (
                "{entity}.{verb}.{tenant}.{channel}",
                map([
                    ("entity", one_of("What it happened to.", part(0))),
                    ("verb", one_of("What happened.", part(1))),
                    ("tenant", tenant()),
                    (
                        "channel",
                        said(
                            "What the channel is called after its provider and the colon, as one word in the same way; `_` \
                             where there is no conversation.",
                        ),
                    ),
                ]),
                "What happened. Bind a queue of your own; events of one conversation come in the order of their `sequence`.",
            )
        }
        "notifications" => (
            "{recipient}.{tenant}.{id}.{kind}",
            map([
                (
                    "recipient",
                    one_of("What sort of recipient.", vec!["agent", "team"]),
                ),
                ("tenant", tenant()),
                (
                    "id",
                    said("The agent's or team's id as one word, in the same way."),
                ),
                (
                    "kind",
                    one_of("What they are told.", kinds_of_notifications().to_vec()),
                ),
            ]),
            "Who is told: one message to one person or team, with a sentence to show them. Bind a queue of your own.",
        ),
        "dead" => (
            "{reason}",
            map([("reason", said("Why, as `x-switchboard-reason` says."))]),
            "What could not take effect, as it came, with why.",
        ),
        "unrouted" => (
            "{key}",
            map([("key", said("That of the exchange it was published to."))]),
            "What no queue was bound for. The broker puts it here.",
        ),
        other => panic!("say what {other} is for"),
    }
}

fn queue(key: String, word: &str, spec: &QueueSpec, topology: &Topology, messages: &[Message]) -> Channel {
    let (name, description) = match word {
        "ingress" => (
            spec.name.clone(),
            "What came through the open door, in order. One worker of all reads it.",
        ),
        "partition" => (
            format!("{PREFIX}.partition.{{partition}}"),
            "What is to be decided in one partition, in order. One worker of all has it.",
        ),
        "dead" => (
            spec.name.clone(),
            "Dead letters, for people: `switchboard dead` lists, replays and discards them.",
        ),
        "unrouted" => (
            spec.name.clone(),
            "The last of what no queue was bound for, to look at.",
        ),
        "source" => (
            spec.name.clone(),
            "What comes from an exchange of a gateway's own, which the setting SWITCHBOARD_SOURCES names; bound to it under the \
             keys given there. One worker of all reads it, perhaps by one adapter only.",
        ),
        other => panic!("say what {other} is for"),
    };
    let node = map([
        ("address", name.as_str().into()),
        ("title", format!("Queue {name}").into()),
        ("description", description.into()),
    ]);
    let mut rest = map([]);
    if word == "source" {
        let text = "What the setting calls it.";
        rest.put(
            "parameters",
            map([("source", map([("description", text.into())]))]),
        );
    }
    if word == "partition" {
        let number = "From 0 to one less than the number of partitions, which is 8 unless the deployment says another.";
        rest.put(
            "parameters",
            map([("partition", map([("description", number.into())]))]),
        );
    }
    let binding = map([
        ("is", "queue".into()),
        (
            "queue",
            map([
                ("name", name.as_str().into()),
                ("durable", true.into()),
                ("exclusive", false.into()),
                ("autoDelete", false.into()),
                ("vhost", "/".into()),
            ]),
        ),
        ("bindingVersion", "0.3.0".into()),
    ]);
    rest.put("bindings", map([("amqp", binding)]));
    rest.put("x-queue-arguments", arguments(&spec.arguments()));
    rest.put("x-bound-to", bound_to(spec, word, topology));
    channel(key, carried(word), messages, node, rest)
}

/// From which exchanges, under which keys; of a partition's queue, the key is its number.
fn bound_to(spec: &QueueSpec, word: &str, topology: &Topology) -> Node {
    let bindings = topology
        .bindings
        .iter()
        .filter(|binding| binding.queue == spec.name);
    list(bindings.map(|binding| {
        let key = match word {
            "partition" => "{partition}",
            _ => &binding.key,
        };
        map([
            ("exchange", binding.exchange.as_str().into()),
            ("routingKey", key.into()),
        ])
    }))
}

fn arguments(table: &FieldTable) -> Node {
    let value = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned().into(),
        AMQPValue::LongInt(number) => (*number).into(),
        AMQPValue::Boolean(flag) => (*flag).into(),
        other => panic!("say how {other:?} is written"),
    };
    let entries = table.inner().iter();
    Node::Map(
        entries
            .map(|(name, given)| (name.to_string(), value(given)))
            .collect(),
    )
}

fn answers(messages: &[Message]) -> Channel {
    let node = map([
        ("address", Node::Null),
        ("title", "Answers".into()),
        (
            "description",
            "The queue that a command names in the property `reply_to`, through the default exchange: the event that is its \
             outcome (`command.rejected`, or the last event of what it was about), or that it was a duplicate. With the \
             command's own `correlation_id`."
                .into(),
        ),
    ]);
    let binding = map([
        ("is", "routingKey".into()),
        (
            "exchange",
            map([
                ("name", "".into()),
                ("type", "default".into()),
                ("vhost", "/".into()),
            ]),
        ),
        ("bindingVersion", "0.3.0".into()),
    ]);
    let rest = map([("bindings", map([("amqp", binding)]))]);
    let carries = Carries::Sorts(&[Sort::Event, Sort::Answer]);
    channel("answers".into(), carries, messages, node, rest)
}
