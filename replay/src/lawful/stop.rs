//! What ends other than by being done: withdrawn, cancelled, swallowed; and how frames begin and end.

use actum_model::{CaseEvent, ConditionIx, FrameId, ItemId, Phase, SubnetIx, TaskIx, Value, WorkItemState};
use actum_net::{Join, Rest, Work};

use super::data;
use super::rule::{Broken, Judged, Law, must};
use super::tokens::{self, Can, taken_from};
use super::view::{Past, Sees, View, givens};
use super::work::{Looked, is_due};

/// An item is stopped: because its tokens went, something cancels it, what it is part of ends, or somebody wants that.
pub(super) fn stopped(view: &View<'_>, id: ItemId, task: TaskIx, withdrawn: bool, given: &[ConditionIx]) -> Looked {
    let item = view.item(id, task)?;
    let (control, label) = (view.control(), || view.label(task));
    let parts = control.instances_of(id).next().is_some() || control.frame_of_item(id).is_some();
    must(!parts, Law::Phase, || format!("parts of {} go on", label()))?;
    let not_begun = !item.holds_tokens() && item.instance.is_none();
    must(withdrawn == not_begun || view.is_undoing(), Law::Phase, || {
        let (is, was) = if not_begun { ("cancelled", "not begun") } else { ("withdrawn", "begun") };
        format!("{} is {is}, and it was {was}", label())
    })?;
    let held: Vec<_> = view.task(task).holds.iter().copied().filter(|mutex| item.consumed.contains(mutex)).collect();
    let restarts = view.answers("restart") && given == item.consumed.as_slice();
    must(restarts || given.is_empty() || given == held, Law::Tokens, || {
        format!("{} gives back {}, where it holds {}", label(), view.names(given), view.names(&held))
    })?;
    instance_stopped(view, item)?;
    Ok(true)
}

/// Something other than the end of all around it says why work is stopped.
pub(super) fn is_explained(view: &View<'_>, item: &WorkItemState) -> bool {
    let Some(cause) = view.cause() else { return true };
    let in_region = match &cause.event {
        CaseEvent::WorkCompleted { task, .. }
        | CaseEvent::InstancesPassed { task, .. }
        | CaseEvent::WorkSkipped { task, .. }
        | CaseEvent::WorkForced { task, .. }
        | CaseEvent::WorkStarted { task, .. } => {
            // What has not begun goes only with its tokens; until semantics 3, it went with its task.
            let begun = item.holds_tokens() || item.frame != cause.frame || view.case.semantics < 3;
            begun && view.task(*task).cancels.tasks.iter().any(|other| is_in(view, item, *other))
        }
        _ => false,
    };
    let lost = || !item.holds_tokens() && !matches!(tokens::can_fire(view, item.frame, item.task), Can::Fire(_));
    in_region || view.answer().is_some() || view.is_undoing() || item.instance.is_some() || lost()
}

/// The item is of the task, or part of one that is.
fn is_in(view: &View<'_>, item: &WorkItemState, task: TaskIx) -> bool {
    let control = view.control();
    let above = control.frames_above(item.frame).filter_map(|frame| control.item(frame.item));
    item.task == task || above.into_iter().any(|item| item.task == task)
}

