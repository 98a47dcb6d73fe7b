//! The subset of XPath and XQuery that is understood, as a tree.

mod parse;

pub(super) use parse::parse;

/// Longest query or predicate, in bytes. Those that people write have some hundred.
pub const QUERY_BYTES_MAX: usize = 8 << 10;
/// Deepest nesting of parentheses, calls and constructors in a query.
pub(super) const QUERY_DEPTH_MAX: usize = 32;

/// Most operators in a query: each makes the tree deeper by one.
pub(super) const OPERATORS_MAX: usize = 128;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Query {
    Text(String),
    /// As it is written: digits, perhaps with a point.
    Number(String),
    Path(Path),
    Negative(Box<Query>),
    Arithmetic(Arithmetic, Box<Query>, Box<Query>),
    Compare(Comparison, Box<Query>, Box<Query>),
    And(Box<Query>, Box<Query>),
    Or(Box<Query>, Box<Query>),
    Call(String, Vec<Query>),
    If(Box<(Query, Query, Query)>),
    For(Box<For>),
    Element(Element),
    /// `()`.
    Nothing,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// The variable it begins with; else the document.
    pub(super) variable: Option<String>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Child(String),
    /// `*`.
    Children,
    /// `text()`.
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `for $variable in range return body`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct For {
    pub(super) variable: String,
    pub(super) range: Query,
    pub(super) body: Query,
}

/// `<name>…</name>`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) content: Vec<Content>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Text(String),
    Query(Query),
}
