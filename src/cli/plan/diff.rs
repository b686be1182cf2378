//! `switchboard plan diff`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::files::{complain, read};
use super::stored::Releases;
use crate::cli::print::say;
use crate::cli::{CliError, Done, connect, print};
use crate::contract::plan::diff::{self, Change, Difference, Said};
use crate::domain::plan::Plan;

/// Say what is different between two plans, by what they mean and not by how they are written.
///
/// A plan is a file or, as a number, a version that was in force. One plan is compared with the one in force; none: what
/// the plan in force changed. A key written with its default is no difference, and rules in another order are one.
///
/// Example: switchboard plan diff new.toml
///
/// Example: switchboard plan diff old.toml new.toml
///
/// Example: switchboard plan diff --tenant acme 3 4
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file, or the number of a version; with a second one: from this one.
    first: Option<Side>,
    /// To this one.
    second: Option<Side>,
    /// Whose; may be left out while there is only one tenant, or where a file says it.
    #[arg(long)]
    tenant: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Where a plan is.
#[derive(Debug, Clone)]
enum Side {
    File(PathBuf),
    Version(u32),
}

impl From<String> for Side {
    fn from(text: String) -> Self {
        match text.parse() {
            Ok(version) => Side::Version(version),
            Err(_) => Side::File(text.into()),
        }
    }
}

/// A plan that was found, and what it is called.
struct Found {
    name: String,
    plan: Plan,
}

pub async fn run(arguments: Arguments) -> Done {
    let sides = (arguments.first, arguments.second);
    let tenant = arguments.tenant;
    let (from, to) = match sides {
        (Some(Side::File(from)), Some(Side::File(to))) => (file(from)?, file(to)?),
        sides => from_history(sides, tenant).await?,
    };
    let differences = diff::diff(&from.plan, &to.plan);
    if arguments.json {
        let differences: Vec<Value> = differences.iter().map(value).collect();
        print::json(&json!({ "from": from.name, "to": to.name, "differences": differences }))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("from {} to {}:", from.name, to.name);
    if differences.is_empty() {
        say!("no difference");
    }
    for difference in differences {
        say!("{difference}");
    }
    Ok(ExitCode::SUCCESS)
}

/// At least one of the two is, or was, in force.
async fn from_history(
    sides: (Option<Side>, Option<Side>),
    tenant: Option<String>,
) -> Result<(Found, Found), CliError> {
    // Files first: they may say whose plans are meant, and what is wrong with them needs no server.
    let first = sides.0.map(opened).transpose()?;
    let second = sides.1.map(opened).transpose()?;
    let named = [&first, &second]
        .into_iter()
        .flatten()
        .find_map(|side| match side {
            Opened::File(found) => Some(found.plan.tenant.to_string()),
            Opened::Version(_) => None,
        });
    let session = connect::store()?.session().await?;
    let releases = Releases::of(&session, tenant.or(named).as_deref()).await?;
    let in_force = releases.in_force;
    let (from, to) = match (first, second) {
        (Some(from), Some(to)) => (from, to),
        (Some(to), None) | (None, Some(to)) => (Opened::Version(in_force), to),
        (None, None) => {
            let before = releases.before(in_force).await?;
            (Opened::Version(before), Opened::Version(in_force))
        }
    };
    Ok((from.found(&releases).await?, to.found(&releases).await?))
}

enum Opened {
    File(Box<Found>),
    Version(u32),
}

fn opened(side: Side) -> Result<Opened, CliError> {
    Ok(match side {
        Side::File(path) => Opened::File(Box::new(file(path)?)),
        Side::Version(version) => Opened::Version(version),
    })
}

impl Opened {
    async fn found(self, releases: &Releases<'_>) -> Result<Found, CliError> {
        match self {
            Opened::File(found) => Ok(*found),
            Opened::Version(version) => {
                let plan = releases.plan(version).await?;
                let in_force = if version == releases.in_force {
                    ", in force"
                } else {
                    ""
                };
                let name = format!("{} version {version}{in_force}", releases.tenant);
                Ok(Found { name, plan })
            }
        }
    }
}

fn file(path: PathBuf) -> Result<Found, CliError> {
    let name = path.display().to_string();
    match read(&path)? {
        Ok(checked) => {
            let plan = checked.plan;
            Ok(Found { name, plan })
        }
        Err(faults) => {
            complain(&name, &faults, "error");
            Err(format!("{name} is no good plan").into())
        }
    }
}

fn value(difference: &Difference) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| drop(object.insert(key.into(), value));
    put("section", json!(difference.section.word()));
    if !difference.name.is_empty() {
        put("name", json!(difference.name));
    }
    put("change", json!(difference.change.word()));
    match &difference.change {
        Change::Added(said) | Change::Removed(said) => put("says", says(said)),
        Change::Changed { key, from, to } => {
            put("key", json!(key));
            put("from", plain(from));
            put("to", plain(to));
        }
        Change::Moved {
            now_before,
            now_after,
        } => {
            put("now_before", json!(now_before));
            put("now_after", json!(now_after));
        }
    }
    Value::Object(object)
}

fn says(said: &[Said]) -> Value {
    let keys = said.iter().map(|said| (said.key.to_owned(), plain(&said.value)));
    Value::Object(keys.collect())
}

fn plain(value: &diff::Value) -> Value {
    match value {
        diff::Value::Absent => Value::Null,
        diff::Value::Text(text) => json!(text),
        diff::Value::List(things) => json!(things),
    }
}
