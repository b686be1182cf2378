//! What the parts of a condition yield, as far as it can be told without asking it, and the functions it may call.

/// What a part yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Truth,
    List,
    Map,
    /// A map from texts to texts.
    Texts,
    Nothing,
    Pattern,
    /// Not known before it is asked.
    Any,
}

impl Kind {
    /// What it is, in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Truth => "true or false",
            Kind::List => "a list",
            Kind::Map | Kind::Texts => "a map",
            Kind::Nothing => "null",
            Kind::Pattern => "a pattern",
            Kind::Any => "anything",
        }
    }

    /// Whether a value of this kind may turn out to be one of those.
    pub fn may_be(self, wanted: &[Kind]) -> bool {
        self == Kind::Any || wanted.contains(&Kind::Any) || wanted.contains(&self)
    }
}

/// A function conditions may call. None takes longer than in proportion to the size of what it is given.
pub(super) struct Function {
    pub name: &'static str,
    /// What it is called on, `x.name(…)`; `None`: it is called by itself, `name(…)`.
    pub on: Option<&'static [Kind]>,
    /// What each of its arguments may be.
    pub takes: &'static [&'static [Kind]],
    pub yields: Kind,
}

const TEXT: &[Kind] = &[Kind::Text];
const SIZED: &[Kind] = &[Kind::Text, Kind::List, Kind::Map, Kind::Texts];
const SCALAR: &[Kind] = &[Kind::Text, Kind::Number];
const PRINTABLE: &[Kind] = &[Kind::Text, Kind::Number, Kind::Truth];

const fn on_text(name: &'static str, takes: &'static [&'static [Kind]], yields: Kind) -> Function {
    Function {
        name,
        on: Some(TEXT),
        takes,
        yields,
    }
}

const fn alone(name: &'static str, takes: &'static [&'static [Kind]], yields: Kind) -> Function {
    Function {
        name,
        on: None,
        takes,
        yields,
    }
}

/// The function whose literal argument is compiled beforehand.
pub(super) const MATCHES: &str = "matches";

/// Every function; what is not here is refused.
pub(super) const FUNCTIONS: &[Function] = &[
    on_text("contains", &[TEXT], Kind::Truth),
    on_text("startsWith", &[TEXT], Kind::Truth),
    on_text("endsWith", &[TEXT], Kind::Truth),
    on_text(MATCHES, &[&[Kind::Pattern]], Kind::Truth),
    alone(MATCHES, &[TEXT, &[Kind::Pattern]], Kind::Truth),
    on_text("lowerAscii", &[], Kind::Text),
    on_text("upperAscii", &[], Kind::Text),
    on_text("trim", &[], Kind::Text),
    Function {
        name: "size",
        on: Some(SIZED),
        takes: &[],
        yields: Kind::Number,
    },
    alone("size", &[SIZED], Kind::Number),
    alone("int", &[SCALAR], Kind::Number),
    alone("double", &[SCALAR], Kind::Number),
    alone("string", &[PRINTABLE], Kind::Text),
];

/// What looks like functions and is written out by the parser: for suggestions.
pub(super) const MACROS: &[&str] = &["has", "all", "exists", "exists_one", "map", "filter"];
