//! Stop an item with all that it is made of. Its tokens are gone and it gives none; an item that had not begun loses the
//! tokens that it would have taken, or it would be possible again at once.

use actum_model::WorkItemState;

use crate::{
    Context,
    draft::{Cause, Draft},
    exception,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) {
    let last = exception::remove(draft, item.id, context.actor, Cause::Logged(item.event));
    settle(draft, last);
}
