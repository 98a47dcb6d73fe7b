//! From text to a tree whose every part knows its place. YAML and JSON are one language here: JSON is YAML's flow style.

mod findings;
mod scalar;
mod yaml;

pub use findings::Findings;
pub use yaml::parse;

/// Largest net file, in bytes: a few thousand tasks. Also the largest canonical form.
pub const NET_BYTES_MAX: usize = 1 << 20;

/// Deepest nesting of a net file.
pub const DEPTH_MAX: usize = 64;

/// Bytes of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub data: Data,
}

/// YAML 1.2's core schema.
#[derive(Debug, Clone)]
pub enum Data {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A finite number.
    Double(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// In the order of the source; no key twice.
    Map(Vec<(Key, Node)>),
}

/// The key of a map: always its text, whatever the value would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The text.
    pub text: String,
    /// Its place.
    pub span: Span,
}

impl Data {
    /// What it is, for a message.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an integer",
            Self::Double(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}
