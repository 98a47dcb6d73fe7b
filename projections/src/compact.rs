//! What is kept of cases: in few bytes where it has a form that most have, as it is otherwise.

use actum_model::CaseId;
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::nets::Nets;
use crate::paged::Paged;

/// What is kept of a case, and its usual form.
pub(crate) trait Compact: Clone {
    /// The usual form.
    type Packed: Copy;

    /// Itself in the usual form; `None` if it has another. Unpacking gives the same again.
    fn pack(&self, nets: &Nets) -> Option<Self::Packed>;

    fn unpack(packed: Self::Packed, nets: &Nets) -> Self;

    /// Nothing need be kept.
    fn is_idle(&self) -> bool;
}

/// What is kept of each case.
#[derive(Debug)]
pub(crate) struct ByCase<C: Compact> {
    packed: Paged<C::Packed>,
    /// Those of another form. Changed only while the case's part of `packed` is locked, so that nobody sees a case in neither.
    others: DashMap<CaseId, C, FxBuildHasher>,
    nets: Nets,
}

impl<C: Compact> Default for ByCase<C> {
    fn default() -> Self {
        ByCase { packed: Paged::default(), others: DashMap::default(), nets: Nets::default() }
    }
}

impl<C: Compact> ByCase<C> {
    pub(crate) fn get(&self, case: CaseId) -> Option<C> {
        let packed = self.packed.read(case);
        let other = || self.others.get(&case).map(|one| one.clone());
        packed.get(case).map(|one| C::unpack(*one, &self.nets)).or_else(other)
    }

    /// Changes what is kept of a case; of one of which nothing is, what `new` gives, if anything. The case is locked meanwhile.
    pub(crate) fn change(&self, case: CaseId, new: impl FnOnce() -> Option<C>, change: impl FnOnce(&mut C)) {
        let mut packed = self.packed.write(case);
        let was = packed.get(case).copied();
        let mut other = if was.is_some() { None } else { self.others.get_mut(&case) };
        if let Some(one) = &mut other {
            change(one);
            let (is_idle, fits) = (one.is_idle(), one.pack(&self.nets));
            drop(other);
            if is_idle || fits.is_some() {
                self.others.remove(&case);
            }
            if let Some(fits) = fits.filter(|_| !is_idle) {
                packed.insert(case, fits);
            }
            return;
        }
        drop(other);
        let Some(mut one) = was.map(|was| C::unpack(was, &self.nets)).or_else(new) else { return };
        change(&mut one);
        if let Some(fits) = one.pack(&self.nets).filter(|_| !one.is_idle()) {
            packed.insert(case, fits);
            return;
        }
        if was.is_some() {
            packed.remove(case);
        }
        if !one.is_idle() {
            self.others.insert(case, one);
        }
    }

    /// Takes over what is kept of a case, from a snapshot.
    pub(crate) fn insert(&self, case: CaseId, one: C) {
        self.change(case, || Some(one), |_| {});
    }

    /// Adds up what cases have: those of the usual form one each.
    pub(crate) fn count(&self, of: impl Fn(&C) -> usize) -> usize {
        self.packed.len() + self.others.iter().map(|one| of(&one)).sum::<usize>()
    }

    /// What is kept of all, in no order; each true at some moment meanwhile.
    pub(crate) fn for_each(&self, mut each: impl FnMut(CaseId, C)) {
        self.packed.for_each(|case, one| each(case, C::unpack(one, &self.nets)));
        self.others.iter().for_each(|one| each(*one.key(), one.value().clone()));
    }

    /// Cases of which something is kept, ascending.
    pub(crate) fn all(&self) -> Vec<(CaseId, C)> {
        let mut all = Vec::with_capacity(self.count(|_| 1));
        self.for_each(|case, one| all.push((case, one)));
        all.sort_by_key(|(case, _)| *case);
        // One that changed its form meanwhile may have been seen twice.
        all.dedup_by_key(|(case, _)| *case);
        all
    }
}
