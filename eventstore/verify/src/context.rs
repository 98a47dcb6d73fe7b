//! What is known before the first block: the genesis, the key and what the verdict will rest on.

use ed25519_dalek::VerifyingKey;

use crate::anchor::{Anchor, Trust, key_id};
use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::genesis::{Genesis, parse_genesis};
use crate::hash::{Hash, KEYS, keyed};

/// The ground on which blocks are judged. Immutable, so that any number of threads can share it.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) genesis: Genesis,
    pub(crate) genesis_hash: Hash,
    pub(crate) anchor: Anchor,
    pub(crate) key: VerifyingKey,
    pub(crate) signers: Vec<Signer>,
}

/// Who seals a partition.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    /// `<origin>/<partition>`.
    pub(crate) name: String,
    pub(crate) id: [u8; 4],
}

impl Context {
    /// Reads a genesis text and holds it against what the reviewer trusts.
    ///
    /// # Errors
    /// The text is not a genesis, or its key or origin is not the pinned one.
    pub fn new(genesis_text: &[u8], trust: &Trust) -> Result<Self, Fault> {
        let fault = |defect| Place::of(Part::Genesis).fault(defect);
        let genesis = parse_genesis(genesis_text).map_err(|rule| fault(Defect::Layout(rule)))?;
        let key = VerifyingKey::from_bytes(&genesis.key)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or_else(|| fault(Defect::Layout("`key` is not an Ed25519 public key of full order")))?;
        let anchor = match trust {
            Trust::SelfSigned => Anchor::SelfSigned,
            Trust::Pinned { key, .. } if *key != genesis.key => return Err(fault(Defect::PinnedKey)),
            Trust::Pinned { origin: Some(origin), .. } if *origin != genesis.origin => {
                return Err(fault(Defect::PinnedOrigin));
            }
            Trust::Pinned { .. } => Anchor::Pinned,
        };
        let signer = |partition: u16| {
            let name = format!("{}/{partition}", genesis.origin);
            Signer { id: key_id(&name, &genesis.key), name }
        };
        let signers = (0..genesis.partitions).map(signer).collect();
        Ok(Context { genesis_hash: keyed(&KEYS.genesis, genesis_text), genesis, anchor, key, signers })
    }

    /// What the genesis says.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What the verdict will rest on.
    pub fn anchor(&self) -> Anchor {
        self.anchor
    }
}
