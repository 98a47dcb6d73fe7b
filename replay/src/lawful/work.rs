//! The life of a work item: from enabled to its end.

use actum_model::{
    ActorId, CaseEvent, Change, ConditionIx, FrameId, Instance, ItemId, Phase, TaskIx, Value, WorkItemState,
};
use actum_net::{ExceptionTrigger, Given, InstanceCount, InstanceRest, OnError, Operation, Policies, Work};

use super::data;
use super::rule::{Broken, Judged, Law, must};
use super::time;
use super::tokens::{self, Can};
use super::view::{Past, Sees, View};
use super::who;

/// Whether all was looked at.
pub(super) type Looked = Result<bool, Broken>;

/// A task becomes possible, or an instance of one.
pub(super) fn enabled(
    view: &View<'_>,
    (id, task, frame): (ItemId, TaskIx, FrameId),
    instance: Option<&Instance>,
) -> Looked {
    let (control, definition, label) = (view.control(), view.task(task), || view.label(task));
    must(id == control.next_item, Law::Order, || format!("the next item is {}, not {id}", control.next_item))?;
    must(control.subnet_of(frame) == Some(definition.subnet), Law::Net, || {
        format!("{} is no task of the net that runs in frame {frame}", label())
    })?;
    if let Some(instance) = instance {
        return self::instance(view, (task, frame), instance).map(|()| true);
    }
    must(control.item_in(frame, task).is_none() || definition.compensates, Law::Phase, || {
        format!("{} is busy already", label())
    })?;
    if definition.compensates {
        let is_next = control.saga().and_then(|saga| saga.next()).is_some_and(|next| next.by == task);
        let is_answer = view.answer().is_some_and(|answer| answer.ends_with(&format!("compensate {}", label())));
        must(is_next || is_answer, Law::Owed, || format!("nothing asks {} to make up for anything", label()))?;
        return Ok(true);
    }
    must(view.cause().is_some(), Law::Cause, || format!("nothing caused {} to become possible", label()))?;
    must(!control.suspended, Law::Status, || format!("{} begins while the case rests", label()))?;
    match tokens::can_fire(view, frame, task) {
        Can::Fire(_) => Ok(true),
        Can::Unknown => Ok(false),
        Can::Not => Err(Broken(Law::Tokens, format!("{} cannot fire: what it needs is not marked", label()))),
    }
}

fn instance(view: &View<'_>, (task, frame): (TaskIx, FrameId), instance: &Instance) -> Judged {
    let (control, label) = (view.control(), || view.label(task));
    let Some(instances) = &view.task(task).instances else {
        return Err(Broken(Law::Net, format!("{} has no instances", label())));
    };
    let family = view.item_in(instance.family, task, &[Phase::Started])?;
    must(family.instance.is_none() && family.frame == frame, Law::Phase, || {
        format!("{} is no firing", instance.family)
    })?;
    let activation = control.activation(instance.family);
    let (created, active) = activation.map_or((0, 0), |activation| (activation.created, activation.active));
    must(activation.is_none_or(|activation| !activation.passed), Law::Phase, || {
        format!("{} went on already", label())
    })?;
    must(instance.index == created && created < instances.max, Law::Order, || {
        format!(
            "instance {} of {} cannot be: {created} were, at most {} may be",
            instance.index,
            label(),
            instances.max
        )
    })?;
    if view.cause().is_none() {
        return must(instances.add && active > 0, Law::Net, || format!("no instance may be added to {}", label()));
    }
    let elements = elements(view, task, frame)
        .map_err(|why| Broken(Law::Data, format!("the instances of {} cannot be counted: {why}", label())))?;
    // A firing that begins anew counts on from those that were.
    let first = family.attempt <= 1;
    must(!first || created < elements.0, Law::Data, || {
        format!("{} begins with {} instances, and this is number {}", label(), elements.0, created + 1)
    })?;
    let each = elements.1.as_ref().map(|list| list.get(created as usize));
    must(!first || each.is_none_or(|each| each == instance.each.as_ref()), Law::Data, || {
        format!("instance {created} of {} is for {each:?}, not for {:?}", label(), instance.each)
    })
}

