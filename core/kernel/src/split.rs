//! Splits: which flows get a token when a task completes.

use actum_model::ConditionIx;
use actum_net::{EvalError, Scope, Split, Task};

/// The conditions that get a token. A guard that errors is an error, never false.
pub(crate) fn choose(task: &Task, scope: &dyn Scope) -> Result<Vec<ConditionIx>, EvalError> {
    let mut chosen = Vec::with_capacity(task.outputs.len());
    for flow in &task.outputs {
        let taken = match (&flow.guard, task.split) {
            (_, Split::And) => true,
            (Some(guard), _) => guard.eval(scope)?,
            (None, _) => flow.default && chosen.is_empty(),
        };
        if taken {
            chosen.push(flow.to);
            if task.split == Split::Xor {
                break;
            }
        }
    }
    Ok(chosen)
}
