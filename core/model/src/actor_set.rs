//! Sets of people, as bits: what filters and allocation calculate with.

use std::fmt;

use crate::ActorId;

const BITS: usize = u64::BITS as usize;

/// A set of actors: one bit for each ordinal up to the highest. Two sets with the same members are equal.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct ActorSet {
    /// Never ends in a zero.
    words: Vec<u64>,
}

impl ActorSet {
    /// Highest ordinal that a set takes: so that a damaged event cannot ask for all memory (2 MiB a set at most).
    pub const ORDINAL_MAX: u32 = (1 << 24) - 1;

    /// Adds somebody; false if they were in it, or are beyond [`Self::ORDINAL_MAX`].
    pub fn insert(&mut self, actor: ActorId) -> bool {
        if actor.0 > Self::ORDINAL_MAX {
            return false;
        }
        let (word, bit) = place(actor);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let fresh = self.words[word] & bit == 0;
        self.words[word] |= bit;
        fresh
    }

    /// Takes somebody out; false if they were not in it.
    pub fn remove(&mut self, actor: ActorId) -> bool {
        let (word, bit) = place(actor);
        let had = self.contains(actor);
        if had {
            self.words[word] &= !bit;
            self.trim();
        }
        had
    }

    /// Whether somebody is in it.
    #[must_use]
    pub fn contains(&self, actor: ActorId) -> bool {
        let (word, bit) = place(actor);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The one of the lowest ordinal.
    #[must_use]
    pub fn first(&self) -> Option<ActorId> {
        self.iter().next()
    }

    /// Members, ascending.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { words: &self.words, word: self.words.first().copied().unwrap_or(0), index: 0 }
    }

    /// Adds the members of another.
    pub fn unite(&mut self, other: &ActorSet) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Keeps only members of another, too.
    pub fn keep(&mut self, other: &ActorSet) {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
        self.trim();
    }

    /// Takes out the members of another.
    pub fn take_out(&mut self, other: &ActorSet) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
        self.trim();
    }

    /// Who is here and not there.
    #[must_use]
    pub fn without(&self, other: &ActorSet) -> ActorSet {
        let mut rest = self.clone();
        rest.take_out(other);
        rest
    }

    /// Whether all members are members of another, too.
    #[must_use]
    pub fn is_subset(&self, other: &ActorSet) -> bool {
        self.words.len() <= other.words.len()
            && self.words.iter().zip(&other.words).all(|(word, other)| word & !other == 0)
    }

    fn trim(&mut self) {
        let used = self.words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        self.words.truncate(used);
    }
}

fn place(actor: ActorId) -> (usize, u64) {
    (actor.0 as usize / BITS, 1 << (actor.0 as usize % BITS))
}

/// Members of a set, ascending.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    words: &'a [u64],
    /// What is left of the current word.
    word: u64,
    index: usize,
}

impl Iterator for Iter<'_> {
    type Item = ActorId;

    #[inline]
    fn next(&mut self) -> Option<ActorId> {
        while self.word == 0 {
            self.index += 1;
            self.word = *self.words.get(self.index)?;
        }
        let bit = self.word.trailing_zeros();
        self.word &= self.word - 1;
        Some(ActorId(self.index as u32 * u64::BITS + bit))
    }
}

impl<'a> IntoIterator for &'a ActorSet {
    type Item = ActorId;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<ActorId> for ActorSet {
    fn from_iter<I: IntoIterator<Item = ActorId>>(actors: I) -> Self {
        let mut set = ActorSet::default();
        actors.into_iter().for_each(|actor| {
            set.insert(actor);
        });
        set
    }
}

impl fmt::Debug for ActorSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|actor| actor.0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(members: &BTreeSet<u32>) -> ActorSet {
        members.iter().copied().map(ActorId).collect()
    }

    proptest! {
        /// As sets of numbers do.
        #[test]
        fn sets_calculate_as_sets(
            left in prop::collection::btree_set(0_u32..300, 0..40),
            right in prop::collection::btree_set(0_u32..300, 0..40),
        ) {
            let (a, b) = (set(&left), set(&right));
            prop_assert_eq!(a.iter().map(|actor| actor.0).collect::<BTreeSet<_>>(), left.clone());
            prop_assert_eq!((a.len(), a.is_empty()), (left.len(), left.is_empty()));
            prop_assert_eq!(a.is_subset(&b), left.is_subset(&right));
            let mut united = a.clone();
            united.unite(&b);
            prop_assert_eq!(united, set(&(&left | &right)));
            let mut kept = a.clone();
            kept.keep(&b);
            prop_assert_eq!(kept, set(&(&left & &right)));
            prop_assert_eq!(a.without(&b), set(&(&left - &right)));
            let mut one_less = a.clone();
            for member in &left {
                prop_assert!(one_less.remove(ActorId(*member)) && !one_less.remove(ActorId(*member)));
            }
            prop_assert_eq!(one_less, ActorSet::default());
        }
    }

    #[test]
    fn ordinals_beyond_all_people_are_left_out() {
        let mut set = ActorSet::default();
        assert!(!set.insert(ActorId(u32::MAX)) && set.is_empty() && !set.contains(ActorId(u32::MAX)));
    }
}
