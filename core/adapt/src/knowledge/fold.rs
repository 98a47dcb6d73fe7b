//! What events teach.

use actum_model::{ActorId, CaseEvent, CaseId, Meta, NetHash, TaskIx, Time};

use super::open::{OpenCase, OpenItem};
use super::{Knowledge, Outcomes, WorkKnowledge};

impl Knowledge {
    /// Takes in events of one case that follow each other. Events of different cases may come in any order.
    pub fn apply<'a>(&self, case: CaseId, net: NetHash, events: impl Iterator<Item = (&'a Meta, &'a CaseEvent)>) {
        let mut open = self.open.entry(case).or_default();
        let mut is_over = false;
        for (meta, event) in events {
            self.learn_of_case(net, &mut open, meta.time, event);
            self.learn_of_work(net, &mut open, meta, event);
            is_over = event.is_terminal();
            if is_over {
                *open = OpenCase::default();
            }
        }
        drop(open);
        if is_over {
            self.open.remove(&case);
        }
    }

    fn learn_of_case(&self, net: NetHash, open: &mut OpenCase, now: Time, event: &CaseEvent) {
        if !matches!(
            event,
            CaseEvent::CaseStarted { .. }
                | CaseEvent::CaseCompleted
                | CaseEvent::CaseCancelled { .. }
                | CaseEvent::CaseFailed { .. }
                | CaseEvent::CaseDeadlocked
        ) {
            return;
        }
        let mut known = self.nets.entry(net).or_default();
        match event {
            CaseEvent::CaseStarted { .. } => {
                open.started = now;
                up(&mut known.outcomes.started);
            }
            CaseEvent::CaseCompleted => {
                up(&mut known.outcomes.completed);
                known.duration.add(between(open.started, now));
            }
            CaseEvent::CaseCancelled { .. } => up(&mut known.outcomes.cancelled),
            CaseEvent::CaseFailed { .. } => up(&mut known.outcomes.failed),
            _ => up(&mut known.outcomes.deadlocked),
        }
    }

    fn learn_of_work(&self, net: NetHash, open: &mut OpenCase, meta: &Meta, event: &CaseEvent) {
        let now = meta.time;
        match event {
            CaseEvent::WorkEnabled { item, .. } | CaseEvent::WorkPutBack { item, .. } => open.insert(*item, now),
            CaseEvent::WorkStarted { item, task, .. } => {
                let begun = open.item(*item).and_then(|item| item.begin(now));
                self.learn(net, *task, meta.actor, |known| {
                    begun.into_iter().for_each(|waited| known.timings.waiting.add(waited));
                });
            }
            CaseEvent::WorkRetried { item, task, .. } => {
                open.item(*item).and_then(|item| item.begin(now));
                self.learn(net, *task, meta.actor, |known| up(&mut known.outcomes.retried));
            }
            CaseEvent::WorkCompleted { item, task, .. } => {
                let worked = open.remove(*item).and_then(|mut item| item.stop(now));
                self.end(net, *task, meta.actor, worked, |outcomes| up(&mut outcomes.completed));
            }
            CaseEvent::WorkFailed { item, task, .. } => {
                let worked = open.item(*item).and_then(|item| item.stop(now));
                self.end(net, *task, meta.actor, worked, |outcomes| up(&mut outcomes.failed));
            }
            CaseEvent::WorkTimedOut { task, .. } => {
                self.learn(net, *task, ActorId::ENGINE, |known| up(&mut known.outcomes.timed_out));
            }
            CaseEvent::WorkSkipped { item, task, .. } => {
                open.remove(*item);
                self.learn(net, *task, meta.actor, |known| up(&mut known.outcomes.skipped));
            }
            CaseEvent::WorkWithdrawn { item, task } => {
                open.remove(*item);
                self.learn(net, *task, ActorId::ENGINE, |known| up(&mut known.outcomes.withdrawn));
            }
            CaseEvent::WorkCancelled { item, task, .. } => {
                open.remove(*item);
                self.learn(net, *task, ActorId::ENGINE, |known| up(&mut known.outcomes.cancelled));
            }
            _ => {}
        }
    }

    fn end(&self, net: NetHash, task: TaskIx, actor: ActorId, worked: Option<u64>, outcome: impl Fn(&mut Outcomes)) {
        self.learn(net, task, actor, |known| {
            worked.into_iter().for_each(|worked| known.timings.working.add(worked));
            outcome(&mut known.outcomes);
        });
    }

    /// Of the task, and of who did it, if it was not the engine.
    fn learn(&self, net: NetHash, task: TaskIx, actor: ActorId, learn: impl Fn(&mut WorkKnowledge)) {
        learn(&mut self.tasks.entry((net, task)).or_default());
        if actor != ActorId::ENGINE {
            learn(&mut self.resources.entry(actor).or_default());
        }
    }
}

impl OpenItem {
    /// Begins it; says how long it waited, if it did.
    fn begin(&mut self, now: Time) -> Option<u64> {
        let waited = (!self.is_started).then(|| between(self.since, now));
        (self.is_started, self.since) = (true, now);
        waited
    }

    /// Ends an attempt; says how long it took, if it was begun.
    fn stop(&mut self, now: Time) -> Option<u64> {
        let worked = self.is_started.then(|| between(self.since, now));
        (self.is_started, self.since) = (false, now);
        worked
    }
}

fn up(count: &mut u64) {
    *count = count.saturating_add(1);
}

fn between(since: Time, now: Time) -> u64 {
    now.0.saturating_sub(since.0)
}
