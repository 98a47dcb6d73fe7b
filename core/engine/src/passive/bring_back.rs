//! The partition's part: who rests comes back before anything is decided about it.

use actum_model::{CaseId, Time};

use super::{Form, RecallError, recall};
use crate::error::{CommandError, WriteError};
use crate::partition::Partition;
use crate::timers::NextTimer;

impl Partition {
    /// Has a case in memory, if it has not ended.
    pub(crate) fn bring_back(&mut self, id: CaseId) -> Result<(), CommandError> {
        let Partition { state, past, .. } = self;
        recall(&mut state.cases, id, &state.nets, past.as_ref()).map_err(|error| match error {
            RecallError::Unreadable(why) => CommandError::Unreadable(why.into()),
            RecallError::Damaged(why) => {
                let error = WriteError(why.into());
                self.damaged = Some(error.clone());
                CommandError::Stopped(error)
            }
        })
    }

    /// Lets cases rest that nobody touched for long, if there are more than are to be in memory.
    pub(crate) fn let_rest(&mut self) {
        if let Some(past) = &self.past {
            self.state.rest(Form::InLog(past.size()));
        }
    }

    /// The timer that is due longest, with its case in memory; or when to look again.
    pub(crate) fn next_item_timer(&mut self, now: Time) -> Option<NextTimer> {
        loop {
            match self.timers.next(now, &self.state.cases)? {
                NextTimer::Timer(timer) if timer.at <= now && self.state.cases.rests(timer.case) => {
                    // It is looked at again: what rests by somebody's wish is told nothing.
                    if let Err(error) = self.bring_back(timer.case) {
                        tracing::error!(case = timer.case.0, "a timer must wait: {error}");
                        return Some(NextTimer::NotBefore(self.timers.hold_up(now)));
                    }
                }
                next => return Some(next),
            }
        }
    }
}
