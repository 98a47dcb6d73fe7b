//! Somebody says that something went other than planned; the net says what is done about it.

use actum_model::{ExceptionKind, Rejection, WorkItemState};

use crate::{
    Context,
    draft::{Cause, Draft},
    exception,
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: Option<&WorkItemState>,
    kind: ExceptionKind,
    about: (&str, &str),
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let cause = item.map_or(Cause::Request, |item| Cause::Logged(item.event));
    let raised = exception::raise(draft, item.map(|item| item.id), kind, about, context.actor, cause);
    let Some(raised) = raised else {
        let message = format!("net {} has no rule for the exception {} {}", draft.net.name, kind.name(), about.0);
        return Err(Rejection::new("case/no-rule", message));
    };
    settle(draft, raised);
    Ok(())
}
