//! The report of an audit for people: as text, and as a page that stands alone.

mod html;
mod page;
mod proofs;
mod text;

use actum_log::VerifierKey;
use actum_verify::{PartitionVerdict, Verdict};

pub(crate) use page::{Page, page};
pub(crate) use proofs::Proofs;
pub(crate) use text::text;

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The key that a reviewer holds for a partition of the log.
pub(crate) fn verifier_key(verdict: &Verdict, partition: &PartitionVerdict) -> String {
    VerifierKey::new(&verdict.origin, partition.partition, verdict.key).to_string()
}

/// What the counts of a rule count.
fn unit(grouping: &str) -> &'static str {
    match grouping {
        "each" => "groups within cases",
        "across" => "groups across cases",
        _ => "cases",
    }
}
