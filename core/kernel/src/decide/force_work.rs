//! Complete an item with a result of one's own, whosever it is and in whichever phase. What ran of it is stopped; the result must
//! fit as that of who would have done it.

use actum_model::{Rejection, Value, WorkItemState};
use actum_net::{Given, Work};

use crate::{
    Context,
    cancel::{self, Why},
    data::fill_form,
    draft::{Cause, Draft},
    finish::{self, Outcome},
    join,
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    result: &Value,
    reason: &str,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let net = draft.net;
    let task = &net.tasks[item.task.index()];
    let is_instance = item.instance.is_some();
    let is_firing = task.instances.is_some() && !is_instance;
    if draft.control.activation(item.id).is_some_and(|activation| activation.passed) {
        return Err(Rejection::new("work/phase", format!("item {} gave what it has when the case went on", item.id)));
    }
    result.check().map_err(|error| {
        Rejection::new("work/output", format!("the result of {} cannot be stored: {error}", task.name))
    })?;
    let result = match (&task.work, result) {
        (_, Value::List(_)) if is_firing => result.clone(),
        _ if is_firing => {
            let message = format!("{} runs with several instances: its result is the list of theirs", task.name);
            return Err(Rejection::new("work/output", message));
        }
        (Work::Manual { form, .. }, _) => fill_form(task, form, result)?,
        _ => result.clone(),
    };
    let outcome = if is_instance {
        Outcome::default()
    } else {
        let results = [(Given::Results, result.clone())];
        let givens = if is_firing { &results[..] } else { &[] };
        finish::outcome(draft, item.frame, item.task, seen(&task.work, &result), givens)
            .map_err(|(code, message)| Rejection::new(code, message))?
    };
    let consumed = if item.holds_tokens() || is_instance || task.compensates {
        Vec::new()
    } else {
        let taken = join::take(net, &draft.control, item.frame, item.task, draft.context.or_joins);
        taken
            .ok()
            .flatten()
            .ok_or_else(|| Rejection::new("work/gone", format!("item {} is no longer possible", item.id)))?
    };
    let fired = join::partial::fired(net, item.frame, item.task, &consumed).filter(|_| !consumed.is_empty());
    let fires = !consumed.is_empty();
    let (started, event) = item.typed().force(reason, consumed);
    let forced = draft.push(context.actor, Cause::Logged(item.event), event);
    if let Some(fired) = fired {
        draft.follow(forced, fired);
    }
    if fires
        && finish::cancels_at_start(task)
        && let Some(region) = cancel::region(draft, item.frame, item.task, item.id)
    {
        cancel::cancel(draft, region, forced);
    }
    cancel::stop_inside(draft, item.id, Why::follows(forced));
    let ended = finish::complete(draft, started, result, outcome, context.actor, Cause::Staged(forced));
    settle(draft, ended);
    Ok(())
}

/// What expressions see as the result: of what does no work itself, none.
fn seen<'a>(work: &Work, result: &'a Value) -> Option<&'a Value> {
    let is_none = matches!(work, Work::Routing | Work::Wait(_) | Work::Receive { .. }) && *result == Value::Null;
    (!is_none).then_some(result)
}
