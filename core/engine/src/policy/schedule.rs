//! Which call goes out when: limits, pools, priorities and breakers before a call, time limits while it runs.
//!
//! Part of the partition, so it needs no locks and sees what the log sees. It is not itself in the log: after a restart all
//! calls without a result are submitted again. What it decides that has consequences (refusals, timeouts) becomes commands.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use actum_kernel::Effect;
use actum_model::{BreakerEvent, CaseId, ItemId, NetHash, TaskIx, Time};
use actum_net::{Gate, GateKind, Net, Policies, WAITING_DEFAULT};
use opentelemetry::trace::SpanContext;
use rustc_hash::FxHashMap;

use super::breakers::{BreakerState, Breakers};
use super::bucket::Bucket;
use super::signal::Signal;
use crate::clock::Clock;
use crate::handler::{Registered, Registry};

/// Every so many admissions the call that waits longest goes first, whatever its priority: so that none waits for ever.
const OLDEST_FIRST_EVERY: u64 = 8;

/// A call, by item; which attempt is in what is kept of it.
pub(super) type Key = (CaseId, ItemId);

/// A call that waits.
pub(super) struct Waiting {
    pub(super) effect: Effect,
    pub(super) key: Key,
    pub(super) attempt: u32,
    /// The first of its attempts that count.
    pub(super) is_first: bool,
    pub(super) since: Time,
    /// In which order calls came, over all tasks.
    order: u64,
    pub(super) signal: Arc<Signal>,
    trace: Option<Arc<SpanContext>>,
}

/// A call that is under way.
pub(super) struct Running {
    pub(super) attempt: u32,
    pub(super) net: Arc<Net>,
    pub(super) task: TaskIx,
    pub(super) since: Time,
    pub(super) signal: Arc<Signal>,
    /// By when it must be done.
    deadline: Option<Time>,
    lease_ns: Option<u64>,
    /// When it is looked at next.
    watched: Option<Time>,
    /// It tries its handler out for a breaker.
    probes: Option<String>,
    /// It holds places of its task's limits.
    holds: bool,
}

