//! Gives a log's genesis: who it is, who signs first, how many partitions it has (FORMAT.md section 5).

use std::fmt;

use crate::hash::{Hash, genesis_hash};
use crate::limits::{GENESIS_BYTES_MAX, ORIGIN_BYTES_MAX, PARTITIONS_MAX};
use crate::seal::VerifierKey;
use crate::strict;

/// Why a genesis is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// The text is too long or not UTF-8.
    #[error("the genesis is too long or not text")]
    Text,
    /// A line is missing, or is not as the format wants it.
    #[error("line {line} of the genesis is not \"{expected}\"")]
    Line {
        /// Line, from 1.
        line: usize,
        /// What the format wants there.
        expected: &'static str,
    },
    /// Something follows the last line.
    #[error("something follows the last line of the genesis")]
    Trailing,
    /// The origin is empty, too long, or holds other than printable ASCII without space and plus.
    #[error("the origin is not 1 to {ORIGIN_BYTES_MAX} bytes of printable ASCII without space and plus")]
    Origin,
    /// The number of partitions is out of range.
    #[error("{0} partitions are not between 1 and {PARTITIONS_MAX}")]
    Partitions(u16),
}

/// What the log's times mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Times are of the real world.
    Real,
    /// Times are simulated.
    Simulated,
}

/// The first bytes of a log. Bound by every seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    log_id: [u8; 16],
    origin: String,
    created_ns: u64,
    clock: Clock,
    partitions: u16,
    key: [u8; 32],
    next: Option<Hash>,
}

impl Genesis {
    /// A log of one partition on the real clock, without a successor key.
    pub fn new(log_id: [u8; 16], origin: &str, created_ns: u64, key: [u8; 32]) -> Result<Self, GenesisError> {
        if !is_origin(origin) {
            return Err(GenesisError::Origin);
        }
        let origin = origin.to_owned();
        Ok(Self { log_id, origin, created_ns, clock: Clock::Real, partitions: 1, key, next: None })
    }

    /// The same log with this clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same log with this many partitions.
    pub fn with_partitions(self, partitions: u16) -> Result<Self, GenesisError> {
        if !(1..=PARTITIONS_MAX).contains(&partitions) {
            return Err(GenesisError::Partitions(partitions));
        }
        Ok(Self { partitions, ..self })
    }

    /// The same log with the SHA-256 of the next signer's public key.
    #[must_use]
    pub fn with_next(self, next: Hash) -> Self {
        Self { next: Some(next), ..self }
    }

    /// Reads a genesis text, which must be exactly what `to_string` gives.
    pub fn parse(text: &[u8]) -> Result<Self, GenesisError> {
        if text.len() > GENESIS_BYTES_MAX {
            return Err(GenesisError::Text);
        }
        let mut lines = Lines { rest: std::str::from_utf8(text).map_err(|_| GenesisError::Text)?, line: 0 };
        lines.value("actum-genesis ", "actum-genesis 1", |text| (text == "1").then_some(()))?;
        let genesis = Self {
            log_id: lines.value("log ", "log <32 hex digits>", strict::hex)?,
            origin: lines.value("origin ", "origin <origin>", |text| is_origin(text).then(|| text.to_owned()))?,
            created_ns: lines.value("created ", "created <nanoseconds>", strict::decimal)?,
            clock: lines.value("clock ", "clock real, or clock simulated", |text| match text {
                "real" => Some(Clock::Real),
                "simulated" => Some(Clock::Simulated),
                _ => None,
            })?,
            partitions: lines.value("partitions ", "partitions <1 to 1024>", |text| {
                let count = u16::try_from(strict::decimal(text)?).ok()?;
                (1..=PARTITIONS_MAX).contains(&count).then_some(count)
            })?,
            key: lines.value("key ", "key <64 hex digits>", strict::hex)?,
            next: lines.value("next ", "next <64 hex digits>, or next none", |text| match text {
                "none" => Some(None),
                _ => strict::hex(text).map(Some),
            })?,
        };
        if lines.rest.is_empty() { Ok(genesis) } else { Err(GenesisError::Trailing) }
    }

