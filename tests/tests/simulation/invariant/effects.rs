//! `effects`: what is recorded as a handler's result is what the handler did under the key of that very attempt, once.

use std::collections::HashSet;

use actum::{CaseEvent, CaseId, ItemId, Phase};
use actum_net::Work;

use super::{Happened, Held, Invariant, hold, of_case};
use crate::work::Hands;

const NAME: &str = "effects";

pub(super) struct Effects {
    hands: Hands,
    /// Items whose handler was not called: what they complete with is the policies' word.
    shed: HashSet<(CaseId, ItemId)>,
    /// Attempts whose result was taken.
    taken: HashSet<(CaseId, ItemId, u32)>,
}

impl Effects {
    pub(super) fn new(hands: Hands) -> Self {
        Effects { hands, shed: HashSet::new(), taken: HashSet::new() }
    }
}

impl Invariant for Effects {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        let Some((id, case, net, event)) = of_case(happened) else { return Ok(()) };
        match event {
            CaseEvent::WorkShed { item, .. } => drop(self.shed.insert((id, *item))),
            CaseEvent::WorkRetried { item, .. } => drop(self.shed.remove(&(id, *item))),
            _ => {}
        }
        let CaseEvent::WorkCompleted { item, task, result, .. } = event else { return Ok(()) };
        let Some(state) = case.control.item(*item) else {
            return hold(NAME, false, || format!("case {id}: {item} completes and is not there"));
        };
        let definition = &net.tasks[task.index()];
        let calls_hands = matches!(&definition.work, Work::Automatic { handler, .. } if crate::work::NAMES.contains(&handler.as_str()));
        let by_handler = state.phase == Phase::Started && !self.shed.remove(&(id, *item));
        // A deadline may complete an item in the place of its handler.
        let is_its_own =
            definition.exceptions.is_empty() && (definition.instances.is_none() || state.family().is_some());
        if !(calls_hands && by_handler && is_its_own) {
            return Ok(());
        }
        let key = (id, *item, state.attempt);
        hold(NAME, self.taken.insert(key), || format!("the result of {key:?} was taken twice"))?;
        let done = self.hands.result(key);
        hold(NAME, done.as_ref() == Some(result), || format!("{key:?} gave {done:?}, and {result:?} is recorded"))
    }
}
