//! Timers: set for when the net says, and never fired early.

use actum_kernel::{LATE_LEAST, RESTART_AFTER_LEAST};
use actum_model::{CaseEvent, ItemId, Phase, TaskIx, Time, WorkItemState};
use actum_net::{Answer, ExceptionTrigger, TimeoutFrom, Wait, Work};

use super::rule::{Broken, Judged, Law, must};
use super::view::{Sees, View, givens};

/// The time of a task that waits has come.
pub(super) fn wait_over(view: &View<'_>, item: &WorkItemState, wait: &Wait) -> Judged {
    let now = view.meta.time;
    if item.timer.is_some_and(|timer| timer <= now) {
        return Ok(());
    }
    let givens = givens(item);
    let sees = Sees { givens: &givens, ..Sees::data(view.case, item.frame) };
    // A wait that cannot be computed fails as it begins.
    let due = item.timer.map_or_else(|| wait.due(&sees, now, view.directory).ok(), Some);
    must(due.is_none_or(|due| due <= now), Law::Time, || {
        format!("{} waits until {}, and begins at {now}", view.label(item.task), due.unwrap_or_default())
    })
}

/// A timer is set for an item.
pub(super) fn set(view: &View<'_>, id: ItemId, task: TaskIx, until: Time) -> Judged {
    let item = view.item(id, task)?;
    let (definition, now) = (view.task(task), view.meta.time);
    let label = || view.label(task);
    must(view.cause().is_some(), Law::Cause, || format!("nobody sets timers of {} by hand", label()))?;
    let mut right: Vec<Time> = Vec::new();
    let givens = givens(item);
    let sees = Sees { givens: &givens, ..Sees::data(view.case, item.frame) };
    if let Work::Wait(wait) = &definition.work {
        right.extend(wait.due(&sees, now, view.directory).ok());
    } else {
        for rule in &definition.exceptions {
            let ExceptionTrigger::Timeout { limit, from } = &rule.trigger else { continue };
            let fits = match from {
                TimeoutFrom::Enabled => !item.holds_tokens(),
                TimeoutFrom::Allocated => item.resource.is_some(),
                TimeoutFrom::Started => item.phase == Phase::Started,
            };
            let least = if rule.answer == Answer::Restart { RESTART_AFTER_LEAST } else { 0 };
            let due = limit.due(&Sees::data(view.case, item.frame), now, view.directory).ok().filter(|_| fits);
            right.extend(due.map(|due| due.max(Time(now.0.saturating_add(least)))));
        }
        let deadline = definition.policies.as_deref().and_then(|policies| policies.deadline_ns);
        right.extend(deadline.map(|deadline| Time(now.0.saturating_add(deadline).min(i64::MAX as u64))));
    }
    fits(view, &right, until, &label())
}

fn fits(view: &View<'_>, right: &[Time], until: Time, what: &str) -> Judged {
    // A clock that went back showed an earlier time than is recorded.
    let is_right = right.contains(&until) || (!view.decision.exact && right.iter().any(|right| until <= *right));
    must(is_right, Law::Time, || match right.first() {
        Some(right) => format!("the timer of {what} is set for {until}, where the net says {right}"),
        None => format!("a timer is set for {what}, and the net says nothing of one"),
    })
}

/// The time by which the case as a whole is to be done.
pub(super) fn set_for_case(view: &View<'_>, until: Time) -> Judged {
    let limit = view.net.subnets[0].exceptions.iter().find_map(|rule| match &rule.trigger {
        ExceptionTrigger::Timeout { limit, .. } => Some(limit),
        _ => None,
    });
    let sees = Sees::data(view.case, actum_model::FrameId::ROOT);
    let right = limit.and_then(|limit| limit.due(&sees, view.meta.time, view.directory).ok());
    fits(view, right.as_slice(), until, "the case")
}

/// A timer of an item fires.
pub(super) fn fired(view: &View<'_>, id: ItemId, task: TaskIx) -> Judged {
    let item = view.item(id, task)?;
    come(view, item.timer, &view.label(task))?;
    must(!view.at_rest(item), Law::Phase, || format!("the timer of {} fires while it rests", view.label(task)))
}

/// The case's timer fires.
pub(super) fn fired_for_case(view: &View<'_>) -> Judged {
    come(view, view.control().deadline(), "the case")
}

