//! `switchboard audit`: every promise that data can show, checked.

use std::process::ExitCode;

use super::print::say;
use super::{Done, connect, print};
use crate::worker::audit;

/// Check every promise that data can show. Exit code 1 if one is broken.
///
/// Healing is the workers' own: they search for stranded conversations every minute, under their locks.
///
/// Example: switchboard audit
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> Done {
    let findings = audit::run(&connect::store()?).await?;
    let violations: i64 = findings.iter().map(|finding| finding.violations).sum();
    if arguments.json {
        print::json(&findings)?;
    } else {
        for finding in &findings {
            let state = if finding.violations == 0 {
                "good".into()
            } else {
                format!("{} found", finding.violations)
            };
            say!("{}  {:<9} {}", finding.promise, state, finding.check);
            for example in &finding.examples {
                say!("      {example}");
            }
        }
    }
    Ok(if violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