/// How many instances a firing begins with, and what each is for.
pub(super) fn elements(view: &View<'_>, task: TaskIx, frame: FrameId) -> Result<(u32, Option<Vec<Value>>), String> {
    let Some(instances) = &view.task(task).instances else { return Ok((0, None)) };
    let (InstanceCount::Count(template) | InstanceCount::Each(template)) = &instances.count;
    let value = template.render(&Sees::data(view.case, frame)).map_err(|error| error.to_string())?;
    match (&instances.count, value) {
        (InstanceCount::Count(_), Value::Int(count)) => {
            Ok((u32::try_from(count).map_err(|error| error.to_string())?, None))
        }
        (InstanceCount::Each(_), Value::List(list)) => Ok((list.len() as u32, Some(list))),
        (_, other) => Err(format!("{other:?} is no number of instances")),
    }
}

/// A task fires, or work that was handed to somebody begins.
pub(super) fn started(view: &View<'_>, id: ItemId, task: TaskIx, consumed: &[ConditionIx]) -> Looked {
    let item = view.item_in(id, task, &[Phase::Enabled, Phase::Offered, Phase::Allocated])?;
    let (definition, label) = (view.task(task), || view.label(task));
    must(!view.control().suspended || view.answer().is_some(), Law::Status, || {
        format!("{} begins while the case rests", label())
    })?;
    must(!view.at_rest(item), Law::Phase, || format!("{} begins while it, or what it is part of, rests", label()))?;
    begins(view, item)?;
    if item.holds_tokens() || item.instance.is_some() || definition.compensates {
        must(consumed.is_empty(), Law::Tokens, || format!("{} has its tokens already", label()))?;
        return Ok(true);
    }
    tokens::fires(view, item.frame, task, consumed)
}

/// What lets it begin now.
fn begins(view: &View<'_>, item: &WorkItemState) -> Judged {
    let (definition, label) = (view.task(item.task), || view.label(item.task));
    let cause = view.cause();
    if view.answers("fail") {
        return Ok(());
    }
    // What can be told of wrongly is failed as it begins; that must follow.
    let can_fail = !definition.exceptions.is_empty();
    let waits = definition.trigger.is_some() && item.instance.is_none() && !item.triggered && !definition.compensates;
    must(!waits || can_fail, Law::Phase, || format!("{} waits for a signal that did not come", label()))?;
    if view.is_firing(item) {
        return must(cause.is_some(), Law::Cause, || format!("{} begins without a cause", label()));
    }
    match &definition.work {
        Work::Manual { .. } if can_fail && item.phase == Phase::Enabled => Ok(()),
        Work::Manual { .. } => {
            must(item.phase == Phase::Allocated, Law::Phase, || format!("{} is nobody's yet", label()))?;
            if let Some(cause) = cause {
                let given = matches!(&cause.event, CaseEvent::WorkAllocated { item: about, .. } if *about == item.id);
                let by_itself = given && super::allocation::begins_by_itself(view, item);
                return must(by_itself, Law::Cause, || format!("{} is for whoever has it to begin", label()));
            }
            who::has(view, item)?;
            who::separated(view, item, view.meta.actor)
        }
        Work::Wait(wait) => time::wait_over(view, item, wait),
        Work::Receive { .. } => {
            let came = matches!(cause.map(|cause| &cause.event), Some(CaseEvent::MessageReceived { item: about, .. }) if *about == item.id);
            must(came || cause.is_some(), Law::Cause, || format!("{} begins without its message", label()))
        }
        _ => must(cause.is_some(), Law::Cause, || format!("{} begins without a cause", label())),
    }
}

/// What a completion says.
#[derive(Clone, Copy)]
pub(super) struct Outcome<'e> {
    pub(super) changes: &'e [Change],
    pub(super) produced: &'e [ConditionIx],
}

