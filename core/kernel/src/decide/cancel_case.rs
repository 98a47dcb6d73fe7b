//! Stop a case.

use actum_model::{CaseEvent, FrameId};

use crate::{
    Context,
    cancel::{Why, discard_items},
    draft::{Cause, Draft},
};

pub(super) fn decide(draft: &mut Draft<'_>, reason: &str, context: &Context<'_>) {
    discard_items(draft, FrameId::ROOT, Why { actor: context.actor, cause: Cause::Request });
    draft.push(context.actor, Cause::Request, CaseEvent::CaseCancelled { reason: reason.to_owned() });
}
