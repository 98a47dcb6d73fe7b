//! Firing: from the moment a task is enabled until its work runs.

use actum_model::{
    AnyWorkItem, CaseEvent, ConditionIx, FrameId, Instance, ItemId, TaskIx, Time, Value, WorkItem, phase,
};
use actum_net::{Answer, ExceptionTrigger, Given, InstanceCount, Net, TimeoutFrom, Wait, Work, key_text};

use crate::{
    Context, FRAME_DEPTH_MAX, INSTANCES_AT_ONCE_MAX, ITEMS_MAX, MESSAGE_KEY_BYTES_MAX, RESTART_AFTER_LEAST, cancel,
    data::initial_of_frame,
    draft::{Cause, Draft},
    exception, finish,
    join::{self, partial},
    policy, resource,
};

/// A task became possible. Returns the index of the last event that moved tokens, for what follows.
pub(crate) fn begin(
    draft: &mut Draft<'_>,
    frame: FrameId,
    task: TaskIx,
    tokens: Vec<ConditionIx>,
    cause: usize,
) -> usize {
    let item = WorkItem::enabled(draft.control.next_item, task);
    let id = item.id();
    let enabled = draft.follow(cause, item.enabling(frame, None));
    if let Err(message) = timeout(draft, id, TimeoutFrom::Enabled, enabled) {
        let (started, last) = start(draft, item.allocate_to_engine(), frame, tokens, Cause::Staged(enabled), None);
        return started.map_or(last, |started| exception::fail(draft, started, "work/timeout", &message, last));
    }
    match kept_signal(draft, id, task, enabled) {
        Signalled::Not => enabled,
        Signalled::At(cause) => proceed(draft, item, frame, Some(tokens), cause),
    }
}

/// Runs a task that compensates: it takes no tokens.
pub(crate) fn compensate(draft: &mut Draft<'_>, frame: FrameId, task: TaskIx, cause: usize) -> usize {
    let item = WorkItem::enabled(draft.control.next_item, task);
    let enabled = draft.follow(cause, item.enabling(frame, None));
    proceed(draft, item, frame, Some(Vec::new()), enabled)
}

enum Signalled {
    Not,
    At(usize),
}

/// Whether a task may go on without waiting for its signal: it wants none, or one was kept for it.
fn kept_signal(draft: &mut Draft<'_>, item: ItemId, task: TaskIx, cause: usize) -> Signalled {
    let net = draft.net;
    let Some(trigger) = &net.tasks[task.index()].trigger else { return Signalled::At(cause) };
    let kept = draft.control.signals().iter().find(|signal| trigger.persistent && signal.name == trigger.signal);
    let Some(kept) = kept.cloned() else { return Signalled::Not };
    let event =
        CaseEvent::SignalReceived { name: kept.name.clone(), data: kept.data.clone(), kept: true, item: Some(item) };
    Signalled::At(draft.follow(cause, event))
}

/// An item got the signal that it waited for.
pub(crate) fn signalled(draft: &mut Draft<'_>, id: ItemId, cause: usize) -> usize {
    let Some(state) = draft.control.item(id).cloned() else { return cause };
    let AnyWorkItem::Enabled(item) = state.typed() else { return cause };
    let taken = join::take(draft.net, &draft.control, state.frame, state.task, draft.context.or_joins);
    // Without tokens it is withdrawn by whoever took them.
    match taken {
        Ok(Some(tokens)) => proceed(draft, item, state.frame, Some(tokens), cause),
        _ => cause,
    }
}

/// An item that waits for a signal uses one that was kept.
pub(crate) fn look_for_signal(draft: &mut Draft<'_>, id: ItemId, cause: usize) -> usize {
    let Some(task) = draft.control.item(id).map(|item| item.task) else { return cause };
    match kept_signal(draft, id, task, cause) {
        Signalled::Not => cause,
        Signalled::At(cause) => signalled(draft, id, cause),
    }
}

