//! The layer that reads YAML and JSON with positions, for files that other rooms define: the same strictness, limits and
//! messages as nets have.

pub use crate::read::table::{Table, entries};
pub use crate::source::{Data, Findings, Key, Node, Span, parse};
pub use crate::suggest::suggestion;
