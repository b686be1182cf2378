//! `switchboard plan rollback`.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::files::complain;
use super::stored::Releases;
use crate::cli::print::say;
use crate::cli::{CliError, Done, connect, print};
use crate::contract::plan::{self, Checked};
use crate::domain::bulk::{MAX_ITEMS, Made};
use crate::domain::condition::Condition;
use crate::domain::nearest::did_you_mean;
use crate::domain::plan::Plan;
use crate::store::Store;
use crate::worker::visit::{self, Applied};

/// Put an old plan in force again, as a new version. Takes effect at once; needs no running worker.
///
/// With --reassign, what the plan before (or one rule of it) has assigned is routed again under the restored plan: open
/// conversations that an automatic choice gave to somebody who has not replied since, and that nobody has moved, held or
/// closed since. Workers carry that out, as a bulk; its end is the event bulk.completed.
///
/// Example: switchboard plan rollback --tenant acme
///
/// Example: switchboard plan rollback 3 --tenant acme --reassign
///
/// Example: switchboard plan rollback --tenant acme --reassign --rule "french billing"
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The version to restore; the one before the present one if left out.
    version: Option<u32>,
    /// Whose; may be left out while there is only one tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Also take back unreplied assignments, and route those conversations again.
    #[arg(long)]
    reassign: bool,
    /// Take back only what this rule assigned.
    #[arg(long, value_name = "NAME", requires = "reassign")]
    rule: Option<String>,
    /// Take back what this version assigned; the one in force until now if left out.
    #[arg(long, value_name = "VERSION", requires = "reassign")]
    made_by: Option<u32>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What came of restoring a version.
struct Restored {
    version: u32,
    unchanged: bool,
}

/// What came of taking assignments back.
struct Rerouted {
    bulk: Uuid,
    conversations: usize,
}

impl Rerouted {
    /// Whether there may be more: it is as large as a bulk can be.
    fn is_full(&self) -> bool {
        self.conversations >= MAX_ITEMS
    }
}

pub async fn run(arguments: Arguments) -> Done {
    let store = connect::store()?;
    let session = store.session().await?;
    let releases = Releases::of(&session, arguments.tenant.as_deref()).await?;
    let wanted = match arguments.version {
        Some(version) => version,
        None => releases.before(releases.in_force).await?,
    };
    let checked = plan::from_json(&releases.document(wanted).await?).map_err(|faults| {
        let name = format!("{} version {wanted}", releases.tenant);
        complain(&name, &faults, "error");
        CliError::from("nothing was rolled back: it is no good plan for this version of switchboard")
    })?;
    let made = Made {
        version: arguments.made_by.unwrap_or(releases.in_force),
        rule: arguments.rule.as_deref().map(Arc::from),
    };
    if arguments.reassign {
        exists(&releases, &made).await?;
    }
    let tenant = releases.tenant.clone();
    let texts = over_texts(&checked.plan);
    drop(session);
    let restored = restore(&store, checked).await?;
    if !arguments.json {
        say!("{}", told(&tenant, wanted, &restored));
    }
    let mut rerouted = None;
    if arguments.reassign {
        if restored.unchanged && arguments.made_by.is_none() {
            return Err("nothing was rolled back: say with --made-by whose assignments to take back".into());
        }
        rerouted = Some(reroute(&store, &tenant, made.clone()).await?);
    }
    if arguments.json {
        let bulk = rerouted.as_ref();
        print::json(&json!({
            "tenant": tenant.as_str(), "restored": wanted, "version": restored.version, "unchanged": restored.unchanged,
            "bulk": bulk.map(|bulk| bulk.bulk), "conversations": bulk.map(|bulk| bulk.conversations),
            "more": bulk.map(Rerouted::is_full),
        }))?;
    } else if let Some(rerouted) = rerouted {
        say!("{}", told_of(&made, &rerouted));
        if rerouted.conversations > 0 && !texts.is_empty() {
            say!(
                "rules over texts cannot match, because texts are not kept: {}",
                texts.join(", ")
            );
        }
        if rerouted.is_full() {
            let rule = arguments
                .rule
                .map_or(String::new(), |rule| format!(" --rule '{rule}'"));
            say!(
                "a bulk takes {MAX_ITEMS}; take back the rest with: switchboard plan rollback {wanted} --tenant {tenant} \
                --reassign --made-by {}{rule}",
                made.version
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether there is what is to be taken back, before anything is changed: a name with a slip in it would take back nothing.
async fn exists(releases: &Releases<'_>, made: &Made) -> Result<(), CliError> {
    let document = releases.document(made.version).await?;
    let Some(rule) = &made.rule else {
        return Ok(());
    };
    let rules = document.get("rules").and_then(serde_json::Value::as_array);
    let names: Vec<&str> = rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.get("name")?.as_str())
        .collect();
    if names.contains(&&**rule) {
        return Ok(());
    }
    let hint = did_you_mean(rule, names);
    Err(format!(
        "nothing was rolled back: version {} has no rule {rule}{hint}",
        made.version
    )
    .into())
}

/// The same way as any other plan: checked against what is there now, under the same locks.
async fn restore(store: &Store, checked: Checked) -> Result<Restored, CliError> {
    let partitions = connect::partitions(store).await?;
    let Checked { plan, document, .. } = checked;
    match visit::apply_plan(store, partitions, Arc::new(plan), document, &cause()).await? {
        Applied::Activated { version, unchanged } => Ok(Restored { version, unchanged }),
        Applied::Refused { message, errors } => {
            complain("the old plan", &errors, "error");
            Err(format!("nothing was rolled back: {message}").into())
        }
    }
}

async fn reroute(
    store: &Store,
    tenant: &crate::domain::ids::Tenant,
    made: Made,
) -> Result<Rerouted, CliError> {
    let partitions = connect::partitions(store).await?;
    let bulk = Uuid::new_v4();
    match visit::reroute(store, partitions, tenant, bulk, made, &cause()).await? {
        Ok(conversations) => Ok(Rerouted { bulk, conversations }),
        Err(message) => {
            Err(format!("the plan is restored, but no assignment was taken back: {message}").into())
        }
    }
}

fn cause() -> String {
    format!("cli/{}", Uuid::new_v4())
}

fn told(tenant: &crate::domain::ids::Tenant, wanted: u32, restored: &Restored) -> String {
    let Restored { version, unchanged } = restored;
    if *unchanged {
        format!("{tenant}: version {wanted} is what version {version} says, which is in force: unchanged")
    } else {
        format!("{tenant}: plan version {version} is in force; it says what version {wanted} said")
    }
}

fn told_of(made: &Made, rerouted: &Rerouted) -> String {
    let by = match &made.rule {
        Some(rule) => format!("rule {rule} of version {}", made.version),
        None => format!("version {}", made.version),
    };
    let bulk = rerouted.bulk;
    match rerouted.conversations {
        0 => format!("bulk {bulk}: nothing that {by} assigned is left to take back"),
        1 => format!("bulk {bulk}: 1 conversation that {by} assigned is routed again"),
        more => format!("bulk {bulk}: {more} conversations that {by} assigned are routed again"),
    }
}

/// Rules that ask what the customer wrote.
fn over_texts(plan: &Plan) -> Vec<String> {
    let reads = |condition: &Condition| condition.reads_text();
    let over = plan
        .rules
        .iter()
        .filter(|rule| rule.when.as_ref().is_some_and(reads));
    over.map(|rule| rule.name.to_string()).collect()
}
