//! Tables and JSON on standard output.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::CliError;

/// Writes to standard output. Whoever reads a pipe may stop early (`| head`): that ends the output, not the program.
pub fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tracing::warn!(%error, "standard output cannot be written");
        }
        Ok(()) | Err(_) => {}
    }
}

/// Prints JSON, indented.
pub fn json(value: &impl Serialize) -> Result<(), CliError> {
    say!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints rows under a heading, every column as wide as its widest cell.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heading[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    say!("{}", line(heading));
    for row in rows {
        say!("{}", line(std::array::from_fn(|column| row[column].as_str())));
    }
}

/// A text, or a dash where there is none.
pub fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

/// `println!` that survives a closed pipe.
macro_rules! say {
    ($($argument:tt)*) => { $crate::cli::print::write(&format!("{}\n", format_args!($($argument)*))) };
}
pub(super) use say;
