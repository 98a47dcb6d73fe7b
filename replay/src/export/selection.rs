//! From events to what an export shows of them.

use std::sync::Arc;

use actum_model::{ActorId, CaseEvent, CaseId, ItemId, NetHash, Seq, TaskIx, Time};
use actum_net::{Net, Work};
use rustc_hash::FxHashMap;

use super::Transition;
use super::entry::{Began, Changed, Data, Ended, Entry, Step, ending};
use crate::{CaseRef, LoggedEvent, Names};

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only this case (by a key: these cases).
    pub case: Option<CaseRef>,
    /// Only cases of nets of this name, or with a hash that begins so.
    pub net: Option<String>,
    /// Only steps by which an activity is over and done, so that each stands for one firing of a task.
    pub done_only: bool,
}

/// Makes entries of events, in the order of the log. Memory grows with the number of open cases.
///
/// Not shown: tasks that only route, run a subnet or fire instances (the work of others is shown for them), offers, timers,
/// decisions, and the system's events. JSON lines have all of these.
#[derive(Debug, Default)]
pub struct Selection {
    wanted: Wanted,
    open: FxHashMap<CaseId, OpenCase>,
    nets: FxHashMap<NetHash, Arc<Labels>>,
    unknown: Arc<Labels>,
    /// Work that was stopped by the decision that goes on: whether its case ends with it is not known yet.
    stopped: Vec<Stopped>,
    /// Cases that were shown.
    cases: u64,
    /// Steps that were shown.
    steps: u64,
}

#[derive(Debug)]
struct OpenCase {
    net: Option<Arc<Net>>,
    labels: Arc<Labels>,
    /// Instances of tasks with several, that are not over.
    instances: Vec<(ItemId, u32)>,
    /// Why somebody ended it by force.
    forced: Option<String>,
}

#[derive(Debug)]
struct Stopped {
    case: CaseId,
    partition: u16,
    seq: Seq,
    time: Time,
    item: ItemId,
    task: TaskIx,
    instance: Option<u32>,
    actor: ActorId,
}

/// Work that is shown.
struct Shown {
    instance: Option<u32>,
}

/// What a net's tasks are called.
#[derive(Debug, Default)]
struct Labels {
    tasks: Vec<Label>,
}

#[derive(Debug)]
struct Label {
    name: String,
    role: Option<String>,
    /// Others do its work, or there is none.
    hidden: bool,
    /// Its firings have instances, which do the work.
    several: bool,
}

impl Labels {
    fn of(net: &Net) -> Self {
        let label = |(index, task): (usize, &actum_net::Task)| {
            let role = match &task.work {
                Work::Manual { role, .. } => role.and_then(|role| Some(net.roles.get(role.index())?.name.clone())),
                _ => None,
            };
            Label {
                name: net.task_label(TaskIx::of(index)),
                role,
                hidden: matches!(task.work, Work::Routing | Work::Composite { .. }),
                several: task.instances.is_some(),
            }
        };
        Labels { tasks: net.tasks.iter().enumerate().map(label).collect() }
    }
}

