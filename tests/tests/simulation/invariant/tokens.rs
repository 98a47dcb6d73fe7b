//! `tokens`: none is lost or made. Counted from what events say they take and give, held against where the kernel sees them.

use std::collections::{BTreeMap, HashMap};

use actum::{Case, CaseEvent, CaseId};
use actum_model::{ConditionIx, FrameId};
use actum_net::Net;

use super::{Happened, Held, Invariant, hold, is_over, of_case};

const NAME: &str = "tokens";

type Place = (FrameId, ConditionIx);

#[derive(Default)]
pub(super) struct Tokens {
    cases: HashMap<CaseId, BTreeMap<Place, u32>>,
}

impl Invariant for Tokens {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        let Some((id, case, net, event)) = of_case(happened) else { return Ok(()) };
        let frame = case.control.frame_of(event);
        let there = self.cases.entry(id).or_default();
        let mut take = |place: Place, count: u32| {
            let left = there.get(&place).copied().unwrap_or(0).checked_sub(count);
            hold(NAME, left.is_some(), || {
                format!("case {id}: {event:?} takes {count} from {place:?}, where fewer are")
            })?;
            match left {
                Some(0) | None => drop(there.remove(&place)),
                Some(left) => drop(there.insert(place, left)),
            }
            Ok(())
        };
        event.consumed().iter().try_for_each(|condition| take((frame, *condition), 1))?;
        match event {
            CaseEvent::TokensCancelled { frame, removed, .. } => {
                removed.iter().try_for_each(|(condition, count)| take((*frame, *condition), *count))?;
            }
            CaseEvent::CompensationBegun { removed, .. } => {
                removed.iter().try_for_each(|(condition, count)| take((FrameId::ROOT, *condition), *count))?;
            }
            CaseEvent::SubnetEnded { frame, .. } => there.retain(|(of, _), _| of != frame),
            CaseEvent::SavepointRestored { marked, .. } => {
                there.retain(|(of, _), _| *of != FrameId::ROOT);
                there.extend(marked.iter().map(|(condition, count)| ((FrameId::ROOT, *condition), *count)));
            }
            _ => {}
        }
        for condition in event.produced() {
            *there.entry((frame, *condition)).or_default() += 1;
        }
        only_where_the_task_leads(net, id, event)
    }

    fn after(&mut self, case: &Case) -> Held {
        if is_over(case) {
            self.cases.remove(&case.id);
            return Ok(());
        }
        let counted = self.cases.get(&case.id);
        let seen = case.control.marking.iter().map(|(frame, condition, count)| ((frame, condition), count));
        let is_same = counted.is_some_and(|counted| counted.iter().map(|(place, count)| (*place, *count)).eq(seen));
        hold(NAME, is_same, || {
            format!("case {}: {counted:?} were counted, {:?} are seen", case.id, case.control.marking)
        })
    }
}

fn only_where_the_task_leads(net: &Net, id: CaseId, event: &CaseEvent) -> Held {
    let (CaseEvent::WorkCompleted { task, produced, .. }
    | CaseEvent::WorkSkipped { task, produced, .. }
    | CaseEvent::InstancesPassed { task, produced, .. }) = event
    else {
        return Ok(());
    };
    let task = &net.tasks[task.index()];
    let leads = |condition: &ConditionIx| {
        task.outputs.iter().any(|flow| flow.to == *condition)
            || task.releases.contains(condition)
            || task.holds.contains(condition)
    };
    hold(NAME, produced.iter().all(leads), || format!("case {id}: {event:?} gives what the task does not lead to"))
}