/// Tokens are taken by a cancellation.
pub(super) fn tokens_cancelled(
    view: &View<'_>,
    frame: FrameId,
    task: TaskIx,
    removed: &[(ConditionIx, u32)],
) -> Looked {
    let (marking, label) = (&view.control().marking, || view.label(task));
    tokens::are_there(view, frame, removed.iter().copied())?;
    must(removed.iter().all(|(_, count)| *count > 0), Law::Tokens, || "no token at all is cancelled".to_owned())?;
    if view.is_undoing() {
        return Ok(false);
    }
    let all = |stays: bool| -> Vec<(ConditionIx, u32)> {
        marking.of(frame).filter(|(condition, _)| !(stays && view.net.conditions[condition.index()].mutex)).collect()
    };
    if let Some(answer) = view.answer()
        && answer.starts_with("case: compensate")
    {
        let right = removed == all(view.case.semantics >= 2);
        return must(right, Law::Tokens, || "other tokens are taken than all".to_owned()).map(|()| true);
    }
    let undoes = view.answer() == Some("compensate") && frame != FrameId::ROOT;
    let Some(cause) = view.cause().filter(|_| !undoes) else {
        // Undoing a branch takes all that is inside.
        return must(removed == all(false), Law::Tokens, || "other tokens are taken than all".to_owned())
            .map(|()| undoes);
    };
    match &cause.event {
        CaseEvent::WorkWithdrawn { task: of, .. } | CaseEvent::WorkCancelled { task: of, .. } => {
            must(*of == task, Law::Cause, || format!("{} takes tokens of another task", label()))?;
            let holds = &view.task(task).holds;
            match tokens::can_fire(view, frame, task) {
                Can::Unknown => Ok(false),
                Can::Not => Err(Broken(Law::Tokens, format!("{} would have taken no tokens", label()))),
                Can::Fire(tokens) => {
                    let right = tokens.into_iter().filter(|one| !holds.contains(one)).collect::<Vec<_>>();
                    let right: Vec<_> = tokens::counted(&right).collect();
                    let mut said = removed.to_vec();
                    said.sort_unstable();
                    must(said == right, Law::Tokens, || format!("other tokens go with {} than its own", label()))?;
                    Ok(true)
                }
            }
        }
        _ => {
            let since = view.decision.past.iter().position(|past| past.seq == cause.seq).unwrap_or(0);
            let new = |condition: ConditionIx| {
                let given = view.decision.past[since..].iter().filter(|past| past.frame == frame);
                given.flat_map(|past| past.event.produced()).filter(|one| **one == condition).count() as u32
            };
            let region = &view.task(task).cancels.conditions;
            let counts = region.iter().map(|one| (*one, marking.count(frame, *one).saturating_sub(new(*one))));
            let right: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
            let is_cause = cause.event.work().is_some_and(|(_, of)| of == task);
            must(is_cause && removed == right, Law::Tokens, || {
                let names: Vec<_> = right.iter().map(|(one, _)| *one).collect();
                format!("{} cancels other tokens than its set says: {}", label(), view.names(&names))
            })?;
            Ok(true)
        }
    }
}

/// A partial join takes note of tokens.
pub(super) fn join_advanced(
    view: &View<'_>,
    (frame, task): (FrameId, TaskIx),
    absorbed: &[ConditionIx],
    arrived: &[ConditionIx],
) -> Looked {
    let (definition, label) = (view.task(task), || view.label(task));
    let Join::Partial { rest, .. } = definition.join else {
        return Err(Broken(Law::Net, format!("{} has no partial join", label())));
    };
    tokens::are_there(view, frame, tokens::counted(absorbed))?;
    let fired_by = view.cause().map(|cause| &cause.event).filter(|event| {
        let fires = matches!(
            event,
            CaseEvent::WorkStarted { .. } | CaseEvent::WorkSkipped { .. } | CaseEvent::WorkForced { .. }
        );
        fires && event.work().is_some_and(|(_, of)| of == task) && absorbed.is_empty()
    });
    if let Some(fired) = fired_by {
        let taken: Vec<_> = definition.inputs.iter().copied().filter(|one| fired.consumed().contains(one)).collect();
        let right = taken == arrived && taken.len() < definition.inputs.len() && rest != Rest::Cancel;
        return must(right, Law::Tokens, || format!("{} fired with {}", label(), view.names(&taken))).map(|()| true);
    }
    if absorbed.is_empty() {
        // As new, because something cancelled it; or as it was at a savepoint.
        let by_region = view
            .cause()
            .and_then(|cause| cause.event.work())
            .is_some_and(|(_, of)| view.task(of).cancels.tasks.contains(&task));
        let known = (arrived.is_empty() && (by_region || view.answer().is_some()))
            || view.is_undoing()
            || view.decision.has(|event| matches!(event, CaseEvent::SavepointRestored { .. }));
        return must(known, Law::Cause, || format!("nothing makes the join of {} as new", label())).map(|()| true);
    }
    let right = advance(view, frame, task, rest);
    must(right.0 == absorbed && right.1 == arrived, Law::Tokens, || {
        format!("the join of {} swallows {}, where it swallows {}", label(), view.names(absorbed), view.names(&right.0))
    })?;
    Ok(true)
}

