//! The walk through a parsed condition that decides whether it is let in: names, kinds, and what it costs at worst.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr};

use super::super::nearest::did_you_mean;
use super::CompileError;
use super::facts::{Fact, SUBJECTS};
use super::kind::{FUNCTIONS, Function, Kind, MACROS, MATCHES};
use super::parse::Places;
use super::pattern::{self, Pattern};
use super::work::{self, Part};

/// Most that one answer may cost at worst, in units of about a nanosecond: two milliseconds. Looking for two hundred
/// words in the longest text is within it; looking for every attribute in every other, and that in a text, is not.
pub const MAX_WORK: u64 = 2_000_000;

/// Expressions inside each other: the interpreter recurses this deep.
pub const MAX_DEPTH: usize = 32;

/// Regular expressions in one condition: each keeps memory for as long as its plan is in force.
const MAX_PATTERNS: usize = 8;

/// What a condition asks that costs something to find out, or should go no further than needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reads {
    /// The text of the message.
    pub text: bool,
    /// The customer's language.
    pub language: bool,
    /// The customer's country.
    pub country: bool,
}

impl Reads {
    fn note(&mut self, subject: &str, fact: &str) {
        match (subject, fact) {
            ("message", "text") => self.text = true,
            ("contact", "language") => self.language = true,
            ("contact", "country") => self.country = true,
            _ => {}
        }
    }

    /// What either of two conditions asks.
    pub fn or(self, other: Self) -> Self {
        Self {
            text: self.text || other.text,
            language: self.language || other.language,
            country: self.country || other.country,
        }
    }
}

/// What the walk found out.
pub(super) struct Verdict {
    pub patterns: Vec<Pattern>,
    pub reads: Reads,
    pub always: bool,
    pub work: u64,
}

/// Lets a condition in, its patterns compiled and named, or says what is wrong with it.
pub(super) fn review(expression: &mut IdedExpr, places: &Places<'_>) -> Result<Verdict, CompileError> {
    let mut review = Review {
        places,
        patterns: Vec::new(),
        reads: Reads::default(),
        bound: Vec::new(),
        depth: 0,
    };
    let whole = review.part(expression)?;
    if !whole.kind.may_be(&[Kind::Truth]) {
        let message = format!("a condition must be true or false, this is {}", whole.kind.name());
        return Err(places.error(expression.id, message));
    }
    if whole.work > MAX_WORK {
        let message = "it could take too long to answer: loop over less, or look at shorter texts";
        return Err(places.error(expression.id, message));
    }
    let always = matches!(&expression.expr, Expr::Literal(LiteralValue::Boolean(value)) if *value.inner());
    Ok(Verdict {
        patterns: review.patterns,
        reads: review.reads,
        always,
        work: whole.work,
    })
}

struct Review<'a> {
    places: &'a Places<'a>,
    patterns: Vec<Pattern>,
    reads: Reads,
    /// The names loops around the present part have bound, innermost last.
    bound: Vec<(String, Part)>,
    depth: usize,
}

type Reviewed = Result<Part, CompileError>;

