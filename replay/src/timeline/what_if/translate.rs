//! A case's past in the words of another net: what has the same name is the same.

use actum_model::{Case, CaseEvent, Change, ConditionIx, RoleIx, SubnetIx, TaskIx, VariableIx};
use actum_net::Net;

use crate::state::Fold;
use crate::timeline::Story;
use crate::{ReplayError, names};

/// Stands for what the other net does not have: the past may have had it, the present must not.
const NOWHERE: u32 = u32::MAX;

/// The state of a story after so many events, as if another net had run it.
///
/// # Errors
/// The state holds tokens, work or data for which the other net has no place.
pub(super) fn onto(story: &Story, count: usize, old: &Net, new: &Net) -> Result<Fold, ReplayError> {
    let words = Words { old, new };
    let mut fold = Fold::unborn(story.case());
    for logged in &story.events()[..count.min(story.len())] {
        if let Some((_, event)) = logged.of_case() {
            fold.apply(&logged.meta, &words.event(event)?);
        }
    }
    fold.case.net = new.hash;
    let lost = lost(&fold.case);
    fold.case.variables.retain(|(variable, _)| variable.0 != NOWHERE);
    fold.case.control.performers.retain(|(task, _)| task.0 != NOWHERE);
    if lost {
        let missing = missing(&story.state(count), old, &words);
        let reason = format!("the net {} has no place for {}", new.name, missing.join(", "));
        return Err(ReplayError::Premise { reason });
    }
    Ok(fold)
}

/// Tokens or work are nowhere. Data that is no longer wanted does no harm.
fn lost(case: &Case) -> bool {
    case.control.marking.iter().any(|(_, condition, _)| condition.0 == NOWHERE)
        || case.control.items.iter().any(|item| {
            item.task.0 == NOWHERE
                || item.role.is_some_and(|role| role.0 == NOWHERE)
                || item.consumed.iter().any(|condition| condition.0 == NOWHERE)
        })
        || case.control.frames().iter().any(|frame| frame.subnet.0 == NOWHERE)
}

fn missing(case: &Case, old: &Net, words: &Words<'_>) -> Vec<String> {
    let tokens = case.control.marking.iter().filter(|(_, condition, _)| words.condition(*condition).0 == NOWHERE);
    let tokens = tokens.map(|(_, condition, _)| format!("the token in {}", names::condition(Some(old), condition)));
    let items = case.control.items.iter().filter(|item| {
        words.task(item.task).0 == NOWHERE || item.consumed.iter().any(|taken| words.condition(*taken).0 == NOWHERE)
    });
    let items = items.map(|item| format!("the work on {}", names::task(Some(old), item.task)));
    let mut all: Vec<String> = tokens.chain(items).collect();
    if all.is_empty() {
        all.push("a role or a subnet that is in use".to_owned());
    }
    all
}

struct Words<'n> {
    old: &'n Net,
    new: &'n Net,
}

