//! The tasks of a net as transitions of a Petri net.
//!
//! A task is one visible transition that stands for its completion: what a task takes as it starts can only be missed by
//! others, so the orders in which tasks can be done stay the same. Silent transitions before it say which tokens it takes, and
//! after it which it gives, where there are several ways: readers that replay tokens want each label once. Where something can
//! stop work, or it reads a condition, its start is silent; and where something is cancelled, the ways are transitions of their
//! own, so that no token hides from a reset.
//!
//! Choices are free: guards are data, and so is how many instances a task has between the fewest and the most. Tasks that
//! route, run a subnet or fire instances are silent. Exceptions, compensation and retries are left out.

use std::ops::Range;

use actum_net::{Join, Net, Split, SubnetIx, Task, TaskIx, Work};
use rustc_hash::FxHashMap;

use super::{Ending, PLACES_MAX, PetriNet, Place, TRANSITIONS_MAX, Tokens, Transition};

/// Most flows of an OR split: each set of them is a transition.
const OR_FLOWS_MAX: usize = 10;
/// Deepest nesting of subnets.
const DEPTH_MAX: usize = 64;

/// A net's tasks cannot be said as a Petri net's transitions; its reachable states can (see [`super::of_space()`]).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the net {net} is more than a Petri net: {}", reasons.join("; "))]
pub struct NotPlain {
    /// The net's name.
    pub net: String,
    /// What keeps it from it, in the order of its tasks.
    pub reasons: Vec<String>,
}

/// Makes a Petri net of a net's tasks.
///
/// # Errors
/// [`NotPlain`]: it has OR-joins, partial joins, implicit termination, instances that are not all waited for, or recursion.
pub fn of_net(net: &Net) -> Result<PetriNet, NotPlain> {
    let mut builder =
        Builder { net, made: PetriNet { name: net.name.clone(), ..PetriNet::default() }, reasons: Vec::new() };
    let frame = builder.frame(SubnetIx::ROOT, "", &mut Vec::new());
    let start = frame.place(net.start);
    if let Some(place) = start.and_then(|start| builder.made.places.get_mut(start as usize)) {
        place.initial = 1;
    }
    builder.made.ending = Ending::Marked(frame.place(net.end).into_iter().collect());
    if builder.reasons.is_empty() {
        return Ok(builder.made);
    }
    builder.reasons.dedup();
    Err(NotPlain { net: net.name.clone(), reasons: builder.reasons })
}

struct Builder<'n> {
    net: &'n Net,
    made: PetriNet,
    reasons: Vec<String>,
}

/// A running subnet: its places.
#[derive(Default)]
struct Frame {
    conditions: FxHashMap<u32, u32>,
    /// By task: the places of its work, while it runs.
    running: FxHashMap<u32, Vec<u32>>,
    /// The transitions by which each task is done.
    ended: Vec<(TaskIx, Range<usize>)>,
    all: Vec<u32>,
    /// Some task cancels something.
    cancels: bool,
}

impl Frame {
    fn place(&self, condition: actum_net::ConditionIx) -> Option<u32> {
        self.conditions.get(&condition.0).copied()
    }

    fn tokens(&self, conditions: &[actum_net::ConditionIx]) -> Vec<Tokens> {
        conditions.iter().filter_map(|condition| self.place(*condition)).map(|place| (place, 1)).collect()
    }
}

/// How a task begins or ends: tokens taken, or given.
type Ways = Vec<Vec<Tokens>>;

