//! What a decision must not leave undone: when it is over, all that happens by itself has happened.

use actum_model::{CaseEvent, CaseStatus, FrameId, Phase, SubnetIx, TaskIx, WorkItemState};
use actum_net::{ExceptionTrigger, Join, Work};

use super::rule::{Broken, Judged, Law, must};
use super::stop;
use super::tokens::{self, Can};
use super::view::{Sees, View};
use super::work::Looked;

/// Most live items that are all looked at after each decision; of more, those that it was about.
const ITEMS_ALL: usize = 64;

/// Tasks whose enabling a decision may have changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Touched(Vec<(FrameId, TaskIx)>);

impl Touched {
    fn add(&mut self, frame: FrameId, task: TaskIx) {
        if !self.0.contains(&(frame, task)) {
            self.0.push((frame, task));
        }
    }

    /// Notes what an event may make possible or impossible.
    pub(super) fn note(&mut self, view: &View<'_>, frame: FrameId, event: &CaseEvent) {
        let mut around = |condition: actum_model::ConditionIx| {
            let condition = &view.net.conditions[condition.index()];
            condition.consumers.iter().chain(&condition.readers).for_each(|task| self.add(frame, *task));
        };
        event.consumed().iter().chain(event.produced()).for_each(|condition| around(*condition));
        match event {
            CaseEvent::TokensCancelled { removed, .. } => removed.iter().for_each(|(condition, _)| around(*condition)),
            CaseEvent::JoinAdvanced { task, .. }
            | CaseEvent::WorkCompleted { task, .. }
            | CaseEvent::WorkCancelled { task, .. }
            | CaseEvent::WorkSkipped { task, .. } => self.add(frame, *task),
            CaseEvent::CaseResumed | CaseEvent::WorkResumed { .. } | CaseEvent::SavepointRestored { .. } => {
                self.all(view);
            }
            _ => {}
        }
    }

    fn all(&mut self, view: &View<'_>) {
        let frames = view.control().frames().iter().map(|frame| (frame.id, frame.subnet));
        for (frame, subnet) in std::iter::once((FrameId::ROOT, SubnetIx::ROOT)).chain(frames) {
            let tasks = view.net.subnets[subnet.index()].tasks.clone();
            tasks.for_each(|task| self.add(frame, TaskIx(task)));
        }
    }
}

/// Nothing that happens by itself is left to happen. `touched` is emptied when it was looked at.
pub(super) fn settled(view: &View<'_>, touched: &mut Touched) -> Looked {
    let control = view.control();
    explained(view)?;
    answered(view)?;
    if control.status != CaseStatus::Open {
        touched.0.clear();
        return Ok(true);
    }
    if control.suspended {
        return Ok(true);
    }
    if view.is_undoing() {
        return Ok(false);
    }
    let root = &view.net.subnets[0];
    let at_end = control.marking.count(FrameId::ROOT, root.end) > 0 && !root.implicit_termination;
    must(!at_end, Law::Owed, || "the case is at its end, and does not end".to_owned())?;
    data_rule(view)?;
    let mut all = true;
    let moved = !touched.0.is_empty();
    for (frame, task) in std::mem::take(&mut touched.0) {
        let runs = frame == FrameId::ROOT || control.frame(frame).is_some();
        if runs && view.task(task).join != Join::Or {
            all &= begun(view, frame, task)?;
        }
    }
    if moved {
        all &= or_joins(view)?;
    }
    items(view)?;
    frames(view)?;
    must(is_live(view), Law::Owed, || "nothing is left that can happen, and the case goes on".to_owned())?;
    Ok(all)
}

/// What stopped with all around it was followed by the end of that.
fn explained(view: &View<'_>) -> Judged {
    let control = view.control();
    let ended = |frame: FrameId| {
        let open = matches!(control.status, CaseStatus::Open | CaseStatus::Deadlocked);
        !open || (frame != FrameId::ROOT && control.frame(frame).is_none())
    };
    let left = view.decision.past.iter().find(|past| past.unexplained && !ended(past.frame));
    must(left.is_none(), Law::Owed, || {
        let task = left.and_then(|past| past.event.work()).map_or_else(String::new, |(_, task)| view.label(task));
        format!("{task} was stopped though it could go on, and what it is part of goes on")
    })
}