/// Work is done.
pub(super) fn completed(view: &View<'_>, id: ItemId, task: TaskIx, result: &Value, outcome: Outcome<'_>) -> Looked {
    let recovers = recovery(view, task).is_some_and(|how| matches!(how, OnError::Result(_)));
    let phases: &[Phase] = if recovers { &[Phase::Started, Phase::Failed] } else { &[Phase::Started] };
    let item = view.item_in(id, task, phases)?;
    let (control, definition, label) = (view.control(), view.task(task), || view.label(task));
    must(result.check().is_ok(), Law::Data, || format!("the result of {} cannot be stored", label()))?;
    let parts = control.instances_of(id).next().is_some() || control.frame_of_item(id).is_some();
    must(!parts, Law::Phase, || format!("parts of {} are not done", label()))?;
    if let Some(Past { event: CaseEvent::WorkForced { item: of, .. }, .. }) = view.cause()
        && *of == id
    {
        return forced_result(view, item, result, outcome).map(|()| true);
    }
    if view.is_firing(item) {
        return firing_completed(view, item, result, outcome).map(|()| true);
    }
    let by_policy = view.cause().is_some_and(|cause| {
        matches!(
            cause.event,
            CaseEvent::WorkFailed { .. } | CaseEvent::WorkTimedOut { .. } | CaseEvent::WorkShed { .. }
        )
    });
    let mut seen = Some(result);
    match (&definition.work, view.cause()) {
        _ if by_policy && recovers => {}
        (Work::Manual { form, .. }, None) => {
            who::has(view, item)?;
            who::separated(view, item, view.meta.actor)?;
            data::form(view, task, form, result)?;
        }
        (Work::Automatic { .. }, None) => who::has(view, item)?,
        (
            Work::Composite { .. },
            Some(Past { event: CaseEvent::SubnetEnded { item: of, completed: true, .. }, kept, .. }),
        ) if *of == id => {
            must(kept.as_ref() == Some(result), Law::Data, || {
                format!("the result of {} is {result:?}, where its net ended with {kept:?}", label())
            })?;
        }
        (Work::Routing | Work::Wait(_), Some(_)) => {
            must(*result == Value::Null, Law::Data, || {
                format!("{} has no result, but {result:?} is recorded", label())
            })?;
            seen = None;
        }
        (Work::Receive { .. }, Some(_)) => {
            let came = view.decision.past.iter().rev().find_map(|past| match &past.event {
                CaseEvent::MessageReceived { item: about, data, .. } if *about == id => Some(data),
                _ => None,
            });
            must(came == Some(result) || item.attempt > 1, Law::Data, || {
                format!("{} gives {result:?}, which is not what came with its message", label())
            })?;
            seen = (*result != Value::Null).then_some(result);
        }
        (_, cause) => {
            let by = if cause.is_some() { "by itself" } else { "because somebody says so" };
            return Err(Broken(Law::Cause, format!("{} cannot complete {by}", label())));
        }
    }
    violation_raised(view, item, outcome.changes)?;
    if item.instance.is_some() {
        must(outcome.changes.is_empty() && outcome.produced.is_empty(), Law::Tokens, || {
            format!("an instance of {} gives nothing on its own", label())
        })?;
        return Ok(true);
    }
    data::outcome(view, (item.frame, task), seen, &[], (outcome.changes, outcome.produced)).map(|()| true)
}

/// Somebody takes an item over to complete it, with its tokens.
pub(super) fn forced(view: &View<'_>, id: ItemId, task: TaskIx, consumed: &[ConditionIx]) -> Looked {
    let item = view.item(id, task)?;
    let label = || view.label(task);
    must(view.cause().is_none(), Law::Cause, || format!("{} is forced by nobody", label()))?;
    let passed = view.control().activation(id).is_some_and(|activation| activation.passed);
    must(!passed, Law::Phase, || format!("{} gave what it has when it went on", label()))?;
    if item.holds_tokens() || item.instance.is_some() || view.task(task).compensates {
        must(consumed.is_empty(), Law::Tokens, || format!("{} has its tokens already", label()))?;
        return Ok(true);
    }
    tokens::fires(view, item.frame, task, consumed)
}

