//! What the engine acknowledged: it must be true for ever after, whatever crashes.

use std::collections::BTreeMap;

use actum::{Case, CaseId, ItemId};

use crate::observer::Observer;

/// One thing that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) enum Promise {
    /// A case was started under a key.
    Started(String, CaseId),
    /// A person's work is done.
    Completed(CaseId, ItemId),
    /// The case was stopped.
    Cancelled(CaseId),
    /// Something else happened.
    Nothing,
}

/// Everything acknowledged so far.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    started: BTreeMap<String, CaseId>,
    completed: Vec<(CaseId, ItemId)>,
    cancelled: Vec<CaseId>,
}

impl Promises {
    /// Checks a promise when it is given: what it says must be stored already.
    pub(crate) fn give(&mut self, promise: Promise, seen: &Observer) {
        match promise {
            Promise::Started(key, case) => {
                assert_eq!(seen.keys.get(&key), Some(&case), "acknowledged before it was stored");
                assert_eq!(*self.started.entry(key).or_insert(case), case, "one key, two cases");
            }
            Promise::Completed(case, item) => {
                assert!(is_done(seen, case, item), "acknowledged before it was stored");
                self.completed.push((case, item));
            }
            Promise::Cancelled(case) => {
                assert!(has_ended(seen, case), "acknowledged before it was stored");
                self.cancelled.push(case);
            }
            Promise::Nothing => {}
        }
    }

    /// Checks all promises again.
    pub(crate) fn hold(&self, seen: &Observer) {
        for (key, case) in &self.started {
            assert_eq!(seen.keys.get(key), Some(case), "the case of {key} is lost");
        }
        assert!(self.completed.iter().all(|(case, item)| is_done(seen, *case, *item)), "completed work is lost");
        assert!(self.cancelled.iter().all(|case| has_ended(seen, *case)), "an end is lost");
    }

    pub(crate) fn count(&self) -> usize {
        self.started.len() + self.completed.len() + self.cancelled.len()
    }
}

/// It was there and is no longer: an item that is done leaves the case.
fn is_done(seen: &Observer, case: CaseId, item: ItemId) -> bool {
    seen.cases.get(&case).is_some_and(|case: &Case| case.control.item(item).is_none())
}

fn has_ended(seen: &Observer, case: CaseId) -> bool {
    seen.cases.get(&case).is_some_and(|case| case.control.status != actum::CaseStatus::Open)
}
