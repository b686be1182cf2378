//! A trace: JSON lines, each a customer's message. What is wrong is said line by line, all at once.

use std::io::BufRead;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::files::{ContactEntry, MessageEntry, Usual, channel_of};
use super::words;
use crate::simulate::chance::{Chance, Subject};
use crate::simulate::trace::{Arrival, MAX_ARRIVALS, in_order};

/// Lines that are complained about one by one: beyond that the file is something else.
const MAX_FAULTS: usize = 20;
/// The longest line, in bytes: a message of WhatsApp's longest text, with everything around it.
const MAX_LINE: u64 = 256 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: Timestamp,
    customer: Option<String>,
    channel: Option<String>,
    #[serde(default)]
    contact: ContactEntry,
    #[serde(default)]
    message: MessageEntry,
    answer: Option<String>,
    service: Option<String>,
}

/// A line that could not be read, from 1, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which.
    pub line: usize,
    /// Why.
    pub message: String,
}

/// Reads a trace into the order of time; how long answers and services take is drawn where a line does not say.
pub fn read(mut source: impl BufRead, usual: &Usual, seed: u64) -> Result<Vec<Arrival>, Vec<Fault>> {
    let mut dice = (
        Chance::new(seed, Subject::Answers),
        Chance::new(seed, Subject::Services),
    );
    let mut arrivals = Vec::new();
    let mut faults = Vec::new();
    for line in 1.. {
        let read = match next_line(&mut source) {
            Ok(None) => break,
            Ok(Some(text)) if text.trim().is_empty() => continue,
            Ok(Some(text)) => arrival(&text, line, usual, &mut dice).map(|arrival| arrivals.push(arrival)),
            Err(error) => {
                faults.push(Fault { line, message: error });
                break;
            }
        };
        if let Err(message) = read {
            faults.push(Fault { line, message });
        }
        if faults.len() >= MAX_FAULTS {
            break;
        }
        if arrivals.len() > MAX_ARRIVALS {
            let message = format!("more than {MAX_ARRIVALS} arrivals");
            faults.push(Fault { line, message });
            break;
        }
    }
    if faults.is_empty() {
        Ok(in_order(arrivals))
    } else {
        Err(faults)
    }
}

fn next_line(source: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut text = String::new();
    let bytes = std::io::Read::take(source, MAX_LINE)
        .read_line(&mut text)
        .map_err(|error| error.to_string())?;
    match bytes as u64 {
        0 => Ok(None),
        MAX_LINE => Err(format!("longer than {MAX_LINE} bytes")),
        _ => Ok(Some(text)),
    }
}

fn arrival(text: &str, line: usize, usual: &Usual, dice: &mut (Chance, Chance)) -> Result<Arrival, String> {
    // Drawn also where the line says it: a length that is written into one line leaves the others as they were.
    let (answer, service) = (usual.answer.draw(&mut dice.0), usual.service.draw(&mut dice.1));
    let read: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let channel = match (read.channel, usual.channels.first()) {
        (Some(channel), _) => channel_of(&channel)?,
        (None, Some(channel)) => channel.clone(),
        (None, None) => return Err("no channel, and the plan has none".into()),
    };
    Ok(Arrival {
        at: read.at,
        customer: read.customer.unwrap_or_else(|| format!("line {line}")).into(),
        channel,
        contact: Arc::new(read.contact.contact()),
        message: Arc::new(read.message.message()),
        answer: read.answer.map_or(Ok(answer), |answer| words::length(&answer))?,
        service: read
            .service
            .map_or(Ok(service), |service| words::length(&service))?,
        routed: None,
    })
}
