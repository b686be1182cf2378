//! From files to messages: JSON values, JSON lines, folders of samples, or bytes as they are.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::cli::CliError;

/// How editors on some systems mark a file as UTF-8. It is no JSON, and no part of the message.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Endings of the files that are read of a folder.
const ENDINGS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// What one message of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// A JSON value; however many of them a file holds.
    Values,
    /// A line, whatever is in it.
    Lines,
    /// The whole file, whatever is in it.
    Whole,
}

/// A message, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// `webhook.json`, or `traffic.jsonl:3` where there are several.
    pub name: String,
    /// As it is published.
    pub bytes: Vec<u8>,
}

/// The messages of one file's content. The fault names the message it is in.
pub fn split(name: &str, content: &[u8], split: Split) -> Result<Vec<Body>, String> {
    if split == Split::Whole {
        return Ok(vec![Body {
            name: name.to_owned(),
            bytes: content.to_vec(),
        }]);
    }
    let content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    let bodies = match split {
        Split::Lines => lines(content),
        Split::Values | Split::Whole => values(name, content)?,
    };
    let several = bodies.len() > 1;
    let named = bodies.into_iter().enumerate().map(|(index, bytes)| Body {
        name: if several {
            format!("{name}:{}", index + 1)
        } else {
            name.to_owned()
        },
        bytes,
    });
    Ok(named.collect())
}

fn lines(content: &[u8]) -> Vec<Vec<u8>> {
    let lines = content.split(|byte| *byte == b'\n');
    lines
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

fn values(name: &str, content: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let hint = "(--lines takes each line as a message whatever is in it, --raw the whole file)";
    let Ok(text) = std::str::from_utf8(content) else {
        return Err(match content {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => format!("{name}: is UTF-16, and JSON is UTF-8 {hint}"),
            _ => format!("{name}: is not UTF-8 {hint}"),
        });
    };
    let values = serde_json::Deserializer::from_str(text).into_iter::<Box<RawValue>>();
    let mut bodies = Vec::new();
    for value in values {
        let place = bodies.len() + 1;
        let value = value.map_err(|error| format!("{name}: message {place}: {error} {hint}"))?;
        bodies.push(value.get().as_bytes().to_vec());
    }
    if bodies.is_empty() {
        return Err(format!("{name}: is empty"));
    }
    Ok(bodies)
}

/// The files that an argument names: itself, or what a folder holds of JSON, by name.
pub fn files(argument: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !argument.is_dir() {
        return Ok(vec![argument.to_owned()]);
    }
    let told = |error| format!("{}: {error}", argument.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(argument).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_file() && ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(format!("{}: holds no {} file", argument.display(), ENDINGS.join(", ")).into());
    }
    found.sort();
    Ok(found)
}

/// A header as it is written on the command line. Of `cloudEvents:id: 7` the name is `cloudEvents:id`.
pub fn header(text: &str) -> Result<(String, String), String> {
    let split = text.split_once(": ").or_else(|| text.split_once(':'));
    let (name, value) = split.ok_or("a header is written `name: value`")?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.len() > usize::from(u8::MAX) {
        return Err(format!("the name of a header has from 1 to {} bytes", u8::MAX));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// What decides on a message's way: read leniently, because whatever is wrong with it the worker says.
pub struct Envelope {
    /// Whether the body is a CloudEvent.
    pub is_event: bool,
    /// Its `partitionkey`, from the headers or the body.
    pub partition_key: Option<String>,
}

impl Envelope {
    /// Looks at a body and its headers.
    pub fn of(body: &[u8], headers: &[(&str, Cow<'_, str>)]) -> Self {
        #[derive(serde::Deserialize)]
        struct Attributes {
            specversion: Option<serde::de::IgnoredAny>,
            partitionkey: Option<String>,
        }
        let attributes: Option<Attributes> = serde_json::from_slice(body).ok();
        let of_headers = headers.iter().find_map(|(name, value)| {
            let attribute = ["ce-", "cloudEvents:", "cloudEvents_"]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))?;
            (attribute == "partitionkey").then(|| value.to_string())
        });
        Self {
            is_event: attributes
                .as_ref()
                .is_some_and(|attributes| attributes.specversion.is_some()),
            partition_key: of_headers.or(attributes.and_then(|attributes| attributes.partitionkey)),
        }
    }
}
