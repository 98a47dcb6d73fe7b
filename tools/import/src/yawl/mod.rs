//! YAWL: specifications of the YAWL engine, from the Beta dialects to schema 4.0.
//!
//! `read` takes the tree of the file apart, and reports all that it does not know; `convert` makes a net of it, with CEL for
//! its queries (`query`, `cel`). What is mapped to what is in `YAWL.md`.

mod cel;
mod convert;
mod fields;
mod names;
mod query;
mod read;
mod schema;
mod shape;
mod spec;
mod value;

pub use query::QUERY_BYTES_MAX;

use crate::finding::Findings;
use crate::xml::Element;
use crate::yaml::Node;

/// The net; `None` after a finding.
pub(crate) fn import(root: &Element, findings: &mut Findings<'_>) -> Option<Node> {
    let spec = read::read(root, findings)?;
    convert::convert(&spec, findings)
}
