//! End started work with its result: data is mapped, the split chooses, the case goes on.

use actum_model::{Rejection, Value, WorkItemState};
use actum_net::Work;

use super::{not_compound, started_by};
use crate::{
    Context,
    data::{fill_form, map_output},
    draft::{Cause, Draft},
    exception,
    finish::{self, Outcome},
    permission::separated,
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    result: &Value,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let started = started_by(item, context)?;
    not_compound(draft.net, item)?;
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
    let cause = Cause::Logged(item.event);
    let outcome = if item.instance.is_some() {
        Ok(Outcome::default())
    } else {
        let changes = map_output(draft.net, task, &draft.scope(item.frame, &[], Some(result), &[]))?;
        let produced = finish::choose(draft, item.frame, item.task, &changes, Some(result));
        produced.map(|produced| Outcome { changes, produced })
    };
    let ended = match outcome {
        Ok(outcome) => finish::complete(draft, started, result.clone(), outcome, context.actor, cause),
        // A guard that cannot be evaluated is the net's fault, not of who did the work: it is on record, not refused.
        Err((code, message)) => {
            let failed = draft.push(context.actor, cause, started.fail(code, &message).1);
            exception::after_failure(draft, item.id, code, &message, failed)
        }
    };
    settle(draft, ended);
    Ok(())
}
