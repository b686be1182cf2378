//! Plans in files, and what is wrong with them.

use std::path::Path;

use crate::cli::CliError;
use crate::cli::print::say;
use crate::contract::plan::{self, Checked};
use crate::domain::input::Fault;

/// Reads a plan, or says everything that is wrong with it.
pub fn read(file: &Path) -> Result<Result<Checked, Vec<Fault>>, CliError> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    Ok(if is_json {
        plan::from_json_text(&text)
    } else {
        plan::from_toml(&text)
    })
}

/// Prints faults, a line each.
pub fn complain(about: &str, faults: &[Fault], what: &str) {
    for fault in faults {
        let place = match fault.line {
            0 => String::new(),
            line => format!(":{line}:{}", fault.column),
        };
        say!("{about}{place}: {what}: {} {}", fault.path, fault.message);
    }
}
