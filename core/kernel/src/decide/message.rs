//! A message comes that an item waits for: the item takes its tokens and completes with what came.

use actum_model::{AnyWorkItem, CaseEvent, Rejection, Seq, Value, WorkItemState};

use super::wrong_phase;
use crate::{
    Context,
    draft::{Cause, Draft},
    finish, fire, join,
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    message: Seq,
    (name, data): (&str, &Value),
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let AnyWorkItem::Enabled(enabled) = item.typed() else { return Err(wrong_phase(item, "enabled")) };
    if draft.control.awaited_by(item.id).is_none_or(|awaited| awaited.name != name) {
        return Err(Rejection::new("work/no-message", format!("item {} waits for no message {name}", item.id)));
    }
    data.check().map_err(|error| Rejection::new("message/data", format!("its data cannot be stored: {error}")))?;
    let tokens = if item.instance.is_some() || draft.net.tasks[item.task.index()].compensates {
        Vec::new()
    } else {
        let taken = join::take(draft.net, &draft.control, item.frame, item.task, draft.context.or_joins);
        taken
            .ok()
            .flatten()
            .ok_or_else(|| Rejection::new("work/gone", format!("item {} is no longer possible", item.id)))?
    };
    let event = CaseEvent::MessageReceived {
        item: item.id,
        task: item.task,
        message,
        name: name.to_owned(),
        data: data.clone(),
    };
    let received = draft.push(context.actor, Cause::Logged(message), event);
    let cause = Cause::Staged(received);
    let (started, last) = fire::start(draft, enabled.allocate_to_engine(), item.frame, tokens, cause, None);
    let last = started.map_or(last, |started| finish::by_engine(draft, started, data.clone(), last));
    settle(draft, last);
    Ok(())
}