/// What somebody gives by force fits as if it had come from who does it.
fn forced_result(view: &View<'_>, item: &WorkItemState, result: &Value, outcome: Outcome<'_>) -> Judged {
    must(view.meta.actor == view.decision.actor, Law::Who, || {
        format!("{} completes by another than forces it", view.label(item.task))
    })?;
    let definition = view.task(item.task);
    let is_firing = view.is_firing(item);
    if let (Work::Manual { form, .. }, false) = (&definition.work, is_firing) {
        data::form(view, item.task, form, result)?;
    }
    violation_raised(view, item, outcome.changes)?;
    if item.instance.is_some() {
        return must(outcome.changes.is_empty() && outcome.produced.is_empty(), Law::Tokens, || {
            format!("an instance of {} gives nothing on its own", view.label(item.task))
        });
    }
    let is_routing = matches!(definition.work, Work::Routing | Work::Wait(_) | Work::Receive { .. });
    let seen = (!is_routing || *result != Value::Null).then_some(result);
    let results = [(Given::Results, result.clone())];
    let givens = if is_firing { &results[..] } else { &[] };
    data::outcome(view, (item.frame, item.task), seen, givens, (outcome.changes, outcome.produced))
}

/// A rule about data that is broken by a completion is on record before it.
fn violation_raised(view: &View<'_>, item: &WorkItemState, changes: &[Change]) -> Judged {
    let rules = view.task(item.task).exceptions.iter();
    let mut tests = rules.filter_map(|rule| match &rule.trigger {
        ExceptionTrigger::Violation { when } => Some(when),
        _ => None,
    });
    let Some(when) = tests.next() else { return Ok(()) };
    let sees = Sees { changes, ..Sees::data(view.case, item.frame) };
    let is_broken = when.eval(&sees) != Ok(false);
    let raised =
        view.decision.has(|event| matches!(event, CaseEvent::ExceptionRaised { item: Some(of), .. } if *of == item.id));
    must(!is_broken || raised, Law::Owed, || {
        format!("{} breaks the rule `{}`, and that is not on record", view.label(item.task), when.source())
    })
}

fn results(view: &View<'_>, id: ItemId) -> Value {
    Value::List(view.case.results_of(id).to_vec())
}

fn firing_completed(view: &View<'_>, item: &WorkItemState, result: &Value, outcome: Outcome<'_>) -> Judged {
    let label = || view.label(item.task);
    must(view.cause().is_some(), Law::Cause, || format!("{} completes when its instances do", label()))?;
    let passed = view.control().activation(item.id).is_some_and(|activation| activation.passed);
    if passed {
        let nothing = *result == Value::Null && outcome.changes.is_empty() && outcome.produced.is_empty();
        return must(nothing, Law::Tokens, || format!("{} gave what it has when it went on", label()));
    }
    passes_with(view, item, result, outcome)
}

fn passes_with(view: &View<'_>, item: &WorkItemState, result: &Value, outcome: Outcome<'_>) -> Judged {
    let right = results(view, item.id);
    must(*result == right, Law::Data, || {
        format!("the result of {} is {result:?}; its instances gave {right:?}", view.label(item.task))
    })?;
    let givens = [(Given::Results, right)];
    let at = (item.frame, item.task);
    data::outcome(view, at, Some(result), &givens, (outcome.changes, outcome.produced))
}

/// Enough instances are done, and the case goes on.
pub(super) fn passed(view: &View<'_>, id: ItemId, task: TaskIx, result: &Value, outcome: Outcome<'_>) -> Judged {
    let item = view.item_in(id, task, &[Phase::Started])?;
    let label = || view.label(task);
    must(view.is_firing(item), Law::Net, || format!("{} has no instances", label()))?;
    let activation = view.control().activation(id);
    must(activation.is_none_or(|activation| !activation.passed), Law::Phase, || {
        format!("{} went on already", label())
    })?;
    let rest = view.task(task).instances.as_ref().map(|instances| instances.rest);
    must(rest == Some(InstanceRest::Run), Law::Net, || format!("{} cancels the rest of its instances", label()))?;
    must(is_due(view, item) != Some(false), Law::Owed, || format!("it is not time for {} to go on", label()))?;
    passes_with(view, item, result, outcome)
}