/// An enabled item that waits for no signal (any more): people are asked, timers are set, all other work begins at once.
/// `tokens` are what it takes when it starts; none are taken twice.
pub(crate) fn proceed(
    draft: &mut Draft<'_>,
    item: WorkItem<phase::Enabled>,
    frame: FrameId,
    tokens: Option<Vec<ConditionIx>>,
    cause: usize,
) -> usize {
    let net = draft.net;
    let definition = &net.tasks[item.task().index()];
    let is_instance = draft.control.item(item.id()).is_some_and(|item| item.instance.is_some());
    if definition.instances.is_none() || is_instance {
        match &definition.work {
            Work::Manual { .. } => {
                resource::hand_out(draft, item.id(), cause, None);
                return cause;
            }
            Work::Wait(wait) => return set_wait(draft, item, wait, frame, tokens, cause),
            Work::Receive { message, key } => {
                return await_message(draft, item, (message, key.as_ref()), frame, tokens, cause);
            }
            _ => {}
        }
    }
    let tokens = tokens.unwrap_or_default();
    let (started, last) = start(draft, item.allocate_to_engine(), frame, tokens, Cause::Staged(cause), None);
    match started {
        Some(started) => run(draft, started, frame, last),
        None => last,
    }
}

/// Work that was just started, and that the kernel itself does: instances, a subnet, routing.
pub(crate) fn run(draft: &mut Draft<'_>, item: WorkItem<phase::Started>, frame: FrameId, cause: usize) -> usize {
    let net = draft.net;
    let definition = &net.tasks[item.task().index()];
    let is_instance = draft.control.item(item.id()).is_some_and(|item| item.instance.is_some());
    if definition.instances.is_some() && !is_instance {
        return instances(draft, item, frame, cause);
    }
    match &definition.work {
        Work::Composite { .. } => enter(draft, item, frame, cause),
        Work::Routing | Work::Wait(_) | Work::Receive { .. } => finish::by_engine(draft, item, Value::Null, cause),
        _ => cause,
    }
}

/// Starts an item: its tokens go. A partial join takes note, or cancels the rest; rules are tested, timers set. Returns no
/// item if a rule ended it.
pub(crate) fn start(
    draft: &mut Draft<'_>,
    item: WorkItem<phase::Allocated>,
    frame: FrameId,
    tokens: Vec<ConditionIx>,
    cause: Cause,
    actor: Option<actum_model::ActorId>,
) -> (Option<WorkItem<phase::Started>>, usize) {
    let net = draft.net;
    let (id, task) = (item.id(), item.task());
    let definition = &net.tasks[task.index()];
    let advanced = partial::fired(net, frame, task, &tokens).filter(|_| !tokens.is_empty());
    let fires = !tokens.is_empty();
    let (item, event) = item.start(tokens);
    let started = draft.push(actor.unwrap_or(actum_model::ActorId::ENGINE), cause, event);
    if let Some(event) = advanced {
        draft.follow(started, event);
    }
    if fires
        && finish::cancels_at_start(definition)
        && let Some(region) = cancel::region(draft, frame, task, id)
    {
        cancel::cancel(draft, region, started);
    }
    if definition.policies.is_some() {
        policy::set_deadline(draft, id, task, started);
    }
    if definition.exceptions.is_empty() {
        return (Some(item), started);
    }
    if let Err(message) = timeout(draft, id, TimeoutFrom::Started, started) {
        return (None, exception::fail(draft, item, "work/timeout", &message, started));
    }
    exception::test(draft, id, &[], Cause::Staged(started));
    match draft.control.item(id).map(actum_model::WorkItemState::typed) {
        Some(AnyWorkItem::Started(_)) => (Some(item), started),
        _ => (None, started),
    }
}

