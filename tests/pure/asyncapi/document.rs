//! The document as a whole: what it is about, operations, messages, and what they share.

use switchboard::broker::dead;
use switchboard::contract::envelope::{APP_ID, CONTENT_TYPE, HEADERS, TRACE_HEADERS};

use super::channels::{self, BODIES, Body, Carries, LETTER, PREFIX};
use super::messages::{self, Message, Sort};
use super::ordered::{Node, list, map, reference};

/// The version of AsyncAPI.
pub const ASYNCAPI: &str = "3.1.0";

/// How a payload says that its schema is one of JSON Schema 2020-12.
const SCHEMA_FORMAT: &str = "application/schema+json;version=draft-2020-12";

const HEAD: &str =
    "# Written by the tests from what the code says; not by hand. After a change that is meant:
# SWITCHBOARD_WRITE_DOCS=1 cargo test --test pure asyncapi
";

const ABOUT: &str = "Switchboard decides who owns a WhatsApp conversation. Customers' messages (facts) and people's commands \
    come in through RabbitMQ; what happened (events) and who is told (notifications) goes out through it. Everything is a \
    CloudEvent 1.0, except what gateways publish by themselves, which is taken as it comes. Operations are a worker's: what it \
    receives, you send. Names are those of a deployment with the prefix `switchboard`; a setting changes it. \
    docs/reference.md describes every message, docs/compatibility.md what may change.";

/// One operation of a worker.
struct Operation {
    key: &'static str,
    action: &'static str,
    channel: &'static str,
    summary: &'static str,
    /// Whether a command in it may ask for an answer.
    answers: bool,
}

const fn receive(key: &'static str, channel: &'static str, summary: &'static str) -> Operation {
    Operation {
        key,
        action: "receive",
        channel,
        summary,
        answers: false,
    }
}

const fn send(key: &'static str, channel: &'static str, summary: &'static str) -> Operation {
    Operation {
        action: "send",
        ..receive(key, channel, summary)
    }
}

const fn answering(operation: Operation) -> Operation {
    Operation {
        answers: true,
        ..operation
    }
}

const OPERATIONS: &[Operation] = &[
    answering(receive(
        "takeAnything",
        "exchange.ingress",
        "Takes whatever a gateway or a client publishes, in any of its shapes.",
    )),
    receive(
        "takeFacts",
        "exchange.inbound",
        "Takes facts of gateways that know partitions.",
    ),
    answering(receive(
        "takeCommands",
        "exchange.commands",
        "Takes commands of clients that know partitions.",
    )),
    answering(receive(
        "readIngress",
        "queue.ingress",
        "Reads what came through the open door: splits it into facts and forwards these and commands to their partitions.",
    )),
    answering(receive(
        "readSources",
        "queue.source",
        "Reads what gateways publish to exchanges of their own, in the same way.",
    )),
    answering(receive(
        "decide",
        "queue.partition",
        "Decides facts and commands in order, each with effect once, and acknowledges when everything they led to is published.",
    )),
    send(
        "forwardFacts",
        "exchange.inbound",
        "Forwards each fact of an ingress body to its partition.",
    ),
    send(
        "forwardCommands",
        "exchange.commands",
        "Forwards a command from ingress to its partition, as it came.",
    ),
    send("publishEvents", "exchange.events", "Publishes what happened."),
    send("notify", "exchange.notifications", "Tells people and teams."),
    send(
        "setAside",
        "exchange.dead",
        "Sets aside what cannot take effect, with why.",
    ),
    send(
        "keepUnrouted",
        "exchange.unrouted",
        "Keeps what no queue is bound for; the broker does it, as the alternate exchange of events and notifications.",
    ),
    receive(
        "readDeadLetters",
        "queue.dead",
        "Lists, replays and discards dead letters: `switchboard dead`.",
    ),
    receive(
        "readUnrouted",
        "queue.unrouted",
        "Counted by every worker, as a metric; its messages are for people to look at.",
    ),
];

