//! What must be true of every log and of every engine on it: a file for each invariant, by its name.
//!
//! All but `waits`, `projections` and `limits` are folds of the log of their own, which share no code with the engine's: so an event
//! that should not be there breaks them, whoever wrote it. `planted.rs` shows for each that it can fail.

mod attempts;
mod breakers;
mod compensation;
mod effects;
mod limits;
mod messages;
mod order;
mod projections;
mod starts;
mod timers;
mod tokens;
mod waits;

use std::fmt;

use actum::{Case, CaseEvent, CaseId, Meta};
use actum_model::SystemEvent;
use actum_net::Net;

pub(crate) use limits::{Limiter, of_call};
pub(crate) use projections::{agree, projections_agree};
pub(crate) use waits::{Quiet, all_wait};

use crate::work::Hands;

/// An invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) invariant: &'static str,
    pub(crate) how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the invariant `{}` does not hold: {}", self.invariant, self.how)
    }
}

pub(crate) type Held = Result<(), Broken>;

/// Without it an invariant does not hold.
pub(crate) fn hold(invariant: &'static str, holds: bool, how: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(Broken { invariant, how: how() }) }
}

/// An event of the log, before it is taken in.
#[derive(Clone, Copy)]
pub(crate) struct Happened<'a> {
    pub(crate) meta: &'a Meta,
    pub(crate) fact: Fact<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum Fact<'a> {
    /// `case` is as it was before.
    Case {
        case: &'a Case,
        net: &'a Net,
        event: &'a CaseEvent,
    },
    System(&'a SystemEvent),
}

/// A fold of the log that some events do not fit.
pub(crate) trait Invariant {
    /// Takes in the next event.
    fn take(&mut self, happened: &Happened<'_>) -> Held;

    /// Looks at the case as it is after its event.
    fn after(&mut self, _case: &Case) -> Held {
        Ok(())
    }
}

/// Those that look at each event.
pub(crate) fn all(hands: &Hands) -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(order::Order::default()),
        Box::new(tokens::Tokens::default()),
        Box::new(effects::Effects::new(hands.clone())),
        Box::new(attempts::Attempts::new(hands.clone())),
        Box::new(breakers::Breakers::default()),
        Box::new(timers::Timers::default()),
        Box::new(messages::Messages::default()),
        Box::new(starts::Starts::default()),
        Box::new(compensation::Compensation::default()),
    ]
}

/// The case of an event, with what happened to it.
pub(crate) fn of_case<'a>(happened: &Happened<'a>) -> Option<(CaseId, &'a Case, &'a Net, &'a CaseEvent)> {
    match happened.fact {
        Fact::Case { case, net, event } => Some((case.id, case, net, event)),
        Fact::System(_) => None,
    }
}

/// Whether nothing can happen to a case any more.
pub(crate) fn is_over(case: &Case) -> bool {
    use actum::CaseStatus::{Cancelled, Completed, Failed};
    matches!(case.control.status, Completed | Cancelled | Failed)
}