/// Sets the timer of a task's rule for work that takes too long. If it cannot be computed, the item is to be failed with the
/// message returned.
fn timeout(draft: &mut Draft<'_>, id: ItemId, since: TimeoutFrom, cause: usize) -> Result<(), String> {
    let net = draft.net;
    let Some(item) = draft.control.item(id) else { return Ok(()) };
    let (frame, task) = (item.frame, item.task);
    let definition = &net.tasks[task.index()];
    if matches!(definition.work, Work::Wait(_)) {
        return Ok(());
    }
    let rule = definition.exceptions.iter().find_map(|rule| match &rule.trigger {
        ExceptionTrigger::Timeout { limit, from } if *from == since => Some((limit, rule.answer)),
        _ => None,
    });
    let Some((limit, answer)) = rule else { return Ok(()) };
    let now = draft.context.now;
    let until = limit
        .due(&draft.scope(frame, &[], None, &[]), now, draft.context.directory)
        .map_err(|error| format!("the timeout of {} cannot be computed: {error}", definition.name))?;
    // Or a timeout of nothing would restart its work for ever, and fill the log.
    let least = if answer == Answer::Restart { RESTART_AFTER_LEAST } else { 0 };
    let until = until.max(Time(now.0.saturating_add(least)));
    draft.follow(cause, CaseEvent::WorkWaiting { item: id, task, until });
    Ok(())
}

/// Sets the timers of rules that count from when an item became somebody's, for all items to which that has happened in this
/// decision.
pub(crate) fn time_allocated(draft: &mut Draft<'_>) {
    let has_rule = |task: TaskIx| {
        let rules = &draft.net.tasks[task.index()].exceptions;
        let mut triggers = rules.iter().map(|rule| &rule.trigger);
        triggers.any(|trigger| matches!(trigger, ExceptionTrigger::Timeout { from: TimeoutFrom::Allocated, .. }))
    };
    let mut allocated: Vec<(usize, ItemId)> = Vec::new();
    for (index, decided) in draft.events().iter().enumerate() {
        if let CaseEvent::WorkAllocated { item, task, .. } = &decided.event
            && has_rule(*task)
        {
            allocated.push((index, *item));
        }
    }
    for (index, id) in allocated {
        let is_theirs = |item: &actum_model::WorkItemState| item.timer.is_none() && item.resource.is_some();
        if draft.control.item(id).is_some_and(is_theirs)
            && let Err(message) = timeout(draft, id, TimeoutFrom::Allocated, index)
        {
            let last = exception::give_up_on(draft, id, &message, index);
            crate::settle::settle(draft, last);
        }
    }
}

/// A task that waits for a message leaves its tokens to others until it comes.
fn await_message(
    draft: &mut Draft<'_>,
    item: WorkItem<phase::Enabled>,
    (message, key): (&str, Option<&actum_net::Template>),
    frame: FrameId,
    tokens: Option<Vec<ConditionIx>>,
    cause: usize,
) -> usize {
    let givens = givens_of(draft, item.id());
    let key = key.map_or(Ok(String::new()), |key| match key.render(&draft.scope(frame, &[], None, &givens)) {
        Ok(value) => match key_text(&value) {
            Some(text) if text.len() <= MESSAGE_KEY_BYTES_MAX => Ok(text),
            Some(_) => Err(format!("it has more than {MESSAGE_KEY_BYTES_MAX} bytes")),
            None => Err("it is no text and no number".to_owned()),
        },
        Err(error) => Err(error.to_string()),
    });
    match key {
        Ok(key) => {
            let (id, task, name) = (item.id(), item.task(), message.to_owned());
            draft.follow(cause, CaseEvent::MessageAwaited { item: id, task, name, key })
        }
        Err(error) => {
            let name = &draft.net.tasks[item.task().index()].name;
            let message = format!("the key of the message that {name} waits for cannot be computed: {error}");
            let tokens = tokens.unwrap_or_default();
            let (started, last) = start(draft, item.allocate_to_engine(), frame, tokens, Cause::Staged(cause), None);
            started.map_or(last, |started| exception::fail(draft, started, "work/message", &message, last))
        }
    }
}

