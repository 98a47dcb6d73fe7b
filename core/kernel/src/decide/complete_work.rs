//! End started work with its result: data is mapped, the split chooses, the case goes on.

use actum_model::{Rejection, Value, WorkItemState};
use actum_net::Work;

use super::started_by;
use crate::{
    Context,
    data::{fill_form, map_output},
    draft::{Cause, Draft},
    permission::separated,
    settle::settle,
    split,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    result: &Value,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let started = started_by(item, context)?;
    let task = &draft.net.tasks[item.task.index()];
    let filled;
    let result = if let Work::Manual { form, .. } = &task.work {
        separated(draft.net, &draft.control, item, context.actor, context.directory)?;
        filled = fill_form(task, form, result)?;
        &filled
    } else {
        result
    };
    result.check().map_err(|error| {
        Rejection::new("work/output", format!("the result of {} cannot be stored: {error}", task.name))
    })?;
    let changes = map_output(draft.net, task, &draft.scope(&[], Some(result)))?;
    let chosen = split::choose(task, &draft.scope(&changes, Some(result)));
    let event = match chosen {
        Ok(produced) => started.complete(result.clone(), changes, produced).1,
        // A guard that cannot be evaluated is the net's fault, not of who did the work: it is on record, not refused.
        Err(error) => {
            let message = format!("a guard of {} cannot be evaluated: {error}", task.name);
            started.fail("work/guard", &message).1
        }
    };
    let ended = draft.push(context.actor, Cause::Logged(item.event), event);
    settle(draft, ended);
    Ok(())
}
