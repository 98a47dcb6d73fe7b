//! Which step of the standard lifecycle (IEEE 1849-2016, section 6.3, the lifecycle extension) an event is.

use actum_model::{ActorId, CaseEvent};

/// A transition of the standard lifecycle of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transition {
    /// It may be done: enabled, or put back.
    Schedule,
    /// Somebody has it: allocated.
    Assign,
    /// Somebody else has it: delegated.
    Reassign,
    /// It runs: started, or tried again.
    Start,
    /// It rests: suspended.
    Suspend,
    /// It goes on: resumed.
    Resume,
    /// It is done.
    Complete,
    /// It was passed over by the engine.
    Autoskip,
    /// It was passed over by a person.
    Manualskip,
    /// It became impossible before it ran: withdrawn.
    Withdraw,
    /// It failed, or was stopped while it ran, and the case goes on.
    AteAbort,
    /// It was stopped because its case was cancelled or failed.
    PiAbort,
}

impl Transition {
    /// The word of the standard.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Transition::Schedule => "schedule",
            Transition::Assign => "assign",
            Transition::Reassign => "reassign",
            Transition::Start => "start",
            Transition::Suspend => "suspend",
            Transition::Resume => "resume",
            Transition::Complete => "complete",
            Transition::Autoskip => "autoskip",
            Transition::Manualskip => "manualskip",
            Transition::Withdraw => "withdraw",
            Transition::AteAbort => "ate_abort",
            Transition::PiAbort => "pi_abort",
        }
    }

    /// The activity is over, and the case goes on as if it had been done: what a net's transition stands for.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Transition::Complete | Transition::Autoskip | Transition::Manualskip)
    }

    /// Of an event about work by this actor. `None`: the standard has no word for it (offers, timers, escalations, decisions).
    /// Work that is stopped counts as aborted alone: whether its case ends with it, the next events tell.
    pub(super) fn of(event: &CaseEvent, actor: ActorId) -> Option<Self> {
        Some(match event {
            CaseEvent::WorkEnabled { .. } | CaseEvent::WorkPutBack { .. } => Transition::Schedule,
            CaseEvent::WorkAllocated { .. } => Transition::Assign,
            CaseEvent::WorkDelegated { .. } | CaseEvent::WorkForced { .. } => Transition::Reassign,
            CaseEvent::WorkStarted { .. } | CaseEvent::WorkRetried { .. } => Transition::Start,
            CaseEvent::WorkSuspended { .. } => Transition::Suspend,
            CaseEvent::WorkResumed { .. } => Transition::Resume,
            CaseEvent::WorkCompleted { .. } => Transition::Complete,
            CaseEvent::WorkSkipped { .. } if actor == ActorId::ENGINE => Transition::Autoskip,
            CaseEvent::WorkSkipped { .. } => Transition::Manualskip,
            CaseEvent::WorkWithdrawn { .. } => Transition::Withdraw,
            CaseEvent::WorkFailed { .. } | CaseEvent::WorkCancelled { .. } => Transition::AteAbort,
            _ => return None,
        })
    }
}
