//! Seals: a checkpoint's text as a signed note (FORMAT.md section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::defect::Defect;
use crate::genesis::decimal;
use crate::hash::Hash;
use crate::limits::{SEAL_BYTES_MAX, SEAL_SIGNATURES_MAX};

/// A seal whose form was checked; nothing that it says is believed yet.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    /// What is signed: the text with its last newline.
    pub(crate) text: &'a str,
    pub(crate) said: SealText<'a>,
    /// The log's own signature first; then that of a rotation's new key, and witnesses.
    pub(crate) lines: Vec<SignatureLine<'a>>,
}

/// One signature of a note.
#[derive(Debug)]
pub(crate) struct SignatureLine<'a> {
    pub(crate) name: &'a str,
    /// Key id, then what its algorithm says.
    pub(crate) bytes: Vec<u8>,
}

/// What the text of a seal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealText<'a> {
    pub(crate) name: &'a str,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) number: u64,
    pub(crate) hash: Hash,
}

impl<'a> Note<'a> {
    pub(crate) fn parse(seal: &'a [u8]) -> Result<Self, Defect> {
        if seal.len() > SEAL_BYTES_MAX {
            return Err(Defect::Layout("a seal has at most 64 KiB"));
        }
        let seal = std::str::from_utf8(seal).map_err(|_| Defect::Layout("a seal is UTF-8"))?;
        let (before, signatures) = seal.split_once("\n\n").ok_or(Defect::Layout("a seal has an empty line"))?;
        let said = SealText::parse(before)?;
        let signatures = signatures.strip_suffix('\n').ok_or(Defect::Layout("a seal ends with a newline"))?;
        let mut lines = Vec::new();
        for line in signatures.split('\n') {
            if lines.len() == SEAL_SIGNATURES_MAX {
                return Err(Defect::Layout("a seal has at most 100 signatures"));
            }
            let line = SignatureLine::parse(line)
                .ok_or(Defect::Layout("a signature line is `— NAME BASE64` of at least 5 bytes"))?;
            lines.push(line);
        }
        let note = Note { text: &seal[..=before.len()], said, lines };
        let twice = note.lines.split_first().is_some_and(|(own, others)| {
            others.iter().any(|line| line.name == own.name && line.bytes[..4] == own.bytes[..4])
        });
        if twice { Err(Defect::Layout("the log's key signs a seal once")) } else { Ok(note) }
    }

    /// Whether a line is in the name of a key; says nothing of its signature.
    pub(crate) fn names(&self, line: usize, name: &str, id: [u8; 4]) -> bool {
        self.lines.get(line).is_some_and(|line| line.name == name && line.bytes.starts_with(&id))
    }

    /// Whether a line is a valid signature by a key in its name.
    pub(crate) fn is_signed(&self, line: usize, name: &str, id: [u8; 4], key: &VerifyingKey) -> bool {
        let signature = self.lines.get(line).and_then(|line| Signature::from_slice(line.bytes.get(4..)?).ok());
        let valid = signature.is_some_and(|signature| key.verify_strict(self.text.as_bytes(), &signature).is_ok());
        valid && self.names(line, name, id)
    }
}

/// The part of a seal that the log's own key makes: text and first signature line. Witnesses add lines after it.
pub(crate) fn own_part(seal: &[u8]) -> &[u8] {
    let newlines = seal.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    // Four lines of text, the empty line, the signature.
    newlines.map(|(at, _)| &seal[..=at]).nth(5).unwrap_or(seal)
}

impl<'a> SealText<'a> {
    fn parse(text: &'a str) -> Result<Self, Defect> {
        let lines: Vec<&str> = text.splitn(5, '\n').collect();
        let &[name, size, root, block] = lines.as_slice() else {
            return Err(Defect::Layout("a seal's text has four lines"));
        };
        let (number, hash) = block
            .strip_prefix("actum-block ")
            .and_then(|fields| fields.split_once(' '))
            .ok_or(Defect::Layout("a seal's fourth line is `actum-block NUMBER HASH`"))?;
        let size = decimal(size).ok_or(Defect::Layout("a seal's size is a decimal"))?;
        let number = decimal(number).ok_or(Defect::Layout("a seal's block number is a decimal"))?;
        let root = decode_hash(root).ok_or(Defect::Layout("a seal's root is 32 bytes in base64"))?;
        let hash = decode_hash(hash).ok_or(Defect::Layout("a seal's block hash is 32 bytes in base64"))?;
        Ok(SealText { name, size, root, number, hash })
    }

    /// Checks that it says of a block what the block is.
    pub(crate) fn check(&self, block: &SealText<'_>) -> Result<(), Defect> {
        let line = if self.name != block.name {
            "origin"
        } else if self.number != block.number {
            "block number"
        } else if self.hash != block.hash {
            "block hash"
        } else if self.size != block.size {
            "size"
        } else if self.root != block.root {
            "root"
        } else {
            return Ok(());
        };
        Err(Defect::SealText(line))
    }
}

fn decode_hash(base64: &str) -> Option<Hash> {
    // 44 characters; the length is checked first, so that no more is decoded.
    if base64.len() == 44 { STANDARD.decode(base64).ok()?.try_into().ok() } else { None }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
        let bytes = STANDARD.decode(base64).ok()?;
        (is_name && bytes.len() >= 5).then_some(SignatureLine { name, bytes })
    }
}
