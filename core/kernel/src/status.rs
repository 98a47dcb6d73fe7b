//! How a case stands: what it waits for, how much is done, and how long it may take.

use std::collections::BTreeSet;

use actum_model::{ActorId, Case, Control, FrameId, ItemId, Phase, RoleIx, SubnetIx, TaskIx, Time, WorkItemState};
use actum_net::{Net, Work};

/// What one item waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The item.
    pub item: ItemId,
    /// Its task.
    pub task: TaskIx,
    /// What must come before it goes on.
    pub needs: Need,
}

/// What must come before an item goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// It rests: somebody must resume it, or the time must come.
    Rest {
        /// When it goes on by itself, if it does.
        until: Option<Time>,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
    },
    /// A message.
    Message {
        /// Its name.
        name: String,
        /// What it must be about.
        key: String,
    },
    /// A time.
    Timer {
        /// When.
        at: Time,
    },
    /// Somebody must take it; with neither a role nor a name, somebody must say who is asked.
    Taking {
        /// Who has this role.
        role: Option<RoleIx>,
        /// Only these (of the role); none: all.
        of: Vec<ActorId>,
    },
    /// Somebody has it.
    Person {
        /// Who.
        who: ActorId,
        /// They began it.
        begun: bool,
    },
    /// A handler.
    Handler {
        /// Its name.
        name: String,
        /// Which attempt it is at, from 1.
        attempt: u32,
    },
    /// It failed, and is tried again.
    Retry {
        /// When.
        at: Time,
        /// Which attempt that will be.
        attempt: u32,
    },
    /// It failed, and nothing happens until somebody tries it again, drops it or completes it by force.
    Decision,
}

/// How far a case is, in tasks of its own net that do work: not those that only route, nor what subnets are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaseProgress {
    /// Possible and not begun.
    pub enabled: u32,
    /// Begun, or failed and not given up.
    pub running: u32,
    /// What can still be done at most, with what is enabled and runs: at splits, every branch counts. Absent when the case can
    /// come to the same task again.
    pub left_most: Option<u32>,
}

/// Why nothing can be said of how long a case will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoEstimate {
    /// It is over, or can do nothing more.
    Over,
    /// It rests, and nobody said until when.
    Rests,
    /// It can come to the same task again, and nobody knows how often.
    Loops,
    /// This item waits for somebody's decision.
    Stands(ItemId),
    /// This task was not done often enough.
    Unseen(TaskIx),
}

/// What each live item of an open case waits for, ascending by item. What goes on by its parts is not among them: they are. A
/// case that rests as a whole waits for that beside it (see [`Control::rest_until`]).
#[must_use]
pub fn waiting(net: &Net, case: &Case) -> Vec<Waiting> {
    let control = &case.control;
    let all = control.items.iter().filter(|item| item.task.index() < net.tasks.len());
    all.filter_map(|item| Some(Waiting { item: item.id, task: item.task, needs: need(net, control, item)? })).collect()
}

fn need(net: &Net, control: &Control, item: &WorkItemState) -> Option<Need> {
    let task = &net.tasks[item.task.index()];
    match item.phase {
        Phase::Suspended => Some(Need::Rest { until: control.rest_until(Some(item.id)) }),
        Phase::Failed => Some(
            control
                .retry_at(item.id)
                .map_or(Need::Decision, |at| Need::Retry { at, attempt: item.attempt.saturating_add(1) }),
        ),
        Phase::Allocated | Phase::Started if item.resource.is_some() => {
            Some(Need::Person { who: item.resource?, begun: item.phase == Phase::Started })
        }
        Phase::Offered => Some(Need::Taking { role: item.role, of: item.offered_to.clone() }),
        Phase::Enabled => Some(match (&task.trigger, &task.work) {
            (Some(trigger), _) if !item.triggered && item.instance.is_none() && !task.compensates => {
                Need::Signal { name: trigger.signal.clone() }
            }
            (_, Work::Receive { message, .. }) => {
                let awaited = control.awaited_by(item.id);
                let key = awaited.map(|awaited| awaited.key.clone()).unwrap_or_default();
                Need::Message { name: message.clone(), key }
            }
            (_, Work::Wait(_)) => Need::Timer { at: item.timer? },
            (_, Work::Manual { .. }) => Need::Taking { role: None, of: Vec::new() },
            _ => return None,
        }),
        _ => match &task.work {
            _ if task.instances.is_some() && item.instance.is_none() => None,
            Work::Automatic { handler, .. } => Some(Need::Handler { name: handler.clone(), attempt: item.attempt }),
            _ => None,
        },
    }
}

/// How far a case is.
#[must_use]
pub fn progress(net: &Net, case: &Case) -> CaseProgress {
    let of_root = |item: &&WorkItemState| item.frame == FrameId::ROOT && item.instance.is_none();
    let works = |item: &&WorkItemState| does_work(net, item.task);
    let live = case.control.items.iter().filter(of_root).filter(works);
    let running = live.clone().filter(|item| item.holds_tokens()).count() as u32;
    let enabled = live.count() as u32 - running;
    let left = ahead(net, &case.control);
    let left_most = in_order(net, &left).map(|order| order.iter().filter(|task| does_work(net, **task)).count() as u32);
    CaseProgress { enabled, running, left_most }
}

