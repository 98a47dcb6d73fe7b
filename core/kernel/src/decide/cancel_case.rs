//! Stop a case.

use actum_model::{AnyWorkItem, CaseEvent, WorkItemState};

use crate::{
    Context,
    draft::{Cause, Draft},
};

pub(super) fn decide(draft: &mut Draft<'_>, reason: &str, context: &Context<'_>) {
    let live: Vec<AnyWorkItem> = draft.control.items.iter().map(WorkItemState::typed).collect();
    for item in live {
        draft.push(context.actor, Cause::Request, item.discard());
    }
    draft.push(context.actor, Cause::Request, CaseEvent::CaseCancelled { reason: reason.to_owned() });
}