/// What a partial join that fired swallows now, and the inputs that have arrived then.
pub(super) fn advance(
    view: &View<'_>,
    frame: FrameId,
    task: TaskIx,
    rest: Rest,
) -> (Vec<ConditionIx>, Vec<ConditionIx>) {
    let definition = view.task(task);
    let before = view.control().arrived(frame, task);
    let mut arrived = before.to_vec();
    let mut absorbed: Vec<ConditionIx> = Vec::new();
    let full = definition.inputs.len();
    let times = |input: ConditionIx| view.control().marking.count(frame, input) / taken_from(definition, input);
    let mut swallow = |input: ConditionIx, count: u32| {
        absorbed.extend(std::iter::repeat_n(input, (count * taken_from(definition, input)) as usize));
    };
    if before.is_empty() {
        return (Vec::new(), Vec::new());
    }
    if rest == Rest::Absorb {
        before.iter().for_each(|input| swallow(*input, times(*input)));
    }
    for input in definition.inputs.iter().filter(|input| !before.contains(input) && times(**input) > 0) {
        arrived.push(*input);
        let late = rest == Rest::Absorb && arrived.len() < full;
        swallow(*input, if late { times(*input) } else { 1 });
    }
    if arrived.len() == full {
        arrived.clear();
    }
    arrived.sort_unstable();
    (absorbed, arrived)
}

/// A subnet begins.
pub(super) fn frame_started(
    view: &View<'_>,
    (frame, subnet, id): (FrameId, SubnetIx, ItemId),
    changes: &[actum_model::Change],
    produced: &[ConditionIx],
) -> Judged {
    let control = view.control();
    let Some(item) = control.item(id) else { return Err(Broken(Law::Phase, format!("there is no item {id}"))) };
    let label = || view.label(item.task);
    must(item.phase == Phase::Started && !view.is_firing(item), Law::Phase, || format!("{} is not begun", label()))?;
    must(control.frame_of_item(id).is_none(), Law::Phase, || format!("the net of {} runs already", label()))?;
    must(frame == control.next_frame, Law::Order, || format!("the next frame is {}, not {frame}", control.next_frame))?;
    let Work::Composite { subnet: right, params } = &view.task(item.task).work else {
        return Err(Broken(Law::Net, format!("{} runs no net", label())));
    };
    must(*right == subnet, Law::Net, || format!("{} runs another net", label()))?;
    let givens = givens(item);
    let input = params.render(&Sees { givens: &givens, ..Sees::data(view.case, item.frame) });
    let input = input.map_err(|error| Broken(Law::Data, format!("the parameters of {}: {error}", label())))?;
    data::first_data(view, subnet, Some(&input), changes)?;
    data::first_tokens(view, subnet, produced)
}

/// A subnet is over.
pub(super) fn frame_ended(view: &View<'_>, frame: FrameId, item: ItemId, completed: bool) -> Judged {
    let control = view.control();
    let Some(state) = control.frame(frame) else { return Err(Broken(Law::Phase, format!("no frame {frame} runs"))) };
    must(state.item == item, Law::Phase, || format!("frame {frame} is of item {}", state.item))?;
    must(control.items.iter().all(|item| item.frame != frame), Law::Owed, || {
        format!("work of frame {frame} goes on as it ends")
    })?;
    let at_end = || {
        let subnet = &view.net.subnets[state.subnet.index()];
        if subnet.implicit_termination {
            return control.marking.of(frame).all(|(condition, _)| subnet.mutexes.contains(&condition));
        }
        control.marking.count(frame, subnet.end) > 0
    };
    must(!completed || at_end(), Law::Tokens, || format!("frame {frame} has not come to its end"))
}

/// The variables of a frame, as its composite task sees them when it ends.
pub(super) fn variables(view: &View<'_>, frame: FrameId) -> Option<Value> {
    let subnet = &view.net.subnets[view.control().frame(frame)?.subnet.index()];
    let value = |index: u32| {
        let value = view.case.variable_in(frame, actum_model::VariableIx(index)).cloned();
        (view.net.variables[index as usize].name.clone(), value.unwrap_or(Value::Null))
    };
    Some(Value::Map(subnet.variables.clone().map(value).collect()))
}

/// An instance is cancelled for a reason.
fn instance_stopped(view: &View<'_>, item: &WorkItemState) -> Judged {
    let Some(family) = item.family().and_then(|family| view.control().item(family)) else { return Ok(()) };
    let asked = view.cause().is_none() || view.answer().is_some() || view.is_undoing();
    let by_parts = |past: &Past| {
        let forced = matches!(past.event, CaseEvent::WorkForced { .. });
        !forced && past.event.work().is_some_and(|(_, task)| task == item.task)
    };
    let due = asked || is_due(view, family) != Some(false) || !view.cause().is_some_and(by_parts);
    must(due, Law::Owed, || format!("instances of {} are stopped before it is time", view.label(item.task)))
}
