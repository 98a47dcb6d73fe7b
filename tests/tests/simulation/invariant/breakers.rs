//! `breakers`: each opens after as many failures in a row as the log has, half-opens after its time, and closes from there only.

use std::collections::HashMap;

use actum::{CaseEvent, Phase, Time};
use actum_model::{BreakerEvent, SystemEvent};
use actum_net::{Breaker, GateKind, Net, Work};

use super::{Fact, Happened, Held, Invariant, hold};

const NAME: &str = "breakers";

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Closed(u32),
    Open(Time),
    HalfOpen,
}

#[derive(Default)]
pub(super) struct Breakers {
    by_handler: HashMap<String, State>,
}

fn breaker_of(net: &Net, task: actum_model::TaskIx) -> Option<(&str, &Breaker)> {
    let task = &net.tasks[task.index()];
    let Work::Automatic { handler, .. } = &task.work else { return None };
    let mut gates = task.policies.as_deref()?.gates.iter();
    gates.find_map(|gate| match &gate.kind {
        GateKind::Breaker(breaker) => Some((handler.as_str(), breaker)),
        _ => None,
    })
}

fn counts(breaker: &Breaker, code: &str) -> bool {
    if breaker.on.is_empty() {
        return !["work/", "policy/"].iter().any(|room| code.starts_with(room));
    }
    breaker.on.iter().any(|pattern| pattern.matches(code))
}

impl Invariant for Breakers {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        match happened.fact {
            Fact::Case { net, event: CaseEvent::WorkFailed { task, code, .. }, .. } => {
                if let Some((handler, _)) = breaker_of(net, *task).filter(|(_, breaker)| counts(breaker, code))
                    && let State::Closed(failures) = self.state(handler)
                {
                    *failures += 1;
                }
            }
            Fact::Case { net, case, event: CaseEvent::WorkCompleted { task, item, .. } } => {
                let by_handler = case.control.item(*item).is_some_and(|item| item.phase == Phase::Started);
                if let Some((handler, _)) = breaker_of(net, *task).filter(|_| by_handler)
                    && let State::Closed(failures) = self.state(handler)
                {
                    *failures = 0;
                }
            }
            Fact::System(SystemEvent::Breaker(event)) => return self.change(event, happened.meta.time),
            _ => {}
        }
        Ok(())
    }
}

impl Breakers {
    fn state(&mut self, handler: &str) -> &mut State {
        self.by_handler.entry(handler.to_owned()).or_insert(State::Closed(0))
    }

    fn change(&mut self, event: &BreakerEvent, now: Time) -> Held {
        let state = self.state(event.handler());
        let can = match (event, *state) {
            (BreakerEvent::Opened { failures, .. }, State::Closed(counted)) => *failures == counted,
            (BreakerEvent::Opened { failures, .. }, State::HalfOpen) => *failures == 1,
            (BreakerEvent::HalfOpened { .. }, State::Open(until)) => now >= until,
            (BreakerEvent::Closed { .. }, State::HalfOpen) => true,
            _ => false,
        };
        hold(NAME, can, || format!("{event:?} at {now} follows {state:?}"))?;
        *state = match event {
            BreakerEvent::Opened { until, .. } => State::Open(*until),
            BreakerEvent::HalfOpened { .. } => State::HalfOpen,
            _ => State::Closed(0),
        };
        Ok(())
    }
}
