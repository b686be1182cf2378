//! Exchanges, queues and bindings, as data: declared, checked and shown from one list.
//!
//! Everything is durable, and no plugin is needed.

/// Messages kept of those that no queue was bound for: enough to look at, never a burden.
const UNROUTED_KEPT: i32 = 1_000;

/// How an exchange finds the queues for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// Those bound with its very key.
    Direct,
    /// Those bound with a pattern of its key.
    Topic,
    /// All that are bound.
    Fanout,
}

impl Routing {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
            Self::Fanout => "fanout",
        }
    }
}

/// An exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSpec {
    /// Its name.
    pub name: String,
    /// How it routes.
    pub routing: Routing,
    /// Where messages go that nothing is bound for.
    pub alternate: Option<String>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// One consumer at a time, so that order holds.
    pub single_consumer: bool,
    /// Where the broker puts what it gives up on.
    pub dead_letter: Option<String>,
    /// Most messages kept, the oldest dropped first; `None`: all.
    pub keeps: Option<i32>,
}

/// Which exchange leads to which queue, under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// From.
    pub exchange: String,
    /// To.
    pub queue: String,
    /// Under.
    pub key: String,
}

/// A queue beside the ingress's own that the ingress takes from: another gateway's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it is called.
    pub name: String,
    /// Where its messages come from.
    pub feed: Feed,
}

/// Where a source's messages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// An exchange of a gateway's, which a queue of ours is bound to.
    Exchange {
        /// Which.
        exchange: String,
        /// How it is declared if it is missing; `None`: its gateway has to.
        declared_as: Option<Routing>,
        /// Under which keys.
        keys: Vec<String>,
    },
    /// A queue its gateway declares, consumed as it is.
    Queue(String),
}

/// A line of the topology, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `exchange`, `queue`, `binding` or `source`.
    pub kind: &'static str,
    /// Which; of a binding, the queue.
    pub name: String,
    /// Everything else about it.
    pub detail: String,
}

/// Everything under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    prefix: String,
    /// How many partition queues there are.
    pub partitions: u16,
    /// Exchanges.
    pub exchanges: Vec<ExchangeSpec>,
    /// Queues.
    pub queues: Vec<QueueSpec>,
    /// Bindings.
    pub bindings: Vec<Binding>,
    /// What else the ingress takes from. A deployment works without them.
    pub sources: Vec<Source>,
}

impl Topology {
    /// The topology for this prefix and number of partitions. The settings have seen to it that the prefix is short and
    /// plain enough for AMQP's names.
    pub fn new(prefix: &str, partitions: u16) -> Self {
        let mut topology = Self {
            prefix: prefix.into(),
            partitions,
            exchanges: Vec::new(),
            queues: Vec::new(),
            bindings: Vec::new(),
            sources: Vec::new(),
        };
        topology.exchanges = topology.all_exchanges();
        topology.queues = topology.all_queues();
        topology.bindings = topology.all_bindings();
        topology
    }

    /// The same, with these sources.
    #[must_use]
    pub fn with_sources(self, sources: Vec<Source>) -> Self {
        Self { sources, ..self }
    }

    /// The full name of one of our exchanges or queues.
    pub fn name(&self, word: &str) -> String {
        format!("{}.{word}", self.prefix)
    }

    /// The queue of a partition.
    pub fn partition_queue(&self, partition: u16) -> String {
        format!("{}.partition.{partition}", self.prefix)
    }

    /// The queue that the ingress consumes for a source.
    pub fn source_queue(&self, source: &Source) -> String {
        match &source.feed {
            Feed::Exchange { .. } => format!("{}.ingress.{}", self.prefix, source.name),
            Feed::Queue(queue) => queue.clone(),
        }
    }

    /// A queue that one consumer works on in order.
    pub(super) fn work_queue(&self, name: String) -> QueueSpec {
        QueueSpec {
            name,
            single_consumer: true,
            dead_letter: Some(self.name("dead")),
            keeps: None,
        }
    }

