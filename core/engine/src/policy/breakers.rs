//! Circuit breakers, one for each handler: a fold of the log, so that a restart does not forget that a service is down.

use std::collections::BTreeMap;

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{self, Reader};
use actum_model::{BreakerEvent, CaseEvent, Phase, Time};
use actum_net::{Breaker, GateKind, Net, TaskIx, Work};

/// How the breaker of a handler stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Calls go through; so many failed in a row.
    Closed {
        /// How many.
        failures: u32,
    },
    /// Calls are kept away.
    Open {
        /// Until then.
        until: Time,
    },
    /// Some calls try the handler out.
    HalfOpen,
}

/// All breakers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Breakers {
    by_handler: BTreeMap<String, BreakerState>,
    /// Some net has a breaker; without, no event need be looked at.
    is_watching: bool,
}

/// A task's breaker and its handler.
pub(super) fn of_task(net: &Net, task: TaskIx) -> Option<(&str, &Breaker)> {
    let task = net.tasks.get(task.index())?;
    let Work::Automatic { handler, .. } = &task.work else { return None };
    let gates = &task.policies.as_deref()?.gates;
    gates.iter().find_map(|gate| match &gate.kind {
        GateKind::Breaker(breaker) => Some((handler.as_str(), breaker)),
        _ => None,
    })
}

/// Whether a failure says something about the handler: not that the net's data is at fault, nor that nobody was called.
pub(super) fn counts(breaker: &Breaker, code: &str) -> bool {
    if breaker.on.is_empty() {
        return !code.starts_with("work/") && !code.starts_with("policy/");
    }
    breaker.on.iter().any(|pattern| pattern.matches(code))
}

impl Breakers {
    /// As bytes of saved state.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let all = self.all();
        wire::put_list(&mut out, &all, |out, (handler, state)| {
            wire::put_text(out, handler);
            let (kind, number) = match state {
                BreakerState::Closed { failures } => (0, u64::from(*failures)),
                BreakerState::Open { until } => (1, until.0),
                BreakerState::HalfOpen => (2, 0),
            };
            out.push(kind);
            wire::put(out, number);
        });
        out
    }

    /// From bytes of saved state; nets are added by who knows them.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        const BAD: SnapshotError = SnapshotError::NotCanonical("breakers");
        let mut from = Reader::new(bytes);
        let all = from.list(|from| {
            let handler = from.text()?.to_owned();
            let (kind, number) = (from.byte()?, from.number()?);
            let state = match kind {
                0 => BreakerState::Closed { failures: u32::try_from(number).map_err(|_| BAD)? },
                1 => BreakerState::Open { until: Time(number) },
                2 if number == 0 => BreakerState::HalfOpen,
                _ => return Err(BAD),
            };
            Ok((handler, state))
        })?;
        from.end()?;
        wire::ascending(&all, |(handler, _)| handler.clone(), "breakers")?;
        Ok(Breakers { by_handler: all.into_iter().collect(), is_watching: false })
    }

    /// A net may be run from now on.
    pub(crate) fn add_net(&mut self, net: &Net) {
        self.is_watching |= (0..net.tasks.len()).any(|task| of_task(net, TaskIx::of(task)).is_some());
    }

    pub(crate) fn is_watching(&self) -> bool {
        self.is_watching
    }

    /// Takes in an event of a case about an item that was in this phase before.
    pub(crate) fn observe(&mut self, net: &Net, event: &CaseEvent, before: Option<Phase>) {
        match event {
            CaseEvent::WorkFailed { task, code, .. } => {
                if let Some((handler, _)) = of_task(net, *task).filter(|(_, breaker)| counts(breaker, code))
                    && let BreakerState::Closed { failures } = self.state_mut(handler)
                {
                    *failures = failures.saturating_add(1);
                }
            }
            // What was given in place of a result says nothing.
            CaseEvent::WorkCompleted { task, .. } if before == Some(Phase::Started) => {
                if let Some((handler, _)) = of_task(net, *task)
                    && let Some(BreakerState::Closed { failures }) = self.by_handler.get_mut(handler)
                {
                    *failures = 0;
                }
            }
            _ => {}
        }
    }

    pub(crate) fn apply(&mut self, event: &BreakerEvent) {
        *self.state_mut(event.handler()) = match event {
            BreakerEvent::Opened { until, .. } => BreakerState::Open { until: *until },
            BreakerEvent::HalfOpened { .. } => BreakerState::HalfOpen,
            _ => BreakerState::Closed { failures: 0 },
        };
    }

    fn state_mut(&mut self, handler: &str) -> &mut BreakerState {
        self.by_handler.entry(handler.to_owned()).or_insert(BreakerState::Closed { failures: 0 })
    }

    pub(crate) fn of(&self, handler: &str) -> BreakerState {
        self.by_handler.get(handler).copied().unwrap_or(BreakerState::Closed { failures: 0 })
    }

    pub(crate) fn all(&self) -> Vec<(String, BreakerState)> {
        self.by_handler.iter().map(|(handler, state)| (handler.clone(), *state)).collect()
    }

    /// What follows from an outcome that is already taken in, at `now`: nothing, or that the breaker changes.
    pub(super) fn verdict(&self, handler: &str, breaker: &Breaker, failed: bool, now: Time) -> Option<BreakerEvent> {
        let handler_name = || handler.to_owned();
        let opened = |failures| {
            let until = Time(now.0.saturating_add(breaker.open_ns).min(i64::MAX as u64));
            BreakerEvent::Opened { handler: handler_name(), failures, until }
        };
        match (self.of(handler), failed) {
            (BreakerState::Closed { failures }, true) if failures >= breaker.threshold => Some(opened(failures)),
            (BreakerState::HalfOpen, true) => Some(opened(1)),
            (BreakerState::HalfOpen, false) => Some(BreakerEvent::Closed { handler: handler_name() }),
            _ => None,
        }
    }
}
