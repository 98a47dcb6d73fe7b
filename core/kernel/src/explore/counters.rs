//! What a scenario still supplies: counters, as a part of every explored state.

use actum_model::TaskIx;
use actum_net::{Scenario, Visits};
use smallvec::SmallVec;

/// One counter for each event (how many are left), each list of visits (which comes next; stays at the last) and each bound
/// (how often the flow may still be taken), in this order.
pub(super) type Counters = SmallVec<[u32; 8]>;

/// Which counter is which.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) choices: usize,
    pub(super) results: usize,
    pub(super) instances: usize,
    pub(super) bounds: usize,
}

impl Places {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let choices = scenario.events.len();
        let results = choices + scenario.choices.len();
        let instances = results + scenario.results.len();
        Places { choices, results, instances, bounds: instances + scenario.instances.len() }
    }
}

/// All counters at the beginning.
pub(super) fn full(scenario: &Scenario) -> Counters {
    let events = scenario.events.iter().map(|event| event.count);
    let visits = scenario.choices.len() + scenario.results.len() + scenario.instances.len();
    events.chain(std::iter::repeat_n(0, visits)).chain(scenario.bounds.iter().map(|bound| bound.times)).collect()
}

/// The alternatives of a task's visit, and the place of its counter. `None` if the scenario says nothing about the task.
pub(super) fn visit<'s, T>(
    lists: &'s [(TaskIx, Visits<T>)],
    first: usize,
    task: TaskIx,
    counters: &Counters,
) -> Option<(&'s [T], usize)> {
    let index = lists.binary_search_by_key(&task, |(of, _)| *of).ok()?;
    let visits = &lists[index].1;
    let at = (counters[first + index] as usize).min(visits.len() - 1);
    Some((&visits[at], first + index))
}

/// The visit is over. Counters stop at the last entry, so that states that mean the same are equal.
pub(super) fn visited<T>(lists: &[(TaskIx, Visits<T>)], first: usize, place: usize, counters: &mut Counters) {
    let last = lists[place - first].1.len() as u32 - 1;
    counters[place] = (counters[place] + 1).min(last);
}