/// Enough of a firing's instances are done. `None`: that cannot be evaluated.
pub(super) fn is_due(view: &View<'_>, item: &WorkItemState) -> Option<bool> {
    let instances = view.task(item.task).instances.as_ref()?;
    let activation = view.control().activation(item.id);
    let (active, completed) = activation.map_or((0, 0), |activation| (activation.active, activation.completed));
    if active == 0 || instances.threshold.is_some_and(|threshold| completed >= threshold) {
        return Some(true);
    }
    let Some(until) = &instances.until else { return Some(false) };
    let givens = [
        (Given::Completed, Value::Int(i64::from(completed))),
        (Given::Active, Value::Int(i64::from(active))),
        (Given::Results, results(view, item.id)),
    ];
    until.eval(&Sees { givens: &givens, ..Sees::data(view.case, item.frame) }).ok()
}

/// What policies say about errors, if the event can follow from that.
fn recovery<'a>(view: &View<'a>, task: TaskIx) -> Option<&'a OnError> {
    let policies: &'a Policies = view.net.tasks[task.index()].policies.as_deref()?;
    view.cause()?;
    let fallback = policies.gates.iter().find_map(|gate| match &gate.kind {
        actum_net::GateKind::Breaker(breaker) => breaker.fallback.as_ref(),
        _ => None,
    });
    let shed = view.decision.has(|event| matches!(event, CaseEvent::WorkShed { policy, .. } if policy == "breaker"));
    fallback.filter(|_| shed).or(Some(&policies.on_error))
}

/// An item is passed over.
pub(super) fn skipped(
    view: &View<'_>,
    id: ItemId,
    task: TaskIx,
    consumed: &[ConditionIx],
    outcome: Outcome<'_>,
) -> Looked {
    let item = view.item(id, task)?;
    let label = || view.label(task);
    let undoes = view.control().saga().is_some_and(|saga| saga.undone_by(id).is_some());
    let passed = view.control().activation(id).is_some_and(|activation| activation.passed);
    let nothing = outcome.changes.is_empty() && outcome.produced.is_empty();
    if undoes && nothing && consumed.is_empty() {
        return Ok(true);
    }
    match view.cause() {
        None => {
            who::treats(view, item, Operation::Skip)?;
            view.item_in(id, task, &[Phase::Allocated, Phase::Started])?;
            must(outcome.changes.is_empty(), Law::Data, || format!("{} is passed over: data stays", label()))?;
            if item.instance.is_none() {
                data::branches(view, (item.frame, task), &[], Some(&Value::Null), outcome.produced)?;
            }
        }
        Some(_) if view.answers("complete") || view.answers("restart") => {
            if item.instance.is_none() && !passed {
                let given = (outcome.changes, outcome.produced);
                data::outcome(view, (item.frame, task), Some(&Value::Null), &[], given)?;
            }
        }
        Some(_) => match recovery(view, task) {
            Some(OnError::Ignore) if item.instance.is_some() => {}
            Some(OnError::Ignore) => data::branches(view, (item.frame, task), &[], None, outcome.produced)?,
            Some(OnError::Flow { to, error }) => {
                let first = outcome.produced.first();
                let changed: Vec<_> = outcome.changes.iter().map(|change| change.variable).collect();
                let right = first == Some(to) && changed == error.iter().copied().collect::<Vec<_>>();
                must(right, Law::Branch, || format!("{} does not go where its net says errors go", label()))?;
            }
            _ => return Err(Broken(Law::Cause, format!("nothing lets {} be passed over", label()))),
        },
    }
    must(!(item.instance.is_some() || passed) || nothing, Law::Tokens, || {
        format!("{} gives nothing any more", label())
    })?;
    if item.holds_tokens() || item.instance.is_some() {
        must(consumed.is_empty(), Law::Tokens, || format!("{} has its tokens already", label()))?;
        return Ok(true);
    }
    tokens::fires(view, item.frame, task, consumed)
}

