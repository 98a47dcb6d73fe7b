//! `attempts`: policies plan no more attempts than they have, not beyond their budget, and none begins before its time.

use std::collections::HashMap;

use actum::{ActorId, CaseEvent, CaseId, ItemId, Time};
use actum_model::TaskIx;

use super::{Happened, Held, Invariant, hold, of_case};
use crate::work::Hands;

const NAME: &str = "attempts";

/// What is known of an item that failed.
#[derive(Default)]
struct Failing {
    planned: Option<(u32, Time)>,
    /// Attempts before somebody asked for it to be tried again.
    since: u32,
    /// Until when its handler is not called; a retry does not come before.
    refused_until: Option<Time>,
}

pub(super) struct Attempts {
    hands: Hands,
    items: HashMap<(CaseId, ItemId), Failing>,
    /// Retries that count towards the budget of a task in a case.
    used: HashMap<(CaseId, TaskIx), u32>,
}

impl Attempts {
    pub(super) fn new(hands: Hands) -> Self {
        Attempts { hands, items: HashMap::new(), used: HashMap::new() }
    }
}

impl Invariant for Attempts {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        let Some((id, case, net, event)) = of_case(happened) else { return Ok(()) };
        let Some((item, task)) = event.work() else { return Ok(()) };
        let key = (id, item);
        let state = case.control.item(item);
        match event {
            CaseEvent::WorkShed { until, .. } => self.items.entry(key).or_default().refused_until = *until,
            CaseEvent::WorkRetryScheduled { attempt, at, .. } => {
                let failing = self.items.entry(key).or_default();
                let of = net.tasks[task.index()].policies.as_deref();
                let next = state.map_or(0, |state| state.attempt) + 1;
                hold(NAME, *attempt == next, || format!("{key:?}: attempt {attempt} is planned, {next} is next"))?;
                let most = match of.and_then(|of| of.retry.as_ref()) {
                    Some(retry) => retry.attempts,
                    None if of.is_some_and(|of| of.lease_ns.is_some()) => actum_kernel::LEASE_ATTEMPTS_MAX,
                    None => 0,
                };
                let made = attempt - failing.since;
                hold(NAME, made <= most, || format!("{key:?}: attempt {made} of {most} is planned"))?;
                if let Some(retry) = of.and_then(|of| of.retry.as_ref()) {
                    let used = self.used.entry((id, task)).or_default();
                    *used += 1;
                    // Who died is replaced, whatever the budget.
                    let budget = retry.budget.filter(|_| of.is_some_and(|of| of.lease_ns.is_none()));
                    hold(NAME, budget.is_none_or(|most| *used <= most), || {
                        format!("{key:?}: {used} of {budget:?} retries")
                    })?;
                    let longest = retry.delay_before(made - 1) / 4 * 5 + 5;
                    let latest = Time(happened.meta.time.0 + longest).max(failing.refused_until.unwrap_or_default());
                    hold(NAME, *at <= latest, || format!("{key:?}: planned for {at}, {latest} is the latest"))?;
                }
                failing.refused_until = None;
                failing.planned = Some((*attempt, *at));
            }
            CaseEvent::WorkDeadLettered { .. } => self.items.entry(key).or_default().planned = None,
            CaseEvent::WorkRetried { attempt, .. } => {
                let next = state.map_or(0, |state| state.attempt) + 1;
                hold(NAME, *attempt == next, || format!("{key:?}: attempt {attempt} follows {}", next - 1))?;
                let failing = self.items.entry(key).or_default();
                let by_policy = happened.meta.actor == ActorId::ENGINE && !self.hands.was_asked_again(key);
                match failing.planned.take() {
                    Some((_, at)) if by_policy => {
                        hold(NAME, happened.meta.time >= at, || format!("{key:?} is tried before {at}"))?;
                    }
                    Some(_) => {}
                    None => failing.since = attempt - 1,
                }
            }
            CaseEvent::WorkCompleted { .. }
            | CaseEvent::WorkSkipped { .. }
            | CaseEvent::WorkCancelled { .. }
            | CaseEvent::WorkWithdrawn { .. } => drop(self.items.remove(&key)),
            _ => {}
        }
        Ok(())
    }
}
