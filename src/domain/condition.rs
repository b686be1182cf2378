//! Rule conditions: CEL over what is known of a message, its customer and its conversation.
//!
//! The interpreter has no meter, so the cost is bounded before: a condition is short ([`MAX_SOURCE`]), small
//! ([`MAX_NODES`]), and loops only once over something ([`MAX_LOOPS`]), which is a contact's bounded attributes or a list
//! written in the condition itself; texts are cut at the door, and its regular expressions run in linear time.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Program, Value};
use jiff::Zoned;
use jiff::civil::Weekday;

use super::conversation::{Conversation, Priority};
use super::input::Message;

/// Longest condition, in bytes.
pub const MAX_SOURCE: usize = 2_000;
/// Most parts (operators, names, values) in a condition.
pub const MAX_NODES: usize = 400;
/// Loops (`all`, `exists`, `map`, `filter`) that may stand inside each other.
pub const MAX_LOOPS: usize = 1;

/// What a condition may ask, by variable.
const VARIABLES: &[(&str, &[&str])] = &[
    ("message", &["kind", "text", "referral", "reply_to"]),
    (
        "contact",
        &["name", "language", "country", "attributes", "returning"],
    ),
    ("channel", &["key"]),
    (
        "conversation",
        &["episode", "previous_owner", "priority", "waiting"],
    ),
    ("now", &["hour", "weekday", "working"]),
];

/// A compiled condition.
#[derive(Clone)]
pub struct Condition {
    source: Arc<str>,
    program: Arc<Program>,
    reads_text: bool,
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

/// What a condition is asked about.
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
    /// Compiles a condition, and refuses what it could never answer: unknown names, or more work than is allowed.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        if source.len() > MAX_SOURCE {
            return Err(anywhere(format!("is longer than {MAX_SOURCE} bytes")));
        }
        // The parser is generated code that has panicked on odd input before.
        let compiled = catch_unwind(AssertUnwindSafe(|| Program::compile(source)));
        let program = compiled
            .map_err(|_| anywhere("cannot be parsed".into()))?
            .map_err(first_error)?;
        let mut survey = Survey {
            source,
            program: &program,
            nodes: 0,
            reads_text: false,
            bound: Vec::new(),
        };
        survey.visit(program.expression(), 0)?;
        let reads_text = survey.reads_text;
        Ok(Self {
            source: source.into(),
            program: Arc::new(program),
            reads_text,
        })
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it asks for the text of the message.
    pub fn reads_text(&self) -> bool {
        self.reads_text
    }

    /// Whether it holds.
    pub fn holds(&self, facts: &Facts<'_>) -> Result<bool, EvaluationError> {
        let references = self.program.references();
        let mut context = Context::default();
        for (variable, _) in VARIABLES.iter().filter(|(name, _)| references.has_variable(name)) {
            context.add_variable_from_value(*variable, facts.value_of(variable));
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(_) => Err(EvaluationError("the condition is neither true nor false".into())),
            Err(error) => Err(EvaluationError(error.to_string())),
        }
    }
}

impl Facts<'_> {
    fn value_of(&self, variable: &str) -> Value {
        let contact = &self.conversation.contact;
        let fields: Vec<(&str, Value)> = match variable {
            "message" => {
                let text = |part: fn(&Message) -> &Arc<str>| {
                    self.message.map_or("", |message| &**part(message)).into()
                };
                vec![
                    ("kind", text(|message| &message.kind)),
                    ("text", text(|message| &message.text)),
                    ("referral", text(|message| &message.referral)),
                    ("reply_to", text(|message| &message.reply_to)),
                ]
            }
            "contact" => {
                let attributes = contact.attributes.iter();
                let attributes: HashMap<&str, &str> =
                    attributes.map(|(name, value)| (&**name, &**value)).collect();
                vec![
                    ("name", (&*contact.name).into()),
                    ("language", (&*contact.language).into()),
                    ("country", (&*contact.country).into()),
                    ("attributes", attributes.into()),
                    ("returning", Value::Bool(self.conversation.episode > 1)),
                ]
            }
            "channel" => vec![("key", self.conversation.channel.as_str().into())],
            "conversation" => {
                let waits = self
                    .now
                    .timestamp()
                    .duration_since(self.conversation.waits_from());
                let previous = self
                    .conversation
                    .last_owner
                    .as_ref()
                    .map_or("", |owner| owner.as_str());
                vec![
                    ("episode", Value::Int(i64::from(self.conversation.episode))),
                    ("previous_owner", previous.into()),
                    ("priority", priority(self.conversation.priority).into()),
                    ("waiting", Value::Int(waits.as_secs().max(0))),
                ]
            }
            _ => vec![
                ("hour", Value::Int(i64::from(self.now.hour()))),
                ("weekday", weekday(self.now.weekday()).into()),
                // Always, until a plan's calendars are in force.
                ("working", Value::Bool(true)),
            ],
        };
        fields.into_iter().collect::<HashMap<&str, Value>>().into()
    }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}

