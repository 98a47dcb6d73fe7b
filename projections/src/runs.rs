//! Events of one case that follow each other: one look-up for all of them.

use actum_model::{CaseEvent, CaseId, Meta, NetHash};

use crate::Recorded;

/// Some events of one case, in their order.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r, 'a> {
    /// The case.
    pub case: CaseId,
    /// The net it runs.
    pub net: NetHash,
    /// Its events, at least one; all are of this case.
    pub events: &'r [Recorded<'a>],
}

impl<'r, 'a> Run<'r, 'a> {
    /// Its events, each with where and when.
    pub fn facts(&self) -> impl Iterator<Item = (&'a Meta, &'a CaseEvent)> + use<'r, 'a> {
        self.events.iter().filter_map(|recorded| Some((recorded.meta, recorded.case()?.event)))
    }
}

/// A batch, cut where the case changes. Events of the system are left out.
pub fn runs<'r, 'a>(batch: &'r [Recorded<'a>]) -> impl Iterator<Item = Run<'r, 'a>> {
    batch.chunk_by(|one, next| one.stream == next.stream).filter_map(|events| {
        let first = events.first()?.case()?;
        Some(Run { case: first.case, net: first.net, events })
    })
}
