//! Sets of people as stored: runs of ordinals. Whole departments take a few bytes, single people two or three.

use crate::cbor::{self, CborError};
use crate::{ActorId, ActorSet, Value};

/// A CBOR list of runs: how many ordinals are left out, then how many are in the set, and so on.
pub(super) fn to_cbor(set: &ActorSet) -> Vec<u8> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut next = 0;
    for ActorId(ordinal) in set {
        match runs.last_mut() {
            Some((_, length)) if ordinal == next => *length += 1,
            _ => runs.push((ordinal - next, 1)),
        }
        next = ordinal + 1;
    }
    let numbers = runs.into_iter().flat_map(|(gap, length)| [gap, length]);
    cbor::to_vec(&Value::List(numbers.map(|number| Value::Int(i64::from(number))).collect()))
}

/// Reads what [`to_cbor`] writes, and nothing else: a set has one spelling.
pub(super) fn from_cbor(bytes: &[u8]) -> Result<ActorSet, CborError> {
    const BAD: CborError = CborError::NotCanonical(0);
    let Value::List(items) = cbor::decode(bytes)? else { return Err(BAD) };
    let (pairs, rest) = items.as_chunks::<2>();
    let mut set = ActorSet::default();
    let mut next = 0_u32;
    for (index, pair) in pairs.iter().enumerate() {
        let [Value::Int(gap), Value::Int(length)] = pair else { return Err(BAD) };
        let (gap, length) = (u32::try_from(*gap).map_err(|_| BAD)?, u32::try_from(*length).map_err(|_| BAD)?);
        let first = next.checked_add(gap).ok_or(BAD)?;
        let end = first.checked_add(length).filter(|end| *end <= ActorSet::ORDINAL_MAX + 1).ok_or(BAD)?;
        // Runs that touch are one run.
        if length == 0 || (index > 0 && gap == 0) {
            return Err(BAD);
        }
        (first..end).for_each(|ordinal| {
            set.insert(ActorId(ordinal));
        });
        next = end;
    }
    if rest.is_empty() { Ok(set) } else { Err(BAD) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sets_read_back(members in prop::collection::btree_set(0_u32..2_000, 0..200)) {
            let set: ActorSet = members.into_iter().map(ActorId).collect();
            prop_assert_eq!(from_cbor(&to_cbor(&set)), Ok(set));
        }
    }

    #[test]
    fn a_department_takes_a_few_bytes() {
        let department: ActorSet = (1..=1_000).map(ActorId).collect();
        assert_eq!(to_cbor(&department).len(), 5);
    }

    #[test]
    fn other_spellings_are_refused() {
        let list =
            |numbers: &[i64]| cbor::to_vec(&Value::List(numbers.iter().map(|number| Value::Int(*number)).collect()));
        for numbers in [&[1][..], &[1, 0], &[1, 1, 0, 1], &[-1, 1], &[0, 1 << 25], &[i64::MAX, 1], &[1, 1, 1]] {
            assert!(from_cbor(&list(numbers)).is_err(), "{numbers:?}");
        }
        assert!(from_cbor(&cbor::to_vec(&Value::Null)).is_err() && from_cbor(&[]).is_err());
    }
}
