//! `compensation`: what is undone was done, is undone in reverse order of its completion, one at a time, and once.

use std::collections::{HashMap, HashSet};

use actum::{Case, CaseEvent, CaseId, ItemId};
use actum_model::Goal;

use super::{Happened, Held, Invariant, hold, is_over, of_case};

const NAME: &str = "compensation";

#[derive(Default)]
struct Undoing {
    /// In order of completion.
    noted: Vec<ItemId>,
    undone: HashSet<ItemId>,
    /// Plans, the one that is carried out first; the next item of each last.
    plans: Vec<Vec<ItemId>>,
    /// The item that undoes, and what it undoes.
    running: Option<(ItemId, ItemId)>,
}

#[derive(Default)]
pub(super) struct Compensation {
    cases: HashMap<CaseId, Undoing>,
}

impl Invariant for Compensation {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        let Some((id, case, net, event)) = of_case(happened) else { return Ok(()) };
        match event {
            CaseEvent::CompensationNoted { item, by, task, .. } => {
                let fits = net.tasks[task.index()].compensation == Some(*by);
                hold(NAME, fits, || format!("case {id}: {event:?} is not what the net says"))?;
                self.cases.entry(id).or_default().noted.push(*item);
                Ok(())
            }
            CaseEvent::CompensationBegun { goal, items, .. } => {
                self.cases.entry(id).or_default().begin(id, goal, items)
            }
            CaseEvent::WorkCompensating { item, of, .. } => self.cases.entry(id).or_default().undo(case, *item, *of),
            CaseEvent::WorkCompleted { item, .. } | CaseEvent::WorkSkipped { item, .. } => {
                self.cases.get_mut(&id).map_or(Ok(()), |undoing| undoing.done(id, *item))
            }
            CaseEvent::WorkCancelled { item, .. } | CaseEvent::WorkWithdrawn { item, .. } => {
                self.cases.get_mut(&id).into_iter().for_each(|undoing| undoing.stopped(*item));
                Ok(())
            }
            CaseEvent::SavepointRestored { .. } => {
                let Some(undoing) = self.cases.get_mut(&id) else { return Ok(()) };
                let is_done = undoing.is_through(case);
                undoing.plans.clear();
                hold(NAME, is_done, || format!("case {id} goes back before all is undone"))
            }
            CaseEvent::CaseCancelled { reason } if reason == "compensated" => {
                let is_done = self.cases.get(&id).is_none_or(|undoing| undoing.is_through(case));
                hold(NAME, is_done, || format!("case {id} ends before all is undone"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, case: &Case) -> Held {
        if is_over(case) {
            self.cases.remove(&case.id);
        }
        Ok(())
    }
}

impl Undoing {
    fn begin(&mut self, id: CaseId, goal: &Goal, items: &[ItemId]) -> Held {
        let places: Vec<Option<usize>> =
            items.iter().map(|item| self.noted.iter().rposition(|noted| noted == item)).collect();
        hold(NAME, places.iter().all(Option::is_some), || format!("case {id}: {items:?} were not all done"))?;
        hold(NAME, places.is_sorted_by(|one, next| one > next), || {
            format!("case {id}: {items:?} are not in reverse order")
        })?;
        let again = items.iter().find(|item| self.undone.contains(item));
        hold(NAME, again.is_none(), || format!("case {id}: {again:?} is to be undone a second time"))?;
        if matches!(goal, Goal::End | Goal::Savepoint(_)) {
            self.plans.clear();
        }
        self.plans.push(items.iter().rev().copied().collect());
        Ok(())
    }

    fn undo(&mut self, case: &Case, item: ItemId, of: ItemId) -> Held {
        let id = case.id;
        hold(NAME, self.running.is_none(), || format!("case {id}: {of} is undone beside {:?}", self.running))?;
        hold(NAME, !self.undone.contains(&of), || format!("case {id}: {of} is undone a second time"))?;
        let plan = self.plans.iter_mut().find(|plan| plan.contains(&of));
        let Some(plan) = plan else { return hold(NAME, false, || format!("case {id}: nobody planned to undo {of}")) };
        let mut later: Vec<ItemId> = plan.iter().rev().take_while(|item| **item != of).copied().collect();
        plan.truncate(plan.len() - later.len() - 1);
        // What went with its subnet is passed over.
        later.retain(|later| can_be_undone(case, *later));
        hold(NAME, later.is_empty(), || format!("case {id}: {of} is undone before {later:?}"))?;
        self.running = Some((item, of));
        Ok(())
    }

    fn done(&mut self, id: CaseId, item: ItemId) -> Held {
        let Some((_, of)) = self.running.filter(|(running, _)| *running == item) else { return Ok(()) };
        self.running = None;
        hold(NAME, self.undone.insert(of), || format!("case {id}: {of} was undone a second time"))
    }

    fn stopped(&mut self, item: ItemId) {
        let Some((_, of)) = self.running.filter(|(running, _)| *running == item) else { return };
        self.running = None;
        self.plans.iter_mut().take(1).for_each(|plan| plan.push(of));
    }

    /// Nothing of what is being undone is left that still can be.
    fn is_through(&self, case: &Case) -> bool {
        let rest = |plan: &Vec<ItemId>| plan.iter().any(|item| can_be_undone(case, *item));
        self.running.is_none() && !self.plans.last().is_some_and(rest)
    }
}

fn can_be_undone(case: &Case, item: ItemId) -> bool {
    case.control.saga().is_some_and(|saga| saga.compensable(item).is_some())
}
