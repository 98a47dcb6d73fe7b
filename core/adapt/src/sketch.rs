//! Quantiles of many durations in little memory.
//!
//! A DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", PVLDB 12(12),
//! 2019) with the linearly interpolated mapping that its authors' libraries offer beside the logarithmic one: the exponent of two
//! and the next six bits are the bucket. For integers that needs no floating point, so sketches are the same on every machine, and
//! sums are exact. All of 64 bits are covered, so no buckets need be collapsed.

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{self, Reader};

/// Buckets to each doubling.
const STEPS: usize = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Values below [`STEPS`] have a bucket each; then each exponent of two has [`STEPS`].
const BUCKETS: usize = STEPS * (64 - STEP_BITS as usize + 1);

/// How values are distributed. Quantiles have a relative error of at most 1/128; count, sum, least and greatest are exact.
///
/// Takes 512 bytes for each doubling in which there are values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Counts by exponent; ascending, none without a count.
    octaves: Vec<(u8, Box<[u64; STEPS]>)>,
    count: u64,
    sum: u128,
    least: u64,
    greatest: u64,
}

impl Sketch {
    /// Takes in a value.
    pub fn add(&mut self, value: u64) {
        let bucket = bucket_of(value);
        let count = &mut self.octave((bucket / STEPS) as u8)[bucket % STEPS];
        *count = count.saturating_add(1);
        self.take_in(1, u128::from(value), value, value);
    }

    /// Takes in all that another took in. In whatever order sketches are merged, the result is the same.
    pub fn merge(&mut self, other: &Sketch) {
        if other.count == 0 {
            return;
        }
        for (octave, counts) in &other.octaves {
            let own = self.octave(*octave);
            own.iter_mut().zip(counts.iter()).for_each(|(own, count)| *own = own.saturating_add(*count));
        }
        self.take_in(other.count, other.sum, other.least, other.greatest);
    }

    /// Number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// Their mean, rounded down; `None` without values.
    #[must_use]
    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(u128::from(self.count)).and_then(|mean| u64::try_from(mean).ok())
    }

    /// The least value; `None` without values.
    #[must_use]
    pub fn least(&self) -> Option<u64> {
        (self.count > 0).then_some(self.least)
    }

    /// The greatest value; `None` without values.
    #[must_use]
    pub fn greatest(&self) -> Option<u64> {
        (self.count > 0).then_some(self.greatest)
    }

    /// The value below which a share of them lies: 0.5 for the median. `None` without values.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let last = self.count.checked_sub(1)?;
        let rank = ((share.clamp(0.0, 1.0) * last as f64) as u64).min(last);
        let mut below = 0u64;
        for (octave, counts) in &self.octaves {
            for (step, count) in counts.iter().enumerate() {
                below = below.saturating_add(*count);
                if below > rank {
                    return Some(middle_of(usize::from(*octave) * STEPS + step).clamp(self.least, self.greatest));
                }
            }
        }
        Some(self.greatest)
    }

    fn octave(&mut self, octave: u8) -> &mut [u64; STEPS] {
        let place = match self.octaves.binary_search_by_key(&octave, |(octave, _)| *octave) {
            Ok(place) => place,
            Err(place) => {
                self.octaves.insert(place, (octave, Box::new([0; STEPS])));
                place
            }
        };
        &mut self.octaves[place].1
    }

    fn take_in(&mut self, count: u64, sum: u128, least: u64, greatest: u64) {
        self.least = if self.count == 0 { least } else { self.least.min(least) };
        self.greatest = self.greatest.max(greatest);
        self.count = self.count.saturating_add(count);
        self.sum = self.sum.saturating_add(sum);
    }

    /// Appends it in its one spelling.
    pub fn put(&self, out: &mut Vec<u8>) {
        let counts = self.octaves.iter().flat_map(|(octave, counts)| {
            let first = usize::from(*octave) * STEPS;
            counts.iter().enumerate().map(move |(step, count)| (first + step, *count))
        });
        let counts: Vec<(usize, u64)> = counts.filter(|(_, count)| *count > 0).collect();
        let mut next = 0;
        wire::put_list(out, &counts, |out, (bucket, count)| {
            wire::put(out, (bucket - next) as u64);
            wire::put(out, *count);
            next = bucket + 1;
        });
        if self.count > 0 {
            wire::put(out, (self.sum >> 64) as u64);
            wire::put(out, self.sum as u64);
            wire::put(out, self.least);
            wire::put(out, self.greatest);
        }
    }

    /// Reads what [`Sketch::put`] wrote.
    ///
    /// # Errors
    /// The bytes are no sketch.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        const BAD: SnapshotError = SnapshotError::NotCanonical("a sketch");
        let mut next = 0usize;
        let counts = from.list(|from| {
            let bucket = next.checked_add(from.small()?).filter(|bucket| *bucket < BUCKETS).ok_or(BAD)?;
            next = bucket + 1;
            Ok((bucket, from.number()?))
        })?;
        let mut sketch = Sketch::default();
        for (bucket, count) in counts {
            sketch.octave((bucket / STEPS) as u8)[bucket % STEPS] = count;
            sketch.count = sketch.count.checked_add(count).filter(|_| count > 0).ok_or(BAD)?;
        }
        if sketch.count > 0 {
            sketch.sum = u128::from(from.number()?) << 64 | u128::from(from.number()?);
            (sketch.least, sketch.greatest) = (from.number()?, from.number()?);
        }
        if sketch.least <= sketch.greatest { Ok(sketch) } else { Err(BAD) }
    }
}

