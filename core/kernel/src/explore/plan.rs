//! What stays the same for a whole exploration.

use std::collections::BTreeMap;

use actum_model::{ActorId, CaseCommand, Directory, SystemEvent, TaskIx, Value};
use actum_net::{Net, Scenario, Work};

use super::abstraction::{Free, ROLE, abstracted, is_directed};
use super::counters::Places;
use super::{Exploration, View};
use crate::OrJoins;

/// How many different numbers of instances are tried where nobody knows the number.
const COUNTS_MAX: u32 = 3;

/// Who does all work.
pub(super) const WORKER: ActorId = ActorId(1);

pub(super) struct Plan<'a> {
    /// The net that is explored: the author's without data that does not matter.
    pub(super) net: Net,
    pub(super) scenario: &'a Scenario,
    pub(super) view: View,
    pub(super) places: Places,
    pub(super) directory: Directory,
    /// What was found out about OR-joins.
    pub(super) or_joins: OrJoins,
    /// Signals come whenever somebody waits for them, whatever the scenario says.
    pub(super) signals_come: bool,
    /// More than one task waits for some signal: then it matters who waited first.
    pub(super) order_matters: bool,
    /// What traces call each task.
    pub(super) names: Vec<String>,
    /// Tasks that no trace shows: they route, or others do the work.
    pub(super) hidden: Vec<bool>,
    directed: Vec<bool>,
    free: Free,
}

impl<'a> Plan<'a> {
    pub(super) fn new(exploration: &Exploration<'a>) -> Self {
        let scenario = exploration.scenario;
        let (net, free) = abstracted(exploration.net, scenario);
        let mut directory = Directory::default();
        directory.apply(&SystemEvent::ActorRegistered {
            actor: WORKER,
            name: ROLE.to_owned(),
            roles: vec![ROLE.to_owned()],
        });
        let tasks = || (0..net.tasks.len()).map(TaskIx::of);
        let mut signals: Vec<&str> =
            net.tasks.iter().filter_map(|task| task.trigger.as_ref()).map(|trigger| trigger.signal.as_str()).collect();
        signals.sort_unstable();
        Plan {
            scenario,
            view: exploration.view,
            places: Places::of(scenario),
            directory,
            or_joins: OrJoins::default(),
            signals_come: false,
            order_matters: signals.windows(2).any(|pair| pair[0] == pair[1]),
            names: names(&net),
            hidden: net.tasks.iter().map(|task| matches!(task.work, Work::Routing | Work::Composite { .. })).collect(),
            directed: tasks().map(|task| is_directed(scenario, task)).collect(),
            free,
            net,
        }
    }

    /// The scenario says which flows the task's split takes, or how often.
    pub(super) fn is_directed(&self, task: TaskIx) -> bool {
        self.directed[task.index()]
    }

    /// Nobody knows whether the guard holds.
    pub(super) fn is_free(&self, task: TaskIx, flow: usize) -> bool {
        self.free.guards[task.index()].get(flow).copied().unwrap_or(false)
    }

    /// The fewest and the most instances to try; `None` if the number is known.
    pub(super) fn free_count(&self, task: TaskIx) -> Option<(u32, u32)> {
        let instances = self.net.tasks[task.index()].instances.as_ref()?;
        let most = instances.max.min(instances.min.saturating_add(COUNTS_MAX - 1));
        self.free.counts[task.index()].then_some((instances.min.min(most), most))
    }

    /// Not every number of instances that is possible is tried.
    pub(super) fn bounds_counts(&self) -> bool {
        (0..self.net.tasks.len()).map(TaskIx::of).any(|task| {
            let max = self.net.tasks[task.index()].instances.as_ref().map_or(0, |instances| instances.max);
            let given = self.scenario.instances.iter().any(|(of, _)| *of == task);
            !given && self.free_count(task).is_some_and(|(_, most)| most < max)
        })
    }

    pub(super) fn has_free_until(&self, task: TaskIx) -> bool {
        self.free.untils[task.index()]
    }

    /// The counter of a flow's bound.
    pub(super) fn bound_of(&self, task: TaskIx, flow: usize) -> Option<usize> {
        let bounds = &self.scenario.bounds;
        let found = bounds.binary_search_by_key(&(task, flow), |bound| (bound.task, bound.flow)).ok()?;
        Some(self.places.bounds + found)
    }

    pub(super) fn start(&self) -> CaseCommand {
        let mut input: BTreeMap<String, Value> = self.scenario.input.clone().unwrap_or_default();
        let matter = |name: &str| self.free.inputs.iter().any(|one| self.net.variables[one.index()].name == name);
        input.retain(|name, _| matter(name));
        CaseCommand::StartCase { input }
    }
}

/// Names of tasks: `subnet/task` only where the task's name alone would not do.
fn names(net: &Net) -> Vec<String> {
    let alone = |name: &str| net.tasks.iter().filter(|task| task.name == name).count() == 1;
    net.tasks
        .iter()
        .enumerate()
        .map(|(index, task)| if alone(&task.name) { task.name.clone() } else { net.task_label(TaskIx::of(index)) })
        .collect()
}