impl Selection {
    /// Selects what is wanted.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        Selection { wanted, ..Self::default() }
    }

    /// Cases that were shown so far.
    #[must_use]
    pub fn cases(&self) -> u64 {
        self.cases
    }

    /// Steps that were shown so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Gives what an event shows. Call it with every event of a log in order, and the names as of that event.
    pub fn take(&mut self, logged: &LoggedEvent, names: &Names, give: &mut dyn FnMut(&Entry<'_>)) {
        if !self.stopped.is_empty() {
            self.settle(logged, names, give);
        }
        let Some((case, event)) = logged.of_case() else { return };
        if let CaseEvent::CaseStarted { net, changes, .. } = event {
            if !self.wants(logged, *net, names) {
                return;
            }
            let (net, labels) = (names.net(*net).cloned(), self.labels(*net, names));
            self.cases += 1;
            give(&Entry::Began(Began {
                case,
                partition: logged.partition,
                seq: logged.meta.seq,
                time: logged.meta.time,
                key: logged.key.as_deref(),
                net: net.as_deref(),
                actor: names.directory().name(logged.meta.actor),
                data: Data::new(changes, net.as_deref()),
            }));
            self.open.insert(case, OpenCase { net, labels, instances: Vec::new(), forced: None });
        } else if let Some((status, reason)) = ending(event) {
            if let Some(open) = self.open.remove(&case) {
                let reason = reason.or(open.forced.as_deref());
                give(&Entry::Ended(Ended { case, time: logged.meta.time, status, reason }));
            }
        } else {
            if let (CaseEvent::CaseForced { reason, .. }, Some(open)) = (event, self.open.get_mut(&case)) {
                open.forced = Some(format!("forced: {reason}"));
            }
            self.within(case, logged, event, names, give);
        }
    }

    /// Gives what is still held back. Call it at the end of the log.
    pub fn finish(&mut self, names: &Names, give: &mut dyn FnMut(&Entry<'_>)) {
        self.give_stopped(Transition::AteAbort, names, give);
    }

    fn wants(&self, logged: &LoggedEvent, net: NetHash, names: &Names) -> bool {
        let of_case = self.wanted.case.as_ref().is_none_or(|case| case.begins_with(logged));
        let of_net = self.wanted.net.as_deref().is_none_or(|wanted| {
            let hash = net.to_string();
            names.net(net).is_some_and(|net| net.name == wanted) || (wanted.len() >= 8 && hash.starts_with(wanted))
        });
        of_case && of_net
    }

    fn labels(&mut self, hash: NetHash, names: &Names) -> Arc<Labels> {
        match names.net(hash) {
            Some(net) => self.nets.entry(hash).or_insert_with(|| Arc::new(Labels::of(net))).clone(),
            None => self.unknown.clone(),
        }
    }

    fn within(
        &mut self,
        case: CaseId,
        logged: &LoggedEvent,
        event: &CaseEvent,
        names: &Names,
        give: &mut dyn FnMut(&Entry<'_>),
    ) {
        let Some(open) = self.open.get_mut(&case) else { return };
        let shown = event.work().and_then(|(item, task)| Some((item, task, open.shown(item, task, event)?.instance)));
        let step = shown.and_then(|shown| Some((shown, Transition::of(event, logged.meta.actor)?)));
        let data = Data::new(event.changes(), open.net.as_deref());
        let Some(((item, task, instance), transition)) = step else {
            if !data.is_empty() {
                give(&Entry::Data(Changed { case, time: logged.meta.time, data }));
            }
            return;
        };
        if self.wanted.done_only && !transition.is_done() {
            return;
        }
        let meta = &logged.meta;
        if let CaseEvent::WorkCancelled { .. } = event {
            let (partition, seq, time, actor) = (logged.partition, meta.seq, meta.time, meta.actor);
            self.stopped.push(Stopped { case, partition, seq, time, item, task, instance, actor });
            return;
        }
        let label = open.labels.tasks.get(task.index());
        let unknown;
        let name = if let Some(label) = label {
            label.name.as_str()
        } else {
            unknown = format!("#{task}");
            &unknown
        };
        let directory = names.directory();
        let (attempt, failure) = match event {
            CaseEvent::WorkRetried { attempt, .. } => (Some(*attempt), None),
            CaseEvent::WorkFailed { code, message, .. } => (None, Some((code.as_str(), message.as_str()))),
            _ => (None, None),
        };
        let resource = match event {
            CaseEvent::WorkAllocated { to, .. } | CaseEvent::WorkDelegated { to, .. } => *to,
            _ => meta.actor,
        };
        self.steps += 1;
        give(&Entry::Step(Step {
            case,
            partition: logged.partition,
            seq: meta.seq,
            time: meta.time,
            kind: logged.kind(),
            item,
            instance,
            task: name,
            role: label.and_then(|label| label.role.as_deref()),
            transition,
            resource: directory.name(resource),
            on_behalf_of: logged.on_behalf_of.map(|actor| directory.name(actor)),
            attempt,
            failure,
            data,
        }));
    }

    /// Decides about what was stopped, once it is known what follows in the log.
    fn settle(&mut self, next: &LoggedEvent, names: &Names, give: &mut dyn FnMut(&Entry<'_>)) {
        let of = self.stopped.first().map(|stopped| stopped.case);
        let same = next.of_case().filter(|(case, _)| Some(*case) == of).map(|(_, event)| event);
        match same {
            Some(CaseEvent::WorkCancelled { .. } | CaseEvent::WorkWithdrawn { .. } | CaseEvent::SubnetEnded { .. }) => {
            }
            Some(CaseEvent::CaseCancelled { .. } | CaseEvent::CaseFailed { .. }) => {
                self.give_stopped(Transition::PiAbort, names, give);
            }
            _ => self.give_stopped(Transition::AteAbort, names, give),
        }
    }

    fn give_stopped(&mut self, transition: Transition, names: &Names, give: &mut dyn FnMut(&Entry<'_>)) {
        for stopped in std::mem::take(&mut self.stopped) {
            let Some(open) = self.open.get(&stopped.case) else { continue };
            let label = open.labels.tasks.get(stopped.task.index());
            self.steps += 1;
            give(&Entry::Step(Step {
                case: stopped.case,
                partition: stopped.partition,
                seq: stopped.seq,
                time: stopped.time,
                kind: "WorkCancelled",
                item: stopped.item,
                instance: stopped.instance,
                task: label.map_or("", |label| label.name.as_str()),
                role: label.and_then(|label| label.role.as_deref()),
                transition,
                resource: names.directory().name(stopped.actor),
                on_behalf_of: None,
                attempt: None,
                failure: None,
                data: Data::NONE,
            }));
        }
    }
}

impl OpenCase {
    /// Whether an item's work is shown, and which instance it is.
    fn shown(&mut self, item: ItemId, task: TaskIx, event: &CaseEvent) -> Option<Shown> {
        let Some(label) = self.labels.tasks.get(task.index()) else { return Some(Shown { instance: None }) };
        if label.hidden {
            return None;
        }
        if !label.several {
            return Some(Shown { instance: None });
        }
        if let CaseEvent::WorkEnabled { instance: Some(instance), .. } = event {
            self.instances.push((item, instance.index));
        }
        let at = self.instances.iter().position(|(known, _)| *known == item)?;
        let index = self.instances[at].1;
        if let CaseEvent::WorkCompleted { .. }
        | CaseEvent::WorkSkipped { .. }
        | CaseEvent::WorkCancelled { .. }
        | CaseEvent::WorkWithdrawn { .. } = event
        {
            self.instances.swap_remove(at);
        }
        Some(Shown { instance: Some(index) })
    }
}
