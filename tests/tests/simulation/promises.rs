//! `promises`: what the engine acknowledged is stored when it says so, and true for ever after, whatever crashes.

use std::collections::BTreeMap;

use actum::{CaseId, ItemId, Seq};

use crate::invariant::{Held, hold};
use crate::observer::Observer;

const NAME: &str = "promises";

/// One thing that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) enum Promise {
    /// A case was started under a key.
    Started(String, CaseId),
    /// A person's work is done.
    Completed(CaseId, ItemId),
    /// The case was stopped.
    Cancelled(CaseId),
    /// A message was taken under an id.
    Sent(String, Seq),
    /// Something else happened.
    Nothing,
}

/// Everything acknowledged so far.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    started: BTreeMap<String, CaseId>,
    completed: Vec<(CaseId, ItemId)>,
    cancelled: Vec<CaseId>,
    sent: BTreeMap<String, Seq>,
}

impl Promises {
    /// Checks a promise when it is given: what it says must be stored already.
    pub(crate) fn give(&mut self, promise: Promise, seen: &Observer) -> Held {
        hold(NAME, is_kept(&promise, seen), || format!("{promise:?} is acknowledged, and not stored"))?;
        match promise {
            Promise::Started(key, case) => {
                let known = *self.started.entry(key.clone()).or_insert(case);
                hold(NAME, known == case, || format!("the key {key} started {known} and {case}"))?;
            }
            Promise::Completed(case, item) => self.completed.push((case, item)),
            Promise::Cancelled(case) => self.cancelled.push(case),
            Promise::Sent(id, seq) => {
                let known = *self.sent.entry(id.clone()).or_insert(seq);
                hold(NAME, known == seq, || format!("the message {id} is event {known} and event {seq}"))?;
            }
            Promise::Nothing => {}
        }
        Ok(())
    }

    /// Checks all promises again.
    pub(crate) fn hold(&self, seen: &Observer) -> Held {
        let all = self.started.iter().map(|(key, case)| Promise::Started(key.clone(), *case));
        let all = all.chain(self.completed.iter().map(|(case, item)| Promise::Completed(*case, *item)));
        let all = all.chain(self.cancelled.iter().map(|case| Promise::Cancelled(*case)));
        let mut all = all.chain(self.sent.iter().map(|(id, seq)| Promise::Sent(id.clone(), *seq)));
        all.try_for_each(|promise| hold(NAME, is_kept(&promise, seen), || format!("{promise:?} is lost")))
    }

    pub(crate) fn count(&self) -> usize {
        self.started.len() + self.completed.len() + self.cancelled.len() + self.sent.len()
    }
}

fn is_kept(promise: &Promise, seen: &Observer) -> bool {
    match promise {
        Promise::Started(key, case) => seen.keys.get(key) == Some(case),
        // It was there and is no longer: an item that is done leaves the case.
        Promise::Completed(case, item) => seen.cases.get(case).is_some_and(|case| case.control.item(*item).is_none()),
        Promise::Cancelled(case) => {
            seen.cases.get(case).is_some_and(|case| case.control.status != actum::CaseStatus::Open)
        }
        Promise::Sent(id, seq) => seen.messages.get(seq).is_some_and(|known| known.as_ref() == Some(id)),
        Promise::Nothing => true,
    }
}
