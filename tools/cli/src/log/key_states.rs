//! The keys of a log, as its own records tell.

use actum::KeyRing;
use actum_log::{REVOCATION_KIND, ROTATION_KIND, Revocation, Rotation};
use actum_replay::{Numbered, ReplayError};
use actum_verify::Genesis;

/// The keys of a log's first partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyStates {
    pub(crate) origin: String,
    /// The first one, then those that rotations brought; the last is in force.
    pub(crate) keys: Vec<KeyState>,
    /// SHA-256 of the public key that can follow.
    pub(crate) next: Option<[u8; 32]>,
}

/// A key that is or was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyState {
    pub(crate) key: [u8; 32],
    /// The event that brought it; 0 for the first.
    pub(crate) from_seq: u64,
    /// Why it was revoked, if it was.
    pub(crate) revoked: Option<String>,
}

impl KeyStates {
    /// Reads them from verified records.
    pub(crate) fn read(genesis: &Genesis, records: impl Iterator<Item = Numbered>) -> Result<Self, ReplayError> {
        let first = KeyState { key: genesis.key, from_seq: 0, revoked: None };
        let mut states = KeyStates { origin: genesis.origin.clone(), keys: vec![first], next: genesis.next };
        for record in records {
            let (partition, record) = record?;
            if partition != 0 {
                continue;
            }
            match record.header().kind {
                ROTATION_KIND => {
                    // Verified, so it decodes.
                    if let Ok(rotation) = Rotation::from_record(&record.view()) {
                        let from_seq = record.header().seq;
                        states.keys.push(KeyState { key: rotation.new, from_seq, revoked: None });
                        states.next = rotation.next;
                    }
                }
                REVOCATION_KIND => {
                    if let Ok(revocation) = Revocation::from_record(&record.view())
                        && let Some(state) = states.keys.iter_mut().find(|state| state.key == revocation.key)
                    {
                        state.revoked = Some(revocation.reason.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(states)
    }

    pub(crate) fn first_key(&self) -> [u8; 32] {
        self.keys.first().map_or([0; 32], |state| state.key)
    }

    pub(crate) fn in_force(&self) -> [u8; 32] {
        self.keys.last().map_or([0; 32], |state| state.key)
    }

    pub(crate) fn revoked(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        self.keys.iter().filter(|state| state.revoked.is_some()).map(|state| state.key)
    }

    /// The same for key files.
    pub(crate) fn ring(&self) -> KeyRing {
        let (in_force, past) = match self.keys.split_last() {
            Some((last, past)) => (last.key, past.iter().map(|state| state.key).collect()),
            None => ([0; 32], Vec::new()),
        };
        KeyRing { in_force, next: self.next, past }
    }
}