/// A task that waits leaves its tokens to others until its time comes.
fn set_wait(
    draft: &mut Draft<'_>,
    item: WorkItem<phase::Enabled>,
    wait: &Wait,
    frame: FrameId,
    tokens: Option<Vec<ConditionIx>>,
    cause: usize,
) -> usize {
    let (now, givens) = (draft.context.now, givens_of(draft, item.id()));
    match wait.due(&draft.scope(frame, &[], None, &givens), now, draft.context.directory) {
        Ok(until) if until > now => {
            draft.follow(cause, item.wait(until).1);
            cause
        }
        Ok(_) => {
            let tokens = tokens.unwrap_or_default();
            let (started, last) = start(draft, item.allocate_to_engine(), frame, tokens, Cause::Staged(cause), None);
            started.map_or(last, |started| run(draft, started, frame, last))
        }
        Err(error) => {
            let message =
                format!("the wait of {} cannot be computed: {error}", draft.net.tasks[item.task().index()].name);
            let tokens = tokens.unwrap_or_default();
            let (started, last) = start(draft, item.allocate_to_engine(), frame, tokens, Cause::Staged(cause), None);
            started.map_or(last, |started| exception::fail(draft, started, "work/wait", &message, last))
        }
    }
}

/// What an instance's expressions see beside data.
pub(crate) fn givens_of(draft: &Draft<'_>, item: ItemId) -> Vec<(Given, Value)> {
    draft.control.item(item).and_then(|item| item.instance.as_deref()).map(givens).unwrap_or_default()
}

/// What an instance's expressions see beside data.
pub(crate) fn givens(instance: &Instance) -> Vec<(Given, Value)> {
    let each = instance.each.clone().map(|each| (Given::Each, each));
    std::iter::once((Given::Index, Value::Int(i64::from(instance.index)))).chain(each).collect()
}

/// Begins the instances of a firing, if their number is allowed.
fn instances(draft: &mut Draft<'_>, item: WorkItem<phase::Started>, frame: FrameId, cause: usize) -> usize {
    let elements = match count(draft, item.task(), frame) {
        Ok(elements) => elements,
        Err((code, message)) => return exception::fail(draft, item, code, &message, cause),
    };
    let (family, task) = (item.id(), item.task());
    let first = draft.control.activation(family).map_or(0, |activation| activation.created);
    // All are there before the first begins, so that none of them ends the task alone.
    let mut begun = Vec::with_capacity(elements.len());
    for (index, each) in elements.into_iter().enumerate() {
        let instance = Instance { family, index: first + index as u32, each };
        let item = WorkItem::enabled(draft.control.next_item, task);
        let enabled = draft.follow(cause, item.enabling(frame, Some(instance)));
        begun.push((item, enabled));
    }
    let mut last = finish::pass_if_due(draft, family, false, cause);
    for (item, enabled) in begun {
        // The task may have gone on and cancelled the rest.
        if draft.control.item(item.id()).is_some() {
            last = last.max(proceed(draft, item, frame, None, enabled));
        }
    }
    last
}

/// Adds an instance to a firing.
pub(crate) fn add_instance(draft: &mut Draft<'_>, family: ItemId, each: Option<Value>, context: &Context<'_>) -> usize {
    let Some(state) = draft.control.item(family) else { return 0 };
    let (frame, task) = (state.frame, state.task);
    let index = draft.control.activation(family).map_or(0, |activation| activation.created);
    let item = WorkItem::enabled(draft.control.next_item, task);
    let event = item.enabling(frame, Some(Instance { family, index, each }));
    let enabled = draft.push(context.actor, Cause::Request, event);
    proceed(draft, item, frame, None, enabled)
}

type Elements = Vec<Option<Value>>;