    /// Names the log among all logs.
    pub fn log_id(&self) -> [u8; 16] {
        self.log_id
    }

    /// Who keeps the log; the seals' key names begin with it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// When it was created, nanoseconds since 1970.
    pub fn created_ns(&self) -> u64 {
        self.created_ns
    }

    /// What its times mean.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Number of partitions.
    pub fn partitions(&self) -> u16 {
        self.partitions
    }

    /// Public key of the first signer.
    pub fn key(&self) -> [u8; 32] {
        self.key
    }

    /// SHA-256 of the next signer's public key.
    pub fn next(&self) -> Option<Hash> {
        self.next
    }

    /// The hash that the first block of each partition binds.
    pub fn hash(&self) -> Hash {
        genesis_hash(self.to_string().as_bytes())
    }

    /// The first signer's key for a partition's seals.
    pub fn verifier_key(&self, partition: u16) -> VerifierKey {
        VerifierKey::new(&self.origin, partition, self.key)
    }
}

impl fmt::Display for Genesis {
    /// The genesis text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = match self.clock {
            Clock::Real => "real",
            Clock::Simulated => "simulated",
        };
        writeln!(f, "actum-genesis 1")?;
        writeln!(f, "log {}", strict::to_hex(&self.log_id))?;
        writeln!(f, "origin {}", self.origin)?;
        writeln!(f, "created {}", self.created_ns)?;
        writeln!(f, "clock {clock}")?;
        writeln!(f, "partitions {}", self.partitions)?;
        writeln!(f, "key {}", strict::to_hex(&self.key))?;
        match &self.next {
            Some(next) => writeln!(f, "next {}", strict::to_hex(next)),
            None => writeln!(f, "next none"),
        }
    }
}

struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    fn value<T>(
        &mut self,
        word: &str,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, GenesisError> {
        self.line += 1;
        let refused = GenesisError::Line { line: self.line, expected };
        let (line, rest) = self.rest.split_once('\n').ok_or(refused)?;
        self.rest = rest;
        line.strip_prefix(word).and_then(read).ok_or(refused)
    }
}

/// Whether a text may be an origin.
pub(crate) fn is_origin(text: &str) -> bool {
    (1..=ORIGIN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genesis() -> Result<Genesis, GenesisError> {
        Ok(Genesis::new([0xab; 16], "example.org/orders", 1_700_000_000_000_000_000, [7; 32])?
            .with_clock(Clock::Simulated)
            .with_partitions(3)?
            .with_next([9; 32]))
    }

    #[test]
    fn reads_back() -> Result<(), GenesisError> {
        let genesis = genesis()?;
        assert_eq!(Genesis::parse(genesis.to_string().as_bytes())?, genesis);
        Ok(())
    }

    #[test]
    fn every_line_is_read_strictly() -> Result<(), GenesisError> {
        let text = genesis()?.to_string();
        for (from, to) in [
            ("actum-genesis 1", "actum-genesis 2"),
            ("abab", "ABAB"),
            ("origin ", "origin  "),
            ("orders", "or+ers"),
            ("created 1", "created 01"),
            ("simulated", "Simulated"),
            ("partitions 3", "partitions 1025"),
            ("partitions 3", "partitions 0"),
            ("key 07", "key 7"),
            ("next 09", "next None\n"),
            ("\nnext", "\n\nnext"),
            ("1\n", "1\r\n"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(Genesis::parse(changed.as_bytes()).is_err(), "{from:?} -> {to:?}");
        }
        assert_eq!(Genesis::parse(format!("{text}\n").as_bytes()), Err(GenesisError::Trailing));
        assert!(Genesis::parse(text.trim_end().as_bytes()).is_err());
        assert_eq!(Genesis::new([0; 16], &"x".repeat(201), 0, [0; 32]), Err(GenesisError::Origin));
        Ok(())
    }
}
