//! Foreign workflow formats, made into nets: [`import`] reads a file of another system and writes the net language of
//! `actum-net`, as YAML text.
//!
//! A file is imported as a whole or refused as a whole: whatever is neither understood nor known to be without effect is a
//! [`Finding`] with its position. What is mapped to what, and what is refused, is in `YAWL.md`.
//!
//! Event logs (XES, CSV) and Petri nets (PNML) are read for those who check one against the other.
//!
//! Text in, text out: this crate knows nothing of files, of running nets, or of the compiler that reads what it writes.
//! One module for each format; `xml` and `yaml` serve all of them.

mod event_log;
mod finding;
mod pnml;
mod xml;
mod yaml;
mod yawl;

pub use event_log::{
    CsvLog, EventLogError, ForeignEvent, ForeignTrace, LOG_DEPTH_MAX, ROW_BYTES_MAX, TOKEN_BYTES_MAX, TRACE_EVENTS_MAX,
    XesLog,
};
pub use finding::{Code, FINDINGS_MAX, Finding, Severity, line_and_column};
pub use pnml::{ForeignPetri, ForeignTransition, is_pnml, pnml};
pub use xml::{ATTRIBUTES_MAX, DEPTH_MAX, ELEMENTS_MAX, SOURCE_BYTES_MAX};
pub use yawl::QUERY_BYTES_MAX;

use finding::{Findings, Span};

/// A net, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The net, in the language of `actum-net`. The same source gives the same text.
    pub yaml: String,
    /// What the file's author should know: for example, restrictions that are not checked.
    pub warnings: Vec<Finding>,
    /// For each line of `yaml`, the bytes of the source that it was made of.
    origins: Vec<Span>,
}

impl Imported {
    /// The bytes of the source (the first, and the one after the last) that a line of the net, from 1, was made of.
    pub fn origin(&self, line: u32) -> (usize, usize) {
        let at = (line as usize).saturating_sub(1).min(self.origins.len().saturating_sub(1));
        self.origins.get(at).map_or((0, 0), |span| (span.0, span.1))
    }
}

/// Whether a source looks like a foreign format rather than a net: it begins with `<`.
pub fn is_foreign(source: &str) -> bool {
    source.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// Makes a net of a YAWL specification (schema 4.0, 3.0, 2.x, or one of the Beta dialects).
///
/// Takes time and memory linear in the source, which may have at most [`SOURCE_BYTES_MAX`] bytes.
///
/// # Errors
/// All findings (at most [`FINDINGS_MAX`]), in the order of the source; at least one has [`Severity::Error`].
pub fn import(source: &str) -> Result<Imported, Vec<Finding>> {
    let mut findings = Findings::new(source);
    let net = xml::parse(source, &mut findings).and_then(|root| yawl::import(&root, &mut findings));
    match net {
        Some(net) if !findings.has_errors() => {
            let (yaml, origins) = yaml::write(&net);
            Ok(Imported { yaml, warnings: findings.finish(), origins })
        }
        _ => Err(findings.finish()),
    }
}
