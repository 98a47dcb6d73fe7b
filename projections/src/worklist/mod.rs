//! Which work waits for people, and who has it?

mod fold;
mod index;

use actum_model::{ActorId, CaseId, ItemId, NetHash, RoleIx, TaskIx, Time};

use crate::Watermark;
use crate::people::{CaseWork, Row, Table};
use index::Index;

pub use crate::people::Holder;

/// A work item that waits for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkRow {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub item: ItemId,
    /// The net of the case.
    pub net: NetHash,
    /// The item's task.
    pub task: TaskIx,
    /// Who may or does do it.
    pub holder: Holder,
    /// It rests: nobody can go on with it until it is resumed.
    pub suspended: bool,
    /// Since when it is as it is.
    pub since: Time,
}

/// All work for people that is offered, taken or being done. Of cases without people nothing is kept.
#[derive(Debug, Default)]
pub struct Worklist {
    by_case: Table,
    offered: Index<(NetHash, RoleIx)>,
    /// Work that is offered to people and not to a role.
    named: Index<ActorId>,
    held: Index<ActorId>,
    watermark: Watermark,
}

impl Worklist {
    /// Work offered to a role of a net, oldest case first, at most `limit`.
    pub fn offered(&self, net: NetHash, role: RoleIx, limit: usize) -> Vec<WorkRow> {
        self.pick(
            &self.offered,
            &(net, role),
            limit,
            |_, row| matches!(row.holder, Holder::Offered(Some(offered), _) if offered == role),
        )
    }

    /// Work offered to a role of a net that one of its members may take, oldest case first, at most `limit`: not what is
    /// offered to others only, nor what is `apart` from a task that the actor did or has in the same case.
    pub fn offered_to(
        &self,
        actor: ActorId,
        net: NetHash,
        role: RoleIx,
        apart: impl Fn(TaskIx, TaskIx) -> bool,
        limit: usize,
    ) -> Vec<WorkRow> {
        self.pick(&self.offered, &(net, role), limit, |work, row| {
            let Holder::Offered(Some(offered), to) = &row.holder else { return false };
            *offered == role
                && work.is_active(row)
                && (to.is_empty() || to.contains(&actor))
                && !work.tasks_of(actor).any(|other| apart(row.task, other))
        })
    }

    /// Work offered to somebody by name and not by a role, oldest case first, at most `limit`; without what is `apart` as in
    /// [`Worklist::offered_to`].
    pub fn offered_by_name(
        &self,
        actor: ActorId,
        apart: impl Fn(NetHash, TaskIx, TaskIx) -> bool,
        limit: usize,
    ) -> Vec<WorkRow> {
        self.pick(&self.named, &actor, limit, |work, row| {
            matches!(&row.holder, Holder::Offered(None, to) if to.contains(&actor))
                && work.is_active(row)
                && !work.tasks_of(actor).any(|other| apart(work.net, row.task, other))
        })
    }

    /// Work that somebody has, oldest case first, at most `limit`.
    pub fn held(&self, actor: ActorId, limit: usize) -> Vec<WorkRow> {
        self.pick(&self.held, &actor, limit, |_, row| row.is_held_by(actor))
    }

    /// All work, oldest case first, at most `limit`.
    pub fn all(&self, limit: usize) -> Vec<WorkRow> {
        self.by_case.cases().into_iter().flat_map(|case| self.of_case(case)).take(limit).collect()
    }

    /// Work of one case.
    pub fn of_case(&self, case: CaseId) -> Vec<WorkRow> {
        let Some(work) = self.by_case.get(case) else { return Vec::new() };
        work.rows.iter().map(|row| shown(case, &work, row)).collect()
    }

    /// Tasks of a case that somebody did, has taken or is doing. Nothing once the case has ended.
    pub fn tasks_of(&self, case: CaseId, actor: ActorId) -> Vec<TaskIx> {
        self.by_case.get(case).map(|work| work.tasks_of(actor).collect()).unwrap_or_default()
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.by_case.rows()
    }

    /// Nobody has anything to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of an index that `wanted` still picks, as their items may have changed since the index was looked at.
    fn pick<K: std::hash::Hash + Eq>(
        &self,
        index: &Index<K>,
        of: &K,
        limit: usize,
        wanted: impl Fn(&CaseWork, &Row) -> bool,
    ) -> Vec<WorkRow> {
        let mut picked = Vec::new();
        let mut after = None;
        while picked.len() < limit {
            let keys = index.some_after(of, after);
            let Some(last) = keys.last() else { break };
            after = Some(*last);
            for (case, item) in keys {
                let Some(work) = self.by_case.get(case) else { continue };
                let row = work.row(item).filter(|row| wanted(&work, row));
                picked.extend(row.map(|row| shown(case, &work, row)));
                if picked.len() == limit {
                    break;
                }
            }
        }
        picked
    }
}

fn shown(case: CaseId, work: &CaseWork, row: &Row) -> WorkRow {
    let Row { item, task, holder, suspended, since, .. } = row.clone();
    WorkRow { case, item, net: work.net, task, holder, suspended, since }
}
