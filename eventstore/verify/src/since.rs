//! A seal that a reviewer kept.

use crate::defect::Defect;
use crate::hash::Hash;
use crate::keys::Signers;
use crate::seal::Note;

/// A seal that a reviewer kept. Its form was checked; whether the log's key signed it, the log decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) seal: Vec<u8>,
    /// `<origin>/<partition>`.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) number: u64,
    pub(crate) hash: Hash,
}

/// Why bytes are not a seal that can be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SinceError {
    /// The bytes are not a seal of format 1.
    #[error("that is not a seal: {0}")]
    Form(&'static str),
    /// Two seals of one partition; the newer one is enough.
    #[error("there are two seals of one partition; the newer one is enough")]
    Twice,
}

impl Since {
    pub(crate) fn parse(seal: &[u8]) -> Result<Self, SinceError> {
        let note = Note::parse(seal).map_err(|defect| match defect {
            Defect::Layout(rule) => SinceError::Form(rule),
            _ => SinceError::Form("it ends too early"),
        })?;
        let said = note.said;
        if said.size == 0 {
            return Err(SinceError::Form("a seal is over at least one event"));
        }
        Ok(Since {
            seal: seal.to_vec(),
            name: said.name.to_owned(),
            size: said.size,
            root: said.root,
            number: said.number,
            hash: said.hash,
        })
    }

    /// Checks that those signed it who had to sign the block.
    pub(crate) fn check_signatures(&self, signers: &Signers, name: &str) -> Result<(), Defect> {
        let note = Note::parse(&self.seal)?;
        signers.check(&note, name, None).map_err(|_| Defect::Since("signature"))
    }

    /// Which line of it, if any, differs from a block that has its number.
    pub(crate) fn difference(&self, size: u64, root: &Hash, number: u64, hash: &Hash) -> Option<&'static str> {
        if self.number != number {
            Some("block number")
        } else if self.size != size {
            Some("size")
        } else if self.root != *root {
            Some("root")
        } else if self.hash != *hash {
            Some("block hash")
        } else {
            None
        }
    }
}
