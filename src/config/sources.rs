//! Which queues the ingress takes from beside its own, and what each of them takes.
//!
//! `SWITCHBOARD_SOURCES` holds sources, separated by `;` or line ends. Each is a name and what is said of it:
//!
//! ```text
//! shop      adapter=evolution  exchange=evolution_exchange  keys=messages.upsert,send.message  type=topic;
//! wuzapi    adapter=whatsmeow  queue=whatsapp_events
//! ```
//!
//! | word | meaning |
//! |---|---|
//! | the name | letters, digits, `_` and `-`, at most 32: it is in metrics and, with `exchange`, in the queue's name |
//! | `adapter` | `detect` (default), `cloudevents`, `cloud_api`, `unoapi`, `evolution` or `whatsmeow`: all that is taken |
//! | `exchange` | an exchange of the gateway's. `topology declare` makes the queue `<prefix>.ingress.<name>` and binds it |
//! | `keys` | with `exchange`: under which routing keys, separated by commas; `#` is everything of a topic exchange |
//! | `type` | with `exchange`: `topic`, `direct` or `fanout`; the exchange is then declared (durable) if it is missing |
//! | `queue` | instead of `exchange`: a queue the gateway declares itself, of any type. It is consumed as it is |
//!
//! White space, `,`, `;`, `=` and `%` inside a name of the broker's are percent-encoded: `exchange=my%20shop`.
//! Every worker of a deployment has to be given the same sources.

use percent_encoding::percent_decode_str;

use super::{Broker, ConfigError, Source};
use crate::broker::topology::{self, Feed, Routing};
use crate::contract::Adapter;

/// Where the sources are read from.
const SOURCES: &str = "SWITCHBOARD_SOURCES";
/// Where the adapter of the ingress queue itself is read from.
const ADAPTER: &str = "SWITCHBOARD_INGRESS_ADAPTER";
/// Most sources: each has two channels in the worker that holds the ingress.
const MAX_SOURCES: usize = 16;
/// Most routing keys of one source.
const MAX_KEYS: usize = 64;
/// Longest name of a source, in bytes.
const MAX_NAME: usize = 32;
/// Longest name of a queue, exchange or routing key, in bytes: AMQP's own limit.
const MAX_SHORT: usize = 255;
/// What every complaint about a source ends with.
const EXAMPLE: &str = "(for example shop adapter=evolution exchange=evolution_exchange keys=messages.upsert,send.message \
                       type=topic; wuzapi adapter=whatsmeow queue=whatsapp_events)";

/// What the ingress takes, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ingress {
    /// `SWITCHBOARD_INGRESS_ADAPTER`: what the ingress queue itself takes.
    pub adapter: Adapter,
    /// `SWITCHBOARD_SOURCES`.
    pub sources: Vec<IngressSource>,
}

/// One more queue that the ingress takes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressSource {
    /// What it takes.
    pub adapter: Adapter,
    /// Its name, and where it comes from.
    pub source: topology::Source,
}

impl Ingress {
    /// Reads the ingress's settings.
    pub fn from(source: &impl Source) -> Result<Self, ConfigError> {
        let adapter = match source.get(ADAPTER) {
            Some(word) => adapter(&word).map_err(|said| ConfigError(format!("{ADAPTER}: {said}")))?,
            None => Adapter::Detect,
        };
        let prefix = Broker::prefix(source)?;
        let sources = read(&source.get(SOURCES).unwrap_or_default(), &prefix)
            .map_err(|said| ConfigError(format!("{SOURCES}: {said} {EXAMPLE}")))?;
        Ok(Self { adapter, sources })
    }

    /// What the broker has to know of the sources.
    pub fn feeds(&self) -> Vec<topology::Source> {
        self.sources.iter().map(|source| source.source.clone()).collect()
    }
}

fn read(text: &str, prefix: &str) -> Result<Vec<IngressSource>, String> {
    let mut sources: Vec<IngressSource> = Vec::new();
    let parts = text.split([';', '\n']).map(str::trim);
    for part in parts.filter(|part| !part.is_empty()) {
        let new = one(part, prefix)?;
        let name = &new.source.name;
        if sources.iter().any(|other| other.source.name == *name) {
            return Err(format!("two sources are called \"{name}\""));
        }
        let same_queue = |other: &&IngressSource| {
            matches!(new.source.feed, Feed::Queue(_)) && other.source.feed == new.source.feed
        };
        if let Some(other) = sources.iter().find(same_queue) {
            return Err(format!(
                "\"{}\" and \"{name}\" take from the same queue",
                other.source.name
            ));
        }
        sources.push(new);
    }
    if sources.len() > MAX_SOURCES {
        return Err(format!(
            "{} sources, more than the {MAX_SOURCES} there may be",
            sources.len()
        ));
    }
    Ok(sources)
}

