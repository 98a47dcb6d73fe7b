//! Chance that a seed replays.

/// Marsaglia's xorshift, with its seed mixed first so that neighbouring seeds differ.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Any seed gives another sequence.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mixed = (seed ^ (seed >> 31)).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self((mixed ^ (mixed >> 29)) | 1)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((self.bits() >> 11) % bound as u64) as usize
    }

    /// True in `percent` of cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them; there must be one.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// How often a test tries: `few` in the test command, as many as the variable says in a campaign.
///
/// # Panics
/// The variable is there and no number.
#[must_use]
pub fn tries(variable: &str, few: u64) -> u64 {
    std::env::var(variable).map_or(few, |text| text.parse().unwrap_or_else(|_| panic!("{variable} must be a number")))
}

/// The seed of a campaign: `ACTUM_SEED`, else always the same.
#[must_use]
pub fn seed() -> u64 {
    tries("ACTUM_SEED", 1)
}
