//! Rule conditions: CEL over what is known of a message, its customer and its conversation.
//!
//! A condition is compiled once, when its plan is read, and asked many times. Compiling refuses what could only fail or
//! mislead later: unknown names and functions, values of the wrong kind, a result that is neither true nor false.
//!
//! The interpreter has no meter, so what an answer may cost is bounded beforehand. `work` adds up what every part of a
//! condition can do at worst, from the longest values there are, and `review` refuses sums above [`MAX_WORK`]; loops multiply.
//! Nothing can make it run longer: CEL has no recursion and no unbounded loop, every function that is let in is linear
//! in what it is given, and regular expressions are literals, compiled here within a size (`pattern`).
//!
//! Architecture invariant: no value of a fact leaves here except as true or false; an error says only what kind it is,
//! because its words could hold a customer's.

mod facts;
mod kind;
mod parse;
mod pattern;
mod review;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::common::types::CelBool;
use cel::{Context, ExecutionError, Value};

pub use facts::{Facts, MAX_TEXT_BYTES};
pub use parse::MAX_SOURCE_BYTES;
pub use review::{MAX_DEPTH, MAX_WORK};

use facts::Variables;
use pattern::Pattern;

pub use review::Reads;

/// A compiled condition: cheap to clone, shared by every lane.
#[derive(Clone)]
pub struct Condition(Arc<Compiled>);

struct Compiled {
    source: String,
    expression: IdedExpr,
    patterns: Vec<Pattern>,
    reads: Reads,
    always: bool,
    work: u64,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.source)
    }
}

/// Why a text is no condition, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong, for people.
    pub message: String,
}

/// Why a condition gave no answer: counts as no match. Deliberately without the values it failed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// It asked a map for a key, or a list for a place, that is not there.
    #[error("a key is not there")]
    NoSuchKey,
    /// It combined values that do not go together.
    #[error("values of the wrong kind")]
    WrongKind,
    /// A number left its range, or was divided by zero.
    #[error("a number out of range")]
    OutOfRange,
    /// The answer is neither true nor false.
    #[error("neither true nor false")]
    NoAnswer,
    /// A function could not do its work: `int("x")`.
    #[error("a function failed")]
    Failed,
    /// The interpreter panicked: a defect in it, and worth a report.
    #[error("the interpreter panicked")]
    Panicked,
}

impl Condition {
    /// Compiles a condition, or says what is wrong with it and where.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        parse::on_a_stack_of_its_own(|| {
            let (mut expression, places) = parse::parse(source)?;
            let verdict = review::review(&mut expression, &places)?;
            Ok(Self(Arc::new(Compiled {
                source: source.to_owned(),
                expression,
                patterns: verdict.patterns,
                reads: verdict.reads,
                always: verdict.always,
                work: verdict.work,
            })))
        })
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What it asks that has to be found out for it.
    pub fn reads(&self) -> Reads {
        self.0.reads
    }

    /// Whether it asks for the text of the message.
    pub fn reads_text(&self) -> bool {
        self.0.reads.text
    }

    /// Whether it is just `true`: it matches everything.
    pub fn is_always(&self) -> bool {
        self.0.always
    }

    /// What one answer costs at worst, in units of about a nanosecond; at most [`MAX_WORK`].
    pub fn work(&self) -> u64 {
        self.0.work
    }

    /// How many regular expressions it keeps compiled.
    pub fn patterns(&self) -> usize {
        self.0.patterns.len()
    }

    /// Whether it holds.
    pub fn holds(&self, facts: &Facts<'_>) -> Result<bool, EvaluationError> {
        let variables = Variables {
            facts,
            patterns: &self.0.patterns,
        };
        let mut context = Context::with_env(pattern::environment());
        context.set_variable_resolver(&variables);
        // No accepted program is known to panic in the interpreter; if one does, it is a failed condition, not a
        // failed batch. What it may leave half-done is the context, which nobody sees again.
        let answered = catch_unwind(AssertUnwindSafe(|| {
            let value = Value::resolve_val(&self.0.expression, &context)?;
            Ok(value.downcast_ref::<CelBool>().map(|answer| *answer.inner()))
        }));
        match answered {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(EvaluationError::NoAnswer),
            Ok(Err(error)) => Err(EvaluationError::of(&error)),
            Err(_panic) => Err(EvaluationError::Panicked),
        }
    }
}

impl EvaluationError {
    /// The kind of an interpreter's error, without the values in it.
    fn of(error: &ExecutionError) -> Self {
        match error {
            ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_) => Self::NoSuchKey,
            ExecutionError::NoSuchOverload(_)
            | ExecutionError::UnexpectedType { .. }
            | ExecutionError::UnsupportedBinaryOperator(..)
            | ExecutionError::UnsupportedIndex(..)
            | ExecutionError::UnsupportedKeyType(_)
            | ExecutionError::ValuesNotComparable(..) => Self::WrongKind,
            ExecutionError::Overflow(..)
            | ExecutionError::DivisionByZero(_)
            | ExecutionError::RemainderByZero(_) => Self::OutOfRange,
            _ => Self::Failed,
        }
    }
}
