//! Answers about OR-joins that were worked out before.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use actum_model::{ConditionIx, Control, FrameId, NetHash, TaskIx};
use actum_net::Net;
use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

use super::TooComplex;

/// Most answers that are kept: some hundred kilobytes. When there are more, all are forgotten.
const ANSWERS_MAX: usize = 4_096;

/// Remembers answers about OR-joins. It changes how long a decision takes, never what it is: the key is everything that the
/// answer rests on, so whoever decides may keep one for as long as it likes, give it to any decision, or have none.
#[derive(Debug, Default)]
pub struct OrJoins(RefCell<Answers>);

#[derive(Debug, Default)]
struct Answers {
    /// By the hash of the question; different questions seldom have the same.
    by_hash: FxHashMap<u64, SmallVec<[(Question, bool); 1]>>,
    count: usize,
}

/// What an answer rests on: the net, the join, the tokens of its frame, what runs in it, and what partial joins remember.
#[derive(Debug)]
struct Question {
    net: NetHash,
    join: TaskIx,
    marking: Box<[(ConditionIx, u32)]>,
    busy: Box<[TaskIx]>,
    arrived: Box<[(TaskIx, ConditionIx)]>,
}

/// A question as it lies in a case's state: hashed and compared there, and copied only when its answer is to be kept.
struct Asked<'a> {
    net: NetHash,
    join: TaskIx,
    control: &'a Control,
    frame: FrameId,
    arrived: SmallVec<[(TaskIx, ConditionIx); 4]>,
}

impl Asked<'_> {
    fn hash(&self) -> u64 {
        let mut hasher = FxHasher::default();
        (self.net, self.join).hash(&mut hasher);
        self.control.marking.of(self.frame).for_each(|marked| marked.hash(&mut hasher));
        // Between lists of different things: which is which is compared afterwards.
        busy(self.control, self.frame).for_each(|task| task.hash(&mut hasher));
        self.arrived.hash(&mut hasher);
        hasher.finish()
    }

    fn is(&self, known: &Question) -> bool {
        (self.net, self.join) == (known.net, known.join)
            && self.control.marking.of(self.frame).eq(known.marking.iter().copied())
            && busy(self.control, self.frame).eq(known.busy.iter().copied())
            && self.arrived[..] == known.arrived[..]
    }

    fn to_question(&self) -> Question {
        Question {
            net: self.net,
            join: self.join,
            marking: self.control.marking.of(self.frame).collect(),
            busy: busy(self.control, self.frame).collect(),
            arrived: self.arrived[..].into(),
        }
    }
}

impl OrJoins {
    /// The answer from before, or the one that `answer` gives.
    pub(super) fn ask(
        &self,
        net: &Net,
        control: &Control,
        frame: FrameId,
        join: TaskIx,
        answer: impl FnOnce() -> Result<bool, TooComplex>,
    ) -> Result<bool, TooComplex> {
        let asked = Asked { net: net.hash, join, control, frame, arrived: arrived(control, frame) };
        let hash = asked.hash();
        let known = |answers: &Answers| {
            let same = answers.by_hash.get(&hash)?;
            same.iter().find(|(known, _)| asked.is(known)).map(|(_, answer)| *answer)
        };
        if let Some(known) = known(&self.0.borrow()) {
            return Ok(known);
        }
        let answer = answer()?;
        let mut answers = self.0.borrow_mut();
        if answers.count >= ANSWERS_MAX {
            *answers = Answers::default();
        }
        answers.count += 1;
        answers.by_hash.entry(hash).or_default().push((asked.to_question(), answer));
        Ok(answer)
    }
}

/// Tasks of a frame that run and will give tokens.
pub(super) fn busy(control: &Control, frame: FrameId) -> impl Iterator<Item = TaskIx> + '_ {
    let gives = move |item: &&actum_model::WorkItemState| {
        item.frame == frame
            && item.holds_tokens()
            && item.instance.is_none()
            && !control.activation(item.id).is_some_and(|activation| activation.passed)
    };
    control.items.iter().filter(gives).map(|item| item.task)
}

fn arrived(control: &Control, frame: FrameId) -> SmallVec<[(TaskIx, ConditionIx); 4]> {
    let of_frame = control.arrivals().iter().filter(|arrivals| arrivals.frame == frame);
    let mut all: SmallVec<[(TaskIx, ConditionIx); 4]> =
        of_frame.flat_map(|arrivals| arrivals.inputs.iter().map(|input| (arrivals.task, *input))).collect();
    all.sort_unstable();
    all
}
