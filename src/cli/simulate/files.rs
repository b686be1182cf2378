//! The files a simulation reads besides plans: who is there when, and which customers come.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::words;
use crate::domain::conversation::Contact;
use crate::domain::ids::{AgentId, ChannelKey};
use crate::domain::input::Message;
use crate::simulate::chance::Lasts;
use crate::simulate::shifts::{Shift, Shifts};
use crate::simulate::traffic::{Kind, Rate};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShiftsFile {
    timezone: Option<String>,
    #[serde(default)]
    shifts: Vec<ShiftEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShiftEntry {
    agents: Vec<String>,
    #[serde(default)]
    days: Vec<String>,
    hours: Vec<String>,
}

/// Reads shifts; their hours are read in the file's time zone, else in the plan's.
pub fn shifts(text: &str, of_plan: &TimeZone) -> Result<Shifts, String> {
    let file: ShiftsFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let timezone = match file.timezone {
        Some(name) => TimeZone::get(&name).map_err(|_| format!("`{name}` is no time zone"))?,
        None => of_plan.clone(),
    };
    if file.shifts.is_empty() {
        return Err("there are no [[shifts]] in it".into());
    }
    let shifts = file.shifts.iter().map(|entry| {
        Ok(Shift {
            agents: each(&entry.agents, |id| {
                AgentId::new(id).map_err(|error| format!("`{id}`: {error}"))
            })?,
            days: each(&entry.days, words::weekday)?,
            hours: each(&entry.hours, words::hours)?,
        })
    });
    let shifts = shifts.collect::<Result<_, String>>()?;
    Ok(Shifts { timezone, shifts })
}

fn each<T>(texts: &[String], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    texts.iter().map(|text| read(text)).collect()
}

/// Which customers come, and how many.
pub struct Customers {
    /// How many in an hour; none: as the command line says.
    pub rates: Vec<Rate>,
    /// Of which kinds.
    pub kinds: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrafficFile {
    #[serde(default)]
    rates: Vec<String>,
    #[serde(default)]
    customers: Vec<CustomerEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerEntry {
    weight: Option<f64>,
    channel: Option<String>,
    service: Option<String>,
    answer: Option<String>,
    #[serde(default)]
    contact: ContactEntry,
    #[serde(default)]
    message: MessageEntry,
}

/// A customer as files write them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactEntry {
    #[serde(default)]
    name: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// A message as files write it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageEntry {
    kind: Option<String>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    referral: String,
    #[serde(default)]
    reply_to: String,
}

impl ContactEntry {
    /// As the core knows them.
    pub fn contact(self) -> Contact {
        let attributes = self.attributes.into_iter().take(Contact::MAX_ATTRIBUTES);
        Contact {
            name: self.name.into(),
            language: self.language.into(),
            country: self.country.into(),
            attributes: attributes
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

impl MessageEntry {
    /// As the core knows it: a turn.
    pub fn message(self) -> Message {
        Message {
            id: "simulated".into(),
            kind: self.kind.as_deref().unwrap_or("text").into(),
            turn: true,
            text: self.text.into(),
            referral: self.referral.into(),
            reply_to: self.reply_to.into(),
        }
    }
}

/// What holds for customers of whom a file does not say more.
pub struct Usual {
    /// The business numbers they write to.
    pub channels: Vec<ChannelKey>,
    /// How long people take to answer them.
    pub answer: Lasts,
    /// How long a conversation with them takes.
    pub service: Lasts,
}

impl Usual {
    /// The only kind of customer where no file describes any.
    pub fn kind(&self) -> Kind {
        Kind {
            weight: 1.0,
            channels: self.channels.clone(),
            contact: Arc::default(),
            message: Arc::new(MessageEntry::default().message()),
            answer: self.answer,
            service: self.service,
        }
    }
}

/// Reads which customers come.
pub fn customers(text: &str, usual: &Usual) -> Result<Customers, String> {
    let file: TrafficFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let rates = each(&file.rates, words::rate)?;
    let kinds = file.customers.into_iter().map(|entry| kind(entry, usual));
    let mut kinds = kinds.collect::<Result<Vec<_>, String>>()?;
    if kinds.is_empty() {
        kinds.push(usual.kind());
    }
    Ok(Customers { rates, kinds })
}

fn kind(entry: CustomerEntry, usual: &Usual) -> Result<Kind, String> {
    let weight = entry.weight.unwrap_or(1.0);
    if !(weight.is_finite() && weight > 0.0) {
        return Err("the weight of customers is a number above 0".into());
    }
    let lasts = |text: Option<String>, usual: Lasts| text.map_or(Ok(usual), |text| words::lasts(&text));
    Ok(Kind {
        weight,
        channels: match entry.channel {
            Some(channel) => vec![channel_of(&channel)?],
            None => usual.channels.clone(),
        },
        contact: Arc::new(entry.contact.contact()),
        message: Arc::new(entry.message.message()),
        answer: lasts(entry.answer, usual.answer)?,
        service: lasts(entry.service, usual.service)?,
    })
}

/// A channel as files write it.
pub fn channel_of(text: &str) -> Result<ChannelKey, String> {
    ChannelKey::new(text).ok_or_else(|| format!("`{text}` is no channel like whatsapp:123456789012345"))
}
