//! Tokens on conditions.

use smallvec::SmallVec;

use crate::{ConditionIx, FrameId};

/// Tokens on conditions of frames, sorted, without zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Marking(SmallVec<[(FrameId, ConditionIx, u32); 3]>);

impl Marking {
    /// Number of tokens on a condition.
    #[must_use]
    pub fn count(&self, frame: FrameId, condition: ConditionIx) -> u32 {
        self.find(frame, condition).map_or(0, |index| self.0[index].2)
    }

    /// Marked conditions with their counts, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (FrameId, ConditionIx, u32)> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    /// Marked conditions of one frame with their counts, in order.
    pub fn of(&self, frame: FrameId) -> impl Iterator<Item = (ConditionIx, u32)> + '_ {
        let from = self.0.partition_point(|(other, ..)| *other < frame);
        let of_frame = self.0[from..].iter().take_while(move |(other, ..)| *other == frame);
        of_frame.map(|(_, condition, count)| (*condition, *count))
    }

    /// No condition is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts one token on a condition.
    pub fn add(&mut self, frame: FrameId, condition: ConditionIx) {
        self.add_many(frame, condition, 1);
    }

    /// Puts tokens on a condition.
    pub fn add_many(&mut self, frame: FrameId, condition: ConditionIx, count: u32) {
        match self.find(frame, condition) {
            Ok(index) => self.0[index].2 = self.0[index].2.saturating_add(count),
            Err(index) if count > 0 => self.0.insert(index, (frame, condition, count)),
            Err(_) => {}
        }
    }

    /// Takes one token off a condition, if there is one.
    pub fn remove(&mut self, frame: FrameId, condition: ConditionIx) {
        self.remove_many(frame, condition, 1);
    }

    /// Takes tokens off a condition, as many as there are of these.
    pub fn remove_many(&mut self, frame: FrameId, condition: ConditionIx, count: u32) {
        if let Ok(index) = self.find(frame, condition) {
            self.0[index].2 = self.0[index].2.saturating_sub(count);
            if self.0[index].2 == 0 {
                self.0.remove(index);
            }
        }
    }

    /// Takes all tokens of a frame.
    pub fn clear(&mut self, frame: FrameId) {
        self.0.retain(|(other, ..)| *other != frame);
    }

    /// A marking of these tokens; `None` unless sorted, without repetition and zeros.
    pub(crate) fn from_sorted(marked: SmallVec<[(FrameId, ConditionIx, u32); 3]>) -> Option<Self> {
        let sorted = marked.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1));
        (sorted && marked.iter().all(|(.., count)| *count > 0)).then_some(Marking(marked))
    }

    fn find(&self, frame: FrameId, condition: ConditionIx) -> Result<usize, usize> {
        self.0.binary_search_by(|(in_frame, marked, _)| in_frame.cmp(&frame).then(marked.cmp(&condition)))
    }
}
