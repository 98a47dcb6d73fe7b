//! How much happens: of each net, of each task, and when?

mod series;
mod steps;

use std::sync::{Mutex, PoisonError};

use actum_model::snapshot::wire::{self, Reader};
use actum_model::{NetHash, TaskIx, Time};
use dashmap::DashMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::runs::{Run, runs};
use crate::{Projection, Recorded, RestoreError, Watermark, saved};
use series::Series;
use steps::{CaseStep, Counts, WorkStep, case_step, work_step};

pub use series::{Bucket, Throughput};
pub use steps::{CaseCounts, WorkCounts};

/// What is counted of a net.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfNet {
    cases: Counts<{ CaseStep::COUNT }>,
    tasks: FxHashMap<TaskIx, Counts<{ WorkStep::COUNT }>>,
}

/// Counts of events by net, task and step, and throughput over time.
#[derive(Debug, Default)]
pub struct Statistics {
    nets: DashMap<NetHash, OfNet, FxBuildHasher>,
    series: Mutex<Series>,
    watermark: Watermark,
}

impl Statistics {
    /// Nets that had cases, ascending.
    #[must_use]
    pub fn nets(&self) -> Vec<NetHash> {
        let mut nets: Vec<NetHash> = self.nets.iter().map(|net| *net.key()).collect();
        nets.sort_unstable();
        nets
    }

    /// How many cases of a net began and ended.
    #[must_use]
    pub fn cases_of(&self, net: NetHash) -> CaseCounts {
        self.nets.get(&net).map(|of| CaseCounts::from(of.cases)).unwrap_or_default()
    }

    /// How often work of each task took each step, by task.
    #[must_use]
    pub fn work_of(&self, net: NetHash) -> Vec<(TaskIx, WorkCounts)> {
        let Some(of) = self.nets.get(&net) else { return Vec::new() };
        sorted(&of).into_iter().map(|(task, counts)| (task, counts.into())).collect()
    }

    /// What happened from one time until before another, in buckets of equal width: those that overlap, without empty ones.
    #[must_use]
    pub fn throughput(&self, from: Time, until: Time) -> Throughput {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).between(from, until)
    }

    fn count(&self, run: &Run<'_, '_>) {
        let mut of = self.nets.entry(run.net).or_default();
        for (_, event) in run.facts() {
            if let Some(step) = case_step(event) {
                of.cases.add(step as usize);
            } else if let Some((task, step)) = work_step(event) {
                of.tasks.entry(task).or_default().add(step as usize);
            }
        }
    }
}

fn sorted(of: &OfNet) -> Vec<(TaskIx, Counts<{ WorkStep::COUNT }>)> {
    let mut tasks: Vec<_> = of.tasks.iter().map(|(task, counts)| (*task, *counts)).collect();
    tasks.sort_unstable_by_key(|(task, _)| *task);
    tasks
}

impl Projection for Statistics {
    fn name(&self) -> &'static str {
        "statistics"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        self.apply_all(std::slice::from_ref(recorded));
    }

    fn apply_all(&self, batch: &[Recorded<'_>]) {
        runs(batch).for_each(|run| self.count(&run));
        self.series.lock().unwrap_or_else(PoisonError::into_inner).add(batch);
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put_list(&mut out, &self.nets(), |out, net| {
            let of = self.nets.get(net).map(|of| of.clone()).unwrap_or_default();
            saved::put_net(out, *net);
            of.cases.put(out);
            wire::put_list(out, &sorted(&of), |out, (task, counts)| {
                wire::put(out, u64::from(task.0));
                counts.put(out);
            });
        });
        self.series.lock().unwrap_or_else(PoisonError::into_inner).put(&mut out);
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        let nets = from.list(|from| {
            let (net, cases) = (saved::net(from)?, Counts::read(from)?);
            let tasks = from.list(|from| Ok((from.small().map(TaskIx)?, Counts::read(from)?)))?;
            wire::ascending(&tasks, |(task, _)| *task, "tasks")?;
            Ok((net, OfNet { cases, tasks: tasks.into_iter().collect() }))
        })?;
        let series = Series::read(&mut from)?;
        from.end()?;
        wire::ascending(&nets, |(net, _)| *net, "nets")?;
        nets.into_iter().for_each(|(net, of)| drop(self.nets.insert(net, of)));
        *self.series.lock().unwrap_or_else(PoisonError::into_inner) = series;
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}