/// The document.
pub fn build() -> Node {
    let messages = messages::all();
    let channels = channels::all(&messages);
    let carried = |key: &str| {
        let channel = channels.iter().find(|channel| channel.key == key);
        channel
            .unwrap_or_else(|| panic!("there is no channel {key}"))
            .carries
    };
    let operations = OPERATIONS.iter().map(|operation| {
        (
            operation.key.to_owned(),
            operation.node(carried(operation.channel)),
        )
    });
    map([
        ("asyncapi", ASYNCAPI.into()),
        ("info", info()),
        ("defaultContentType", CONTENT_TYPE.into()),
        ("servers", servers()),
        ("operations", Node::Map(operations.collect())),
        (
            "channels",
            Node::Map(channels.iter().map(|c| (c.key.clone(), c.node.clone())).collect()),
        ),
        ("components", components(&messages)),
    ])
}

pub fn text() -> String {
    format!("{HEAD}{}", build().to_yaml())
}

fn info() -> Node {
    map([
        ("title", "Switchboard".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("description", ABOUT.into()),
        ("license", map([("name", "MIT OR Apache-2.0".into())])),
        (
            "tags",
            list(Sort::ALL.map(|sort| map([("name", sort.word().into())]))),
        ),
    ])
}

fn servers() -> Node {
    let variable =
        |default: &str, text: &str| map([("default", default.into()), ("description", text.into())]);
    let rabbitmq = map([
        ("host", "{host}:{port}".into()),
        ("protocol", "amqp".into()),
        ("protocolVersion", "0.9.1".into()),
        (
            "description",
            "The RabbitMQ that AMQP_URL names; `amqps` in it means TLS. Version 3.10 or later, no plugin needed.".into(),
        ),
        (
            "variables",
            map([
                ("host", variable("localhost", "Where it is.")),
                ("port", variable("5672", "5671 with TLS.")),
            ]),
        ),
        ("security", list([reference("#/components/securitySchemes/password")])),
    ]);
    map([("rabbitmq", rabbitmq)])
}

impl Operation {
    fn node(&self, carries: Carries) -> Node {
        let channel = format!("#/channels/{}", self.channel.replace('/', "~1"));
        let binding = match self.action {
            "send" => map([("deliveryMode", 2.into()), ("bindingVersion", "0.3.0".into())]),
            _ => map([("ack", true.into()), ("bindingVersion", "0.3.0".into())]),
        };
        let mut node = map([
            ("action", self.action.into()),
            ("channel", reference(channel)),
            ("summary", self.summary.into()),
            ("bindings", map([("amqp", binding)])),
        ]);
        if self.answers {
            node.put("reply", reference("#/components/replies/outcome"));
        }
        debug_assert!(!self.answers || carries != Carries::Letters, "{}", self.key);
        node
    }
}

fn components(messages: &[Message]) -> Node {
    let bodies = BODIES.iter().map(|one| (one.key(), body(one)));
    let ours = messages.iter().map(|one| (one.full.clone(), message(one)));
    let letter = (LETTER.to_owned(), letter());
    let all: Vec<_> = bodies.chain(ours).chain([letter]).collect();
    map([
        ("messages", Node::Map(all)),
        (
            "messageTraits",
            map([("taken", taken()), ("published", published())]),
        ),
        ("replies", map([("outcome", outcome())])),
        (
            "correlationIds",
            map([
                (
                    "given",
                    correlation(
                        "The property `correlation_id`, as the publisher set it; an answer carries it back.",
                    ),
                ),
                (
                    "input",
                    correlation(
                        "The property `correlation_id`: the same on everything that came of one input; on an answer, the \
                         command's own.",
                    ),
                ),
            ]),
        ),
        (
            "securitySchemes",
            map([(
                "password",
                map([
                    ("type", "userPassword".into()),
                    ("description", "As AMQP_URL has them.".into()),
                ]),
            )]),
        ),
        (
            "schemas",
            map([
                ("headers.taken", headers_taken()),
                ("headers.published", headers_published()),
                ("headers.dead", headers_dead()),
            ]),
        ),
    ])
}

fn correlation(text: &str) -> Node {
    map([
        ("description", text.into()),
        ("location", "$message.header#/correlation_id".into()),
    ])
}

fn outcome() -> Node {
    map([
        (
            "address",
            map([
                (
                    "description",
                    "The property `reply_to` of a command; without it nothing is answered.".into(),
                ),
                ("location", "$message.header#/reply_to".into()),
            ]),
        ),
        ("channel", reference("#/channels/answers")),
    ])
}

/// A message with a schema of its own.
fn message(message: &Message) -> Node {
    let (exchange, key) = message.way();
    let trait_of = if message.sort.comes_in() {
        "taken"
    } else {
        "published"
    };
    let exchange = match exchange {
        "" => String::new(),
        word => format!("{PREFIX}.{word}"),
    };
    map([
        ("name", message.full.as_str().into()),
        ("title", message.said("title").into()),
        ("summary", message.said("description").into()),
        ("tags", list([map([("name", message.sort.word().into())])])),
        (
            "traits",
            list([reference(format!("#/components/messageTraits/{trait_of}"))]),
        ),
        (
            "payload",
            map([
                ("schemaFormat", SCHEMA_FORMAT.into()),
                ("schema", reference(format!("messages/{}.json", message.full))),
            ]),
        ),
        (
            "bindings",
            map([(
                "amqp",
                map([
                    ("messageType", message.full.as_str().into()),
                    ("bindingVersion", "0.3.0".into()),
                ]),
            )]),
        ),
        (
            "examples",
            list([map([("payload", Node::of_json(&message.example))])]),
        ),
        ("x-exchange", exchange.into()),
        ("x-routing-key", key.into()),
    ])
}

/// What a gateway publishes by itself: known by its shape.
fn body(body: &Body) -> Node {
    let mut payload = map([("type", "object".into())]);
    if !body.known_by.is_empty() {
        payload.put("required", list(body.known_by.to_vec()));
    }
    let examples = body.examples.iter().map(|name| {
        map([
            ("name", (*name).into()),
            ("payload", Node::of_json(&Body::example(name))),
        ])
    });
    map([
        ("name", body.key().into()),
        ("title", format!("Body of a gateway: {}", body.adapter).into()),
        (
            "summary",
            format!(
                "{} Known by its shape; each message in it becomes a fact.",
                body.about
            )
            .into(),
        ),
        ("contentType", "application/json".into()),
        ("payload", payload),
        ("examples", list(examples)),
    ])
}

fn letter() -> Node {
    map([
        ("name", LETTER.into()),
        ("title", "Dead letter".into()),
        (
            "summary",
            "A message that could not take effect: its own body, properties and headers, with headers that say why.".into(),
        ),
        ("contentType", "application/octet-stream".into()),
        ("headers", reference("#/components/schemas/headers.dead")),
        (
            "payload",
            map([("description", "As it came: anything.".into())]),
        ),
    ])
}

fn taken() -> Node {
    map([
        ("contentType", CONTENT_TYPE.into()),
        ("headers", reference("#/components/schemas/headers.taken")),
        ("correlationId", reference("#/components/correlationIds/given")),
        (
            "x-amqp-properties",
            map([
                (
                    "content_type",
                    "`application/cloudevents+json`, or none: a structured CloudEvent is known by its `specversion`. \
                     `application/cloudevents-batch+json` for a list of facts, never of commands. In binary mode, of the data."
                        .into(),
                ),
                (
                    "reply_to",
                    "Of a command: the queue for its outcome. Of a fact: not read.".into(),
                ),
                ("correlation_id", "Given back with the outcome.".into()),
                ("delivery_mode", "Should be 2 (persistent).".into()),
            ]),
        ),
    ])
}

fn published() -> Node {
    map([
        ("contentType", CONTENT_TYPE.into()),
        ("headers", reference("#/components/schemas/headers.published")),
        ("correlationId", reference("#/components/correlationIds/input")),
        (
            "x-amqp-properties",
            map([
                ("content_type", CONTENT_TYPE.into()),
                ("delivery_mode", 2.into()),
                ("app_id", APP_ID.into()),
                (
                    "message_id",
                    "The CloudEvent's `id`: the same whenever it is published again.".into(),
                ),
                ("type", "The CloudEvent's `type`.".into()),
                (
                    "correlation_id",
                    "The same on everything that came of one input; on an answer, the command's own.".into(),
                ),
            ]),
        ),
    ])
}

fn text_schema(text: &str) -> Node {
    map([("type", "string".into()), ("description", text.into())])
}

/// The headers of a CloudEvent in binary mode; none is needed in structured mode.
fn headers_taken() -> Node {
    let attributes = [
        ("ce-specversion", "`1.0`."),
        ("ce-id", "Unique within its source."),
        ("ce-source", "Who publishes it."),
        ("ce-type", "Which message it is."),
        (
            "ce-time",
            "When it happened, RFC 3339; where the data has a time of its own, that counts.",
        ),
        (
            "ce-partitionkey",
            "Any stable text per customer and channel, no phone number; without it one is computed.",
        ),
        (
            "ce-traceparent",
            "W3C trace context; a plain `traceparent` header does as well.",
        ),
        (
            "ce-tracestate",
            "W3C trace context of vendors; a plain `tracestate` header does as well.",
        ),
        ("traceparent", "W3C trace context."),
        ("tracestate", "W3C trace context of vendors."),
    ];
    map([
        ("type", "object".into()),
        (
            "description",
            "Of a CloudEvent in binary mode: its attributes, after `ce-`, `cloudEvents:` or `cloudEvents_`, in any case; the \
             body is the data. The first four make it one. In structured mode none is needed."
                .into(),
        ),
        (
            "properties",
            Node::Map(
                attributes
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), text_schema(text)))
                    .collect(),
            ),
        ),
    ])
}

