//! `timers`: each fires once, and not before its time. (`waits` sees to it that none is forgotten.)

use std::collections::HashMap;

use actum::{CaseEvent, CaseId, ItemId, Time};
use actum_net::Work;

use super::{Happened, Held, Invariant, hold, of_case};

const NAME: &str = "timers";

#[derive(Default)]
pub(super) struct Timers {
    of_items: HashMap<(CaseId, ItemId), Time>,
    of_cases: HashMap<CaseId, Time>,
}

fn due(set: Option<Time>, now: Time, what: &str) -> Held {
    hold(NAME, set.is_some(), || format!("{what} fires, and no timer is set"))?;
    hold(NAME, set.is_none_or(|at| at <= now), || format!("{what} fires at {now}, and is set for {set:?}"))
}

impl Invariant for Timers {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        let Some((id, case, net, event)) = of_case(happened) else { return Ok(()) };
        let now = happened.meta.time;
        match event {
            CaseEvent::WorkWaiting { item, until, .. } => drop(self.of_items.insert((id, *item), *until)),
            CaseEvent::WorkTimedOut { item, .. } => {
                due(self.of_items.remove(&(id, *item)), now, &format!("the time of {item} of case {id}"))?;
            }
            CaseEvent::WorkStarted { item, task, .. } => {
                let waits = matches!(net.tasks[task.index()].work, Work::Wait(_));
                let has_timer = case.control.item(*item).is_some_and(|item| item.timer.is_some());
                if waits && has_timer {
                    due(self.of_items.remove(&(id, *item)), now, &format!("the wait {item} of case {id}"))?;
                }
            }
            CaseEvent::CaseWaiting { until } => drop(self.of_cases.insert(id, *until)),
            CaseEvent::CaseTimedOut => due(self.of_cases.remove(&id), now, &format!("the deadline of case {id}"))?,
            CaseEvent::TimerFiredLate { item, due: at } => {
                let set = match item {
                    Some(item) => self.of_items.get(&(id, *item)).copied().or_else(|| case.control.retry_at(*item)),
                    None => self.of_cases.get(&id).copied(),
                };
                let retry = item.and_then(|item| case.control.retry_at(item));
                let is_set = set == Some(*at) || retry == Some(*at);
                hold(NAME, is_set && *at < now, || format!("case {id}: {event:?} at {now}, set for {set:?}"))?;
            }
            CaseEvent::WorkCompleted { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkCancelled { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. } => drop(self.of_items.remove(&(id, *item))),
            _ => {}
        }
        Ok(())
    }
}
