//! The worklist as a projection: the work itself, and the indexes over it.

use actum_model::CaseId;
use actum_model::snapshot::wire::Reader;

use super::Worklist;
use crate::people::{Changed, Holder, Row};
use crate::runs::runs;
use crate::{Projection, Recorded, RestoreError, Watermark};

impl Projection for Worklist {
    fn name(&self) -> &'static str {
        "worklist"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        self.apply_all(std::slice::from_ref(recorded));
    }

    fn apply_all(&self, batch: &[Recorded<'_>]) {
        runs(batch).for_each(|run| self.by_case.apply(&run, |case, changed| self.relist(case, &changed)));
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.by_case.put(&mut out);
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        self.by_case.read(&mut from, |case, changed| self.relist(case, &changed))?;
        from.end()
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

impl Worklist {
    /// Moves an item from the index that its holder belonged to into the one that it belongs to.
    fn relist(&self, case: CaseId, changed: &Changed<'_>) {
        if changed.was.map(|row| &row.holder) == changed.is.map(|row| &row.holder) {
            return;
        }
        let key = |row: &Row| (case, row.item);
        if let Some(row) = changed.was {
            match &row.holder {
                Holder::Offered(Some(role), _) => self.offered.remove(&(changed.net, *role), key(row)),
                Holder::Offered(None, to) => to.iter().for_each(|actor| self.named.remove(actor, key(row))),
                Holder::Allocated(actor) | Holder::Started(actor) => self.held.remove(actor, key(row)),
            }
        }
        if let Some(row) = changed.is {
            match &row.holder {
                Holder::Offered(Some(role), _) => self.offered.insert((changed.net, *role), key(row)),
                Holder::Offered(None, to) => to.iter().for_each(|actor| self.named.insert(*actor, key(row))),
                Holder::Allocated(actor) | Holder::Started(actor) => self.held.insert(*actor, key(row)),
            }
        }
    }
}
