//! Policies before and during a call: a schedule of calls, breakers that are a fold of the log, and what a running call hears.

mod breakers;
mod bucket;
mod schedule;
mod signal;

use std::sync::Arc;

use actum_kernel::Effect;
use actum_model::{ActorId, CaseCommand, CaseEvent, CaseId, ItemId, Phase, SystemEvent, Time};
use actum_net::{Net, TaskIx, Work};

use crate::activity::Ongoing;
use crate::dispatch::fail;
use crate::partition::{Partition, Refused, stream};
use crate::request::{Answer, Invocation};
use crate::state::State;
use crate::timers::NoRoom;
use schedule::{Admitted, Key, Todo};

pub use breakers::BreakerState;
pub(crate) use breakers::Breakers;
pub(crate) use schedule::Schedule;
pub use signal::Progress;
pub(crate) use signal::Signal;

/// A handler's call that is under way, or waits for its limits.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CallRow {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub item: ItemId,
    /// The task's name.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
    /// Since when it runs, or waits.
    pub since: Time,
    /// It waits for a limit; otherwise its handler was called.
    pub waits: bool,
    /// What its handler said last.
    pub progress: Progress,
}

/// The handler of a task.
pub(crate) fn handler_of(net: &Net, task: TaskIx) -> Option<&str> {
    match &net.tasks.get(task.index())?.work {
        Work::Automatic { handler, .. } => Some(handler),
        _ => None,
    }
}

/// Whether an item is at this attempt, and waits for its result.
fn is_wanted(state: &State, (case, item): Key, attempt: u32) -> bool {
    let item = state.cases.get(case).and_then(|case| case.control.item(item));
    item.is_some_and(|item| item.attempt == attempt && item.phase == Phase::Started)
}

impl Partition {
    /// Has a call made: at once, or when its limits let it through.
    pub(crate) fn give_out(&mut self, mut invocation: Invocation, now: Time) {
        let Effect::Invoke { case, item, task, attempt, .. } = invocation.effect else {
            self.release.invocations.push(invocation);
            return;
        };
        let net = &invocation.net;
        let is_limited = net.tasks[task.index()].policies.is_some() || net.policies.concurrency.is_some();
        // Without its handler the item waits for one.
        let handler = handler_of(net, task).and_then(|handler| self.schedule.handlers.get(handler));
        let signal = handler.and_then(|handler| self.schedule.new_signal_if(is_limited, handler));
        let Some(signal) = signal else {
            self.release.invocations.push(invocation);
            return;
        };
        if !is_limited {
            self.schedule.watch(net, task, (case, item), attempt, signal.clone(), now);
            invocation.signal = Some(signal);
            self.release.invocations.push(invocation);
            return;
        }
        let attempts = self.state.cases.get(case).and_then(|case| case.control.attempts());
        let is_first = attempt == 1 + attempts.map_or(0, |attempts| attempts.of(item).since);
        let Invocation { net, effect, ongoing, .. } = invocation;
        let traced = (signal, ongoing.trace().cloned());
        self.schedule.submit(&net, (effect, (case, item), task, attempt, is_first), traced, now);
        self.admit(now, &ongoing);
        self.schedule.shed_beyond(&net, task);
    }

    /// Lets out what limits allow.
    fn admit(&mut self, now: Time, ongoing: &Ongoing) {
        let Partition { state, schedule, release, .. } = self;
        // It is part of what it waited for, not of what it waited behind.
        let go = |Admitted { net, effect, signal, trace }| {
            let ongoing = ongoing.beget_traced(trace);
            release.invocations.push(Invocation { net, effect, ongoing, signal: Some(signal) });
        };
        schedule.admit(&state.breakers, |key, attempt| is_wanted(state, key, attempt), now, go);
    }

    /// The task of a call that is under way, if something limits or watches it.
    pub(crate) fn call_of(&self, case: CaseId, item: ItemId, attempt: u32) -> Option<(Arc<Net>, TaskIx)> {
        let running = self.schedule.call((case, item)).filter(|running| running.attempt == attempt)?;
        Some((running.net.clone(), running.task))
    }

