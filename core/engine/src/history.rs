//! A case's past, read from the log by following each event to the one before it in its stream.

use actum_log::{FrameSource, Header, ReadError, StoredRecord, records};
use actum_model::{
    ActorId, Case, CaseEvent, CaseId, Event, Meta, Seq, Time,
    payload::{self, DecodeError},
};

/// A case's event as the log has it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// Where, when and who.
    pub meta: Meta,
    /// Business key; only on the event that started the case.
    pub key: Option<String>,
    /// What happened.
    pub event: CaseEvent,
}

/// Why a case's past could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no such case.
    #[error("there is no case {0}")]
    NotFound(CaseId),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event's payload is none that this software knows.
    #[error("event {seq} does not decode")]
    Decode {
        /// Which event.
        seq: Seq,
        /// Why.
        #[source]
        source: DecodeError,
    },
}

pub(crate) fn of_case(source: &dyn FrameSource, case: CaseId, last: Seq) -> Result<Vec<LoggedEvent>, HistoryError> {
    let mut events = Vec::new();
    let mut next = Some(last);
    while let Some(seq) = next {
        let record = records(source, 0, seq.0)?.next().transpose()?;
        let record = record.filter(|record| record.header().seq == seq.0 && record.header().stream == case.0);
        let Some(record) = record else {
            return Err(ReadError::Tampered(format!("event {seq} of case {case} is not where its stream says")).into());
        };
        let header = *record.header();
        // Each step goes back, so this ends.
        next = header.previous.filter(|previous| *previous < seq.0).map(Seq);
        let event = payload::decode(header.kind, header.schema, record.payload())
            .map_err(|source| HistoryError::Decode { seq, source })?;
        let Event::Case(event) = event else {
            return Err(ReadError::Tampered(format!("event {seq} of case {case} is not a case's")).into());
        };
        events.push(LoggedEvent { meta: meta(&header), key: key(&record), event });
    }
    events.reverse();
    Ok(events)
}

/// An open case as it was after one of its events.
pub(crate) fn case_at(source: &dyn FrameSource, case: CaseId, at: Seq) -> Result<Case, HistoryError> {
    let mut state = Case::unborn(case);
    for LoggedEvent { meta, event, .. } in of_case(source, case, at)? {
        state.apply(&meta, &event);
    }
    Ok(state)
}

fn meta(header: &Header) -> Meta {
    Meta {
        seq: Seq(header.seq),
        version: header.version,
        time: Time(header.time),
        actor: ActorId(header.actor),
        cause: header.cause.map(Seq),
    }
}

fn key(record: &StoredRecord) -> Option<String> {
    record.view().extensions().business_key().map(str::to_owned)
}
