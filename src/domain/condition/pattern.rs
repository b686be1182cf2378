//! Regular expressions in conditions: compiled with the condition, not at every answer as the interpreter would.
//!
//! The review takes each `matches("…")`, compiles the pattern, and puts a name in its place that no condition can write;
//! the environment here has a `matches` that takes what stands behind that name.

use std::any::Any;
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelBool, CelString, STRING_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError, extensions};
use regex::{Regex, RegexBuilder};

/// Largest compiled pattern, in bytes: two or three classes such as `\w` fit, `\w{20}` does not. Matching is linear in
/// the text, but at worst also in this.
const MAX_COMPILED_BYTES: usize = 256 << 10;

/// Memory a pattern may use per thread to match faster, in bytes.
const MAX_CACHE_BYTES: usize = 256 << 10;

/// Starts the names of patterns; `@` is no letter of CEL.
const PREFIX: &str = "@pattern";

const PATTERN: Type = Type::new_unspecified_type("pattern");
static PATTERN_TYPE: Type = PATTERN;

/// A compiled regular expression, as a value the interpreter can pass on.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern, or says what is wrong with it.
    pub fn compile(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_CACHE_BYTES)
            .build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "this pattern is too large; repeat less in it".to_owned(),
            error => {
                // The last line says what; the ones before it draw a picture that no error list can show.
                let text = error.to_string();
                let last = text
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                format!("this is no regular expression: {last}")
            }
        })
    }
}

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN_TYPE
    }

    fn cel_type() -> &'static Type {
        &PATTERN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(Self(self.0.clone()))
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

/// The name of the pattern with this number.
pub(super) fn name(number: usize) -> String {
    format!("{PREFIX}{number}")
}

/// The pattern of this name.
pub(super) fn named<'p>(name: &str, patterns: &'p [Pattern]) -> Option<&'p Pattern> {
    let number: usize = name.strip_prefix(PREFIX)?.parse().ok()?;
    patterns.get(number)
}

/// The functions conditions are evaluated with: built once.
pub(super) fn environment() -> Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
        // Proven by every test that evaluates anything: the same names are declared every time.
        Arc::new(build().expect("no function is declared twice"))
    });
    ENVIRONMENT.clone()
}

fn build() -> Result<Env, DeclarationError> {
    let mut environment = Env::stdlib();
    environment.add_extension(extensions::strings)?;
    environment.add_overload("matches", "matches_pattern", vec![STRING_TYPE, PATTERN], matches)?;
    let of_text = vec![PATTERN];
    environment.add_member_overload("matches", "text_matches_pattern", STRING_TYPE, of_text, matches)?;
    Ok(environment)
}

fn matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [text, pattern] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    match (
        text.downcast_ref::<CelString<'_>>(),
        pattern.downcast_ref::<Pattern>(),
    ) {
        (Some(text), Some(Pattern(regex))) => Ok(CowVal::owned(CelBool::from(regex.is_match(text.inner())))),
        _ => Err(ExecutionError::missing_argument_or_target()),
    }
}
