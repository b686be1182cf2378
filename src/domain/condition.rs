//! Rule conditions: CEL over what is known of a message, its customer and its conversation.

use std::sync::Arc;

use jiff::Zoned;

use super::conversation::Conversation;
use super::input::Message;

/// A compiled condition.
#[derive(Clone)]
pub struct Condition {
    source: Arc<str>,
    program: Arc<cel::Program>,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.source)
    }
}

/// Why a text is no condition, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// For people.
    pub message: String,
}

/// What a condition may ask.
pub struct Facts<'a> {
    /// The message being routed; none when a conversation is routed again without one.
    pub message: Option<&'a Message>,
    /// The conversation (as it stands after opening), with its contact and channel.
    pub conversation: &'a Conversation,
    /// The decision's time in the plan's time zone.
    pub now: Zoned,
}

/// A condition that failed where it should have answered: counts as no match.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvaluationError(pub String);

impl Condition {
    /// Compiles a condition.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        match cel::Program::compile(source) {
            Ok(program) => Ok(Self {
                source: source.into(),
                program: Arc::new(program),
            }),
            Err(error) => Err(CompileError {
                line: 1,
                column: 1,
                message: error.to_string(),
            }),
        }
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it asks for the text of the message.
    pub fn reads_text(&self) -> bool {
        self.source.contains("text")
    }

    /// Whether it holds.
    pub fn holds(&self, facts: &Facts<'_>) -> Result<bool, EvaluationError> {
        let mut context = cel::Context::default();
        context.add_variable_from_value("channel", facts.conversation.channel.as_str());
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(answer)) => Ok(answer),
            Ok(_) => Err(EvaluationError("not a boolean".into())),
            Err(error) => Err(EvaluationError(error.to_string())),
        }
    }
}
