//! The page about simulations shows what its commands print. To write it anew after a change that is meant:
//! `SWITCHBOARD_WRITE_DOCS=1 cargo test --test pure simulate::docs`.

use std::path::PathBuf;
use std::process::Command;

const FENCE: &str = "```";
const CONSOLE: &str = "```console";
const PROMPT: &str = "$ switchboard ";

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// What a command line of the page prints, in the folder of its files.
fn printed(line: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_switchboard"))
        .args(line.split_whitespace())
        .current_dir(docs().join("simulate"))
        .env_remove("DATABASE_URL")
        .output()
        .expect("the program runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {complaint}");
    String::from_utf8(output.stdout).expect("it is text")
}

/// The page with what its commands print today.
fn as_of_today(page: &str) -> String {
    let mut written = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        if line != CONSOLE {
            continue;
        }
        let command = lines.next().expect("a console begins with a command");
        let arguments = command.strip_prefix(PROMPT).expect("the command is ours");
        written.push_str(command);
        written.push('\n');
        written.push_str(&printed(arguments));
        written.push_str(FENCE);
        written.push('\n');
        assert!(lines.by_ref().any(|line| line == FENCE), "the console ends");
    }
    written
}

#[test]
fn the_page_shows_what_its_commands_print() {
    let path = docs().join("simulate.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let today = as_of_today(&page);
    assert!(
        today.contains("\n$ switchboard simulate "),
        "there is something to run"
    );
    if std::env::var_os("SWITCHBOARD_WRITE_DOCS").is_some() {
        std::fs::write(&path, &today).expect("the page can be written");
    }
    let differs = page
        .lines()
        .zip(today.lines())
        .find(|(page, today)| page != today);
    assert!(
        page == today,
        "docs/simulate.md is out of date; first: {differs:#?}"
    );
}

#[test]
fn the_files_that_the_page_shows_are_the_files() {
    let page = std::fs::read_to_string(docs().join("simulate.md")).expect("the page is there");
    for (language, file) in [
        ("toml", "shifts.toml"),
        ("toml", "traffic.toml"),
        ("json", "trace.jsonl"),
    ] {
        let text = std::fs::read_to_string(docs().join("simulate").join(file)).expect("the file is there");
        let without_comments: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let shown = format!("{FENCE}{language}\n{}\n{FENCE}\n", without_comments.join("\n"));
        assert!(page.contains(&shown), "{file} is not shown as it is");
    }
}