/// What the net answers to an exception was done.
fn answered(view: &View<'_>) -> Judged {
    let control = view.control();
    for past in &view.decision.past {
        let live = |id| control.item(id).is_some();
        let (done, what) = match &past.event {
            CaseEvent::ExceptionRaised { item, answer, .. } => {
                let done = match (answer.as_str(), item) {
                    ("suspend", Some(id)) => control.item(*id).is_none_or(|item| item.phase == Phase::Suspended),
                    ("remove", Some(id)) => !live(*id),
                    ("case: suspend", _) => control.suspended || control.status != CaseStatus::Open,
                    ("case: remove", _) => control.status == CaseStatus::Cancelled,
                    ("case: complete", _) => control.status == CaseStatus::Completed,
                    ("case: fail", _) => control.status == CaseStatus::Failed,
                    _ => true,
                };
                (done, format!("an exception is answered by `{answer}`"))
            }
            CaseEvent::AllocationDecided { item, chosen: Some(actor), task, .. } => {
                let waits = |item: &WorkItemState| item.phase == Phase::Enabled && item.resource != Some(*actor);
                let gave = |past: &CaseEvent| {
                    past.work().is_some_and(|(of, _)| of == *item)
                        && matches!(past, CaseEvent::WorkAllocated { .. } | CaseEvent::WorkDelegated { .. })
                };
                let done = !control.item(*item).is_some_and(waits) || view.decision.has(gave);
                (done, format!("{} was chosen for {}", view.who(*actor), view.label(*task)))
            }
            CaseEvent::WorkFailed { item, task, .. } => {
                let definition = view.task(*task);
                let rules = definition.exceptions.iter().chain(&view.net.subnets[0].exceptions);
                let has_rule = rules.into_iter().any(|rule| rule.trigger == ExceptionTrigger::Abort);
                let fails = control.item(*item).is_some_and(|item| item.phase == Phase::Failed);
                let raised = view
                    .decision
                    .has(|event| matches!(event, CaseEvent::ExceptionRaised { item: Some(of), .. } if of == item));
                // A failure that an answer brings about is not answered again.
                let own = past.under.is_some();
                let done = !has_rule || !fails || raised || own || definition.policies.is_some();
                (done, format!("{} failed, and the net has an answer to that", view.label(*task)))
            }
            _ => continue,
        };
        must(done, Law::Owed, || format!("{what}; that was not done"))?;
    }
    Ok(())
}

/// The net's rule about data.
fn data_rule(view: &View<'_>) -> Judged {
    let mut tests = view.net.subnets[0].exceptions.iter().filter_map(|rule| match &rule.trigger {
        ExceptionTrigger::Violation { when } => Some(when),
        _ => None,
    });
    let Some(when) = tests.next() else { return Ok(()) };
    let changed = view.decision.past.iter().any(|past| past.frame == FrameId::ROOT && !past.event.changes().is_empty());
    let raised = view.decision.has(|event| matches!(event, CaseEvent::ExceptionRaised { item: None, .. }));
    let holds = || when.eval(&Sees::data(view.case, FrameId::ROOT)) != Ok(false);
    must(!changed || raised || !holds(), Law::Owed, || {
        format!("`{}` holds, and the net's answer to that is not on record", when.source())
    })
}

/// A task that can fire has an item; one that cannot has none that is not begun.
fn begun(view: &View<'_>, frame: FrameId, task: TaskIx) -> Looked {
    let (definition, label) = (view.task(task), || view.label(task));
    if let Join::Partial { rest, .. } = definition.join {
        let (absorbed, _) = stop::advance(view, frame, task, rest);
        must(absorbed.is_empty(), Law::Owed, || format!("the join of {} leaves late tokens lie", label()))?;
    }
    let item = view.control().item_in(frame, task);
    if definition.compensates || item.is_some_and(WorkItemState::holds_tokens) {
        return Ok(true);
    }
    match (tokens::can_fire(view, frame, task), item) {
        (Can::Unknown, _) => Ok(false),
        (Can::Fire(_), None) => Err(Broken(Law::Owed, format!("{} can begin, and did not become possible", label()))),
        (Can::Not, Some(_)) => {
            Err(Broken(Law::Owed, format!("{} cannot begin any more, and was not withdrawn", label())))
        }
        _ => Ok(true),
    }
}