fn bucket_of(value: u64) -> usize {
    let Some(shift) = value.checked_ilog2().and_then(|exponent| exponent.checked_sub(STEP_BITS)) else {
        return value as usize;
    };
    (shift as usize + 1) * STEPS + (value >> shift) as usize % STEPS
}

/// The value in the middle of a bucket: nobody in it is farther away than half its width.
fn middle_of(bucket: usize) -> u64 {
    let (octave, step) = (bucket / STEPS, (bucket % STEPS) as u64);
    let Some(shift) = octave.checked_sub(1) else { return step };
    ((STEPS as u64 + step) << shift) + ((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().for_each(|value| sketch.add(*value));
        sketch
    }

    fn bytes(sketch: &Sketch) -> Vec<u8> {
        let mut out = Vec::new();
        sketch.put(&mut out);
        out
    }

    #[test]
    fn every_value_has_a_bucket_and_its_middle_is_near() {
        for exponent in 0..64 {
            for value in [1u64 << exponent, (1 << exponent) + (1 << exponent) / 3, u64::MAX >> (63 - exponent)] {
                let bucket = bucket_of(value);
                assert!(bucket < BUCKETS, "{value}");
                assert!(middle_of(bucket).abs_diff(value) <= value / 128, "{value}: {}", middle_of(bucket));
            }
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert_eq!(of(&[0]).quantile(0.5), Some(0));
        assert_eq!(Sketch::default().quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_near(mut values in prop::collection::vec(any::<u64>().prop_map(|v| v >> (v % 60)), 1..300), share in 0.0..=1.0) {
            let found = of(&values).quantile(share).unwrap_or_default();
            values.sort_unstable();
            let exact = values[((share * (values.len() - 1) as f64) as usize).min(values.len() - 1)];
            prop_assert!(found.abs_diff(exact) <= exact / 128, "{found} is not {exact}");
        }

        #[test]
        fn merging_is_adding_all_in_any_order(one in prop::collection::vec(any::<u64>(), 0..50), two in prop::collection::vec(any::<u64>(), 0..50)) {
            let all = of(&[one.clone(), two.clone()].concat());
            let (mut ahead, mut back) = (of(&one), of(&two));
            ahead.merge(&of(&two));
            back.merge(&of(&one));
            prop_assert_eq!(&ahead, &all);
            prop_assert_eq!(bytes(&back), bytes(&all));
        }

        #[test]
        fn bytes_give_it_back(values in prop::collection::vec(any::<u64>(), 0..50)) {
            let sketch = of(&values);
            let bytes = bytes(&sketch);
            let mut from = Reader::new(&bytes);
            prop_assert_eq!(Sketch::read(&mut from), Ok(sketch));
            prop_assert_eq!(from.end(), Ok(()));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(sketch) = Sketch::read(&mut Reader::new(&bytes)) {
                prop_assert!(sketch.quantile(0.5) <= sketch.greatest());
            }
        }
    }
}
