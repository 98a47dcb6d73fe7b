//! Undo what is done: all of it, what led to an item, or back to a savepoint.

use actum_model::{Case, CaseEvent, ExceptionKind, Extent, Rejection};

use super::find;
use crate::{
    Context, compensate,
    draft::{Cause, Draft},
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    case: &Case,
    extent: &Extent,
    reason: &str,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let busy = || Rejection::new("case/compensating", "the case is being undone already");
    if compensate::holds_still(draft) {
        return Err(busy());
    }
    let (item, answer) = match extent {
        Extent::All => (None, "case: compensate".to_owned()),
        Extent::Branch(id) => {
            let item = find(case, *id)?;
            if draft.net.tasks[item.task.index()].compensates || item.instance.is_some() {
                return Err(Rejection::new("case/compensation", format!("item {id} has nothing before it")));
            }
            if draft.control.saga().is_some_and(|saga| saga.removes(*id)) {
                return Err(busy());
            }
            (Some(*id), "compensate".to_owned())
        }
        Extent::Savepoint(name) => {
            let known = draft.control.saga().is_some_and(|saga| saga.savepoint(name).is_some());
            if !known {
                let message = format!("case {} has not come to a savepoint {name}", case.id);
                return Err(Rejection::new("case/no-savepoint", message));
            }
            (None, format!("case: rollback {name}"))
        }
        _ => return Err(Rejection::new("case/unsupported", "this version does not know how far that is")),
    };
    let asked = CaseEvent::ExceptionRaised {
        item,
        kind: ExceptionKind::External,
        name: "compensate".to_owned(),
        message: reason.to_owned(),
        answer,
    };
    let asked = Cause::Staged(draft.push(context.actor, Cause::Request, asked));
    let last = match extent {
        Extent::Branch(id) => compensate::branch(draft, *id, asked),
        Extent::Savepoint(name) => compensate::back_to(draft, name, asked).unwrap_or_else(|| draft.newest()),
        _ => compensate::all(draft, asked),
    };
    settle(draft, last);
    Ok(())
}