    /// What follows from a call's outcome, which is in the case already: its handler's breaker, and who comes next.
    pub(crate) fn after_call(&mut self, net: &Net, task: TaskIx, code: Option<&str>, now: Time, ongoing: &Ongoing) {
        if let Some((handler, breaker)) = breakers::of_task(net, task) {
            let failed = code.is_some();
            if code.is_none_or(|code| breakers::counts(breaker, code))
                && let Some(event) = self.state.breakers.verdict(handler, breaker, failed, now)
            {
                self.schedule.todo.push_back(Todo::Breaker(event));
            }
        }
        self.admit(now, ongoing);
    }

    /// Nobody waits for an item's call any more.
    pub(crate) fn forget_call(&mut self, case: CaseId, event: &CaseEvent) {
        if !self.schedule.has_calls() {
            return;
        }
        let (CaseEvent::WorkFailed { item, .. }
        | CaseEvent::WorkCompleted { item, .. }
        | CaseEvent::WorkSkipped { item, .. }
        | CaseEvent::WorkCancelled { item, .. }
        | CaseEvent::WorkWithdrawn { item, .. }
        | CaseEvent::WorkSuspended { item, .. }) = event
        else {
            return;
        };
        if let Some(running) = self.schedule.done((case, *item)) {
            self.release.cancelled.push(running.signal);
        }
    }

    /// When timers, limits or time limits have something to do next.
    pub(crate) fn next_due(&mut self, now: Time) -> Option<Time> {
        self.next_timer(now).into_iter().chain(self.schedule.next_wake()).min()
    }

    /// Does what is due: one thing of the schedule, or a timer.
    pub(crate) fn fire_due(&mut self, now: Time, ongoing: Ongoing) -> Result<(), NoRoom> {
        if self.schedule.next_wake().is_none_or(|at| at > now) {
            self.fire_timer(now, ongoing)?;
            self.let_rest();
            return Ok(());
        }
        self.schedule.look(now);
        if let Some(todo) = self.schedule.todo.pop_front()
            && let Err(Refused::NoRoom) = self.carry_out(&todo, now, &ongoing)
        {
            self.schedule.todo.push_front(todo);
            return Err(NoRoom(ongoing));
        }
        self.admit(now, &ongoing);
        self.release.answers.push((Answer::NOBODY, ongoing));
        Ok(())
    }

    fn carry_out(&mut self, todo: &Todo, now: Time, ongoing: &Ongoing) -> Result<(), Refused> {
        match todo {
            Todo::Breaker(event) => self.stage_system(stream::ENGINE, SystemEvent::Breaker(event.clone()), now),
            Todo::Shed { key, attempt, policy, message, until } => {
                if !is_wanted(&self.state, *key, *attempt) {
                    return Ok(());
                }
                let (item, policy, message) = (key.1, (*policy).to_owned(), message.clone());
                let command = CaseCommand::ShedWork { item, policy, message, until: *until };
                self.command(key.0, ActorId::ENGINE, &command, now, ongoing)
            }
            Todo::Fail { key, attempt, code, message } => {
                if !is_wanted(&self.state, *key, *attempt) {
                    return Ok(());
                }
                let at = self.call_of(key.0, key.1, *attempt);
                let command = fail(key.1, (*code).to_owned(), message.clone());
                self.command(key.0, ActorId::ENGINE, &command, now, ongoing)?;
                if let Some((net, task)) = at {
                    self.after_call(&net, task, Some(code), now, ongoing);
                }
                Ok(())
            }
        }
    }

    /// Calls of a case, or of all: those under way, and those that wait.
    pub(crate) fn calls(&self, case: Option<CaseId>) -> Vec<CallRow> {
        let name = |net: &Net, task: TaskIx| net.task_label(task);
        let under_way = self.schedule.calls().map(|((case, item), running)| CallRow {
            case,
            item,
            task: name(&running.net, running.task),
            attempt: running.attempt,
            since: running.since,
            waits: false,
            progress: running.signal.progress(),
        });
        let waiting = self.schedule.waiting().map(|(net, task, waiting)| CallRow {
            case: waiting.key.0,
            item: waiting.key.1,
            task: name(net, task),
            attempt: waiting.attempt,
            since: waiting.since,
            waits: true,
            progress: Progress::default(),
        });
        let mut rows: Vec<CallRow> =
            under_way.chain(waiting).filter(|row| case.is_none_or(|case| row.case == case)).collect();
        rows.sort_by_key(|row| (row.case, row.item));
        rows
    }
}
