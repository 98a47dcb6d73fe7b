//! Begin a case.

use std::collections::BTreeMap;

use actum_model::{Case, CaseEvent, CaseStatus, FrameId, Rejection, SubnetIx, Value};
use actum_net::{ExceptionTrigger, Net, StartBy};

use crate::{
    Context, SEMANTICS,
    data::initial,
    draft::{Cause, Decided, Draft},
    fire::first_tokens,
    settle::settle,
};

/// Somebody asks for it.
pub(super) fn by_hand(
    net: &Net,
    case: &Case,
    input: &BTreeMap<String, Value>,
    context: &Context<'_>,
) -> Result<Vec<Decided>, Rejection> {
    if !net.starts.is_empty() && !net.starts.iter().any(|start| start.by == StartBy::Hand) {
        let message = format!("cases of {} do not start by hand: its `starts` say how", net.name);
        return Err(Rejection::new("case/not-by-hand", message));
    }
    decide(net, case, input, None, context)
}

/// `triggered` says what starts it, if nobody asks.
pub(super) fn decide(
    net: &Net,
    case: &Case,
    input: &BTreeMap<String, Value>,
    triggered: Option<CaseEvent>,
    context: &Context<'_>,
) -> Result<Vec<Decided>, Rejection> {
    if case.control.status != CaseStatus::Unborn {
        return Err(Rejection::new("case/exists", format!("case {} was started already", case.id)));
    }
    let changes = initial(net, input)?;
    let mut draft = Draft::new(net, case, context);
    let event = CaseEvent::CaseStarted {
        net: net.hash,
        semantics: SEMANTICS,
        changes,
        produced: first_tokens(net, SubnetIx::ROOT),
    };
    let started = draft.push(context.actor, Cause::Request, event);
    if let Some(triggered) = triggered {
        draft.push(context.actor, Cause::Staged(started), triggered);
    }
    deadline(&mut draft, started)?;
    settle(&mut draft, started);
    Ok(draft.into_events())
}

/// Sets the case's own timer.
fn deadline(draft: &mut Draft<'_>, started: usize) -> Result<(), Rejection> {
    let net = draft.net;
    let limit = net.subnets[0].exceptions.iter().find_map(|rule| match &rule.trigger {
        ExceptionTrigger::Timeout { limit, .. } => Some(limit),
        _ => None,
    });
    let Some(limit) = limit else { return Ok(()) };
    let (now, directory) = (draft.context.now, draft.context.directory);
    let until = limit.due(&draft.scope(FrameId::ROOT, &[], None, &[]), now, directory).map_err(|error| {
        Rejection::new("case/timeout", format!("the timeout of {} cannot be computed: {error}", net.name))
    })?;
    draft.follow(started, CaseEvent::CaseWaiting { until });
    Ok(())
}
