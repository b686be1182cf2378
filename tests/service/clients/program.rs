//! The clients as programs: what they are told to publish, and what they say they have read.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::wait::within;
use crate::support::{Stage, environment};

/// A language that has stock libraries for AMQP and CloudEvents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::Python, Self::Node];

    /// Where its libraries are, if they are: `./dev test` installs them where it can.
    fn libraries(self) -> Result<String, String> {
        let variable = match self {
            Self::Python => "SWITCHBOARD_PYTHON",
            Self::Node => "SWITCHBOARD_NODE_MODULES",
        };
        let place = std::env::var(variable).ok().filter(|place| !place.is_empty());
        place.ok_or_else(|| format!("{variable} is not set"))
    }

    /// Whether it can be run here; says so if not.
    pub fn is_there(self) -> bool {
        let libraries = self.libraries();
        if let Err(why) = &libraries {
            println!("not run: stock {self:?} client ({why})");
        }
        libraries.is_ok()
    }

    /// One of its programs, with this deployment's broker.
    fn command(self, name: &str) -> Command {
        let libraries = self.libraries().expect("looked for before");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
        let mut command = match self {
            Self::Python => {
                let mut python = Command::new(libraries);
                python.arg(format!("{folder}/python/{name}.py"));
                // No compiled files in the tree.
                python.env("PYTHONDONTWRITEBYTECODE", "1");
                python
            }
            Self::Node => {
                let mut node = Command::new("node");
                node.arg(format!("{folder}/node/{name}.js"));
                node.env("NODE_PATH", libraries);
                node
            }
        };
        command
            .env("AMQP_URL", environment("AMQP_URL"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// A time as its library keeps it: JavaScript's has milliseconds.
    pub fn kept(self, time: jiff::Timestamp) -> jiff::Timestamp {
        match self {
            Self::Python => time,
            Self::Node => {
                jiff::Timestamp::from_millisecond(time.as_millisecond()).expect("it was one before")
            }
        }
    }
}

/// A client that says a line of JSON at a time.
struct Talking {
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Talking {
    fn start(mut command: Command) -> (Self, ChildStdin) {
        let mut process = command.spawn().expect("the client can be started");
        let input = process.stdin.take().expect("a pipe");
        let output = process.stdout.take().expect("a pipe");
        let lines = BufReader::new(output).lines();
        let talking = Self {
            lines,
            _process: process,
        };
        (talking, input)
    }

    async fn line(&mut self, what: &str) -> Value {
        let line = within(what, self.lines.next_line()).await.expect("text");
        let line = line.unwrap_or_else(|| panic!("{what}: the client ended; what it said last is above"));
        serde_json::from_str(&line).expect("clients say JSON")
    }
}

/// A client that reads everything, and whatever is sent to its queue.
pub struct Reader {
    pub language: Language,
    pub queue: String,
    /// All it has read, in order.
    pub read: Vec<Value>,
    client: Talking,
    _input: ChildStdin,
}

impl Reader {
    pub async fn start(stage: &Stage, language: Language) -> Self {
        let mut command = language.command("consume");
        command.args(["events", "notifications"].map(|exchange| stage.rabbit.topology.name(exchange)));
        let (mut client, input) = Talking::start(command);
        let ready = client.line("a client that reads").await;
        Self {
            language,
            queue: ready["queue"].as_str().expect("its queue").to_owned(),
            read: Vec::new(),
            client,
            _input: input,
        }
    }

    /// Reads on to the first message like this one.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let what = format!("{:?} reads {what}", self.language);
        loop {
            let line = self.client.line(&what).await;
            self.read.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }
}

/// A client that publishes what it is told.
pub struct Writer {
    client: Talking,
    orders: ChildStdin,
}

impl Writer {
    pub fn start(language: Language) -> Self {
        let (client, orders) = Talking::start(language.command("publish"));
        Self { client, orders }
    }

    /// Has a message published; answers the id that its library gave it, or "" for a body that is no CloudEvent.
    pub async fn publish(&mut self, order: &Value) -> String {
        let line = format!("{order}\n");
        self.orders
            .write_all(line.as_bytes())
            .await
            .expect("the client listens");
        let said = self.client.line(&format!("{order} published")).await;
        assert_ne!(said.get("published"), None, "{said}");
        said["published"].as_str().unwrap_or_default().to_owned()
    }
}

/// What a writer is told: where to, in which mode, and what.
pub fn order(exchange: String, routing_key: &str, mode: &str, attributes: &Value, data: &Value) -> Value {
    json!({
        "exchange": exchange, "routing_key": routing_key, "mode": mode, "attributes": attributes, "data": data,
    })
}
