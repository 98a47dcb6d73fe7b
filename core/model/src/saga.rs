//! What a case remembers so that done work can be undone: what was done, what is being undone, savepoints.
//!
//! The idea is Garcia-Molina and Salem, "Sagas" (1987): each step has one that makes up for it, run in reverse order.

use std::sync::Arc;

use crate::{CaseEvent, Change, ConditionIx, FrameId, ItemId, TaskIx};

/// Work that is done and can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compensable {
    /// The item that completed.
    pub item: ItemId,
    /// Its task.
    pub task: TaskIx,
    /// Where it lived.
    pub frame: FrameId,
    /// The task that undoes it.
    pub by: TaskIx,
    /// Its number in the order of completion, from 0; savepoints count by it.
    pub number: u32,
}

/// What comes when all that is to be undone is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// Nothing more: the rest of the case goes on.
    GoOn,
    /// This item is removed, with all that it is made of; the rest of the case goes on.
    Remove(ItemId),
    /// The case ends.
    End,
    /// Tokens and variables become what they were at this savepoint.
    Savepoint(String),
}

/// Work that is being undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoing {
    /// Items that are still to be undone, the next one last.
    pub left: Vec<ItemId>,
    /// The item that undoes one now, and the one that it undoes.
    pub running: Option<(ItemId, ItemId)>,
    /// What comes then.
    pub goal: Goal,
}

/// A state of the root net that one can go back to.
#[derive(Debug, Clone, PartialEq)]
pub struct Savepoint {
    /// Its name; the newest of a name counts.
    pub name: String,
    /// Tokens of the root, those among them that work under way had taken; ascending.
    pub marked: Vec<(ConditionIx, u32)>,
    /// Inputs of partial joins from which tokens had arrived, by task.
    pub arrived: Vec<(TaskIx, Vec<ConditionIx>)>,
    /// Variables of the root that were set.
    pub variables: Vec<Change>,
    /// Work with this number or a higher one was done after it.
    pub after: u32,
}

/// What a case remembers for undoing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Saga {
    /// Done and not undone, in order of completion.
    pub done: Vec<Compensable>,
    /// How many were noted ever.
    pub noted: u32,
    /// What is being undone, the first of them now.
    pub undoing: Vec<Undoing>,
    /// Savepoints, by name once each, oldest first.
    pub savepoints: Vec<Arc<Savepoint>>,
}

impl Saga {
    /// Nothing to remember, as if it had never been.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What can be undone, by its item.
    #[must_use]
    pub fn compensable(&self, item: ItemId) -> Option<&Compensable> {
        self.done.iter().find(|done| done.item == item)
    }

    /// The savepoint of a name.
    #[must_use]
    pub fn savepoint(&self, name: &str) -> Option<&Arc<Savepoint>> {
        self.savepoints.iter().find(|savepoint| savepoint.name == name)
    }

    /// What is being undone now.
    #[must_use]
    pub fn active(&self) -> Option<&Undoing> {
        self.undoing.first()
    }

    /// What is to be undone next.
    #[must_use]
    pub fn next(&self) -> Option<&Compensable> {
        let active = self.active().filter(|active| active.running.is_none())?;
        active.left.iter().rev().find_map(|item| self.compensable(*item))
    }

    /// All is undone that was to be; what comes then has not come yet.
    #[must_use]
    pub fn reached(&self) -> Option<&Goal> {
        let active = self.active().filter(|active| active.running.is_none())?;
        self.next().is_none().then_some(&active.goal)
    }

    /// An item is to be removed when all before it is undone.
    #[must_use]
    pub fn removes(&self, item: ItemId) -> bool {
        self.undoing.iter().any(|undoing| undoing.goal == Goal::Remove(item))
    }

    /// The completed item that an item undoes now.
    #[must_use]
    pub fn undone_by(&self, item: ItemId) -> Option<ItemId> {
        let (running, of) = self.active()?.running?;
        (running == item).then_some(of)
    }

    /// Takes in an event.
    pub(crate) fn apply(&mut self, event: &CaseEvent) {
        match event {
            CaseEvent::CompensationNoted { item, task, frame, by } => {
                let number = self.noted;
                self.done.push(Compensable { item: *item, task: *task, frame: *frame, by: *by, number });
                self.noted = number.saturating_add(1);
            }
            CaseEvent::CompensationBegun { goal, items, .. } => {
                let left = items.iter().rev().copied().collect();
                if matches!(goal, Goal::End | Goal::Savepoint(_)) {
                    // All that was being undone is among it, or of no meaning any more.
                    self.undoing.clear();
                }
                self.undoing.push(Undoing { left, running: None, goal: goal.clone() });
                self.end_if_through();
            }
            CaseEvent::WorkCompensating { item, of, .. } => {
                if let Some(undoing) = self.undoing.first_mut() {
                    undoing.left.retain(|left| left != of);
                    undoing.running = Some((*item, *of));
                }
            }
            CaseEvent::WorkCompleted { item, .. } | CaseEvent::WorkSkipped { item, .. } => self.undone(*item),
            CaseEvent::WorkCancelled { item, .. } | CaseEvent::WorkWithdrawn { item, .. } => self.stopped(*item),
            CaseEvent::SubnetEnded { frame, .. } => {
                self.done.retain(|done| done.frame != *frame);
                self.end_if_through();
            }
            CaseEvent::SavepointReached { name, marked, arrived, variables } => {
                self.savepoints.retain(|known| known.name != *name);
                self.savepoints.push(Arc::new(Savepoint {
                    name: name.clone(),
                    marked: marked.clone(),
                    arrived: arrived.clone(),
                    variables: variables.clone(),
                    after: self.noted,
                }));
            }
            CaseEvent::SavepointRestored { name, .. } => {
                self.undoing.clear();
                // Savepoints after it never were.
                if let Some(at) = self.savepoints.iter().position(|known| known.name == *name) {
                    self.savepoints.truncate(at + 1);
                }
            }
            _ => {}
        }
    }

    /// An item completed: perhaps one that undid another.
    fn undone(&mut self, item: ItemId) {
        if let Some(of) = self.undone_by(item) {
            self.done.retain(|done| done.item != of);
            self.undoing[0].running = None;
        }
        self.forget(item);
    }

    /// An item was stopped. If it was to undo another, that is to be undone still.
    fn stopped(&mut self, item: ItemId) {
        if let Some(of) = self.undone_by(item) {
            self.undoing[0].running = None;
            self.undoing[0].left.push(of);
        }
        self.forget(item);
    }

    /// An item is gone: nobody need remove it any more.
    fn forget(&mut self, item: ItemId) {
        for undoing in &mut self.undoing {
            if undoing.goal == Goal::Remove(item) {
                undoing.goal = Goal::GoOn;
            }
        }
        self.end_if_through();
    }

    fn end_if_through(&mut self) {
        while self.reached() == Some(&Goal::GoOn) {
            self.undoing.remove(0);
        }
    }
}
