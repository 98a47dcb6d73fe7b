//! Brings a case that rests back from the log.

use actum_log::{EventReader, ReadError};
use actum_model::{Case, CaseEvent, CaseId, NetHash, Seq};
use actum_net::Net;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use tokio::sync::watch;

use super::{OpenCases, Resting, case_of};
use crate::error::chain;
use crate::history::{HistoryError, LoggedEvent, of_case};

/// Bytes of decoded events that are kept for bringing cases back: those that rested together often come back together.
const CACHE_BYTES: usize = 4 << 20;

/// Why a case could not be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecallError {
    /// The log cannot be read just now.
    Unreadable(String),
    /// The log has something else than what was there: nothing may be decided from it.
    Damaged(String),
}

/// The log, for bringing cases back.
#[derive(Debug)]
pub(crate) struct Past {
    events: EventReader,
    /// Of which partition.
    partition: u16,
    /// Events that are durable; `None` while a log is folded, where all are that were read.
    durable: Option<watch::Receiver<u64>>,
}

impl Past {
    pub(crate) fn new(source: Arc<dyn actum_log::FrameSource>, partition: u16) -> Self {
        Past { events: EventReader::new(source, CACHE_BYTES), partition, durable: None }
    }

    pub(crate) fn up_to(self, durable: watch::Receiver<u64>) -> Self {
        Past { durable: Some(durable), ..self }
    }

    /// Events that can be read.
    pub(crate) fn size(&self) -> u64 {
        self.durable.as_ref().map_or(u64::MAX, |durable| *durable.borrow())
    }
}

/// Brings a case back if it rests. Without a past, only those that rest as bytes can be.
pub(crate) fn recall(
    cases: &mut OpenCases,
    id: CaseId,
    nets: &FxHashMap<NetHash, Arc<Net>>,
    past: Option<&Past>,
) -> Result<(), RecallError> {
    let damaged = |why: String| RecallError::Damaged(format!("case {id} cannot be brought back: {why}"));
    let case = match cases.resting(id) {
        None => return Ok(()),
        Some(Resting::Bytes(bytes)) => case_of(&bytes).map_err(|error| damaged(chain(&error)))?,
        Some(Resting::At(last)) => {
            let past = past.ok_or_else(|| damaged("nobody has the log".to_owned()))?;
            let events = of_case(&past.events, past.partition, id, last).map_err(|error| match error {
                HistoryError::Read(ReadError::Io(_) | ReadError::Unavailable(_)) => {
                    RecallError::Unreadable(format!("case {id} cannot be read just now: {}", chain(&error)))
                }
                other => damaged(chain(&other)),
            })?;
            folded(id, last, &events, nets).map_err(damaged)?
        }
    };
    cases.come_back(case);
    Ok(())
}

/// Links, layout and checksums were checked by who read; here that these are all of its events, and such as this net has.
fn folded(id: CaseId, last: Seq, events: &[LoggedEvent], nets: &FxHashMap<NetHash, Arc<Net>>) -> Result<Case, String> {
    let Some(CaseEvent::CaseStarted { net, .. }) = events.first().map(|first| &first.event) else {
        return Err("its events do not begin with its start".to_owned());
    };
    let net = nets.get(net).ok_or_else(|| format!("the net {net} was not deployed"))?;
    let mut case = Case::unborn(id);
    for LoggedEvent { meta, event, .. } in events {
        if meta.version != case.version + 1 || event.is_terminal() || !actum_kernel::fits(net, event) {
            return Err(format!("event {} does not follow those before it", meta.seq));
        }
        case.apply(meta, event);
    }
    if case.last_seq == last { Ok(case) } else { Err(format!("its last event is not {last}")) }
}
