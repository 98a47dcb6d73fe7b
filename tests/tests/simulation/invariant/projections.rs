//! `projections`: what an engine answers from is what a fresh fold of the log gives.

use std::sync::Arc;

use actum::Engine;
use actum::projections::{Cases, DeadLetters, Loads, PendingTimers, Projection, RecordedEvent, Waits, Worklist, feed};

use super::{Held, hold};

const NAME: &str = "projections";

/// Compares each projection of the engine with one that is folded now.
pub(crate) fn projections_agree(engine: &Engine, log: &[RecordedEvent]) -> Held {
    agree(&engine.cases(), &Cases::default(), log)?;
    agree(&engine.worklist(), &Worklist::default(), log)?;
    agree(&engine.waits(), &Waits::default(), log)?;
    of_option(engine.projection::<DeadLetters>(), &DeadLetters::default(), log)?;
    of_option(engine.projection::<Loads>(), &Loads::default(), log)?;
    of_option(engine.projection::<PendingTimers>(), &PendingTimers::default(), log)
}

fn of_option<P: Projection>(held: Option<Arc<P>>, fresh: &P, log: &[RecordedEvent]) -> Held {
    held.map_or(Ok(()), |held| agree(&held, fresh, log))
}

/// One projection agrees with a fresh one.
pub(crate) fn agree<P: Projection>(held: &Arc<P>, fresh: &P, log: &[RecordedEvent]) -> Held {
    feed(log, fresh);
    hold(NAME, held.snapshot() == fresh.snapshot(), || format!("`{}` is not what the log gives", fresh.name()))
}