/// Number of tasks of the case's own net that do work and are done, each once however often; given the tasks of all work that
/// was completed. One with several instances is not while it still has some.
#[must_use]
pub fn tasks_done(net: &Net, case: &Case, completed: impl Iterator<Item = TaskIx>) -> u32 {
    let of_root = |task: &TaskIx| {
        net.tasks.get(task.index()).is_some_and(|definition| {
            let is_over = definition.instances.is_none() || case.control.item_of(*task).is_none();
            definition.subnet == SubnetIx::ROOT && is_over && does_work(net, *task)
        })
    };
    completed.filter(of_root).collect::<BTreeSet<_>>().len() as u32
}

/// Whether a task is more than a place where ways part or meet; false also for one that the net lacks.
fn does_work(net: &Net, task: TaskIx) -> bool {
    net.tasks.get(task.index()).is_some_and(|task| !matches!(task.work, Work::Routing))
}

/// Nanoseconds that the case still takes if it goes the longest way that is open to it (the critical path: Kelley and Walker
/// 1959), given how long a task takes from being possible to being done. What runs counts as just begun.
///
/// # Errors
/// See [`NoEstimate`].
pub fn time_left(
    net: &Net,
    case: &Case,
    now: Time,
    sojourn_ns: &dyn Fn(TaskIx) -> Option<u64>,
) -> Result<u64, NoEstimate> {
    let control = &case.control;
    if control.status != actum_model::CaseStatus::Open {
        return Err(NoEstimate::Over);
    }
    let until = |time: Time| time.0.saturating_sub(now.0);
    let rest = match (control.suspended, control.rest_until(None)) {
        (false, _) => 0,
        (true, Some(time)) => until(time),
        (true, None) => return Err(NoEstimate::Rests),
    };
    for one in waiting(net, case) {
        match one.needs {
            Need::Rest { until: None } => return Err(NoEstimate::Rests),
            Need::Decision => return Err(NoEstimate::Stands(one.item)),
            _ => {}
        }
    }
    let order = in_order(net, &ahead(net, control)).ok_or(NoEstimate::Loops)?;
    let mut longest = vec![0_u64; net.tasks.len()];
    for task in order.into_iter().rev() {
        let after = next(net, task).map(|next| longest[next.index()]).max().unwrap_or(0);
        longest[task.index()] = after.saturating_add(takes(net, control, task, &until, sojourn_ns)?);
    }
    Ok(longest.into_iter().max().unwrap_or(0).saturating_add(rest))
}

fn takes(
    net: &Net,
    control: &Control,
    task: TaskIx,
    until: &dyn Fn(Time) -> u64,
    sojourn_ns: &dyn Fn(TaskIx) -> Option<u64>,
) -> Result<u64, NoEstimate> {
    if !does_work(net, task) {
        return Ok(0);
    }
    let item = control.item_of(task);
    let is_wait = matches!(net.tasks[task.index()].work, Work::Wait(_));
    if let Some(at) = item.and_then(|item| item.timer).filter(|_| is_wait) {
        return Ok(until(at));
    }
    let first = item.and_then(|item| control.retry_at(item.id).or_else(|| control.rest_until(Some(item.id))));
    let known = sojourn_ns(task).ok_or(NoEstimate::Unseen(task))?;
    Ok(known.saturating_add(first.map_or(0, until)))
}

/// Tasks of the root that are possible, run, or can come to be: by task, whether.
fn ahead(net: &Net, control: &Control) -> Vec<bool> {
    let mut ahead = vec![false; net.tasks.len()];
    let marked = control.marking.of(FrameId::ROOT).flat_map(|(condition, _)| consumers(net, condition));
    let live = control.items.iter().filter(|item| item.frame == FrameId::ROOT && item.instance.is_none());
    let mut open: Vec<TaskIx> = marked.chain(live.map(|item| item.task)).collect();
    while let Some(task) = open.pop() {
        if let Some(seen) = ahead.get_mut(task.index()).filter(|seen| !**seen) {
            *seen = true;
            open.extend(next(net, task));
        }
    }
    ahead
}

fn next(net: &Net, task: TaskIx) -> impl Iterator<Item = TaskIx> {
    net.tasks[task.index()].outputs.iter().flat_map(|flow| consumers(net, flow.to))
}

fn consumers(net: &Net, condition: actum_model::ConditionIx) -> impl Iterator<Item = TaskIx> {
    let condition = net.conditions.get(condition.index());
    condition.into_iter().filter(|condition| !condition.mutex).flat_map(|condition| condition.consumers.iter().copied())
}

/// The tasks, each before those that follow it (Kahn 1962); `None` if some follow themselves.
fn in_order(net: &Net, ahead: &[bool]) -> Option<Vec<TaskIx>> {
    let tasks = || (0..ahead.len()).filter(|task| ahead[*task]).map(TaskIx::of);
    let mut before = vec![0_usize; ahead.len()];
    tasks().flat_map(|task| next(net, task)).for_each(|task| before[task.index()] += 1);
    let mut order: Vec<TaskIx> = tasks().filter(|task| before[task.index()] == 0).collect();
    let mut done = 0;
    while let Some(task) = order.get(done).copied() {
        done += 1;
        for next in next(net, task) {
            before[next.index()] -= 1;
            if before[next.index()] == 0 {
                order.push(next);
            }
        }
    }
    (order.len() == tasks().count()).then_some(order)
}