/// The words of one source, each said at most once.
#[derive(Default)]
struct Words<'a> {
    adapter: Option<&'a str>,
    exchange: Option<&'a str>,
    keys: Option<&'a str>,
    kind: Option<&'a str>,
    queue: Option<&'a str>,
}

fn one(part: &str, prefix: &str) -> Result<IngressSource, String> {
    let mut words = part.split_whitespace();
    let name = words.next().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if name.len() > MAX_NAME || !name.bytes().all(plain) {
        return Err(format!(
            "\"{name}\" is no name of a source: at most {MAX_NAME} letters, digits, dashes and underscores"
        ));
    }
    let about = |said: String| format!("the source \"{name}\" {said}");
    let mut given = Words::default();
    for word in words {
        let unknown = || {
            about(format!(
                "says \"{word}\", which is none of adapter=, exchange=, keys=, type= and queue="
            ))
        };
        let (key, value) = word.split_once('=').ok_or_else(unknown)?;
        let place = match key {
            "adapter" => &mut given.adapter,
            "exchange" => &mut given.exchange,
            "keys" => &mut given.keys,
            "type" => &mut given.kind,
            "queue" => &mut given.queue,
            _ => return Err(unknown()),
        };
        if value.is_empty() || place.replace(value).is_some() {
            let how = if value.is_empty() {
                "nothing after"
            } else {
                "more than one"
            };
            return Err(about(format!("has {how} {key}=")));
        }
    }
    Ok(IngressSource {
        adapter: given
            .adapter
            .map_or(Ok(Adapter::Detect), adapter)
            .map_err(about)?,
        source: topology::Source {
            feed: feed(&given, prefix).map_err(about)?,
            name: name.into(),
        },
    })
}

fn feed(given: &Words<'_>, prefix: &str) -> Result<Feed, String> {
    match (given.exchange, given.queue) {
        (Some(exchange), None) => {
            let keys = given
                .keys
                .ok_or("has no keys= (keys=# takes everything of a topic exchange)")?;
            let keys: Vec<_> = keys.split(',').map(short).collect::<Result<_, _>>()?;
            if keys.len() > MAX_KEYS {
                return Err(format!("has {} keys, more than {MAX_KEYS}", keys.len()));
            }
            Ok(Feed::Exchange {
                exchange: foreign(exchange, prefix)?,
                declared_as: given.kind.map(routing).transpose()?,
                keys,
            })
        }
        (None, Some(queue)) => {
            if given.keys.is_some() || given.kind.is_some() {
                return Err("has keys= or type=, which go with exchange= and not with queue=".into());
            }
            Ok(Feed::Queue(foreign(queue, prefix)?))
        }
        (Some(_), Some(_)) => Err("has exchange= and queue=: one of them".into()),
        (None, None) => Err("has neither exchange= nor queue=".into()),
    }
}

/// A name that is not one of ours: what we publish would come back to us for ever.
fn foreign(text: &str, prefix: &str) -> Result<String, String> {
    let name = short(text)?;
    let below = name
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('.'));
    if below || name.starts_with("amq.rabbitmq.") {
        return Err(format!("takes from \"{name}\", which is not a gateway's"));
    }
    Ok(name)
}

/// A name of the broker's, or a routing key.
fn short(text: &str) -> Result<String, String> {
    let name = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| format!("says \"{text}\", which is not UTF-8 behind its percent signs"))?;
    if name.is_empty() || name.len() > MAX_SHORT || name.contains('\0') {
        return Err(format!(
            "has a name or key that is empty or longer than {MAX_SHORT} bytes"
        ));
    }
    Ok(name.into_owned())
}

fn adapter(word: &str) -> Result<Adapter, String> {
    Adapter::of(word).ok_or_else(|| {
        let words = Adapter::ALL.map(Adapter::wire).join(", ");
        format!("has the adapter \"{word}\", which is none of {words}")
    })
}

fn routing(word: &str) -> Result<Routing, String> {
    match word {
        "topic" => Ok(Routing::Topic),
        "direct" => Ok(Routing::Direct),
        "fanout" => Ok(Routing::Fanout),
        _ => Err(format!(
            "has the type \"{word}\", which is none of topic, direct and fanout"
        )),
    }
}
