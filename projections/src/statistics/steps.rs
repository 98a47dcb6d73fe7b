//! Steps of cases and of work, counted.

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{self, Reader};
use actum_model::{CaseEvent, TaskIx};

/// One count for each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts<const N: usize>([u64; N]);

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Counts([0; N])
    }
}

impl<const N: usize> Counts<N> {
    pub(super) fn add(&mut self, step: usize) {
        self.0[step] = self.0[step].saturating_add(1);
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|count| wire::put(out, *count));
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let mut counts = [0; N];
        for count in &mut counts {
            *count = from.number()?;
        }
        Ok(Counts(counts))
    }
}

/// Makes the enum of steps, and the counts as one reads them.
macro_rules! steps {
    ($step:ident, $(#[$doc:meta])* $counts:ident: $($(#[$field_doc:meta])* $name:ident $variant:ident,)*) => {
        #[derive(Debug, Clone, Copy)]
        pub(super) enum $step {
            $($variant,)*
        }

        impl $step {
            pub(super) const COUNT: usize = [$($step::$variant),*].len();
        }

        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $counts {
            $($(#[$field_doc])* pub $name: u64,)*
        }

        impl From<Counts<{ $step::COUNT }>> for $counts {
            fn from(counts: Counts<{ $step::COUNT }>) -> Self {
                $counts { $($name: counts.0[$step::$variant as usize],)* }
            }
        }
    };
}

steps! {
    CaseStep,
    /// How many cases began and ended, by how. A case that was deadlocked and then cancelled counts as both.
    CaseCounts:
    /// Begun.
    started Started,
    /// At their end.
    completed Completed,
    /// Stopped.
    cancelled Cancelled,
    /// Given up.
    failed Failed,
    /// Stuck.
    deadlocked Deadlocked,
    /// Laid to rest.
    suspended Suspended,
    /// Gone on with.
    resumed Resumed,
}

steps! {
    WorkStep,
    /// How often work of a task took each step.
    WorkCounts:
    /// Became possible.
    enabled Enabled,
    /// Was offered.
    offered Offered,
    /// Was taken or given.
    allocated Allocated,
    /// Was begun.
    started Started,
    /// Was done.
    completed Completed,
    /// Failed.
    failed Failed,
    /// Was tried again.
    retried Retried,
    /// Was given up, until somebody looks after it.
    dead_lettered DeadLettered,
    /// Was no longer possible.
    withdrawn Withdrawn,
    /// Was stopped.
    cancelled Cancelled,
    /// Was passed over.
    skipped Skipped,
    /// Was laid to rest.
    suspended Suspended,
    /// Was gone on with.
    resumed Resumed,
    /// Its timer fired.
    timed_out TimedOut,
    /// Was put back.
    put_back PutBack,
    /// Was handed on.
    delegated Delegated,
    /// Somebody above was told.
    escalated Escalated,
}

impl CaseCounts {
    /// Cases that have not ended, deadlocked ones among them.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.started.saturating_sub(self.completed + self.cancelled + self.failed)
    }
}

impl WorkCounts {
    /// Items that have not ended. Those of a case that failed stay among them.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.enabled.saturating_sub(self.completed + self.withdrawn + self.cancelled + self.skipped)
    }
}

pub(super) fn case_step(event: &CaseEvent) -> Option<CaseStep> {
    Some(match event {
        CaseEvent::CaseStarted { .. } => CaseStep::Started,
        CaseEvent::CaseCompleted => CaseStep::Completed,
        CaseEvent::CaseCancelled { .. } => CaseStep::Cancelled,
        CaseEvent::CaseFailed { .. } => CaseStep::Failed,
        CaseEvent::CaseDeadlocked => CaseStep::Deadlocked,
        CaseEvent::CaseSuspended => CaseStep::Suspended,
        CaseEvent::CaseResumed => CaseStep::Resumed,
        _ => return None,
    })
}

pub(super) fn work_step(event: &CaseEvent) -> Option<(TaskIx, WorkStep)> {
    Some(match event {
        CaseEvent::WorkEnabled { task, .. } => (*task, WorkStep::Enabled),
        CaseEvent::WorkOffered { task, .. } => (*task, WorkStep::Offered),
        CaseEvent::WorkAllocated { task, .. } => (*task, WorkStep::Allocated),
        CaseEvent::WorkStarted { task, .. } => (*task, WorkStep::Started),
        CaseEvent::WorkCompleted { task, .. } => (*task, WorkStep::Completed),
        CaseEvent::WorkFailed { task, .. } => (*task, WorkStep::Failed),
        CaseEvent::WorkRetried { task, .. } => (*task, WorkStep::Retried),
        CaseEvent::WorkDeadLettered { task, .. } => (*task, WorkStep::DeadLettered),
        CaseEvent::WorkWithdrawn { task, .. } => (*task, WorkStep::Withdrawn),
        CaseEvent::WorkCancelled { task, .. } => (*task, WorkStep::Cancelled),
        CaseEvent::WorkSkipped { task, .. } => (*task, WorkStep::Skipped),
        CaseEvent::WorkSuspended { task, .. } => (*task, WorkStep::Suspended),
        CaseEvent::WorkResumed { task, .. } => (*task, WorkStep::Resumed),
        CaseEvent::WorkTimedOut { task, .. } => (*task, WorkStep::TimedOut),
        CaseEvent::WorkPutBack { task, .. } => (*task, WorkStep::PutBack),
        CaseEvent::WorkDelegated { task, .. } => (*task, WorkStep::Delegated),
        CaseEvent::WorkEscalated { task, .. } => (*task, WorkStep::Escalated),
        _ => return None,
    })
}
