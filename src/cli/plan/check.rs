//! `switchboard plan check`.

use std::path::Path;
use std::process::ExitCode;

use super::files::{complain, read};
use crate::cli::print::say;
use crate::cli::{Done, print};
use crate::domain::input::Fault;

pub fn run(file: &Path, json: bool) -> Done {
    let (faults, warnings) = match read(file)? {
        Ok(checked) => (Vec::new(), checked.warnings),
        Err(faults) => (faults, Vec::new()),
    };
    if json {
        let list = |faults: &[Fault]| faults.iter().map(fault_value).collect::<Vec<_>>();
        print::json(&serde_json::json!({ "errors": list(&faults), "warnings": list(&warnings) }))?;
    } else {
        let name = file.display().to_string();
        complain(&name, &faults, "error");
        complain(&name, &warnings, "warning");
        if faults.is_empty() {
            say!("{name}: good");
        }
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn fault_value(fault: &Fault) -> serde_json::Value {
    serde_json::json!({
        "path": fault.path, "line": fault.line, "column": fault.column, "message": fault.message,
    })
}
