//! Exceptions that a net foresees, and what is done about them.

use actum_model::TaskIx;

use crate::expression::Guard;
use crate::wait::Wait;

/// What is done about one kind of exception. Without a rule, a failed item waits, and the rest is left to people.
#[derive(Debug, Clone, PartialEq)]
pub struct ExceptionRule {
    /// The exception.
    pub trigger: ExceptionTrigger,
    /// What is done.
    pub answer: Answer,
    /// To what it is done: always the case for rules of the net.
    pub scope: AnswerScope,
}

/// A kind of exception.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ExceptionTrigger {
    /// Work failed.
    Abort,
    /// It took too long.
    Timeout {
        /// By when it is to be done: what lasts is counted from `from`.
        limit: Wait,
        /// Counted from when. For a rule of the net: always from the case's start.
        from: TimeoutFrom,
    },
    /// Nobody can do it.
    Unavailable,
    /// The data breaks a rule.
    Violation {
        /// Holds when the rule is broken.
        when: Guard,
    },
    /// Somebody raised it.
    External {
        /// Its name.
        name: String,
    },
}

/// Since when a timeout counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimeoutFrom {
    /// Since the item was enabled.
    #[default]
    Enabled,
    /// Since the item became somebody's.
    Allocated,
    /// Since the item was started.
    Started,
}

/// What is done about an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// Nothing, besides the record.
    Continue,
    /// The item or the case is suspended.
    Suspend,
    /// The item is removed without giving tokens; the case is cancelled.
    Remove,
    /// The item begins again; never for a case.
    Restart,
    /// The item completes with the result null; the case is completed by force.
    Complete,
    /// The item or the case fails.
    Fail,
    /// This task runs, then the item is removed or the case cancelled.
    Compensate(TaskIx),
    /// Somebody above is told and given the item, if there is anybody. Never for a case.
    Escalate,
    /// The signal that this task waits for is sent to the case.
    Signal(TaskIx),
    /// The item is removed and what was done before it on its way is undone; the case is undone as a whole, and cancelled.
    Undo,
    /// The case goes back to the savepoint of this task.
    GoBack(TaskIx),
}

/// To what an answer applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AnswerScope {
    /// To the item.
    #[default]
    Item,
    /// To the whole case.
    Case,
}
