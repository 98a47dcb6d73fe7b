//! Begin a case.

use std::collections::BTreeMap;

use actum_model::{Case, CaseEvent, CaseStatus, Rejection, SubnetIx, Value};
use actum_net::Net;

use crate::{
    Context, SEMANTICS,
    data::initial,
    draft::{Cause, Decided, Draft},
    fire::first_tokens,
    settle::settle,
};

pub(super) fn decide(
    net: &Net,
    case: &Case,
    input: &BTreeMap<String, Value>,
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
    settle(&mut draft, started);
    Ok(draft.into_events())
}
