//! A case's past, read from the log by following each event to the one before it in its stream.

use actum_log::{EventReader, Header, ReadError, SharedRecord, Trace};
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
    /// The trace and span of the command that caused it, on the first event of a command that was traced.
    pub trace: Option<Trace>,
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

pub(crate) fn of_case(
    events: &EventReader,
    partition: u16,
    case: CaseId,
    last: Seq,
) -> Result<Vec<LoggedEvent>, HistoryError> {
    let mut history = events
        .stream_newest_first(partition, case.0, last.0)
        .map(|record| logged(&record?, case))
        .collect::<Result<Vec<_>, _>>()?;
    history.reverse();
    Ok(history)
}

fn logged(record: &SharedRecord, case: CaseId) -> Result<LoggedEvent, HistoryError> {
    let header = record.header();
    let seq = Seq(header.seq);
    let event = payload::decode(header.kind, header.schema, record.payload())
        .map_err(|source| HistoryError::Decode { seq, source })?;
    let Event::Case(event) = event else {
        return Err(ReadError::Tampered(format!("event {seq} of case {case} is not a case's")).into());
    };
    let extensions = record.view().extensions();
    let key = extensions.business_key().map(str::to_owned);
    Ok(LoggedEvent { meta: meta(header), key, trace: extensions.trace(), event })
}

/// An open case as it was after one of its events.
pub(crate) fn case_at(events: &EventReader, partition: u16, case: CaseId, at: Seq) -> Result<Case, HistoryError> {
    let mut state = Case::unborn(case);
    for LoggedEvent { meta, event, .. } in of_case(events, partition, case, at)? {
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
