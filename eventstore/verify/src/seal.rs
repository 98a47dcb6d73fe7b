//! Seals: a checkpoint's text as a signed note (FORMAT.md section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::context::{Context, Signer};
use crate::defect::Defect;
use crate::genesis::decimal;
use crate::hash::Hash;
use crate::limits::{SEAL_BYTES_MAX, SEAL_SIGNATURES_MAX};

/// What a seal has to say.
pub(crate) struct Sealed<'a> {
    pub(crate) signer: &'a Signer,
    pub(crate) key: &'a VerifyingKey,
    pub(crate) size: u64,
    pub(crate) root: &'a Hash,
    pub(crate) number: u64,
    pub(crate) hash: &'a Hash,
}

/// What the text of a seal says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealText<'a> {
    name: &'a str,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) number: u64,
    pub(crate) hash: Hash,
}

/// Reads a seal that stands by itself and checks its signature by the key in force; gives the partition that it seals and what it says.
pub(crate) fn open_seal<'a>(seal: &'a str, context: &Context) -> Result<(u16, SealText<'a>), Defect> {
    if seal.len() > SEAL_BYTES_MAX {
        return Err(Defect::Layout("a seal has at most 64 KiB"));
    }
    let (before, signatures) = split(seal)?;
    let text = SealText::parse(before)?;
    let named = (0_u16..).zip(&context.signers).find(|(_, signer)| signer.name == text.name);
    let (partition, signer) = named.ok_or(Defect::SealText("origin"))?;
    if text.size == 0 {
        return Err(Defect::Layout("a seal is over at least one event"));
    }
    check_signatures(&seal[..=before.len()], signatures, signer, &context.key)?;
    Ok((partition, text))
}

fn split(seal: &str) -> Result<(&str, &str), Defect> {
    seal.split_once("\n\n").ok_or(Defect::Layout("a seal has an empty line"))
}

/// Checks a seal's form, its text against the block, and its signature by the key in force.
pub(crate) fn check_seal(seal: &[u8], sealed: &Sealed<'_>) -> Result<(), Defect> {
    let seal = std::str::from_utf8(seal).map_err(|_| Defect::Layout("a seal is UTF-8"))?;
    let (before, signatures) = split(seal)?;
    let text = &seal[..=before.len()];
    check_text(before, sealed)?;
    check_signatures(text, signatures, sealed.signer, sealed.key)
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
        let &[origin, size, root, block] = lines.as_slice() else {
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
        Ok(SealText { name: origin, size, root, number, hash })
    }
}

fn check_text(text: &str, sealed: &Sealed<'_>) -> Result<(), Defect> {
    let text = SealText::parse(text)?;
    let line = if text.name != sealed.signer.name {
        "origin"
    } else if text.number != sealed.number {
        "block number"
    } else if text.hash != *sealed.hash {
        "block hash"
    } else if text.size != sealed.size {
        "size"
    } else if text.root != *sealed.root {
        "root"
    } else {
        return Ok(());
    };
    Err(Defect::SealText(line))
}

fn decode_hash(base64: &str) -> Option<Hash> {
    // 44 characters; the length is checked first, so that no more is decoded.
    if base64.len() == 44 { STANDARD.decode(base64).ok()?.try_into().ok() } else { None }
}

/// The first line is by the log's key; those after it are by others and only have to be well formed.
fn check_signatures(text: &str, lines: &str, signer: &Signer, key: &VerifyingKey) -> Result<(), Defect> {
    let lines = lines.strip_suffix('\n').ok_or(Defect::Layout("a seal ends with a newline"))?;
    for (index, line) in lines.split('\n').enumerate() {
        if index == SEAL_SIGNATURES_MAX {
            return Err(Defect::Layout("a seal has at most 100 signatures"));
        }
        let (name, bytes) =
            signature_line(line).ok_or(Defect::Layout("a signature line is `— NAME BASE64` of at least 5 bytes"))?;
        let own = bytes.strip_prefix(&signer.id).filter(|_| name == signer.name);
        match own {
            Some(signature) if index == 0 => check_signature(text, signature, key)?,
            Some(_) => return Err(Defect::Layout("the log's key signs a seal once")),
            None if index == 0 => return Err(Defect::Signature),
            None => {}
        }
    }
    Ok(())
}

fn signature_line(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
    let bytes = STANDARD.decode(base64).ok()?;
    (is_name && bytes.len() >= 5).then_some((name, bytes))
}

fn check_signature(text: &str, signature: &[u8], key: &VerifyingKey) -> Result<(), Defect> {
    let signature = Signature::from_slice(signature).map_err(|_| Defect::Signature)?;
    key.verify_strict(text.as_bytes(), &signature).map_err(|_| Defect::Signature)
}