fn or_joins(view: &View<'_>) -> Looked {
    let is_or = |task: &TaskIx| view.task(*task).join == Join::Or;
    let mut concerned: Vec<(FrameId, TaskIx)> = Vec::new();
    for (frame, condition, _) in view.control().marking.iter() {
        let consumers = view.net.conditions[condition.index()].consumers.iter().copied();
        concerned.extend(consumers.filter(is_or).map(|task| (frame, task)));
    }
    let items = view.control().items.iter();
    concerned.extend(items.filter(|item| is_or(&item.task)).map(|item| (item.frame, item.task)));
    concerned.sort_unstable();
    concerned.dedup();
    concerned.into_iter().try_fold(true, |all, (frame, task)| Ok(begun(view, frame, task)? && all))
}

/// Work that nobody but the engine does, and that needs nobody to begin, is not left lying.
fn items(view: &View<'_>) -> Judged {
    let control = view.control();
    if control.items.len() <= ITEMS_ALL {
        return control.items.iter().try_for_each(|item| item_goes_on(view, item));
    }
    let about = view.decision.past.iter().filter_map(|past| past.event.work());
    about.filter_map(|(id, _)| control.item(id)).try_for_each(|item| item_goes_on(view, item))
}

fn item_goes_on(view: &View<'_>, item: &WorkItemState) -> Judged {
    let definition = view.task(item.task);
    if view.at_rest(item) {
        return Ok(());
    }
    let control = view.control();
    let is_firing = view.is_firing(item);
    let left = match item.phase {
        Phase::Enabled => {
            let waits =
                definition.trigger.is_some() && item.instance.is_none() && !item.triggered && !definition.compensates;
            let is_left = match &definition.work {
                _ if is_firing => true,
                Work::Manual { role, resourcing, .. } => {
                    let open =
                        if *resourcing == actum_net::Resourcing::default() { *role } else { resourcing.open_role() };
                    open.is_some()
                }
                Work::Wait(_) => item.timer.is_none(),
                Work::Receive { .. } => control.awaited_by(item.id).is_none(),
                _ => true,
            };
            is_left && !waits
        }
        // A rule may have stopped it between two steps.
        Phase::Started if !definition.exceptions.is_empty() => false,
        Phase::Started if is_firing => control.activation(item.id).is_none_or(|activation| activation.active == 0),
        Phase::Started => match &definition.work {
            Work::Routing | Work::Wait(_) | Work::Receive { .. } => true,
            Work::Composite { .. } => control.frame_of_item(item.id).is_none(),
            _ => false,
        },
        _ => false,
    };
    must(!left, Law::Owed, || {
        let (label, phase) = (view.label(item.task), item.phase.name());
        format!("{label} (item {}) is {phase} and goes on by itself, and does not", item.id)
    })
}

/// A subnet at its end ends.
fn frames(view: &View<'_>) -> Judged {
    let control = view.control();
    for frame in control.frames() {
        let subnet = &view.net.subnets[frame.subnet.index()];
        let over = if subnet.implicit_termination {
            let unmarked = control.marking.of(frame.id).all(|(condition, _)| subnet.mutexes.contains(&condition));
            unmarked && control.items.iter().all(|item| item.frame != frame.id)
        } else {
            control.marking.count(frame.id, subnet.end) > 0
        };
        let goes = control.item(frame.item).is_some_and(|item| item.phase == Phase::Started);
        must(!over || !goes, Law::Owed, || format!("{} is at its end, and does not end", subnet.name))?;
    }
    Ok(())
}

/// There is work that does not merely wait for other work.
pub(super) fn is_live(view: &View<'_>) -> bool {
    let control = view.control();
    control.items.iter().any(|item| {
        let by_parts = control.activation(item.id).is_some_and(|activation| activation.active > 0)
            || control.frame_of_item(item.id).is_some();
        item.phase != Phase::Started || !by_parts
    })
}
