//! `verified` and `lawful`: the log as a whole, read by who knows nothing of the engine.

use std::collections::BTreeMap;

use actum_log::{MemoryStore, records};
use actum_replay::lawful::{Lawful, Report};
use actum_replay::{Events, LoggedEvent, Names, ReplayError};
use actum_verify::{Trust, verify_source};

use crate::invariant::{Broken, Held, hold};

/// Judges the log as it grows: what was judged is not judged again.
#[derive(Clone)]
pub(crate) struct Judge {
    lawful: Lawful,
    names: Names,
    next_seq: u64,
}

impl Judge {
    pub(crate) fn new() -> Self {
        Judge { lawful: Lawful::default(), names: Names::default(), next_seq: 0 }
    }

    /// Judges what is new, as if the log ended here; what lawfulness did not look at.
    pub(crate) fn judge(&mut self, store: &MemoryStore) -> Result<BTreeMap<&'static str, u64>, Broken> {
        self.judge_with(store, |_| {});
        self.report()
    }

    /// Judges events as somebody changed them.
    pub(crate) fn judge_with(&mut self, store: &MemoryStore, change: impl Fn(&mut LoggedEvent)) {
        let new = records(store, 0, self.next_seq).expect("the store is read");
        let new = new.map(|record| Ok((0, record.map_err(ReplayError::from)?)));
        let mut events = Events::going_on(new, std::mem::take(&mut self.names));
        while let Some(event) = events.next() {
            let mut event = event.expect("an event decodes");
            self.next_seq = event.meta.seq.0 + 1;
            change(&mut event);
            self.lawful.take(event, events.names());
        }
        self.names = events.into_names();
    }

    /// What is to be said if the log ends here.
    pub(crate) fn report(&self) -> Result<BTreeMap<&'static str, u64>, Broken> {
        let report = self.lawful.clone().finish();
        hold("lawful", report.is_lawful(), || told(&report))?;
        Ok(report.not_checked)
    }
}

/// Holds a log to its hashes and seals.
pub(crate) fn verified(store: &MemoryStore, size: u64) -> Held {
    let verdict = verify_source(store, &Trust::self_signed(), &mut |_| {});
    let read = verdict.as_ref().map(actum_verify::Verdict::events);
    hold("verified", read.as_ref().ok() == Some(&size), || format!("of {size} events, the verifier says: {read:?}"))
}

/// The first finding; which events those are is told by who reads the log.
fn told(report: &Report) -> String {
    let first = report.findings.first();
    let of_case = first.and_then(|first| first.case).map_or(String::new(), |case| format!("case {case}: "));
    format!("{of_case}{} findings, the first: {first:?}", report.unlawful)
}
