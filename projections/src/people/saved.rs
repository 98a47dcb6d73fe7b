//! Work for people as bytes.

use actum_model::snapshot::wire::{self, Reader};
use actum_model::{ActorId, CaseId, ItemId, NetHash, RoleIx, TaskIx, Time};

use super::{CaseWork, Holder, Row};
use crate::{RestoreError, saved};

/// Appends cases, which are ascending.
pub(crate) fn put_cases(out: &mut Vec<u8>, cases: &[(CaseId, CaseWork)]) {
    let nets = saved::put_nets(out, cases.iter().map(|(_, work)| work.net));
    wire::put_list(out, cases, |out, (case, work)| {
        wire::put(out, case.0);
        saved::put_place(out, &nets, work.net);
        out.push(u8::from(work.suspended));
        wire::put_list(out, &work.rows, put_row);
        wire::put_list(out, &work.done, |out, (task, actor)| {
            wire::put(out, u64::from(task.0));
            wire::put(out, u64::from(actor.0));
        });
    });
}

/// Reads what [`put_cases`] wrote.
pub(crate) fn cases(from: &mut Reader<'_>) -> Result<Vec<(CaseId, CaseWork)>, RestoreError> {
    let nets = saved::nets(from)?;
    let cases = from.list(|from| Ok((CaseId(from.number()?), case_work(&nets, from)?)))?;
    wire::ascending(&cases, |(case, _)| *case, "cases with work")?;
    Ok(cases)
}

fn put_row(out: &mut Vec<u8>, row: &Row) {
    wire::put(out, u64::from(row.item.0));
    wire::put(out, u64::from(row.task.0));
    match &row.holder {
        Holder::Offered(role, to) => {
            out.push(0);
            wire::put_option(out, role.as_ref(), |out, role| wire::put(out, u64::from(role.0)));
            wire::put_list(out, to, |out, actor| wire::put(out, u64::from(actor.0)));
        }
        Holder::Allocated(actor) => {
            out.push(1);
            wire::put(out, u64::from(actor.0));
        }
        Holder::Started(actor) => {
            out.push(2);
            wire::put(out, u64::from(actor.0));
        }
    }
    out.push(u8::from(row.suspended));
    out.push(u8::from(row.failed));
    wire::put(out, row.since.0);
}

fn case_work(nets: &[NetHash], from: &mut Reader<'_>) -> Result<CaseWork, RestoreError> {
    let (net, suspended) = (saved::listed(nets, from)?, from.flag()?);
    let rows = from.list(row)?;
    wire::ascending(&rows, |row| row.item, "items")?;
    let done = from.list(|from| Ok((from.small().map(TaskIx)?, from.small().map(ActorId)?)))?;
    wire::ascending(&done, |did| *did, "work that was done")?;
    Ok(CaseWork { net, suspended, rows, done })
}

fn row(from: &mut Reader<'_>) -> Result<Row, RestoreError> {
    let (item, task) = (from.small().map(ItemId)?, from.small().map(TaskIx)?);
    let holder = match from.byte()? {
        0 => {
            Holder::Offered(from.option(|from| from.small().map(RoleIx))?, from.list(|from| from.small().map(ActorId))?)
        }
        1 => Holder::Allocated(from.small().map(ActorId)?),
        2 => Holder::Started(from.small().map(ActorId)?),
        _ => return Err(RestoreError::NotCanonical("who has an item")),
    };
    Ok(Row { item, task, holder, suspended: from.flag()?, failed: from.flag()?, since: Time(from.number()?) })
}
