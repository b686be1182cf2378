//! From text to syntax tree, with a parser that is not trusted: it is given a stack of its own, and may panic there.

use std::thread;

use cel::ParseErrors;
use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::Parser;

use super::CompileError;

/// Longest condition, in bytes. Parsing is the slowest thing done with one, and a rule nobody can read routes nothing well.
pub const MAX_SOURCE_BYTES: usize = 2_000;

/// Expressions inside each other that the parser follows.
const MAX_NESTING: u16 = 24;

/// Syntax errors after which the parser gives up; one is reported.
const MAX_RECOVERIES: u32 = 4;

/// The stack parsing gets, in bytes: it recurses a dozen functions for each pair of brackets, and the worst input found
/// needed eight megabytes in a build without optimisation. Only what is used of it is ever taken from the machine.
const STACK_BYTES: usize = 32 << 20;

/// Where the parts of a condition stand in its text.
pub(super) struct Places<'a> {
    source: &'a str,
    known: SourceInfo,
}

impl Places<'_> {
    /// An error about the part with this id.
    pub fn error(&self, id: u64, message: impl Into<String>) -> CompileError {
        self.error_at(self.start(id), message)
    }

    /// An error about the name behind the dot that has this id.
    pub fn error_after(&self, id: u64, message: impl Into<String>) -> CompileError {
        self.error_at(self.start(id) + 1, message)
    }

    fn start(&self, id: u64) -> usize {
        self.known.offset_for(id).map_or(0, |(start, _)| start as usize)
    }

    /// An error so many bytes into the text.
    fn error_at(&self, offset: usize, message: impl Into<String>) -> CompileError {
        let (mut line, mut column) = (1, 1);
        for (_, character) in self.source.char_indices().take_while(|(at, _)| *at < offset) {
            (line, column) = if character == '\n' {
                (line + 1, 1)
            } else {
                (line, column + 1)
            };
        }
        CompileError {
            line,
            column,
            message: message.into(),
        }
    }
}

/// Runs the work where a deep recursion cannot end the process, and where a panic ends only the work.
pub(super) fn on_a_stack_of_its_own<T: Send>(
    work: impl FnOnce() -> Result<T, CompileError> + Send,
) -> Result<T, CompileError> {
    let outcome = thread::scope(|scope| {
        let builder = thread::Builder::new()
            .name("condition".into())
            .stack_size(STACK_BYTES);
        builder.spawn_scoped(scope, work).map(|thread| thread.join())
    });
    match outcome {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(at_the_start("it cannot be understood")),
        Err(_) => Err(at_the_start(
            "could not be compiled: the machine has no thread to spare",
        )),
    }
}

/// Parses a condition.
pub(super) fn parse(source: &str) -> Result<(IdedExpr, Places<'_>), CompileError> {
    if source.trim().is_empty() {
        return Err(at_the_start(
            "it is empty; leave `when` out of a rule that always applies",
        ));
    }
    if source.len() > MAX_SOURCE_BYTES {
        return Err(at_the_start(format!(
            "it is longer than {MAX_SOURCE_BYTES} bytes"
        )));
    }
    let parser = Parser::new()
        .max_recursion_depth(MAX_NESTING)
        .error_recovery_limit(MAX_RECOVERIES);
    let (expression, known) = parser.parse_with_source_info(source).map_err(first)?;
    Ok((expression, Places { source, known }))
}

fn first(errors: ParseErrors) -> CompileError {
    let place = |number: isize| u32::try_from(number).unwrap_or(1).max(1);
    match errors.errors.first() {
        Some(error) => CompileError {
            line: place(error.pos.0),
            column: place(error.pos.1),
            message: readable(&error.msg),
        },
        None => at_the_start("it cannot be understood"),
    }
}

/// The parser's words, as far as they are meant for people.
fn readable(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    if message.contains("Recursion limit") {
        return format!("it is nested more than {MAX_NESTING} deep");
    }
    if message.starts_with("token recognition error at: '=") {
        return "a single = means nothing here; equal is ==".to_owned();
    }
    // What would have been right instead is a list of every token there is.
    let end = message.find(" expecting {").unwrap_or(message.len());
    message[..end].to_owned()
}

fn at_the_start(message: impl Into<String>) -> CompileError {
    CompileError {
        line: 1,
        column: 1,
        message: message.into(),
    }
}
