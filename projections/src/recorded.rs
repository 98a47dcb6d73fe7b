//! An event as projections see it.

use actum_model::{CaseEvent, CaseId, Meta, NetHash, SystemEvent};

/// An event of the log with what its reader knows about it.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The stream: the number of the case, or one of the system's streams (FORMAT.md section 2).
    pub stream: u64,
    /// The record's kind, as in `actum_model::payload`.
    pub kind: u16,
    /// Where and when, and who.
    pub meta: &'a Meta,
    /// What happened.
    pub fact: Fact<'a>,
}

/// What happened, to a case or to the system.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// To a case.
    Case(OfCase<'a>),
    /// To the log, the engine, the nets or the directory.
    System(&'a SystemEvent),
}

/// A case's event.
#[derive(Debug, Clone, Copy)]
pub struct OfCase<'a> {
    /// The case.
    pub case: CaseId,
    /// The net it runs. Its `NetDeployed` came before.
    pub net: NetHash,
    /// The business key; only with the event that starts the case.
    pub key: Option<&'a str>,
    /// The event leaves an item waiting for a signal, a time, or for somebody to say who is asked to do it: the net says so.
    pub waits: bool,
    /// What happened.
    pub event: &'a CaseEvent,
}

impl<'a> Recorded<'a> {
    /// A case's event; the stream is the case's.
    #[must_use]
    pub fn of_case(kind: u16, meta: &'a Meta, of: OfCase<'a>) -> Self {
        Recorded { stream: of.case.0, kind, meta, fact: Fact::Case(of) }
    }

    /// The case's part, if it is about a case.
    #[must_use]
    pub fn case(&self) -> Option<OfCase<'a>> {
        match self.fact {
            Fact::Case(of) => Some(of),
            Fact::System(_) => None,
        }
    }
}