impl Builder<'_> {
    fn place(&mut self, name: String, initial: u32) -> u32 {
        self.made.places.push(Place { name, initial });
        self.made.places.len() as u32 - 1
    }

    fn refuse(&mut self, reason: String) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    fn is_full(&self) -> bool {
        self.made.places.len() > PLACES_MAX || self.made.transitions.len() > TRANSITIONS_MAX
    }

    /// Places and transitions of one run of a subnet.
    fn frame(&mut self, subnet: SubnetIx, path: &str, above: &mut Vec<SubnetIx>) -> Frame {
        let mut frame = Frame::default();
        let Some(known) = self.net.subnets.get(subnet.index()) else { return frame };
        if known.implicit_termination {
            self.refuse(format!("{} terminates implicitly", named(&known.name)));
        }
        if above.contains(&subnet) || above.len() >= DEPTH_MAX {
            self.refuse(format!("{} runs itself", named(&known.name)));
            return frame;
        }
        above.push(subnet);
        for index in known.conditions.clone() {
            let Some(condition) = self.net.conditions.get(index as usize) else { continue };
            let initial = u32::from(condition.mutex && subnet == SubnetIx::ROOT);
            let place = self.place(format!("{path}{}", condition.name), initial);
            frame.conditions.insert(index, place);
            frame.all.push(place);
        }
        let tasks = || known.tasks.clone().map(TaskIx);
        frame.cancels = tasks().filter_map(|task| self.task(task)).any(|task| !task.cancels.is_empty());
        let stopped: Vec<TaskIx> =
            tasks().filter_map(|task| self.task(task)).flat_map(|task| &task.cancels.tasks).copied().collect();
        for index in tasks() {
            if self.is_full() {
                self.refuse("it has too many places or transitions".to_owned());
                break;
            }
            self.begin_and_work(index, &mut frame, path, stopped.contains(&index), above);
        }
        above.pop();
        self.add_resets(&frame);
        frame
    }

    fn task(&self, index: TaskIx) -> Option<&Task> {
        self.net.tasks.get(index.index())
    }

    fn begin_and_work(
        &mut self,
        index: TaskIx,
        frame: &mut Frame,
        path: &str,
        stopped: bool,
        above: &mut Vec<SubnetIx>,
    ) {
        let net = self.net;
        let Some(task) = net.tasks.get(index.index()) else { return };
        if task.compensates {
            return;
        }
        let label = net.task_label(index);
        let (Some(begins), Some(ends)) = (self.begins(task, &label, frame), self.ends(task, &label, frame)) else {
            return;
        };
        if stopped && !task.holds.is_empty() {
            self.refuse(format!("task {label} can be cancelled while it holds a mutex"));
        }
        let reads: Vec<u32> = task.reads.iter().filter_map(|one| frame.place(*one)).collect();
        let parts = Parts { name: format!("{path}{}", task.name), begins, ends, reads };
        if let Some(instances) = &task.instances {
            if instances.threshold.is_some_and(|most| most < instances.max) || instances.until.is_some() {
                self.refuse(format!("task {label} goes on before all its instances are done"));
            }
            if matches!(task.work, Work::Composite { .. }) {
                self.refuse(format!("task {label} runs several subnets at once"));
                return;
            }
            let shown = (task.work != Work::Routing).then_some(label);
            let range = (instances.min, instances.max);
            let ended = self.instances(&parts, range, shown.as_deref(), frame, index);
            frame.ended.push((index, ended));
        } else if let Work::Composite { subnet, .. } = &task.work {
            let inner = self.frame(*subnet, &format!("{path}{}/", task.name), above);
            let Some(known) = net.subnets.get(subnet.index()) else { return };
            let (Some(start), Some(end)) = (inner.place(known.start), inner.place(known.end)) else { return };
            frame.all.extend(&inner.all);
            // Mutexes of the subnet are there while it runs.
            let mutexes = inner.tokens(&known.mutexes);
            let mut parts = parts;
            let of_start = parts.begins.len();
            self.begin(&parts, start);
            let from = self.made.transitions.len() - of_start;
            self.made.transitions[from..].iter_mut().for_each(|one| one.produces.extend(&mutexes));
            parts.name = format!("{} done", parts.name);
            let ended = self.end(&parts, end, None);
            for one in &mut self.made.transitions[ended.clone()] {
                one.consumes.extend(&mutexes);
                // What is left over in the subnet goes with it.
                one.resets = inner
                    .all
                    .iter()
                    .copied()
                    .filter(|place| *place != end && !mutexes.contains(&(*place, 1)))
                    .collect();
            }
            frame.ended.push((index, ended));
            frame.running.insert(index.0, inner.all);
        } else {
            let shown = (task.work != Work::Routing).then_some(label);
            // What it reads must be there as it starts, not as it is done.
            if stopped || !parts.reads.is_empty() {
                let running = self.place(format!("{path}{} running", task.name), 0);
                frame.running.insert(index.0, vec![running]);
                frame.all.push(running);
                self.begin(&parts, running);
                let ended = self.end(&parts, running, shown.as_deref());
                frame.ended.push((index, ended));
            } else if frame.cancels {
                let ended = self.ways(&parts, shown.as_deref());
                frame.ended.push((index, ended));
            } else {
                self.whole(&parts, shown.as_deref());
            }
        }
    }

    /// What a task cancels as it is done: tokens, and work that runs.
    fn add_resets(&mut self, frame: &Frame) {
        for (task, ended) in &frame.ended {
            let Some(cancels) = self.task(*task).map(|task| &task.cancels).filter(|cancels| !cancels.is_empty()) else {
                continue;
            };
            let tokens = cancels.conditions.iter().filter_map(|condition| frame.place(*condition));
            let work = cancels.tasks.iter().filter_map(|task| frame.running.get(&task.0)).flatten().copied();
            let mut resets: Vec<u32> = tokens.chain(work).collect();
            resets.sort_unstable();
            resets.dedup();
            self.made.transitions[ended.clone()].iter_mut().for_each(|one| one.resets.extend(&resets));
        }
    }

    /// The ways in which a task can begin.
    fn begins(&mut self, task: &Task, label: &str, frame: &Frame) -> Option<Ways> {
        let takes = |condition| task.takes.iter().find(|(of, _)| *of == condition).map_or(1, |(_, count)| *count);
        let inputs: Vec<Tokens> =
            task.inputs.iter().filter_map(|condition| Some((frame.place(*condition)?, takes(*condition)))).collect();
        let held = frame.tokens(&task.holds);
        let with_held = |mut way: Vec<Tokens>| {
            way.extend(&held);
            way
        };
        match task.join {
            Join::And => Some(vec![with_held(inputs)]),
            _ if inputs.len() == 1 => Some(vec![with_held(inputs)]),
            Join::Xor => Some(inputs.into_iter().map(|input| with_held(vec![input])).collect()),
            Join::Or => {
                self.refuse(format!("task {label} has an OR-join"));
                None
            }
            Join::Partial { .. } => {
                self.refuse(format!("task {label} has a partial join"));
                None
            }
            _ => {
                self.refuse(format!("task {label} has a join without a counterpart"));
                None
            }
        }
    }

    /// The ways in which a task can end.
    fn ends(&mut self, task: &Task, label: &str, frame: &Frame) -> Option<Ways> {
        let flows: Vec<(Tokens, bool)> =
            task.outputs.iter().filter_map(|flow| Some(((frame.place(flow.to)?, flow.tokens), flow.default))).collect();
        let given = frame.tokens(&task.releases);
        let with_given = |mut way: Vec<Tokens>| {
            way.extend(&given);
            way
        };
        match task.split {
            Split::And => Some(vec![with_given(flows.into_iter().map(|(tokens, _)| tokens).collect())]),
            Split::Xor => Some(flows.into_iter().map(|(tokens, _)| with_given(vec![tokens])).collect()),
            Split::Or => {
                let guarded: Vec<Tokens> =
                    flows.iter().filter(|(_, default)| !default).map(|(tokens, _)| *tokens).collect();
                if guarded.len() > OR_FLOWS_MAX {
                    self.refuse(format!("task {label} has an OR-split of more than {OR_FLOWS_MAX} flows"));
                    return None;
                }
                let set = |bits: u32| {
                    let chosen = guarded.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
                    with_given(chosen.map(|(_, tokens)| *tokens).collect())
                };
                let mut ways: Ways = (1..1_u32 << guarded.len()).map(set).collect();
                ways.extend(flows.iter().filter(|(_, default)| *default).map(|(tokens, _)| with_given(vec![*tokens])));
                Some(ways)
            }
            _ => {
                self.refuse(format!("task {label} has a split without a counterpart"));
                None
            }
        }
    }

    /// A task with instances: at least as many as there must be, and more if there may be (how many more is data).
    fn instances(
        &mut self,
        parts: &Parts,
        (min, max): (u32, u32),
        label: Option<&str>,
        frame: &mut Frame,
        index: TaskIx,
    ) -> Range<usize> {
        let [running, waiting, done] =
            ["running", "waiting", "done"].map(|what| self.place(format!("{} {what}", parts.name), 0));
        frame.running.insert(index.0, vec![running, waiting, done]);
        frame.all.extend([running, waiting, done]);
        let from = self.made.transitions.len();
        self.begin(parts, running);
        let some = (min > 0).then_some(min);
        for begin in &mut self.made.transitions[from..] {
            begin.produces.extend(some.map(|min| (waiting, min)));
        }
        let mut one = |consumes: u32, produces: u32| {
            self.made.transitions.push(Transition {
                name: parts.name.clone(),
                label: label.map(str::to_owned),
                consumes: vec![(consumes, 1)],
                produces: vec![(produces, 1)],
                ..Transition::default()
            });
        };
        if min > 0 {
            one(waiting, done);
        }
        if max > min {
            one(running, running);
        }
        let ended = self.end(parts, running, None);
        for end in &mut self.made.transitions[ended.clone()] {
            end.consumes.extend(some.map(|min| (done, min)));
        }
        ended
    }

    /// A task that nothing stops: a transition, with silent ones around it where it begins or ends in several ways.
    fn whole(&mut self, parts: &Parts, label: Option<&str>) {
        let before = if let [begin] = parts.begins.as_slice() {
            begin.clone()
        } else {
            let ready = self.place(format!("{} ready", parts.name), 0);
            self.begin(parts, ready);
            vec![(ready, 1)]
        };
        let reads = if parts.begins.len() == 1 { parts.reads.clone() } else { Vec::new() };
        let (after, done) = if let [end] = parts.ends.as_slice() {
            (end.clone(), None)
        } else {
            let done = self.place(format!("{} done", parts.name), 0);
            (vec![(done, 1)], Some(done))
        };
        self.made.transitions.push(Transition {
            name: parts.name.clone(),
            label: label.map(str::to_owned),
            consumes: before,
            reads,
            resets: Vec::new(),
            produces: after,
        });
        if let Some(done) = done {
            self.end(parts, done, None);
        }
    }

    /// A task in every way in which it can begin and end.
    fn ways(&mut self, parts: &Parts, label: Option<&str>) -> Range<usize> {
        let from = self.made.transitions.len();
        for begin in &parts.begins {
            for end in &parts.ends {
                self.made.transitions.push(Transition {
                    name: parts.name.clone(),
                    label: label.map(str::to_owned),
                    consumes: begin.clone(),
                    reads: parts.reads.clone(),
                    resets: Vec::new(),
                    produces: end.clone(),
                });
            }
        }
        from..self.made.transitions.len()
    }

    fn begin(&mut self, parts: &Parts, running: u32) {
        for begin in &parts.begins {
            self.made.transitions.push(Transition {
                name: format!("{} begins", parts.name),
                label: None,
                consumes: begin.clone(),
                reads: parts.reads.clone(),
                resets: Vec::new(),
                produces: vec![(running, 1)],
            });
        }
    }

    fn end(&mut self, parts: &Parts, running: u32, label: Option<&str>) -> Range<usize> {
        let from = self.made.transitions.len();
        for end in &parts.ends {
            self.made.transitions.push(Transition {
                name: if label.is_some() { parts.name.clone() } else { format!("{} goes on", parts.name) },
                label: label.map(str::to_owned),
                consumes: vec![(running, 1)],
                reads: Vec::new(),
                resets: Vec::new(),
                produces: end.clone(),
            });
        }
        from..self.made.transitions.len()
    }
}

/// What a task's transitions are made of.
struct Parts {
    name: String,
    begins: Ways,
    ends: Ways,
    reads: Vec<u32>,
}

fn named(subnet: &str) -> String {
    format!("net {subnet}")
}