/// One entry for each instance that is to begin.
fn count(draft: &Draft<'_>, task: TaskIx, frame: FrameId) -> Result<Elements, (&'static str, String)> {
    let definition = &draft.net.tasks[task.index()];
    let Some(instances) = &definition.instances else { return Ok(Vec::new()) };
    let scope = draft.scope(frame, &[], None, &[]);
    let answer = draft.context.oracle.and_then(|oracle| oracle.count(task)).map(|count| count as usize);
    let (InstanceCount::Count(template) | InstanceCount::Each(template)) = &instances.count;
    let value = match (answer, &instances.count) {
        (Some(count), InstanceCount::Count(_)) => Value::Int(count as i64),
        _ => template.render(&scope).map_err(|error| {
            ("work/instances", format!("the instances of {} cannot be counted: {error}", definition.name))
        })?,
    };
    let number = match (answer, &value) {
        (Some(count), _) => count,
        (None, Value::List(list)) => list.len(),
        (None, Value::Int(count)) => usize::try_from(*count).unwrap_or(0),
        _ => 0,
    };
    let fits = match (&instances.count, &value) {
        (InstanceCount::Count(_), Value::Int(count)) => *count >= 0,
        (InstanceCount::Each(_), Value::List(_)) => true,
        (InstanceCount::Each(_), _) => answer.is_some(),
        _ => false,
    };
    let (min, max) = (instances.min, instances.max);
    if !fits || number < min as usize || number > max as usize {
        let kind = actum_net::ValueKind::of(&value).map_or("null", actum_net::ValueKind::name);
        let message = if fits {
            format!("{} would run {number} times; {min} to {max} are allowed", definition.name)
        } else {
            format!("the number of instances of {} is no count but {kind}", definition.name)
        };
        return Err(("work/instances", message));
    }
    if number > INSTANCES_AT_ONCE_MAX as usize || draft.control.items.len() + number > ITEMS_MAX {
        let message = format!(
            "{} would run {number} times; at most {INSTANCES_AT_ONCE_MAX} can begin at once, and a case has at most {ITEMS_MAX} items",
            definition.name
        );
        return Err(("work/limit", message));
    }
    let mut list = match (&instances.count, value) {
        (InstanceCount::Each(_), Value::List(list)) => list,
        _ => Vec::new(),
    };
    list.truncate(number);
    let elements = list.into_iter().map(Some).chain(std::iter::repeat(None));
    Ok(elements.take(number).collect())
}

/// Runs the subnet of a composite item.
fn enter(draft: &mut Draft<'_>, item: WorkItem<phase::Started>, frame: FrameId, cause: usize) -> usize {
    let net = draft.net;
    let definition = &net.tasks[item.task().index()];
    let Work::Composite { subnet, params } = &definition.work else { return cause };
    let depth = draft.control.frames_above(frame).count();
    if depth >= FRAME_DEPTH_MAX || draft.control.frames().len() >= ITEMS_MAX {
        let message = format!("{} would run subnets more than {FRAME_DEPTH_MAX} deep", definition.name);
        return exception::fail(draft, item, "work/depth", &message, cause);
    }
    let givens = givens_of(draft, item.id());
    let changes = params
        .render(&draft.scope(frame, &[], None, &givens))
        .map_err(|error| format!("the parameters of {} cannot be computed: {error}", definition.name))
        .and_then(|params| initial_of_frame(net, *subnet, &params).map_err(|rejection| rejection.message));
    let changes = match changes {
        Ok(changes) => changes,
        Err(message) => return exception::fail(draft, item, "work/input", &message, cause),
    };
    let event = CaseEvent::SubnetStarted {
        frame: draft.control.next_frame,
        subnet: *subnet,
        item: item.id(),
        changes,
        produced: first_tokens(net, *subnet),
    };
    draft.follow(cause, event)
}

/// Where a new frame's tokens lie: its start, and its mutexes.
pub(crate) fn first_tokens(net: &Net, subnet: actum_model::SubnetIx) -> Vec<ConditionIx> {
    let subnet = &net.subnets[subnet.index()];
    std::iter::once(subnet.start).chain(subnet.mutexes.iter().copied()).collect()
}
