//! A space as a graph, for those who make another form of it.

use actum_model::TaskIx;

use super::space::Space;

/// A step from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepOf<'s> {
    /// The tasks that are done in it, in this order; routing and composite tasks, and what else it shows, are left out.
    pub done: &'s [TaskIx],
    /// The state that it leads to.
    pub target: u32,
}

impl Space {
    /// The steps out of a state. States are numbered from 0, which is before the case begins, to [`Space::states`].
    pub fn steps_from(&self, state: u32) -> impl Iterator<Item = StepOf<'_>> {
        self.steps_of(state).iter().map(|(label, target)| StepOf { done: self.done_by(*label), target: *target })
    }
}
