//! `switchboard plan show`.

use std::process::ExitCode;

use super::stored::Releases;
use crate::cli::{Done, connect, print};

pub async fn run(tenant: Option<String>, version: Option<u32>) -> Done {
    let session = connect::store()?.session().await?;
    let releases = Releases::of(&session, tenant.as_deref()).await?;
    let version = version.unwrap_or(releases.in_force);
    let document = releases.document(version).await?;
    print::json(&serde_json::json!({ "version": version, "plan": document }))?;
    Ok(ExitCode::SUCCESS)
}