impl Review<'_> {
    fn part(&mut self, node: &mut IdedExpr) -> Reviewed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!(
                "it is nested more than {MAX_DEPTH} deep: group with && and ||, or use several rules"
            );
            return Err(self.places.error(node.id, message));
        }
        let id = node.id;
        let part = match &mut node.expr {
            Expr::Literal(value) => Ok(work::literal(value)),
            Expr::Ident(name) => self.name(id, name),
            Expr::Select(select) => self.select(id, select),
            Expr::Call(call) => self.call(id, call),
            Expr::List(list) => {
                let parts = self.parts(&mut list.elements)?;
                Ok(work::collection(Kind::List, &parts))
            }
            Expr::Map(map) => {
                let mut parts = Vec::with_capacity(map.entries.len());
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        let (key, value) = (self.part(&mut entry.key)?, self.part(&mut entry.value)?);
                        let bytes = key.bytes.saturating_add(value.bytes);
                        parts.push(Part::new(Kind::Any, bytes, key.work.saturating_add(value.work)));
                    }
                }
                Ok(work::collection(Kind::Map, &parts))
            }
            Expr::Comprehension(comprehension) => self.comprehension(id, comprehension),
            Expr::Struct(_) => Err(self.places.error(id, "there are no structures here")),
            // The parser leaves it only beside an error, which was reported.
            Expr::Unspecified => Err(self.places.error(id, "it cannot be understood")),
        };
        self.depth -= 1;
        part
    }

    fn parts<'n>(
        &mut self,
        nodes: impl IntoIterator<Item = &'n mut IdedExpr>,
    ) -> Result<Vec<Part>, CompileError> {
        nodes.into_iter().map(|node| self.part(node)).collect()
    }

    /// A name by itself: a loop's or a pattern's, as the facts are always asked for by subject.
    fn name(&self, id: u64, name: &str) -> Reviewed {
        if pattern::named(name, &self.patterns).is_some() {
            return Ok(Part::small(Kind::Pattern, 0));
        }
        if let Some(part) = self.bound(name) {
            return Ok(part);
        }
        let message = match facts(name) {
            Some(facts) => format!("`{name}` cannot be asked for as a whole; it has {}", names(facts)),
            None => {
                let subjects = SUBJECTS.iter().map(|(subject, _)| *subject);
                format!("there is no `{name}`{}", did_you_mean(name, subjects))
            }
        };
        Err(self.places.error(id, message))
    }

    fn bound(&self, name: &str) -> Option<Part> {
        let found = self.bound.iter().rev().find(|(bound, _)| bound == name);
        found.map(|(_, part)| part.again())
    }

    /// `subject.fact`, or a key of a map.
    fn select(&mut self, id: u64, select: &mut SelectExpr) -> Reviewed {
        if let Expr::Ident(subject) = &select.operand.expr
            && self.bound(subject).is_none()
            && let Some(facts) = facts(subject)
        {
            return self.fact(id, subject, facts, select);
        }
        let map = self.part(&mut select.operand)?;
        if !map.kind.may_be(&[Kind::Map, Kind::Texts]) {
            let message = format!("there is no `{}` in {}", select.field, map.kind.name());
            return Err(self.places.error_after(id, message));
        }
        Ok(if select.test {
            Part::small(Kind::Truth, map.work)
        } else {
            work::element(map)
        })
    }

    fn fact(&mut self, id: u64, subject: &str, facts: &[Fact], select: &SelectExpr) -> Reviewed {
        let field = &select.field;
        let Some(fact) = facts.iter().find(|fact| fact.name == *field) else {
            let known = facts.iter().map(|fact| fact.name);
            let hint = did_you_mean(field, known);
            let message = format!("`{subject}` has no `{field}`{hint} (it has {})", names(facts));
            return Err(self.places.error_after(id, message));
        };
        if select.test {
            let message = format!("`{subject}.{field}` is always there; a text that is absent is \"\"");
            return Err(self.places.error(id, message));
        }
        self.reads.note(subject, fact.name);
        Ok(work::fact(fact))
    }

    /// `all`, `exists`, `exists_one`, `map`, `filter`, as the parser writes them out.
    fn comprehension(&mut self, id: u64, loops: &mut ComprehensionExpr) -> Reviewed {
        let range = self.part(&mut loops.iter_range)?;
        if !range.kind.may_be(&[Kind::List, Kind::Map, Kind::Texts]) {
            return Err(self
                .places
                .error(id, format!("cannot loop over {}", range.kind.name())));
        }
        if facts(&loops.iter_var).is_some() {
            let message = format!(
                "`{}` has a meaning already: name the element otherwise",
                loops.iter_var
            );
            return Err(self.places.error(id, message));
        }
        let start = self.part(&mut loops.accu_init)?;
        let outside = self.bound.len();
        self.bound
            .push((loops.iter_var.clone(), work::bound_element(range)));
        self.bound
            .push((loops.accu_var.clone(), Part { bytes: 0, ..start }));
        let again = self.part(&mut loops.loop_cond)?;
        let step = self.part(&mut loops.loop_step)?;
        let result = self.part(&mut loops.result)?;
        self.bound.truncate(outside);
        Ok(work::repeated(range, start, &[again, step], result))
    }

    fn call(&mut self, id: u64, call: &mut CallExpr) -> Reviewed {
        if call.target.is_none() && is_operator(&call.func_name) {
            let parts = self.parts(&mut call.args)?;
            return work::operation(&call.func_name, &parts)
                .map_err(|message| self.places.error(id, message));
        }
        let function = find(&call.func_name, call.target.is_some(), call.args.len());
        let function = function.map_err(|message| self.places.error(id, message))?;
        if function.name == MATCHES {
            self.take_pattern(id, call)?;
        }
        let given = self.parts(call.target.as_deref_mut().into_iter().chain(&mut call.args))?;
        work::apply(function, &given).map_err(|message| self.places.error(id, message))
    }

    /// Compiles the pattern of a `matches`, and puts its name in its place.
    fn take_pattern(&mut self, id: u64, call: &mut CallExpr) -> Result<(), CompileError> {
        let Some(last) = call.args.last_mut() else {
            return Ok(());
        };
        let Expr::Literal(LiteralValue::String(text)) = &last.expr else {
            return Err(self
                .places
                .error(id, "`matches` needs its pattern written here, between quotes"));
        };
        if self.patterns.len() == MAX_PATTERNS {
            let message =
                format!("a condition has at most {MAX_PATTERNS} patterns; one can list several words: a|b");
            return Err(self.places.error(id, message));
        }
        let pattern =
            Pattern::compile(text.inner()).map_err(|message| self.places.error(last.id, message))?;
        last.expr = Expr::Ident(pattern::name(self.patterns.len()));
        self.patterns.push(pattern);
        Ok(())
    }
}

/// Operators have names that cannot be written as a function's: `_+_`, `@in`.
fn is_operator(name: &str) -> bool {
    let in_names = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    !name.chars().all(in_names)
}

fn find(name: &str, on_something: bool, arguments: usize) -> Result<&'static Function, String> {
    let mut called_so = FUNCTIONS.iter().filter(|function| function.name == name);
    let fits =
        |function: &&Function| function.on.is_some() == on_something && function.takes.len() == arguments;
    if let Some(found) = called_so.clone().find(fits) {
        return Ok(found);
    }
    if called_so.next().is_some() || MACROS.contains(&name) {
        return Err(format!(
            "`{name}` is not used like this: it wants other arguments"
        ));
    }
    let known = FUNCTIONS
        .iter()
        .map(|function| function.name)
        .chain(MACROS.iter().copied());
    Err(format!(
        "there is no function `{name}`{}",
        did_you_mean(name, known)
    ))
}

fn facts(subject: &str) -> Option<&'static [Fact]> {
    SUBJECTS
        .iter()
        .find(|(name, _)| *name == subject)
        .map(|(_, facts)| *facts)
}

fn names(facts: &[Fact]) -> String {
    let names: Vec<&str> = facts.iter().map(|fact| fact.name).collect();
    names.join(", ")
}
