//! Knowledge as bytes, in one spelling.

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{self, Reader};
use actum_model::{ActorId, CaseId, ItemId, NetHash, TaskIx, Time};

use super::open::{OpenCase, OpenItem};
use super::{CaseOutcomes, Knowledge, NetKnowledge, Outcomes, Timings, WorkKnowledge, sorted};
use crate::Sketch;

impl Knowledge {
    /// All of it. The same events give the same bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put_list(&mut out, &self.nets(), |out, net| {
            out.extend_from_slice(&net.0);
            let NetKnowledge { duration, outcomes } = self.net(*net);
            duration.put(out);
            outcomes.all().into_iter().for_each(|count| wire::put(out, count));
        });
        wire::put_list(&mut out, &self.tasks(), |out, (net, task)| {
            out.extend_from_slice(&net.0);
            wire::put(out, u64::from(task.0));
            put_work(out, &self.task(*net, *task));
        });
        wire::put_list(&mut out, &self.resources(), |out, actor| {
            wire::put(out, u64::from(actor.0));
            put_work(out, &self.resource(*actor));
        });
        let open = sorted(self.open.iter().map(|open| *open.key()));
        wire::put_list(&mut out, &open, |out, case| {
            wire::put(out, case.0);
            let open = self.open.get(case).map(|open| open.clone()).unwrap_or_default();
            wire::put(out, open.started.0);
            wire::put_list(out, &open.items, |out, open| {
                wire::put(out, u64::from(open.item.0));
                out.push(u8::from(open.is_started));
                wire::put(out, open.since.0);
            });
        });
        out
    }

    /// Reads what [`Knowledge::snapshot`] gave, into one that knows nothing yet.
    ///
    /// # Errors
    /// The bytes are no knowledge.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let mut from = Reader::new(bytes);
        let nets = from.list(|from| Ok((NetHash(from.array()?), net(from)?)))?;
        let tasks = from.list(|from| {
            let task = (NetHash(from.array()?), from.small().map(TaskIx)?);
            Ok((task, work(from)?))
        })?;
        let resources = from.list(|from| Ok((from.small().map(ActorId)?, work(from)?)))?;
        let open = from.list(|from| Ok((from.number().map(CaseId)?, open(from)?)))?;
        from.end()?;
        wire::ascending(&nets, |(net, _)| *net, "nets")?;
        wire::ascending(&tasks, |(task, _)| *task, "tasks")?;
        wire::ascending(&resources, |(actor, _)| *actor, "resources")?;
        wire::ascending(&open, |(case, _)| *case, "open cases")?;
        nets.into_iter().for_each(|(net, known)| drop(self.nets.insert(net, known)));
        tasks.into_iter().for_each(|(task, known)| drop(self.tasks.insert(task, known)));
        resources.into_iter().for_each(|(actor, known)| drop(self.resources.insert(actor, known)));
        open.into_iter().for_each(|(case, open)| drop(self.open.insert(case, open)));
        Ok(())
    }
}

fn put_work(out: &mut Vec<u8>, known: &WorkKnowledge) {
    known.timings.waiting.put(out);
    known.timings.working.put(out);
    known.outcomes.all().into_iter().for_each(|count| wire::put(out, count));
}

fn work(from: &mut Reader<'_>) -> Result<WorkKnowledge, SnapshotError> {
    let timings = Timings { waiting: Sketch::read(from)?, working: Sketch::read(from)? };
    let mut outcomes = Outcomes::default();
    for count in outcomes.all_mut() {
        *count = from.number()?;
    }
    Ok(WorkKnowledge { timings, outcomes })
}

fn net(from: &mut Reader<'_>) -> Result<NetKnowledge, SnapshotError> {
    let duration = Sketch::read(from)?;
    let mut outcomes = CaseOutcomes::default();
    for count in outcomes.all_mut() {
        *count = from.number()?;
    }
    Ok(NetKnowledge { duration, outcomes })
}

fn open(from: &mut Reader<'_>) -> Result<OpenCase, SnapshotError> {
    let started = Time(from.number()?);
    let items = from.list(|from| {
        Ok(OpenItem { item: from.small().map(ItemId)?, is_started: from.flag()?, since: Time(from.number()?) })
    })?;
    wire::ascending(&items, |open| open.item, "open items")?;
    Ok(OpenCase { started, items: items.into() })
}
