//! Which work waits for a signal, for a time, or for somebody to say who is asked to do it?

use std::sync::atomic::{AtomicBool, Ordering};

use actum_model::{CaseEvent, CaseId, ItemId, NetHash, TaskIx, Time};

use actum_model::snapshot::wire::{self, Reader};

use crate::compact::{ByCase, Compact};
use crate::nets::Nets;
use crate::{OfCase, Projection, Recorded, RestoreError, Watermark, saved};

/// A work item that waits for something outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitRow {
    /// The item.
    pub item: ItemId,
    /// The net of the case.
    pub net: NetHash,
    /// The item's task: it says for what signal, if `signalled` is false and it wants one.
    pub task: TaskIx,
    /// Since when it waits.
    pub since: Time,
    /// The signal that it wanted came.
    pub signalled: bool,
    /// When its timer fires, if one is set.
    pub until: Option<Time>,
    /// It rests.
    pub suspended: bool,
}

/// All items that wait for a signal, a time, or for somebody to say who is asked to do them. Only of cases that have some is anything kept.
#[derive(Debug, Default)]
pub struct Waits {
    cases: ByCase<Vec<WaitRow>>,
    /// Something waited ever: many logs have nothing that does, and then nothing need be looked up.
    begun: AtomicBool,
    watermark: Watermark,
}

impl Waits {
    /// What waits in one case, ascending by item.
    pub fn of_case(&self, case: CaseId) -> Vec<WaitRow> {
        self.cases.get(case).unwrap_or_default()
    }

    /// Cases in which something waits, ascending.
    pub fn cases(&self) -> Vec<CaseId> {
        self.cases.all().into_iter().map(|(case, _)| case).collect()
    }

    fn change(&self, case: CaseId, item: ItemId, change: impl FnOnce(&mut WaitRow)) {
        self.cases.change(
            case,
            || None,
            |rows| {
                if let Some(row) = rows.iter_mut().find(|row| row.item == item) {
                    change(row);
                }
            },
        );
    }

    fn keep(&self, case: CaseId, keep: impl Fn(&WaitRow) -> bool) {
        self.cases.change(case, || None, |rows| rows.retain(keep));
    }
}

/// One item that waits: 32 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneWait {
    since: Time,
    /// No timer's time is this late.
    until: Time,
    item: ItemId,
    task: TaskIx,
    /// Low bits: whether it got its signal, and whether it rests; the rest is the net's number.
    net_and_form: u32,
}

const NEVER: Time = Time(u64::MAX);
const SIGNALLED: u32 = 1;
const SUSPENDED: u32 = 2;
const FORM_BITS: u32 = 2;

impl Compact for Vec<WaitRow> {
    type Packed = OneWait;

    fn pack(&self, nets: &Nets) -> Option<OneWait> {
        let [WaitRow { item, net, task, since, signalled, until, suspended }] = &**self else { return None };
        let net = nets.number(*net);
        if *until == Some(NEVER) || net > u32::MAX >> FORM_BITS {
            return None;
        }
        let form = if *signalled { SIGNALLED } else { 0 } | if *suspended { SUSPENDED } else { 0 };
        let net_and_form = net << FORM_BITS | form;
        Some(OneWait { since: *since, until: until.unwrap_or(NEVER), item: *item, task: *task, net_and_form })
    }

    fn unpack(packed: OneWait, nets: &Nets) -> Self {
        let OneWait { since, until, item, task, net_and_form } = packed;
        let (signalled, suspended) = (net_and_form & SIGNALLED != 0, net_and_form & SUSPENDED != 0);
        let net = nets.hash(net_and_form >> FORM_BITS);
        vec![WaitRow { item, net, task, since, signalled, until: (until != NEVER).then_some(until), suspended }]
    }

    fn is_idle(&self) -> bool {
        self.is_empty()
    }
}

impl Projection for Waits {
    fn name(&self) -> &'static str {
        "waits"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        let (meta, Some(OfCase { case, net, event, waits, .. })) = (recorded.meta, recorded.case()) else { return };
        match event {
            CaseEvent::WorkEnabled { item, task, .. } | CaseEvent::WorkPutBack { item, task } if waits => {
                let (item, task, since) = (*item, *task, meta.time);
                let row = WaitRow {
                    item,
                    net,
                    task,
                    since,
                    signalled: matches!(event, CaseEvent::WorkPutBack { .. }),
                    until: None,
                    suspended: false,
                };
                self.begun.store(true, Ordering::Relaxed);
                self.cases.change(
                    case,
                    || Some(Vec::with_capacity(1)),
                    |rows| match rows.binary_search_by_key(&item, |row| row.item) {
                        Ok(place) => rows[place] = row,
                        Err(place) => rows.insert(place, row),
                    },
                );
            }
            _ if !self.begun.load(Ordering::Relaxed) => {}
            CaseEvent::WorkWaiting { item, until, .. } => self.change(case, *item, |row| row.until = Some(*until)),
            CaseEvent::WorkTimedOut { item, .. } => self.change(case, *item, |row| row.until = None),
            CaseEvent::SignalReceived { item: Some(item), .. } => self.change(case, *item, |row| row.signalled = true),
            CaseEvent::WorkSuspended { item, .. } => self.change(case, *item, |row| row.suspended = true),
            CaseEvent::WorkResumed { item, .. } => self.change(case, *item, |row| row.suspended = false),
            CaseEvent::WorkOffered { item, .. }
            | CaseEvent::WorkAllocated { item, .. }
            | CaseEvent::WorkStarted { item, .. }
            | CaseEvent::WorkForced { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkCancelled { item, .. } => self.keep(case, |row| row.item != *item),
            ended if ended.is_terminal() => self.keep(case, |_| false),
            _ => {}
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        let cases = self.cases.all();
        let mut out = Vec::new();
        let nets = saved::put_nets(&mut out, cases.iter().flat_map(|(_, rows)| rows).map(|row| row.net));
        wire::put_list(&mut out, &cases, |out, (case, rows)| {
            wire::put(out, case.0);
            wire::put_list(out, rows, |out, row| {
                wire::put(out, u64::from(row.item.0));
                saved::put_place(out, &nets, row.net);
                wire::put(out, u64::from(row.task.0));
                wire::put(out, row.since.0);
                out.push(u8::from(row.signalled));
                wire::put_option(out, row.until.as_ref(), |out, until| wire::put(out, until.0));
                out.push(u8::from(row.suspended));
            });
        });
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        let nets = saved::nets(&mut from)?;
        let cases = from.list(|from| {
            let case = CaseId(from.number()?);
            let rows = from.list(|from| row(&nets, from))?;
            wire::ascending(&rows, |row| row.item, "items that wait")?;
            Ok((case, rows))
        })?;
        from.end()?;
        wire::ascending(&cases, |(case, _)| *case, "cases that wait")?;
        self.begun.store(!cases.is_empty(), Ordering::Relaxed);
        cases.into_iter().for_each(|(case, rows)| self.cases.insert(case, rows));
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

/// Reads a row of a snapshot.
fn row(nets: &[NetHash], from: &mut Reader<'_>) -> Result<WaitRow, RestoreError> {
    Ok(WaitRow {
        item: from.small().map(ItemId)?,
        net: saved::listed(nets, from)?,
        task: from.small().map(TaskIx)?,
        since: Time(from.number()?),
        signalled: from.flag()?,
        until: from.option(|from| from.number().map(Time))?,
        suspended: from.flag()?,
    })
}
