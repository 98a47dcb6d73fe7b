//! End a case as completed, wherever it is: what runs is stopped, and who forces it says what it is to have given.

use std::collections::BTreeMap;

use actum_model::{CaseEvent, Rejection, Value};

use crate::{
    Context, data,
    draft::{Cause, Draft},
    settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    output: &BTreeMap<String, Value>,
    reason: &str,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let changes = data::forced(draft.net, output)?;
    let event = CaseEvent::CaseForced { reason: reason.to_owned(), changes };
    let forced = draft.push(context.actor, Cause::Request, event);
    settle::finish(draft, forced, CaseEvent::CaseCompleted);
    Ok(())
}