/// The headers of what we publish: those of a trace stand there without `ce-` too, where whoever traces messages looks.
pub fn published_headers() -> Vec<&'static str> {
    let plain = TRACE_HEADERS.iter().filter_map(|name| name.strip_prefix("ce-"));
    HEADERS.into_iter().chain(TRACE_HEADERS).chain(plain).collect()
}

fn headers_published() -> Node {
    let own = published_headers().into_iter().map(|name| {
        let attribute = name.strip_prefix("ce-").unwrap_or(name);
        let text = match attribute {
            "sequence" => {
                "The attribute `sequence`, on events of a conversation: its place in the conversation's history.".into()
            }
            "traceparent" | "tracestate" => "W3C trace context, where what led to this carried one.".into(),
            _ => format!("The attribute `{attribute}`."),
        };
        (name.to_owned(), text_schema(&text))
    });
    let always = HEADERS.into_iter().filter(|name| *name != "ce-sequence");
    map([
        ("type", "object".into()),
        (
            "description",
            "The attributes of the CloudEvent, as its body has them.".into(),
        ),
        ("required", list(always)),
        ("properties", Node::Map(own.collect())),
    ])
}

/// What is added to a dead letter's own headers.
fn headers_dead() -> Node {
    let schema = Node::of_json(&messages::text_of(
        &messages::schemas().join("dead_letter.headers.json"),
    ));
    let own = dead::HEADERS.iter().map(|name| {
        let said = schema
            .at("properties")
            .and_then(|properties| properties.get(name));
        let said = said.unwrap_or_else(|| panic!("the schema of dead letters' headers has no {name}"));
        let mut header = map([]);
        for key in ["type", "description", "enum"] {
            if let Some(value) = said.get(key) {
                header.put(key, value.clone());
            }
        }
        ((*name).to_owned(), header)
    });
    map([
        ("type", "object".into()),
        ("description", "Beside the message's own.".into()),
        ("required", list(dead::HEADERS)),
        ("properties", Node::Map(own.collect())),
    ])
}