/// An attempt ends without success.
pub(super) fn failed(view: &View<'_>, id: ItemId, task: TaskIx, code: &str) -> Judged {
    let item = view.item_in(id, task, &[Phase::Started])?;
    let label = || view.label(task);
    if view.cause().is_some() {
        // The kernel's own codes; shed work fails by its policy.
        let known = code.starts_with("work/") || code.starts_with("policy/");
        return must(known, Law::Cause, || format!("nobody reported the failure {code} of {}", label()));
    }
    who::has(view, item)?;
    let is_compound = view.is_firing(item) || matches!(view.task(task).work, Work::Composite { .. });
    must(!is_compound, Law::Phase, || format!("{} fails only by itself", label()))
}

/// Another attempt begins.
pub(super) fn retried(view: &View<'_>, id: ItemId, task: TaskIx, attempt: u32) -> Judged {
    let anew: &[Phase] = if view.answers("restart") { &[Phase::Failed, Phase::Started] } else { &[Phase::Failed] };
    let item = view.item_in(id, task, anew)?;
    must(attempt == item.attempt.saturating_add(1), Law::Order, || {
        format!("attempt {attempt} of {} follows attempt {}", view.label(task), item.attempt)
    })?;
    let planned = view.control().retry_at(id).is_some_and(|at| at <= view.meta.time);
    if view.cause().is_some() {
        let known = view.answers("restart") || planned;
        return must(known, Law::Time, || format!("{} is tried again before its time", view.label(task)));
    }
    if item.resource.is_some() && view.meta.actor != ActorId::ENGINE {
        who::has(view, item)?;
    }
    Ok(())
}

/// An item is laid to rest, or goes on.
pub(super) fn rests(view: &View<'_>, id: ItemId, task: TaskIx, goes_on: bool) -> Judged {
    let item = view.item(id, task)?;
    let label = || view.label(task);
    must((item.phase == Phase::Suspended) == goes_on, Law::Phase, || format!("{} is {}", label(), item.phase.name()))?;
    match view.cause() {
        Some(Past { event: CaseEvent::TimerFiredLate { item: of, .. }, .. }) if goes_on => {
            must(*of == Some(id), Law::Cause, || format!("the rest of another than {} is over", label()))
        }
        Some(_) => {
            must(!goes_on && view.answers("suspend"), Law::Cause, || format!("nothing lays {} to rest", label()))
        }
        None if item.resource.is_none() || view.meta.actor == ActorId::ENGINE => Ok(()),
        None if goes_on => who::has(view, item),
        None => who::treats(view, item, Operation::Suspend),
    }
}

/// An item becomes nobody's.
pub(super) fn put_back(view: &View<'_>, id: ItemId, task: TaskIx) -> Judged {
    let item = view.item_in(id, task, &[Phase::Allocated, Phase::Started])?;
    match view.cause() {
        Some(_) => must(view.answers("restart"), Law::Cause, || format!("nothing makes {} nobody's", view.label(task))),
        None => who::treats(view, item, Operation::PutBack),
    }
}

/// An item is handed on.
pub(super) fn delegated(view: &View<'_>, id: ItemId, task: TaskIx, to: ActorId, keep_state: bool) -> Judged {
    let item = view.item_in(id, task, &[Phase::Allocated, Phase::Started])?;
    let label = || view.label(task);
    if view.cause().is_some() {
        let right = keep_state == (item.phase == Phase::Started);
        must(right, Law::Phase, || format!("{} changes its phase as it is escalated", label()))?;
        return super::allocation::allocated(view, item, to);
    }
    let is_begun = item.phase == Phase::Started;
    must(is_begun || !keep_state, Law::Phase, || format!("{} is not begun, so there is nothing to keep", label()))?;
    who::treats(view, item, if is_begun { Operation::Reallocate } else { Operation::Delegate })?;
    must(item.resource != Some(to), Law::Who, || format!("{} is {}'s already", label(), view.who(to)))?;
    who::may_have(view, item, to, true)
}
