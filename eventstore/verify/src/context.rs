//! What is known before the first block: the genesis, the key and what the verdict will rest on.

use ed25519_dalek::VerifyingKey;

use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::genesis::{Genesis, parse_genesis};
use crate::hash::{Hash, KEYS, keyed};
use crate::keys::{Keys, Signers};
use crate::trust::{Trust, key_id};

/// The ground on which blocks are judged. Immutable, so that any number of threads can share it.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) genesis: Genesis,
    pub(crate) genesis_hash: Hash,
    pub(crate) trust: Trust,
    pub(crate) key: VerifyingKey,
    pub(crate) signers: Vec<Signer>,
    /// Where each partition begins that does not begin at its first block.
    pub(crate) starts: Vec<Option<Start>>,
}

/// Where a partition begins in a tail, as the seal that was kept says and the tail's own proof shows.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) blocks: u64,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// Of the block before it.
    pub(crate) hash: Hash,
    pub(crate) keys: Keys,
    /// Who signed that block, and its seal.
    pub(crate) signers: Signers,
    pub(crate) seal: Vec<u8>,
}

/// Who seals a partition first.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    /// `<origin>/<partition>`.
    pub(crate) name: String,
    /// Of the genesis key in this name.
    pub(crate) id: [u8; 4],
}

impl Context {
    /// Reads a genesis text and holds it against what the reviewer trusts.
    ///
    /// # Errors
    /// The text is not a genesis, its key or origin is not the pinned one, or a seal that was kept is of another log.
    pub fn new(genesis_text: &[u8], trust: &Trust) -> Result<Self, Fault> {
        let fault = |defect| Place::of(Part::Genesis).fault(defect);
        let genesis = parse_genesis(genesis_text).map_err(|rule| fault(Defect::Layout(rule)))?;
        let key = VerifyingKey::from_bytes(&genesis.key)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or_else(|| fault(Defect::Layout("`key` is not an Ed25519 public key of full order")))?;
        if let Some(pin) = &trust.pin {
            if pin.key != genesis.key {
                return Err(fault(Defect::PinnedKey));
            }
            if pin.origin.as_ref().is_some_and(|origin| *origin != genesis.origin) {
                return Err(fault(Defect::PinnedOrigin));
            }
        }
        let signer = |partition: u16| {
            let name = format!("{}/{partition}", genesis.origin);
            Signer { id: key_id(&name, &genesis.key), name }
        };
        let signers: Vec<Signer> = (0..genesis.partitions).map(signer).collect();
        if trust.since.iter().any(|since| signers.iter().all(|signer| signer.name != since.name)) {
            return Err(Place::of(Part::Since).fault(Defect::Since("origin")));
        }
        Ok(Context {
            genesis_hash: keyed(&KEYS.genesis, genesis_text),
            trust: trust.clone(),
            key,
            starts: vec![None; signers.len()],
            signers,
            genesis,
        })
    }

    /// What the genesis says.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Whether the log's key is one that the reviewer held.
    pub fn is_pinned(&self) -> bool {
        self.trust.pin.is_some()
    }

    /// The partition that a key name names, and its signer.
    pub(crate) fn signer_named(&self, name: &str) -> Option<(u16, &Signer)> {
        (0..).zip(&self.signers).find(|(_, signer)| signer.name == name)
    }
}