/// A walk through a program before it is accepted.
struct Survey<'a> {
    source: &'a str,
    program: &'a Program,
    nodes: usize,
    reads_text: bool,
    /// Names that a loop around the present part has bound.
    bound: Vec<&'a str>,
}

impl<'a> Survey<'a> {
    fn visit(&mut self, node: &'a IdedExpr, loops: usize) -> Result<(), CompileError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(anywhere(format!("has more than {MAX_NODES} parts")));
        }
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) => {
                if let Expr::Ident(variable) = &select.operand.expr {
                    self.field(node, variable, &select.field)?;
                }
                self.visit(&select.operand, loops)
            }
            Expr::Call(call) => {
                let parts = call.target.iter().map(|target| &**target).chain(&call.args);
                // `message["text"]` reads the text as well, whatever stands in the brackets.
                let whole_message =
                    |part: &&IdedExpr| matches!(&part.expr, Expr::Ident(name) if name == "message");
                self.reads_text |= parts.clone().any(|part| whole_message(&part));
                parts.into_iter().try_for_each(|part| self.visit(part, loops))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|part| self.visit(part, loops)),
            Expr::Map(map) => map
                .entries
                .iter()
                .try_for_each(|entry| self.entry(&entry.expr, loops)),
            Expr::Struct(_) => Err(self.at(node, "makes a structure, which no condition needs".into())),
            Expr::Comprehension(comprehension) => {
                if loops >= MAX_LOOPS {
                    return Err(self.at(node, "loops inside a loop".into()));
                }
                self.visit(&comprehension.iter_range, loops)?;
                let outside = self.bound.len();
                self.bound.push(&comprehension.iter_var);
                self.bound.extend(comprehension.iter_var2.as_deref());
                self.bound.push(&comprehension.accu_var);
                let parts = [
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ];
                parts
                    .into_iter()
                    .try_for_each(|part| self.visit(part, loops + 1))?;
                self.bound.truncate(outside);
                Ok(())
            }
        }
    }

    fn entry(&mut self, entry: &'a EntryExpr, loops: usize) -> Result<(), CompileError> {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, loops)?;
                self.visit(&entry.value, loops)
            }
            EntryExpr::StructField(field) => self.visit(&field.value, loops),
        }
    }

    fn name(&self, node: &IdedExpr, name: &str) -> Result<(), CompileError> {
        let known = VARIABLES.iter().any(|(variable, _)| *variable == name) || self.bound.contains(&name);
        if known {
            return Ok(());
        }
        let all: Vec<&str> = VARIABLES.iter().map(|(variable, _)| *variable).collect();
        Err(self.at(
            node,
            format!("asks for {name}, which is none of {}", all.join(", ")),
        ))
    }

    fn field(&mut self, node: &IdedExpr, variable: &str, field: &str) -> Result<(), CompileError> {
        if self.bound.contains(&variable) {
            return Ok(());
        }
        let Some((_, fields)) = VARIABLES.iter().find(|(name, _)| *name == variable) else {
            return Ok(());
        };
        if !fields.contains(&field) {
            let known = fields.join(", ");
            return Err(self.at(
                node,
                format!("asks for {variable}.{field}; {variable} has {known}"),
            ));
        }
        self.reads_text |= variable == "message" && field == "text";
        Ok(())
    }

    fn at(&self, node: &IdedExpr, message: String) -> CompileError {
        let offset = self
            .program
            .source_info()
            .offset_for(node.id)
            .map_or(0, |(start, _)| start as usize);
        let before: String = self.source.chars().take(offset).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        // A condition is far shorter than a u32 counts.
        CompileError {
            line: line as u32,
            column: column as u32,
            message,
        }
    }
}

fn anywhere(message: String) -> CompileError {
    CompileError {
        line: 1,
        column: 1,
        message,
    }
}

fn first_error(errors: cel::ParseErrors) -> CompileError {
    let place = |n: isize| u32::try_from(n).unwrap_or(1).max(1);
    match errors.errors.first() {
        Some(error) => CompileError {
            line: place(error.pos.0),
            column: place(error.pos.1),
            message: error.msg.clone(),
        },
        None => anywhere("cannot be parsed".into()),
    }
}
