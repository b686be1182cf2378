//! `switchboard dead`: what could not be used, and trying it again.

use std::process::ExitCode;

use clap::Subcommand;
use lapin::Connection;

use super::print::say;
use super::{CliError, Done, connect, print};
use crate::broker::dead::{DeadLetter, DeadQueue};
use crate::broker::{Publisher, Topology};

/// Letters looked at unless asked for more.
const LIMIT: usize = 100;

/// Look at dead letters, or put them back where they came in.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what could not be used, and why. Changes nothing.
    ///
    /// Example: switchboard dead list --json
    List {
        /// At most this many, the oldest first.
        #[arg(long, default_value_t = LIMIT)]
        limit: usize,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print one dead letter's body.
    Show {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Put dead letters back where they came in. Each leaves the dead queue once the broker has confirmed it there.
    ///
    /// Example: switchboard dead replay --reason unknown_channel --dry-run
    Replay {
        /// Only this one.
        #[arg(long)]
        id: Option<String>,
        /// Only those with this reason.
        #[arg(long)]
        reason: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = LIMIT)]
        limit: usize,
        /// Say what would be replayed, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

pub async fn run(command: Command) -> Done {
    let (connection, prefix) = connect::broker().await?;
    let topology = Topology::new(&prefix, 1);
    let queue = DeadQueue::open(&connection, &topology).await?;
    let done = match command {
        Command::List { limit, json } => list(&queue, limit, json).await,
        Command::Show { id } => show(&queue, &id).await,
        Command::Replay {
            id,
            reason,
            limit,
            dry_run,
        } => {
            let mut publisher = Publisher::open(&connection, &topology).await?;
            let wanted = |letter: &DeadLetter| {
                id.as_ref().is_none_or(|id| *id == letter.epitaph.id)
                    && reason
                        .as_ref()
                        .is_none_or(|reason| *reason == letter.epitaph.reason)
            };
            replay(
                &queue,
                (&connection, &topology),
                &mut publisher,
                wanted,
                limit,
                dry_run,
            )
            .await
        }
    };
    queue.close().await;
    let _ = connection.close(200, "done".into()).await;
    done
}

async fn list(queue: &DeadQueue, limit: usize, json: bool) -> Done {
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(letter) = queue.next().await?
    {
        found.push(letter.epitaph);
    }
    if json {
        print::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<_> = found
        .iter()
        .map(|one| {
            [
                one.id.get(..8).unwrap_or(&one.id).to_owned(),
                one.at.clone(),
                one.reason.clone(),
                one.origin.queue.clone(),
                one.redrives.to_string(),
                one.detail.clone(),
            ]
        })
        .collect();
    print::table(["id", "at", "reason", "queue", "redrives", "detail"], &rows);
    Ok(ExitCode::SUCCESS)
}

async fn show(queue: &DeadQueue, id: &str) -> Done {
    while let Some(letter) = queue.next().await? {
        if letter.epitaph.id.starts_with(id) {
            say!("{}", String::from_utf8_lossy(&letter.delivery.body));
            return Ok(ExitCode::SUCCESS);
        }
    }
    Err(CliError::from(format!("there is no dead letter {id}")))
}

async fn replay(
    queue: &DeadQueue,
    (connection, topology): (&Connection, &Topology),
    publisher: &mut Publisher,
    wanted: impl Fn(&DeadLetter) -> bool,
    limit: usize,
    dry_run: bool,
) -> Done {
    // Everything is read before anything is put back: what is replayed may die again and come round.
    let mut letters = Vec::new();
    while letters.len() < limit
        && let Some(letter) = queue.next().await?
    {
        if wanted(&letter) {
            letters.push(letter);
        }
    }
    for letter in &letters {
        let what = if dry_run { "would replay" } else { "replayed" };
        if !dry_run {
            queue.replay(letter, connection, publisher, topology).await?;
        }
        say!("{what} {} ({})", letter.epitaph.id, letter.epitaph.reason);
    }
    say!("{} dead letters", letters.len());
    Ok(ExitCode::SUCCESS)
}
