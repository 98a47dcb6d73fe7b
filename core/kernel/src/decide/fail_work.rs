//! End started work without success. The item keeps its tokens and waits to be retried.

use actum_model::{Rejection, WorkItemState};

use super::{not_compound, started_by};
use crate::{
    Context,
    draft::{Cause, Draft},
    exception,
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    code: &str,
    message: &str,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let started = started_by(item, context)?;
    not_compound(draft.net, item)?;
    let failed = draft.push(context.actor, Cause::Logged(item.event), started.fail(code, message).1);
    if let Some(answered) = exception::answered(draft, item.id, code, message, failed) {
        settle(draft, answered);
    }
    Ok(())
}
