//! Nets whose tokens pile up without end: found by a state on the way to itself, with more tokens each time.
//!
//! A state that covers an earlier one on its way, with everything else equal, can repeat that way (Karp and Miller, *Parallel
//! Program Schemata*, 1969). Cancellation and OR-joins break that argument when they look at the tokens that grow, so the way
//! must have been gone twice with the same gain.

use std::hash::Hasher;

use actum_model::{Case, ConditionIx, FrameId};
use rustc_hash::FxHasher;

/// What is kept of each state.
#[derive(Debug, Default)]
pub(super) struct Growth {
    states: Vec<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    parent: u32,
    /// Hash of all but the tokens of the root.
    rest: u64,
    tokens: Box<[(ConditionIx, u32)]>,
    total: u64,
    /// An earlier state on the way that this one covers, and by how much.
    gain: Option<Box<[(ConditionIx, u32)]>>,
}

/// How far back the way is looked at.
const WAY_MAX: usize = 10_000;

impl Growth {
    /// Looks at a new state, the next in order. The condition where tokens pile up, if they do.
    pub(super) fn look(&mut self, state: u32, parent: u32, rest: &[u8], case: &Case) -> Option<ConditionIx> {
        let mut hasher = FxHasher::default();
        hasher.write(rest);
        let rest = hasher.finish();
        let tokens: Box<[(ConditionIx, u32)]> = case.control.marking.of(FrameId::ROOT).collect();
        let total = tokens.iter().map(|(_, count)| u64::from(*count)).sum();
        let mut gain = None;
        let (mut at, mut grows) = (parent, None);
        for _ in 0..WAY_MAX {
            if at == 0 {
                break;
            }
            let seen = &self.states[at as usize];
            if seen.rest == rest
                && seen.total < total
                && let Some(more) = more(&seen.tokens, &tokens)
            {
                if seen.gain.as_ref() == Some(&more) {
                    grows = more.first().map(|(condition, _)| *condition);
                }
                gain = Some(more);
                break;
            }
            at = seen.parent;
        }
        self.states.resize_with(state as usize, Seen::default);
        self.states.push(Seen { parent, rest, tokens, total, gain });
        grows
    }
}

/// What `after` has more than `before`; `None` if it has less of something.
fn more(before: &[(ConditionIx, u32)], after: &[(ConditionIx, u32)]) -> Option<Box<[(ConditionIx, u32)]>> {
    let count = |condition| before.iter().find(|(of, _)| *of == condition).map_or(0, |(_, count)| *count);
    let kept = before.iter().all(|(condition, count)| after.iter().any(|(of, more)| of == condition && more >= count));
    kept.then(|| {
        let gains = after.iter().map(|(condition, now)| (*condition, now.saturating_sub(count(*condition))));
        gains.filter(|(_, gain)| *gain > 0).collect()
    })
}
