//! Who has how much to do, and how busy was everybody?

use actum_model::snapshot::wire::Reader;
use actum_model::{ActorId, NetHash, RoleIx, Time};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::people::{Changed, Holder, Row, Table};
use crate::runs::runs;
use crate::{Projection, Recorded, RestoreError, Watermark};

/// What somebody has to do at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Items offered to the person by name.
    pub offered: u32,
    /// Items taken, not begun.
    pub allocated: u32,
    /// Items begun.
    pub started: u32,
    /// Items of these that are worked on: they neither rest nor have failed.
    pub running: u32,
    /// Nanoseconds that ended work took, added up over all items: two at a time count twice.
    worked: u128,
    /// Sum of the times at which the running ones were begun.
    since: u128,
}

impl Load {
    /// Nanoseconds of work up to a time that is not before the newest event, added up over all items: two at a time count
    /// twice. Time in which the case rests counts, in which the item rests or waits for another attempt does not.
    #[must_use]
    pub fn busy_ns(&self, now: Time) -> u128 {
        let running = u128::from(self.running).saturating_mul(u128::from(now.0)).saturating_sub(self.since);
        self.worked.saturating_add(running)
    }

    fn add(&mut self, row: &Row, at: Time) {
        match row.holder {
            Holder::Offered(..) => self.offered = self.offered.saturating_add(1),
            Holder::Allocated(_) => self.allocated = self.allocated.saturating_add(1),
            Holder::Started(_) => self.started = self.started.saturating_add(1),
        }
        if is_running(row) {
            self.running = self.running.saturating_add(1);
            self.since = self.since.saturating_add(u128::from(at.0));
        }
    }

    fn take(&mut self, row: &Row, at: Time) {
        match row.holder {
            Holder::Offered(..) => self.offered = self.offered.saturating_sub(1),
            Holder::Allocated(_) => self.allocated = self.allocated.saturating_sub(1),
            Holder::Started(_) => self.started = self.started.saturating_sub(1),
        }
        if is_running(row) {
            self.running = self.running.saturating_sub(1);
            self.since = self.since.saturating_sub(u128::from(row.since.0));
            self.worked = self.worked.saturating_add(u128::from(at.0.saturating_sub(row.since.0)));
        }
    }
}

fn is_running(row: &Row) -> bool {
    matches!(row.holder, Holder::Started(_)) && !row.suspended && !row.failed
}

/// The load of everybody who ever had work, and how much waits for each role.
#[derive(Debug, Default)]
pub struct Loads {
    by_case: Table,
    actors: DashMap<ActorId, Load, FxBuildHasher>,
    roles: DashMap<(NetHash, RoleIx), u32, FxBuildHasher>,
    watermark: Watermark,
}

impl Loads {
    /// What somebody has to do.
    #[must_use]
    pub fn of(&self, actor: ActorId) -> Load {
        self.actors.get(&actor).map(|load| *load).unwrap_or_default()
    }

    /// Items offered to a role of a net, to all of it or to some.
    #[must_use]
    pub fn offered_to_role(&self, net: NetHash, role: RoleIx) -> u32 {
        self.roles.get(&(net, role)).map_or(0, |offered| *offered)
    }

    /// Everybody who ever had work, ascending.
    #[must_use]
    pub fn all(&self) -> Vec<(ActorId, Load)> {
        let mut all: Vec<(ActorId, Load)> = self.actors.iter().map(|load| (*load.key(), *load.value())).collect();
        all.sort_unstable_by_key(|(actor, _)| *actor);
        all
    }

    fn change(&self, changed: &Changed<'_>) {
        if let Some(row) = changed.was {
            each_of(&row.holder, |actor| {
                if let Some(mut load) = self.actors.get_mut(&actor) {
                    load.take(row, changed.at);
                }
            });
            if let Holder::Offered(Some(role), _) = row.holder {
                self.roles.remove_if_mut(&(changed.net, role), |_, offered| {
                    *offered = offered.saturating_sub(1);
                    *offered == 0
                });
            }
        }
        if let Some(row) = changed.is {
            each_of(&row.holder, |actor| self.actors.entry(actor).or_default().add(row, changed.at));
            if let Holder::Offered(Some(role), _) = row.holder {
                let mut offered = self.roles.entry((changed.net, role)).or_default();
                *offered = offered.saturating_add(1);
            }
        }
    }
}

fn each_of(holder: &Holder, mut each: impl FnMut(ActorId)) {
    match holder {
        Holder::Offered(_, to) => to.iter().copied().for_each(each),
        Holder::Allocated(actor) | Holder::Started(actor) => each(*actor),
    }
}

impl Projection for Loads {
    fn name(&self) -> &'static str {
        "load"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        self.apply_all(std::slice::from_ref(recorded));
    }

    fn apply_all(&self, batch: &[Recorded<'_>]) {
        runs(batch).for_each(|run| self.by_case.apply(&run, |_, changed| self.change(&changed)));
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.by_case.put(&mut out);
        // All else follows from the work that is there.
        let worked: Vec<(ActorId, u128)> = self.all().into_iter().map(|(actor, load)| (actor, load.worked)).collect();
        crate::wire::put_list(&mut out, &worked, |out, (actor, worked)| {
            crate::wire::put(out, u64::from(actor.0));
            crate::wire::put(out, (worked >> 64) as u64);
            crate::wire::put(out, *worked as u64);
        });
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        self.by_case.read(&mut from, |_, changed| self.change(&changed))?;
        let worked = from.list(|from| {
            let actor = from.small().map(ActorId)?;
            Ok((actor, u128::from(from.number()?) << 64 | u128::from(from.number()?)))
        })?;
        from.end()?;
        crate::wire::ascending(&worked, |(actor, _)| *actor, "loads")?;
        worked.into_iter().for_each(|(actor, worked)| self.actors.entry(actor).or_default().worked = worked);
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}
