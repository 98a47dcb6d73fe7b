//! Takes a proof file apart (FORMAT.md section 10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::defect::Defect;
use crate::genesis::decimal;
use crate::hash::Hash;
use crate::limits::PROOF_BYTES_MAX;

const INCLUSION: &str = "c2sp.org/tlog-proof@v1";
const CONSISTENCY: &str = "actum-consistency-proof 1";
/// No path or consistency proof of a tree of less than 2^64 leaves is longer.
const HASHES_MAX: usize = 128;

/// The parts of a proof file.
pub(super) struct Text<'a> {
    pub(super) body: Vec<u8>,
    pub(super) hashes: Vec<Hash>,
    /// The newer seal, where there are two.
    pub(super) seal: &'a str,
    pub(super) form: Form<'a>,
}

/// Which of the two forms a file has.
pub(super) enum Form<'a> {
    /// A C2SP `tlog-proof` of this leaf.
    Inclusion { index: u64 },
    /// A proof that the seal continues this one.
    Consistency { old_seal: &'a str },
}

pub(super) fn read_text(bytes: &[u8]) -> Result<Text<'_>, Defect> {
    if bytes.len() > PROOF_BYTES_MAX {
        return Err(Defect::Layout("a proof has at most 256 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Defect::Layout("a proof is UTF-8"))?;
    let (kind, rest) = line(text)?;
    if ![INCLUSION, CONSISTENCY].contains(&kind) {
        return Err(Defect::Layout("a proof begins with `c2sp.org/tlog-proof@v1` or `actum-consistency-proof 1`"));
    }
    let (extra, rest) = line(rest)?;
    let extra = extra.strip_prefix("extra ").ok_or(Defect::Layout("a proof's second line is `extra BASE64`"))?;
    let body = STANDARD.decode(extra).map_err(|_| Defect::Layout("a proof body is base64"))?;
    if kind == CONSISTENCY {
        let (hashes, seals) = read_hashes(rest)?;
        let (old_seal, seal) = split_seals(seals).ok_or(Defect::Layout("a consistency proof has two seals"))?;
        return Ok(Text { body, hashes, seal, form: Form::Consistency { old_seal } });
    }
    let (index, rest) = line(rest)?;
    let index = index.strip_prefix("index ").and_then(decimal);
    let index = index.ok_or(Defect::Layout("a proof's third line is `index DECIMAL`"))?;
    let (hashes, seal) = read_hashes(rest)?;
    Ok(Text { body, hashes, seal, form: Form::Inclusion { index } })
}

fn line(text: &str) -> Result<(&str, &str), Defect> {
    text.split_once('\n').ok_or(Defect::Truncated)
}

/// Hashes up to the empty line, and what comes after it.
fn read_hashes(mut text: &str) -> Result<(Vec<Hash>, &str), Defect> {
    let mut hashes = Vec::new();
    loop {
        let (hash, rest) = line(text)?;
        text = rest;
        if hash.is_empty() {
            return Ok((hashes, text));
        }
        let bytes = if hash.len() == 44 { STANDARD.decode(hash).ok() } else { None };
        let hash = bytes.and_then(|bytes| bytes.try_into().ok());
        hashes.push(hash.ok_or(Defect::Layout("a proof's hashes are 32 bytes in base64"))?);
        if hashes.len() > HASHES_MAX {
            return Err(Defect::Layout("a proof has at most 128 hashes"));
        }
    }
}

/// Each seal has one empty line in it; one stands between them.
fn split_seals(seals: &str) -> Option<(&str, &str)> {
    let text = seals.find("\n\n")? + 2;
    let end = text + seals[text..].find("\n\n")? + 1;
    Some((&seals[..end], &seals[end + 1..]))
}