impl Words<'_> {
    fn subnet(&self, subnet: SubnetIx) -> SubnetIx {
        if subnet == SubnetIx::ROOT {
            return subnet;
        }
        let name = self.old.subnets.get(subnet.index()).map(|subnet| subnet.name.as_str());
        name.and_then(|name| self.new.subnet(name)).unwrap_or(SubnetIx(NOWHERE))
    }

    fn task(&self, task: TaskIx) -> TaskIx {
        self.new.task_labelled(&self.old.task_label(task)).unwrap_or(TaskIx(NOWHERE))
    }

    fn condition(&self, condition: ConditionIx) -> ConditionIx {
        let known = self.old.conditions.get(condition.index());
        let found = known.and_then(|known| self.new.condition_in(self.subnet(known.subnet), &known.name));
        found.unwrap_or(ConditionIx(NOWHERE))
    }

    fn conditions(&self, conditions: &[ConditionIx]) -> Vec<ConditionIx> {
        conditions.iter().map(|condition| self.condition(*condition)).collect()
    }

    fn role(&self, role: RoleIx) -> RoleIx {
        let name = self.old.roles.get(role.index()).map(|role| role.name.as_str());
        name.and_then(|name| self.new.role(name)).unwrap_or(RoleIx(NOWHERE))
    }

    /// A value that no longer fits its variable's kind is left out, too.
    fn changes(&self, changes: &[Change]) -> Vec<Change> {
        let known = changes.iter().filter_map(|change| {
            let known = self.old.variables.get(change.variable.index())?;
            let variable: VariableIx = self.new.variable_in(self.subnet(known.subnet), &known.name)?;
            let value = self.new.variables[variable.index()].kind.admit(change.value.clone()).ok()?;
            Some(Change { variable, value })
        });
        known.collect()
    }

    fn event(&self, event: &CaseEvent) -> Result<CaseEvent, ReplayError> {
        let mut event = event.clone();
        match &mut event {
            CaseEvent::CaseStarted { net, changes, produced, .. } => {
                *net = self.new.hash;
                (*changes, *produced) = (self.changes(changes), self.conditions(produced));
            }
            CaseEvent::SubnetStarted { subnet, changes, produced, .. } => {
                *subnet = self.subnet(*subnet);
                (*changes, *produced) = (self.changes(changes), self.conditions(produced));
            }
            CaseEvent::JoinAdvanced { task, absorbed, arrived, .. } => {
                *task = self.task(*task);
                (*absorbed, *arrived) = (self.conditions(absorbed), self.conditions(arrived));
            }
            CaseEvent::TokensCancelled { task, removed, .. } => {
                *task = self.task(*task);
                removed.iter_mut().for_each(|(condition, _)| *condition = self.condition(*condition));
            }
            CaseEvent::WorkOffered { task, role, .. } => {
                *task = self.task(*task);
                *role = role.map(|role| self.role(role));
            }
            CaseEvent::WorkStarted { task, consumed, .. } | CaseEvent::WorkForced { task, consumed, .. } => {
                *task = self.task(*task);
                *consumed = self.conditions(consumed);
            }
            CaseEvent::WorkCompleted { task, changes, produced, .. }
            | CaseEvent::InstancesPassed { task, changes, produced, .. } => {
                *task = self.task(*task);
                (*changes, *produced) = (self.changes(changes), self.conditions(produced));
            }
            CaseEvent::WorkSkipped { task, consumed, changes, produced, .. } => {
                *task = self.task(*task);
                *consumed = self.conditions(consumed);
                (*changes, *produced) = (self.changes(changes), self.conditions(produced));
            }
            CaseEvent::WorkCancelled { task, produced, .. } => {
                *task = self.task(*task);
                *produced = self.conditions(produced);
            }
            CaseEvent::WorkEnabled { task, .. }
            | CaseEvent::WorkAllocated { task, .. }
            | CaseEvent::WorkFailed { task, .. }
            | CaseEvent::WorkRetried { task, .. }
            | CaseEvent::WorkWithdrawn { task, .. }
            | CaseEvent::WorkSuspended { task, .. }
            | CaseEvent::WorkResumed { task, .. }
            | CaseEvent::WorkTimedOut { task, .. }
            | CaseEvent::WorkPutBack { task, .. }
            | CaseEvent::WorkDelegated { task, .. }
            | CaseEvent::WorkEscalated { task, .. }
            | CaseEvent::AllocationDecided { task, .. }
            | CaseEvent::WorkWaiting { task, .. } => *task = self.task(*task),
            CaseEvent::CaseForced { changes, .. } => *changes = self.changes(changes),
            CaseEvent::RestLimited { .. }
            | CaseEvent::CaseCompleted
            | CaseEvent::CaseCancelled { .. }
            | CaseEvent::CaseDeadlocked
            | CaseEvent::CaseFailed { .. }
            | CaseEvent::CaseSuspended
            | CaseEvent::CaseResumed
            | CaseEvent::SubnetEnded { .. }
            | CaseEvent::SignalReceived { .. }
            | CaseEvent::ExceptionRaised { .. } => {}
            // Newer kinds may speak in ordinals that would silently mean something else.
            other => {
                let task = other.work().map(|(_, task)| self.old.task_label(task)).unwrap_or_default();
                let reason = format!("an event of the case about {task} cannot be taken over to another net yet");
                return Err(ReplayError::Premise { reason });
            }
        }
        Ok(event)
    }
}
