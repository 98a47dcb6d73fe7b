//! `limits`: never more calls at once than task, net, pools and engine allow, nor more in a time than a rate does.

use std::collections::HashMap;

use actum::{NetHash, Time};
use actum_net::{GateKind, Net, TaskIx, Work};

use super::{Held, hold};
use crate::nets::COMMON_UNITS;
use crate::observer::Observer;
use crate::work::{Running, is_called};

const NAME: &str = "limits";

/// What was let through since an engine was opened.
pub(crate) struct Limiter {
    calls: HashMap<(NetHash, TaskIx), u64>,
    earliest: Time,
    latest: Time,
}

impl Limiter {
    pub(crate) fn new(now: Time) -> Self {
        Limiter { calls: HashMap::new(), earliest: now, latest: now }
    }

    /// The clock shows this.
    pub(crate) fn at(&mut self, now: Time) {
        self.earliest = self.earliest.min(now);
        self.latest = self.latest.max(now);
    }

    /// Looks at the calls of the engine that is open.
    pub(crate) fn look(seen: &Observer, running: &[Running], handlers_max: usize) -> Held {
        // One of a batch that was given up goes on with the others.
        let run = running.iter().filter(|call| !(call.in_batch && call.is_cancelled)).count();
        hold(NAME, run <= handlers_max, || format!("{run} of {handlers_max} handlers run"))?;
        let mut of_tasks: HashMap<(NetHash, TaskIx), u32> = HashMap::new();
        let mut of_nets: HashMap<NetHash, u32> = HashMap::new();
        let mut pools: HashMap<(Option<NetHash>, &str), (u32, u32)> = HashMap::new();
        for call in running.iter().filter(|call| !call.is_cancelled) {
            let Some((net, task)) = of_call(seen, call) else { continue };
            *of_nets.entry(net.hash).or_default() += 1;
            *of_tasks.entry((net.hash, task)).or_default() += 1;
            let gates = net.tasks[task.index()].policies.as_deref().map_or(&[][..], |policies| &policies.gates);
            for gate in gates {
                if let GateKind::Pool { pool, units } = &gate.kind {
                    let pool = &net.policies.pools[*pool];
                    let key = (pool.units.is_some().then_some(net.hash), pool.name.as_str());
                    let (used, most) = pools.entry(key).or_default();
                    *used += units;
                    *most = pool.units.unwrap_or(COMMON_UNITS);
                }
            }
        }
        for ((hash, task), count) in of_tasks {
            let net = seen.net_of(hash);
            let gates = net.tasks[task.index()].policies.as_deref().map_or(&[][..], |policies| &policies.gates);
            for gate in gates {
                if let GateKind::Concurrency(most) = gate.kind {
                    hold(NAME, count <= most, || format!("{count} of {most} calls of {}", net.task_label(task)))?;
                }
            }
        }
        for (hash, count) in of_nets {
            let net = seen.net_of(hash);
            let most = net.policies.concurrency;
            hold(NAME, most.is_none_or(|most| count <= most), || format!("{count} of {most:?} calls of {}", net.name))?;
        }
        for ((_, name), (used, most)) in pools {
            hold(NAME, used <= most, || format!("{used} of {most} units of the pool {name}"))?;
        }
        Ok(())
    }

    /// A call began: a rate must have had room for it.
    pub(crate) fn begun(&mut self, net: &Net, task: TaskIx) -> Held {
        let gates = net.tasks[task.index()].policies.as_deref().map_or(&[][..], |policies| &policies.gates);
        let rate = gates.iter().find_map(|gate| match gate.kind {
            GateKind::Rate { calls, per_ns, burst } => Some((u64::from(calls), per_ns, u64::from(burst))),
            _ => None,
        });
        let Some((calls, per_ns, burst)) = rate else { return Ok(()) };
        let count = self.calls.entry((net.hash, task)).or_default();
        *count += 1;
        let most = burst + (self.latest.0 - self.earliest.0).saturating_mul(calls) / per_ns + 1;
        hold(NAME, *count <= most, || format!("{count} of {most} calls of {} in the time", net.task_label(task)))
    }
}

/// The task of a call.
pub(crate) fn of_call<'a>(seen: &'a Observer, call: &Running) -> Option<(&'a Net, TaskIx)> {
    let net = seen.net(seen.cases.get(&call.key.0)?);
    let is_it = |task: usize| {
        let definition = &net.tasks[task];
        definition.name == call.task
            && matches!(&definition.work, Work::Automatic { handler, .. } if is_called(handler))
    };
    (0..net.tasks.len()).find(|task| is_it(*task)).map(|task| (net, TaskIx::of(task)))
}
