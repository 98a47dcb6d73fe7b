//! Random numbers from a seed that is recorded: the same for ever.

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the answer depends on every bit of the seed.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A number below `bound`, by multiplication (Lemire 2019): nearly fair, as a bound is far below 2^64.
pub(super) fn below(seed: u64, bound: usize) -> usize {
    ((u128::from(mix(seed)) * bound as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_published_generator() {
        // The first outputs of SplitMix64 from state 1234567.
        let first: Vec<u64> =
            (0..3_u64).map(|step| mix(1_234_567_u64.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15)))).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_number_below_the_bound_comes_up_about_as_often() {
        let mut counts = [0; 7];
        (0..7_000).for_each(|seed| counts[below(seed, 7)] += 1);
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
