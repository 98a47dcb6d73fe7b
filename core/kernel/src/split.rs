//! Splits: which flows get tokens when a task completes.

use actum_model::{ConditionIx, TaskIx};
use actum_net::{EvalError, Net, Scope, Split};

use crate::Oracle;

/// The conditions that get tokens, each as often as it gets one, and the mutexes that are given back. A guard that errors is
/// an error, never false.
pub(crate) fn choose(
    net: &Net,
    task: TaskIx,
    scope: &dyn Scope,
    oracle: Option<&dyn Oracle>,
) -> Result<Vec<ConditionIx>, EvalError> {
    let definition = &net.tasks[task.index()];
    let mut chosen = Vec::with_capacity(definition.outputs.len() + definition.releases.len());
    for (place, flow) in definition.outputs.iter().enumerate() {
        let taken = match (&flow.guard, definition.split) {
            (_, Split::And) => true,
            (Some(guard), _) => match oracle.and_then(|oracle| oracle.guard(task, place)) {
                Some(answer) => answer,
                None => guard.eval(scope)?,
            },
            // A flow that is there for errors alone: only who explores takes it of free will.
            (None, _) if !flow.default => oracle.and_then(|oracle| oracle.guard(task, place)).unwrap_or(false),
            (None, _) => chosen.is_empty(),
        };
        if taken {
            chosen.extend(std::iter::repeat_n(flow.to, flow.tokens as usize));
            if definition.split == Split::Xor {
                break;
            }
        }
    }
    chosen.extend_from_slice(&definition.releases);
    Ok(chosen)
}
