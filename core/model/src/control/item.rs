//! What an event does to one work item.

use smallvec::SmallVec;

use crate::{ActorId, CaseEvent, FrameId, Instance, ItemId, Phase, RoleIx, TaskIx, WorkItemState};

impl WorkItemState {
    pub(super) fn enabled(
        id: ItemId,
        task: TaskIx,
        frame: FrameId,
        instance: Option<Box<Instance>>,
        event: crate::Seq,
    ) -> Self {
        WorkItemState {
            id,
            task,
            frame,
            phase: Phase::Enabled,
            suspended_from: None,
            attempt: 0,
            role: None,
            offered_to: Vec::new(),
            resource: None,
            consumed: SmallVec::new(),
            timer: None,
            triggered: false,
            instance,
            event,
        }
    }

    /// What an event about a live item that stays live changes in it. `actor`: whose event it is.
    pub(super) fn apply(&mut self, actor: ActorId, event: &CaseEvent) {
        match event {
            CaseEvent::WorkOffered { role, to, .. } => self.offer(*role, to),
            CaseEvent::WorkAllocated { to, .. } => {
                self.phase = Phase::Allocated;
                self.resource = Some(*to);
            }
            CaseEvent::WorkStarted { consumed, .. } => {
                self.phase = Phase::Started;
                self.attempt = self.attempt.saturating_add(1);
                self.consumed.extend(consumed.iter().copied());
            }
            CaseEvent::WorkForced { consumed, .. } => {
                self.phase = Phase::Started;
                self.suspended_from = None;
                self.attempt = self.attempt.max(1);
                self.resource = (actor != ActorId::ENGINE).then_some(actor);
                self.consumed.extend(consumed.iter().copied());
            }
            CaseEvent::WorkFailed { .. } => self.phase = Phase::Failed,
            CaseEvent::WorkRetried { attempt, .. } => {
                self.phase = Phase::Started;
                self.attempt = *attempt;
            }
            CaseEvent::WorkSuspended { .. } if self.phase != Phase::Suspended => {
                self.suspended_from = Some(self.phase);
                self.phase = Phase::Suspended;
            }
            CaseEvent::WorkResumed { .. } => {
                if let Some(phase) = self.suspended_from.take() {
                    self.phase = phase;
                }
            }
            CaseEvent::WorkWaiting { until, .. } => self.timer = Some(*until),
            CaseEvent::WorkTimedOut { .. } => self.timer = None,
            CaseEvent::WorkPutBack { .. } => {
                self.phase = Phase::Enabled;
                self.resource = None;
                self.role = None;
                self.offered_to = Vec::new();
            }
            CaseEvent::WorkDelegated { to, keep_state, .. } => {
                self.resource = Some(*to);
                if !keep_state {
                    self.phase = Phase::Allocated;
                }
            }
            _ => {}
        }
    }

    fn offer(&mut self, role: Option<RoleIx>, to: &[ActorId]) {
        self.phase = Phase::Offered;
        self.role = role;
        self.offered_to = to.to_vec();
    }
}
