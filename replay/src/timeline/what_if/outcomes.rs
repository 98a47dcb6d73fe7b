//! What people, handlers and the outside did in the past, by what was asked of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use actum_model::{ActorId, CaseEvent, ItemId, Time, Value};
use actum_net::{Net, Work};

use super::run::Run;
use crate::timeline::Story;

/// Which time a task asked: its label, whether for one of several instances, and the how-manieth item of that, from 1.
pub(super) type Ask = (String, bool, u32);

/// What came of an item in the past.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// Who began it, and how long after it was there.
    pub(super) begun: Option<(ActorId, u64)>,
    /// How it ended, and how long after it was begun.
    pub(super) ended: Option<(End, u64)>,
    enabled: Time,
    started: Time,
}

#[derive(Debug, Clone)]
pub(super) enum End {
    Completed(Value),
    Failed(String, String),
}

/// A signal that came from outside after the fork.
#[derive(Debug, Clone)]
pub(super) struct Signal {
    pub(super) time: Time,
    pub(super) name: String,
    pub(super) data: Value,
}

/// The past after the fork, and what of it was asked for again.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    items: BTreeMap<Ask, Outcome>,
    pub(super) signals: Vec<Signal>,
    used: RefCell<BTreeSet<Ask>>,
    /// Items that ended after the fork by somebody's or some handler's doing.
    later: Vec<Ask>,
    /// Other things that people did after the fork.
    others: Vec<String>,
}

impl Outcomes {
    pub(super) fn of(story: &Story, net: &Net, fork: usize) -> Self {
        let mut outcomes = Outcomes::default();
        let mut counts: BTreeMap<(String, bool), u32> = BTreeMap::new();
        let mut asks: BTreeMap<ItemId, Ask> = BTreeMap::new();
        for (index, logged) in story.events().iter().enumerate() {
            let Some((_, event)) = logged.of_case() else { continue };
            let (time, actor) = (logged.meta.time, logged.meta.actor);
            if let CaseEvent::WorkEnabled { item, task, instance, .. } = event {
                let key = (net.task_label(*task), instance.is_some());
                let count = counts.entry(key.clone()).or_default();
                *count += 1;
                let ask = (key.0, key.1, *count);
                outcomes.items.insert(ask.clone(), Outcome { enabled: time, ..Outcome::default() });
                asks.insert(*item, ask);
                continue;
            }
            if let CaseEvent::SignalReceived { name, data, .. } = event
                && logged.meta.cause.is_none()
                && index >= fork
            {
                outcomes.signals.push(Signal { time, name: name.clone(), data: data.clone() });
                continue;
            }
            let ask = event.work().and_then(|(item, _)| asks.get(&item));
            match ask.and_then(|ask| Some((ask, outcomes.items.get_mut(ask)?))) {
                Some((ask, outcome)) => {
                    let taken = outcome.take(event, time, actor);
                    if taken && index >= fork && actor_of(event, net) {
                        outcomes.later.push(ask.clone());
                    } else if !taken && index >= fork && actor != ActorId::ENGINE {
                        outcomes.others.push(format!("{} {}", logged.kind(), ask.0));
                    }
                }
                None if index >= fork && actor != ActorId::ENGINE => outcomes.others.push(logged.kind().to_owned()),
                None => {}
            }
        }
        outcomes
    }

    /// What came of an item when the task asked that time.
    pub(super) fn find(&self, ask: &Ask) -> Option<&Outcome> {
        let found = self.items.get(ask)?;
        self.used.borrow_mut().insert(ask.clone());
        Some(found)
    }

    /// What was done in the past and not asked for again.
    pub(super) fn left_out(&self, run: &Run<'_>) -> Vec<String> {
        let used = self.used.borrow();
        let asked = |ask: &&Ask| !used.contains(*ask) && !run.has_asked(ask);
        let work: BTreeSet<&Ask> = self.later.iter().filter(asked).collect();
        let work = work.into_iter().map(|(task, _, visit)| match visit {
            1 => format!("work on {task}"),
            visit => format!("work on {task}, time {visit}"),
        });
        work.chain(self.others.iter().cloned()).collect()
    }
}

/// Routing and waiting are nobody's doing.
fn actor_of(event: &CaseEvent, net: &Net) -> bool {
    let task = event.work().and_then(|(_, task)| net.tasks.get(task.index()));
    matches!(event, CaseEvent::WorkCompleted { .. } | CaseEvent::WorkFailed { .. })
        && task.is_some_and(|task| matches!(task.work, Work::Manual { .. } | Work::Automatic { .. }))
}

impl Outcome {
    /// Takes in an event about the item; false if it says neither who nor what.
    fn take(&mut self, event: &CaseEvent, time: Time, actor: ActorId) -> bool {
        match event {
            CaseEvent::WorkStarted { .. } => {
                self.begun = Some((actor, time.0.saturating_sub(self.enabled.0)));
                self.started = time;
            }
            CaseEvent::WorkCompleted { result, .. } => {
                self.ended = Some((End::Completed(result.clone()), time.0.saturating_sub(self.started.0)));
            }
            // If it was tried again, what came of that counts.
            CaseEvent::WorkFailed { code, message, .. } => {
                let end = End::Failed(code.clone(), message.clone());
                self.ended = Some((end, time.0.saturating_sub(self.started.0)));
            }
            CaseEvent::WorkAllocated { .. } | CaseEvent::WorkOffered { .. } | CaseEvent::WorkRetried { .. } => {}
            _ => return false,
        }
        true
    }
}
