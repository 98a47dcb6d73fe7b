//! Joins: whether a task may start in a marking, and which tokens it takes.

mod or;

use actum_model::{ConditionIx, Control, TaskIx};
use actum_net::{Join, Net};

/// Looking at an OR-join took more steps than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooComplex;

/// The tokens that `task` would take, or `None` when it is not enabled.
pub(crate) fn take(net: &Net, control: &Control, task: TaskIx) -> Result<Option<Vec<ConditionIx>>, TooComplex> {
    let definition = &net.tasks[task.index()];
    let marked = |condition: &&ConditionIx| control.marking.count(**condition) > 0;
    let mut inputs = definition.inputs.iter();
    Ok(match definition.join {
        Join::And => inputs.all(|input| marked(&input)).then(|| definition.inputs.clone()),
        Join::Xor => inputs.find(marked).map(|input| vec![*input]),
        Join::Or => {
            let taken: Vec<ConditionIx> = inputs.filter(marked).copied().collect();
            (!taken.is_empty() && !or::more_can_come(net, control, task, &taken)?).then_some(taken)
        }
        // A join that this version does not know never fires; `compile` does not let such a net through.
        _ => None,
    })
}
