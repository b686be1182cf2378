//! `switchboard plan history`.

use std::process::ExitCode;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::stored::{self, Releases};
use crate::cli::print::say;
use crate::cli::{CliError, Done, connect, print};
use crate::contract::plan::diff;
use crate::domain::plan::Plan;
use crate::store::plans::{self, Version};

/// List the versions of a tenant's plan: when each came into force, by whom, and what it changed.
///
/// Example: switchboard plan history --tenant acme
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Whose; may be left out while there is only one tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Versions shown, the newest first.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A version with what there is to say of it.
struct Told {
    version: Version,
    changes: String,
    /// An older version that said exactly the same.
    same_as: Option<u32>,
}

pub async fn run(arguments: Arguments) -> Done {
    let session = connect::store()?.session().await?;
    let releases = Releases::of(&session, arguments.tenant.as_deref()).await?;
    // One more than is shown: what the oldest of them changed is asked too.
    let wanted = usize::from(arguments.limit);
    let mut versions = plans::history(&session, &releases.tenant, i64::from(arguments.limit) + 1).await?;
    versions.reverse();
    let told = tell(&releases, versions).await?;
    let shown = told.iter().rev().take(wanted);
    if arguments.json {
        print::json(
            &shown
                .map(|told| value(told, releases.in_force))
                .collect::<Vec<_>>(),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 5]> = shown.map(|told| row(told, releases.in_force)).collect();
    say!("{}", releases.tenant);
    print::table(["VERSION", "WHEN", "BY", "CAUSE", "CHANGES"], &rows);
    Ok(ExitCode::SUCCESS)
}

/// What each version changed, the oldest first. No more than two documents are in memory at once.
async fn tell(releases: &Releases<'_>, versions: Vec<Version>) -> Result<Vec<Told>, CliError> {
    let mut told = Vec::with_capacity(versions.len());
    let mut seen: Vec<([u8; 32], u32)> = Vec::new();
    let mut before: Option<Option<Plan>> = None;
    for version in versions {
        let document = releases.document(version.version).await?;
        let digest: [u8; 32] = Sha256::digest(serde_json::to_vec(&document)?).into();
        let same_as = seen
            .iter()
            .find(|(other, _)| *other == digest)
            .map(|(_, version)| *version);
        seen.push((digest, version.version));
        let plan = stored::read(&document).ok();
        let changes = match (&before, &plan) {
            (_, None) => "cannot be read by this version of switchboard".into(),
            (None, Some(_)) => "the first".into(),
            (Some(None), Some(_)) => "the one before cannot be read".into(),
            (Some(Some(before)), Some(plan)) => match diff::summary(&diff::diff(before, plan)) {
                none if none.is_empty() => "no difference in meaning".into(),
                summary => summary,
            },
        };
        before = Some(plan);
        told.push(Told {
            version,
            changes,
            same_as,
        });
    }
    Ok(told)
}

fn row(told: &Told, in_force: u32) -> [String; 5] {
    let version = &told.version;
    let mark = if version.version == in_force {
        " (in force)"
    } else {
        ""
    };
    let same = told
        .same_as
        .map_or(String::new(), |same| format!("; as version {same}"));
    [
        format!("{}{mark}", version.version),
        version.activated_at.to_string(),
        version.actor.clone(),
        version.cause.clone(),
        format!("{}{same}", told.changes),
    ]
}

fn value(told: &Told, in_force: u32) -> Value {
    let version = &told.version;
    json!({
        "version": version.version,
        "in_force": version.version == in_force,
        "activated_at": version.activated_at.to_string(),
        "actor": version.actor,
        "cause": version.cause,
        "changes": told.changes,
        "same_as": told.same_as,
    })
}
