//! Nets by small numbers: rows name one in four bytes instead of thirty-two.

use std::sync::{PoisonError, RwLock};

use actum_model::NetHash;
use rustc_hash::FxHashMap;

/// Numbers for nets, in the order in which they were first seen: never part of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Nets(RwLock<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    by_hash: FxHashMap<NetHash, u32>,
    hashes: Vec<NetHash>,
}

impl Nets {
    /// The number of a net; a new one if it has none.
    pub(crate) fn number(&self, net: NetHash) -> u32 {
        if let Some(number) = self.known(net) {
            return number;
        }
        let mut numbers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.hashes.len() as u32;
        let number = *numbers.by_hash.entry(net).or_insert(next);
        if number == next {
            numbers.hashes.push(net);
        }
        number
    }

    /// The number of a net that has one.
    pub(crate) fn known(&self, net: NetHash) -> Option<u32> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_hash.get(&net).copied()
    }

    /// The net of a number that was given out.
    pub(crate) fn hash(&self, number: u32) -> NetHash {
        self.0.read().unwrap_or_else(PoisonError::into_inner).hashes.get(number as usize).copied().unwrap_or_default()
    }

    /// All, by number.
    pub(crate) fn all(&self) -> Vec<NetHash> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).hashes.clone()
    }
}
