//! What a verdict rests on.

use std::fmt;

/// One fact that a verdict rests on. A verdict has the first or the second, and perhaps several of the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Anchor {
    /// The log itself: its key came from its own genesis.
    SelfSigned,
    /// A key that the reviewer held.
    Pinned,
    /// A seal that the reviewer kept: the log says what it said then, and continues it.
    Since {
        /// Partition of the seal.
        partition: u16,
        /// Events that it covers.
        size: u64,
        /// Whether these events were read and hashed again, or are taken on the seal's word.
        prefix_read: bool,
    },
    /// A witness of the trust file signed the newest seal, or the one that was kept.
    Witnessed {
        /// Partition of the seal.
        partition: u16,
        /// Events that it covers.
        size: u64,
        /// Name of the witness.
        witness: String,
        /// When it signed, in seconds since 1970, on its own word.
        time: u64,
    },
}

impl Anchor {
    /// The word for it, stable for scripts.
    pub fn as_str(&self) -> &'static str {
        match self {
            Anchor::SelfSigned => "self",
            Anchor::Pinned => "pinned",
            Anchor::Since { .. } => "since",
            Anchor::Witnessed { .. } => "witnessed",
        }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Anchor::SelfSigned => f.write_str("the log's own word (self: the key came from the log)"),
            Anchor::Pinned => f.write_str("the key you gave (pinned)"),
            Anchor::Since { partition, size, prefix_read } => {
                let read = if *prefix_read { "which were read again" } else { "which were not read" };
                write!(f, "the seal you kept of {size} events in partition {partition}, {read} (since)")
            }
            Anchor::Witnessed { partition, size, witness, time } => {
                write!(f, "{witness}, who signed {size} events in partition {partition} at {time} s (witnessed)")
            }
        }
    }
}

/// All that a verdict rests on, the key first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchors(Vec<Anchor>);

impl Anchors {
    pub(crate) fn new(pinned: bool) -> Self {
        Anchors(vec![if pinned { Anchor::Pinned } else { Anchor::SelfSigned }])
    }

    pub(crate) fn add(&mut self, anchor: Anchor) {
        self.0.push(anchor);
    }

    /// The facts, the key first, then by partition.
    pub fn iter(&self) -> std::slice::Iter<'_, Anchor> {
        self.0.iter()
    }

    /// Whether the reviewer held the key.
    pub fn is_pinned(&self) -> bool {
        self.0.contains(&Anchor::Pinned)
    }

    /// Whether a witness signed for a partition.
    pub fn is_witnessed(&self, partition: u16) -> bool {
        self.0.iter().any(|anchor| matches!(anchor, Anchor::Witnessed { partition: of, .. } if *of == partition))
    }

    /// Whether a seal of a partition was kept, and the log continues it.
    pub fn is_since(&self, partition: u16) -> bool {
        self.0.iter().any(|anchor| matches!(anchor, Anchor::Since { partition: of, .. } if *of == partition))
    }

    /// Holds these facts against a requirement for the partitions that were verified.
    pub(crate) fn check(
        &self,
        requirement: Requirement,
        partitions: impl Iterator<Item = u16>,
    ) -> Result<(), UnmetRequirement> {
        match requirement {
            Requirement::Pinned if self.is_pinned() => Ok(()),
            Requirement::Pinned => Err(UnmetRequirement::NotPinned),
            Requirement::Witnessed if !self.is_pinned() => Err(UnmetRequirement::NoWitnesses),
            Requirement::Witnessed => {
                let mut partitions = partitions;
                match partitions.find(|partition| !self.is_witnessed(*partition)) {
                    Some(partition) => Err(UnmetRequirement::NotWitnessed { partition }),
                    None => Ok(()),
                }
            }
        }
    }
}

impl<'a> IntoIterator for &'a Anchors {
    type Item = &'a Anchor;
    type IntoIter = std::slice::Iter<'a, Anchor>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, anchor) in self.0.iter().enumerate() {
            let join = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{join}{anchor}")?;
        }
        Ok(())
    }
}

/// What a verdict has to rest on at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Requirement {
    /// A key that the reviewer held. A seal that was kept does not replace it.
    Pinned,
    /// A witness of the trust file, for every partition that has events.
    Witnessed,
}

/// How a verdict falls short of a [`Requirement`]. Its `Display` says what is missing, and what would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnmetRequirement {
    /// The key came from the log itself.
    #[error("not pinned: the key came from the log itself; give the key or the trust file that you hold")]
    NotPinned,
    /// Nothing named the witnesses.
    #[error("not witnessed: no trust file names the witnesses to look for")]
    NoWitnesses,
    /// No witness signed for a partition.
    #[error(
        "not witnessed: no witness of the trust file signed the newest seal of partition {partition}, or the one that was kept"
    )]
    NotWitnessed {
        /// The partition.
        partition: u16,
    },
}
