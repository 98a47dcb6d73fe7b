//! Commands, one file each. A rejection leaves no trace; all checks come before the first event.

mod cancel_case;
mod complete_work;
mod fail_work;
mod offer_work;
mod retry_work;
mod start_case;
mod start_work;
mod take_work;

use actum_model::{
    ActorId, AnyWorkItem, Case, CaseCommand, CaseStatus, Control, ItemId, Rejection, WorkItem, WorkItemState, phase,
};
use actum_net::Net;

use crate::{
    Context,
    draft::{Decided, Draft},
    ordinals,
};

/// Answers a command by the events that happen because of it.
///
/// `net` must be the net that the case pinned (or, for [`CaseCommand::StartCase`], the one it is to run). Pure: the same
/// arguments give the same events. Events come in the order they happen; applying them one by one is lawful.
///
/// # Errors
/// A [`Rejection`] when the command is not possible now or not allowed to who asks. Codes are stable:
///
/// | code | meaning |
/// |---|---|
/// | `actor/unknown` | nobody of that ordinal is in the directory |
/// | `case/exists`, `case/not-found`, `case/ended` | the case is not in a state for this command |
/// | `case/other-net` | the case has work that the net does not know |
/// | `case/unknown-input`, `case/missing-input`, `case/input-type` | inputs do not fit the net |
/// | `work/not-found` | no such live item: never was, or ended |
/// | `work/phase` | the item's phase does not allow it |
/// | `work/automatic` | the item is not for people |
/// | `work/role`, `work/not-offered`, `work/separation` | who asks may not do this work |
/// | `work/not-yours` | the item is another's |
/// | `work/gone` | somebody else's work took the tokens |
/// | `work/result-form`, `work/output` | the result does not fit form or output mapping |
pub fn decide(net: &Net, case: &Case, command: &CaseCommand, context: &Context<'_>) -> Result<Vec<Decided>, Rejection> {
    if context.actor != ActorId::ENGINE && context.directory.actor(context.actor).is_none() {
        return Err(Rejection::new("actor/unknown", format!("there is no actor {}", context.actor)));
    }
    if !ordinals::fit_state(net, &case.control) {
        return Err(Rejection::new("case/other-net", format!("case {} has work that net {} lacks", case.id, net.name)));
    }
    if let CaseCommand::StartCase { input } = command {
        return start_case::decide(net, case, input, context);
    }
    match case.control.status {
        CaseStatus::Open => {}
        CaseStatus::Deadlocked if matches!(command, CaseCommand::CancelCase { .. }) => {}
        CaseStatus::Unborn => return Err(Rejection::new("case/not-found", format!("there is no case {}", case.id))),
        ended => {
            return Err(Rejection::new("case/ended", format!("case {} is {}", case.id, ended.name())));
        }
    }
    let mut draft = Draft::new(net, case);
    match command {
        CaseCommand::StartCase { .. } => {}
        CaseCommand::CancelCase { reason } => cancel_case::decide(&mut draft, reason, context),
        CaseCommand::OfferWork { item, to } => offer_work::decide(&mut draft, find(case, *item)?, to, context)?,
        CaseCommand::TakeWork { item } => take_work::decide(&mut draft, find(case, *item)?, context)?,
        CaseCommand::StartWork { item } => start_work::decide(&mut draft, find(case, *item)?, context)?,
        CaseCommand::CompleteWork { item, result } => {
            complete_work::decide(&mut draft, find(case, *item)?, result, context)?;
        }
        CaseCommand::FailWork { item, code, message } => {
            fail_work::decide(&mut draft, find(case, *item)?, code, message, context)?;
        }
        CaseCommand::RetryWork { item } => retry_work::decide(&mut draft, find(case, *item)?, context)?,
        _ => return Err(Rejection::new("case/unsupported", "this version does not know the command")),
    }
    Ok(draft.into_events())
}

fn find(case: &Case, item: ItemId) -> Result<&WorkItemState, Rejection> {
    Control::item(&case.control, item).ok_or_else(|| {
        let message = if item < case.control.next_item {
            format!("item {item} of case {} has ended", case.id)
        } else {
            format!("case {} has no item {item}", case.id)
        };
        Rejection::new("work/not-found", message)
    })
}

fn wrong_phase(item: &WorkItemState, wanted: &str) -> Rejection {
    Rejection::new("work/phase", format!("item {} is {}, not {wanted}", item.id, item.phase.name()))
}

/// A started item that belongs to who asks.
fn started_by(item: &WorkItemState, context: &Context<'_>) -> Result<WorkItem<phase::Started>, Rejection> {
    let AnyWorkItem::Started(started) = item.typed() else { return Err(wrong_phase(item, "started")) };
    belongs_to(item, context.actor, context)?;
    Ok(started)
}

fn belongs_to(item: &WorkItemState, actor: ActorId, context: &Context<'_>) -> Result<(), Rejection> {
    let owner = item.resource.unwrap_or(ActorId::ENGINE);
    if owner == actor {
        return Ok(());
    }
    let (owner, asks) = (context.directory.name(owner), context.directory.name(actor));
    Err(Rejection::new("work/not-yours", format!("item {} is {owner}'s, not {asks}'s", item.id)))
}