fn come(view: &View<'_>, due: Option<Time>, what: &str) -> Judged {
    let Some(due) = due else { return Err(Broken(Law::Time, format!("{what} has no timer that could fire"))) };
    let now = view.meta.time;
    must(due <= now, Law::Time, || format!("the timer of {what} fires at {now}, before its time {due}"))
}

/// A timer fires late, and says so.
pub(super) fn late(view: &View<'_>, item: Option<ItemId>, due: Time) -> Judged {
    let control = view.control();
    let is_due = match item {
        Some(id) => control.item(id).and_then(|item| item.timer) == Some(due) || control.retry_at(id) == Some(due),
        None => control.deadline() == Some(due),
    } || control.rest_until(item) == Some(due);
    must(is_due, Law::Time, || format!("no timer was due at {due}"))?;
    let late = view.meta.time.0.saturating_sub(due.0);
    must(late >= LATE_LEAST && view.case.semantics >= 2, Law::Time, || format!("{late} ns after its time is not late"))
}

/// A rest that just began is only for a time.
pub(super) fn rest_limited(view: &View<'_>, item: Option<ItemId>, until: Time) -> Judged {
    let begins = view.cause().is_some_and(|cause| match (&cause.event, item) {
        (CaseEvent::CaseSuspended, None) => true,
        (CaseEvent::WorkSuspended { item, .. }, Some(of)) => *item == of,
        _ => false,
    });
    must(begins, Law::Cause, || "no rest began that it could end".to_owned())?;
    must(until > view.meta.time, Law::Time, || format!("the rest is over at {until}, before it began"))
}

/// A message comes that an item waits for.
pub(super) fn message(view: &View<'_>, id: ItemId, task: TaskIx, name: &str) -> Judged {
    view.item_in(id, task, &[Phase::Enabled])?;
    let awaited = view.control().awaited_by(id);
    must(awaited.is_some_and(|awaited| awaited.name == name), Law::Phase, || {
        format!("{} does not wait for the message {name}", view.label(task))
    })
}

/// An item begins to wait for a message.
pub(super) fn awaited(view: &View<'_>, id: ItemId, task: TaskIx, name: &str, key: &str) -> Judged {
    let item = view.item_in(id, task, &[Phase::Enabled])?;
    let label = || view.label(task);
    let Work::Receive { message, key: template } = &view.task(task).work else {
        return Err(Broken(Law::Net, format!("{} waits for no message", label())));
    };
    let givens = givens(item);
    let sees = Sees { givens: &givens, ..Sees::data(view.case, item.frame) };
    let right = match template {
        Some(template) => template.render(&sees).ok().and_then(|value| actum_net::key_text(&value)),
        None => Some(String::new()),
    };
    must(message == name && right.as_deref() == Some(key), Law::Data, || {
        format!("{} waits for {name} about {key:?}, where the net says {message} about {right:?}", label())
    })
}

/// A signal comes: to the first that waits for it, or it is kept, or lost, as the net says.
pub(super) fn signal(
    view: &View<'_>,
    name: &str,
    data: &actum_model::Value,
    kept: bool,
    item: Option<ItemId>,
) -> Judged {
    let (net, control) = (view.net, view.control());
    let mut triggers =
        net.tasks.iter().filter_map(|task| task.trigger.as_ref()).filter(|one| one.signal == name).peekable();
    must(triggers.peek().is_some(), Law::Net, || format!("no task waits for the signal {name}"))?;
    let persists = triggers.any(|trigger| trigger.persistent);
    let waits = |item: &&WorkItemState| {
        let trigger = net.tasks[item.task.index()].trigger.as_ref();
        item.phase == Phase::Enabled
            && !item.triggered
            && item.instance.is_none()
            && trigger.is_some_and(|trigger| trigger.signal == name)
            && !view.at_rest(item)
    };
    if let (true, Some(id)) = (kept, item) {
        let was = control.signals().iter().find(|signal| signal.name == name);
        let is_right = was.is_some_and(|was| was.data == *data) && control.item(id).as_ref().is_some_and(waits);
        return must(is_right, Law::Phase, || format!("no signal {name} was kept for item {id}"));
    }
    let first = control.items.iter().find(waits).map(|item| item.id);
    let right = (persists && first.is_none(), first);
    must(right == (kept, item), Law::Phase, || format!("the signal {name} does not go to who waits for it first"))
}

/// Whether an exception about time follows a timer.
pub(super) fn is_timeout(event: &CaseEvent) -> bool {
    matches!(event, CaseEvent::WorkTimedOut { .. } | CaseEvent::CaseTimedOut)
}
