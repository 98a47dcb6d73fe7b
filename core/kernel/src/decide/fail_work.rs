//! End started work without success. The item keeps its tokens and waits to be retried.

use actum_model::{Rejection, WorkItemState};

use super::started_by;
use crate::{
    Context,
    draft::{Cause, Draft},
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    code: &str,
    message: &str,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let started = started_by(item, context)?;
    draft.push(context.actor, Cause::Logged(item.event), started.fail(code, message).1);
    Ok(())
}