    fn all_exchanges(&self) -> Vec<ExchangeSpec> {
        let exchange = |word, routing, alternate: Option<&str>| ExchangeSpec {
            name: self.name(word),
            routing,
            alternate: alternate.map(|word| self.name(word)),
        };
        vec![
            exchange("ingress", Routing::Topic, None),
            // A wrong partition costs a hop and never a message.
            exchange("inbound", Routing::Direct, Some("ingress")),
            exchange("commands", Routing::Direct, Some("ingress")),
            // What nobody is bound for is counted here, and not with `mandatory`: with lapin, a returned message can land
            // on the confirm of another one.
            exchange("events", Routing::Topic, Some("unrouted")),
            exchange("notifications", Routing::Topic, Some("unrouted")),
            exchange("dead", Routing::Fanout, None),
            exchange("unrouted", Routing::Fanout, None),
        ]
    }

    fn all_queues(&self) -> Vec<QueueSpec> {
        let work = |name| self.work_queue(name);
        let shelf = |word, keeps| QueueSpec {
            name: self.name(word),
            single_consumer: false,
            dead_letter: None,
            keeps,
        };
        let mut queues = vec![work(self.name("ingress"))];
        queues.extend((0..self.partitions).map(|partition| work(self.partition_queue(partition))));
        queues.push(shelf("dead", None));
        queues.push(shelf("unrouted", Some(UNROUTED_KEPT)));
        queues
    }

    fn all_bindings(&self) -> Vec<Binding> {
        let binding = |from, queue, key| Binding {
            exchange: self.name(from),
            queue,
            key,
        };
        let mut bindings = vec![
            binding("ingress", self.name("ingress"), "#".into()),
            binding("dead", self.name("dead"), String::new()),
            binding("unrouted", self.name("unrouted"), String::new()),
        ];
        for partition in 0..self.partitions {
            for door in ["inbound", "commands"] {
                bindings.push(binding(
                    door,
                    self.partition_queue(partition),
                    partition.to_string(),
                ));
            }
        }
        bindings
    }

    /// All of it, a line each.
    pub fn rows(&self) -> Vec<Row> {
        let exchanges = self.exchanges.iter().map(|exchange| Row {
            kind: "exchange",
            name: exchange.name.clone(),
            detail: exchange.detail(),
        });
        let queues = self.queues.iter().map(|queue| Row {
            kind: "queue",
            name: queue.name.clone(),
            detail: queue.detail(),
        });
        let bindings = self.bindings.iter().map(|binding| Row {
            kind: "binding",
            name: binding.queue.clone(),
            detail: format!("from {} under \"{}\"", binding.exchange, binding.key),
        });
        let sources = self.sources.iter().flat_map(|source| self.source_rows(source));
        exchanges.chain(queues).chain(bindings).chain(sources).collect()
    }

    fn source_rows(&self, source: &Source) -> Vec<Row> {
        let queue = self.source_queue(source);
        let Feed::Exchange {
            exchange,
            declared_as,
            keys,
        } = &source.feed
        else {
            let detail = format!(
                "the gateway's own, consumed as it is for the source {}",
                source.name
            );
            return vec![Row {
                kind: "queue",
                name: queue,
                detail,
            }];
        };
        let exchange_row = Row {
            kind: "exchange",
            name: exchange.clone(),
            detail: match declared_as {
                Some(routing) => format!("{}, the gateway's own, declared if it is missing", routing.word()),
                None => "the gateway's own".into(),
            },
        };
        let queue_row = Row {
            kind: "queue",
            detail: format!(
                "{}, for the source {}",
                self.work_queue(queue.clone()).detail(),
                source.name
            ),
            name: queue.clone(),
        };
        let binding_rows = keys.iter().map(|key| Row {
            kind: "binding",
            name: queue.clone(),
            detail: format!("from {exchange} under \"{key}\""),
        });
        [exchange_row, queue_row]
            .into_iter()
            .chain(binding_rows)
            .collect()
    }
}

impl ExchangeSpec {
    fn detail(&self) -> String {
        let routing = self.routing.word();
        match &self.alternate {
            Some(alternate) => format!("{routing}, else to {alternate}"),
            None => routing.into(),
        }
    }
}

impl QueueSpec {
    fn detail(&self) -> String {
        let mut detail = match self.keeps {
            Some(kept) => format!("classic, the last {kept} messages"),
            None => "quorum".into(),
        };
        if self.single_consumer {
            detail.push_str(", single active consumer");
        }
        if let Some(exchange) = &self.dead_letter {
            detail.push_str(", dead letters to ");
            detail.push_str(exchange);
        }
        detail
    }
}