/// What the schedule wants done; the partition does it, as there is room.
pub(super) enum Todo {
    Shed { key: Key, attempt: u32, policy: &'static str, message: String, until: Option<Time> },
    Fail { key: Key, attempt: u32, code: &'static str, message: String },
    Breaker(BreakerEvent),
}

/// A call that may go out.
pub(super) struct Admitted {
    pub(super) net: Arc<Net>,
    pub(super) effect: Effect,
    pub(super) signal: Arc<Signal>,
    /// The command that it follows from.
    pub(super) trace: Option<Arc<SpanContext>>,
}

/// A task whose calls are limited.
struct Lane {
    net: Arc<Net>,
    task: TaskIx,
    queue: VecDeque<Waiting>,
    running: u32,
    /// By gate, where that is a rate.
    buckets: Vec<Option<Bucket>>,
    /// By gate, where that is a pool: which.
    pools: Vec<Option<usize>>,
    served: u64,
    priority: u8,
}

struct PoolState {
    units: u32,
    used: u32,
}

/// Whose units a pool has: a net's, or the engine's.
type PoolKey = (Option<NetHash>, String);

#[derive(Default)]
pub(crate) struct Schedule {
    pub(crate) handlers: Arc<Registry>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    /// The log was there before: what it let through lately is not known.
    pub(crate) is_reopened: bool,
    /// Pools of the engine's options.
    pub(crate) engine_pools: FxHashMap<String, u32>,
    lanes: Vec<Lane>,
    lane_of: FxHashMap<(NetHash, TaskIx), usize>,
    pools: Vec<PoolState>,
    pool_of: FxHashMap<PoolKey, usize>,
    /// Calls under way of nets that limit them.
    of_net: FxHashMap<NetHash, u32>,
    probing: FxHashMap<String, u32>,
    running: FxHashMap<Key, Running>,
    watch: BTreeSet<(Time, Key)>,
    waiting: usize,
    /// When a rate lets the next call through.
    ready_at: Option<Time>,
    orders: u64,
    served: u64,
    pub(super) todo: VecDeque<Todo>,
}

/// Whether a gate lets a call through.
enum Asked {
    Passes,
    Waits(Option<Time>),
    Refused(Option<Time>),
}

fn policies(net: &Net, task: TaskIx) -> Option<&Policies> {
    net.tasks[task.index()].policies.as_deref()
}

impl Schedule {
    /// When there is something to do next.
    pub(super) fn next_wake(&self) -> Option<Time> {
        if !self.todo.is_empty() {
            return Some(Time(0));
        }
        let watched = self.watch.first().map(|(at, _)| *at);
        watched.into_iter().chain(self.ready_at).min()
    }

    /// What a call hears by: of a limited task, or of a handler that takes its time.
    pub(super) fn new_signal_if(&self, is_limited: bool, handler: &Registered) -> Option<Arc<Signal>> {
        if !is_limited && handler.is_instant {
            return None;
        }
        self.clock.clone().map(|clock| Arc::new(Signal::new(clock)))
    }

    /// Takes a call of a task without limits that is to be watched.
    pub(super) fn watch(
        &mut self,
        net: &Arc<Net>,
        task: TaskIx,
        key: Key,
        attempt: u32,
        signal: Arc<Signal>,
        now: Time,
    ) {
        self.run(net.clone(), task, key, attempt, signal, (now, now), None, false);
    }

    /// Takes a call that must wait until its limits let it through.
    pub(super) fn submit(
        &mut self,
        net: &Arc<Net>,
        waiting: (Effect, Key, TaskIx, u32, bool),
        (signal, trace): (Arc<Signal>, Option<Arc<SpanContext>>),
        now: Time,
    ) {
        let (effect, key, task, attempt, is_first) = waiting;
        let lane = self.lane(net, task, now);
        self.orders += 1;
        let waiting = Waiting { effect, key, attempt, is_first, since: now, order: self.orders, signal, trace };
        if let Some(timeout) = policies(net, task).and_then(|policies| policies.timeout)
            && timeout.counts_waiting
        {
            self.watch.insert((Time(now.0.saturating_add(timeout.after_ns)), key));
        }
        self.lanes[lane].queue.push_back(waiting);
        self.waiting += 1;
    }

    /// Sheds the newest call of a task if more wait than may.
    pub(super) fn shed_beyond(&mut self, net: &Net, task: TaskIx) {
        let Some(lane) = self.lane_of.get(&(net.hash, task)) else { return };
        let most = policies(net, task).map_or(WAITING_DEFAULT, |policies| policies.waiting_max);
        let queue = &mut self.lanes[*lane].queue;
        if queue.len() > most as usize
            && let Some(Waiting { key, attempt, .. }) = queue.pop_back()
        {
            self.waiting -= 1;
            let message = format!("{most} calls of this task wait already");
            self.todo.push_back(Todo::Shed { key, attempt, policy: "queue", message, until: None });
        }
    }

    fn lane(&mut self, net: &Arc<Net>, task: TaskIx, now: Time) -> usize {
        if let Some(lane) = self.lane_of.get(&(net.hash, task)) {
            return *lane;
        }
        let policies = policies(net, task);
        let gates: &[Gate] = policies.map_or(&[], |policies| &policies.gates);
        let bucket = |gate: &Gate| match gate.kind {
            GateKind::Rate { calls, per_ns, burst } => Some(self.bucket(calls, per_ns, burst, now)),
            _ => None,
        };
        let buckets = gates.iter().map(bucket).collect();
        let pools = gates
            .iter()
            .map(|gate| match gate.kind {
                GateKind::Pool { pool, .. } => Some(self.pool(net, pool)),
                _ => None,
            })
            .collect();
        let priority = policies.map_or(0, |policies| policies.priority);
        let (net_hash, lane) = (net.hash, self.lanes.len());
        let queue = VecDeque::new();
        self.lanes.push(Lane { net: net.clone(), task, queue, running: 0, buckets, pools, served: 0, priority });
        self.lane_of.insert((net_hash, task), lane);
        lane
    }

    /// What an engine let through before it was closed counts: one begins empty if there was a log.
    fn bucket(&self, calls: u32, per_ns: u64, burst: u32, now: Time) -> Bucket {
        if self.is_reopened { Bucket::empty(calls, per_ns, burst, now) } else { Bucket::full(calls, per_ns, burst) }
    }

    fn pool(&mut self, net: &Net, pool: usize) -> usize {
        let pool = &net.policies.pools[pool];
        let key = (pool.units.is_some().then_some(net.hash), pool.name.clone());
        if let Some(known) = self.pool_of.get(&key) {
            return *known;
        }
        let units = pool.units.or_else(|| self.engine_pools.get(&pool.name).copied()).unwrap_or_else(|| {
            tracing::warn!(pool = pool.name, "the engine has no pool of this name; calls that need it wait");
            0
        });
        self.pools.push(PoolState { units, used: 0 });
        self.pool_of.insert(key, self.pools.len() - 1);
        self.pools.len() - 1
    }

    /// Lets calls out, as limits allow. `is_wanted` says whether an item still waits for this attempt.
    pub(super) fn admit(
        &mut self,
        breakers: &Breakers,
        is_wanted: impl Fn(Key, u32) -> bool,
        now: Time,
        mut go: impl FnMut(Admitted),
    ) {
        if self.waiting == 0 {
            self.ready_at = None;
            return;
        }
        self.ready_at = None;
        let mut blocked = vec![false; self.lanes.len()];
        while let Some(at) = self.pick(&blocked) {
            let head = self.lanes[at].queue.front().map(|head| (head.key, head.attempt, head.is_first));
            let Some((key, attempt, is_first)) = head else { break };
            if !is_wanted(key, attempt) {
                self.take_head(at);
                continue;
            }
            match self.ask(at, is_first, breakers, now) {
                (Asked::Waits(until), _) => {
                    blocked[at] = true;
                    self.ready_at = self.ready_at.into_iter().chain(until).min();
                }
                (Asked::Refused(until), _) => {
                    self.take_head(at);
                    let message = "its handler keeps failing, and is not called for now".to_owned();
                    self.todo.push_back(Todo::Shed { key, attempt, policy: "breaker", message, until });
                }
                (Asked::Passes, probes) => {
                    let Some(waiting) = self.take_head(at) else { break };
                    self.pass(at, is_first, probes.clone(), breakers, now);
                    let (net, task) = (self.lanes[at].net.clone(), self.lanes[at].task);
                    let Waiting { effect, signal, since, trace, .. } = waiting;
                    self.run(net.clone(), task, key, attempt, signal.clone(), (since, now), probes, true);
                    go(Admitted { net, effect, signal, trace });
                }
            }
        }
    }

    fn take_head(&mut self, lane: usize) -> Option<Waiting> {
        let head = self.lanes[lane].queue.pop_front();
        self.waiting -= usize::from(head.is_some());
        head
    }

    /// The lane whose turn it is: of the highest priority the one that was served least recently; now and then the oldest call.
    fn pick(&self, blocked: &[bool]) -> Option<usize> {
        let open = self.lanes.iter().enumerate().filter(|(at, lane)| !lane.queue.is_empty() && !blocked[*at]);
        if self.served % OLDEST_FIRST_EVERY == OLDEST_FIRST_EVERY - 1 {
            let order = |lane: &Lane| lane.queue.front().map_or(u64::MAX, |head| head.order);
            return open.min_by_key(|(_, lane)| order(lane)).map(|(at, _)| at);
        }
        open.min_by_key(|(_, lane)| (u8::MAX - lane.priority, lane.served)).map(|(at, _)| at)
    }

    /// Asks the limits of a task in their order; with the handler, if it would be tried out.
    fn ask(&self, lane: usize, is_first: bool, breakers: &Breakers, now: Time) -> (Asked, Option<String>) {
        let lane = &self.lanes[lane];
        let of_net = self.of_net.get(&lane.net.hash).copied().unwrap_or(0);
        if lane.net.policies.concurrency.is_some_and(|most| of_net >= most) {
            return (Asked::Waits(None), None);
        }
        let mut probes = None;
        let gates = policies(&lane.net, lane.task).map_or(&[][..], |policies| &policies.gates);
        for (at, gate) in gates.iter().enumerate().filter(|(_, gate)| gate.each || is_first) {
            let asked = match &gate.kind {
                GateKind::Rate { .. } => match lane.buckets[at].map(|bucket| bucket.ready_at()) {
                    Some(ready) if ready > now => Asked::Waits(Some(ready)),
                    _ => Asked::Passes,
                },
                GateKind::Concurrency(most) if lane.running >= *most => Asked::Waits(None),
                GateKind::Pool { units, .. } => match lane.pools[at].map(|pool| &self.pools[pool]) {
                    Some(pool) if pool.used.saturating_add(*units) > pool.units => Asked::Waits(None),
                    _ => Asked::Passes,
                },
                GateKind::Breaker(breaker) => {
                    let Some((handler, _)) = super::breakers::of_task(&lane.net, lane.task) else { continue };
                    let trying = self.probing.get(handler).copied().unwrap_or(0);
                    match breakers.of(handler) {
                        BreakerState::Closed { .. } => Asked::Passes,
                        BreakerState::Open { until } if now < until => Asked::Refused(Some(until)),
                        _ if trying < breaker.probes => {
                            probes = Some(handler.to_owned());
                            Asked::Passes
                        }
                        _ => Asked::Refused(None),
                    }
                }
                _ => Asked::Passes,
            };
            if !matches!(asked, Asked::Passes) {
                return (asked, None);
            }
        }
        (Asked::Passes, probes)
    }

    /// Takes what a call takes.
    fn pass(&mut self, at: usize, is_first: bool, probes: Option<String>, breakers: &Breakers, now: Time) {
        self.served += 1;
        let lane = &mut self.lanes[at];
        lane.served = self.served;
        lane.running += 1;
        let gates = policies(&lane.net, lane.task).map_or(&[][..], |policies| &policies.gates);
        for (at, gate) in gates.iter().enumerate() {
            match gate.kind {
                GateKind::Rate { .. } if gate.each || is_first => {
                    if let Some(bucket) = &mut lane.buckets[at] {
                        bucket.take(now);
                    }
                }
                GateKind::Pool { units, .. } => {
                    if let Some(pool) = lane.pools[at] {
                        self.pools[pool].used = self.pools[pool].used.saturating_add(units);
                    }
                }
                _ => {}
            }
        }
        if lane.net.policies.concurrency.is_some() {
            *self.of_net.entry(lane.net.hash).or_default() += 1;
        }
        if let Some(handler) = probes {
            if matches!(breakers.of(&handler), BreakerState::Open { .. }) && !self.probing.contains_key(&handler) {
                self.todo.push_back(Todo::Breaker(BreakerEvent::HalfOpened { handler: handler.clone() }));
            }
            *self.probing.entry(handler).or_default() += 1;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one for each thing that is kept of a call")]
    fn run(
        &mut self,
        net: Arc<Net>,
        task: TaskIx,
        key: Key,
        attempt: u32,
        signal: Arc<Signal>,
        (submitted, now): (Time, Time),
        probes: Option<String>,
        holds: bool,
    ) {
        let of_task = policies(&net, task);
        let handler = super::handler_of(&net, task).and_then(|handler| self.handlers.get(handler));
        let timeout = of_task.and_then(|policies| policies.timeout);
        let after = |since: Time, ns: u64| Time(since.0.saturating_add(ns));
        let deadline = match timeout {
            Some(timeout) => Some(after(if timeout.counts_waiting { submitted } else { now }, timeout.after_ns)),
            None => handler.and_then(|handler| handler.handle_ns).map(|ns| after(now, ns)),
        };
        let lease_ns = of_task.and_then(|policies| policies.lease_ns);
        let watched = deadline.into_iter().chain(lease_ns.map(|lease| after(now, lease))).min();
        let running = Running { attempt, net, task, since: now, signal, deadline, lease_ns, watched, probes, holds };
        self.watch.extend(watched.map(|at| (at, key)));
        if let Some(old) = self.running.insert(key, running) {
            // Another attempt of the same item took its place.
            old.signal.cancel();
            self.give_back(&old, key);
        }
    }

    /// A call came to its end, or nobody waits for it any more; nothing if it is not known.
    pub(super) fn done(&mut self, key: Key) -> Option<Running> {
        let running = self.running.remove(&key)?;
        self.give_back(&running, key);
        Some(running)
    }

    pub(super) fn call(&self, key: Key) -> Option<&Running> {
        self.running.get(&key)
    }

    fn give_back(&mut self, running: &Running, key: Key) {
        if let Some(at) = running.watched {
            self.watch.remove(&(at, key));
        }
        if let Some(handler) = &running.probes
            && let Some(trying) = self.probing.get_mut(handler)
        {
            *trying -= 1;
            if *trying == 0 {
                self.probing.remove(handler);
            }
        }
        if !running.holds {
            return;
        }
        if let Some(of_net) = self.of_net.get_mut(&running.net.hash) {
            *of_net = of_net.saturating_sub(1);
        }
        let Some(lane) = self.lane_of.get(&(running.net.hash, running.task)) else { return };
        let lane = &mut self.lanes[*lane];
        lane.running = lane.running.saturating_sub(1);
        let gates = policies(&lane.net, lane.task).map_or(&[][..], |policies| &policies.gates);
        for (at, gate) in gates.iter().enumerate() {
            if let (GateKind::Pool { units, .. }, Some(pool)) = (&gate.kind, lane.pools[at]) {
                self.pools[pool].used = self.pools[pool].used.saturating_sub(*units);
            }
        }
    }

    /// Looks at calls whose time is up: some fail, some showed a sign of life and have more.
    pub(super) fn look(&mut self, now: Time) {
        while let Some((at, key)) = self.watch.first().copied().filter(|(at, _)| *at <= now) {
            self.watch.remove(&(at, key));
            let Some(running) = self.running.get_mut(&key).filter(|running| running.watched == Some(at)) else {
                self.time_out_waiting(key, now);
                continue;
            };
            let (attempt, since) = (running.attempt, running.since);
            if running.deadline.is_some_and(|deadline| deadline <= now) {
                running.watched = None;
                let message = "the handler did not answer in time".to_owned();
                self.todo.push_back(Todo::Fail { key, attempt, code: "handler/timeout", message });
                continue;
            }
            let alive_until =
                running.lease_ns.map(|lease| Time(running.signal.last_beat().max(since).0.saturating_add(lease)));
            if alive_until.is_some_and(|until| until <= now) {
                running.watched = None;
                let message = "the handler gave no sign of life, and is taken for dead".to_owned();
                self.todo.push_back(Todo::Fail { key, attempt, code: "handler/lease", message });
                continue;
            }
            running.watched = running.deadline.into_iter().chain(alive_until).min();
            self.watch.extend(running.watched.map(|at| (at, key)));
        }
    }

    fn time_out_waiting(&mut self, key: Key, now: Time) {
        for lane in &mut self.lanes {
            let Some(timeout) = policies(&lane.net, lane.task).and_then(|policies| policies.timeout) else { continue };
            let is_late =
                |waiting: &Waiting| waiting.key == key && waiting.since.0.saturating_add(timeout.after_ns) <= now.0;
            if let Some(at) = lane.queue.iter().position(is_late).filter(|_| timeout.counts_waiting) {
                if let Some(waiting) = lane.queue.remove(at) {
                    self.waiting -= 1;
                    let message = "its limits did not let it through in time".to_owned();
                    let attempt = waiting.attempt;
                    self.todo.push_back(Todo::Fail { key, attempt, code: "handler/timeout", message });
                }
                return;
            }
        }
    }

    /// All calls under way, and how many wait.
    pub(super) fn calls(&self) -> impl Iterator<Item = (Key, &Running)> {
        self.running.iter().map(|(key, running)| (*key, running))
    }

    /// Calls that wait, by task.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&Arc<Net>, TaskIx, &Waiting)> {
        self.lanes.iter().flat_map(|lane| lane.queue.iter().map(move |waiting| (&lane.net, lane.task, waiting)))
    }

    /// The engine ends: handlers are told.
    pub(crate) fn cancel_all(&mut self) {
        self.running.drain().for_each(|(_, running)| running.signal.cancel());
    }

    /// Nothing is limited or watched.
    pub(super) fn has_calls(&self) -> bool {
        self.waiting > 0 || !self.running.is_empty()
    }
}
