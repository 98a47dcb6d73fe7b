//! Gives a block's seal: a C2SP checkpoint as a signed note, and the keys that check it (FORMAT.md section 4).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::genesis::is_origin;
use crate::hash::Hash;
use crate::limits::{SEAL_READ_BYTES_MAX, SEAL_SIGNATURES_MAX};
use crate::signer::{SignError, Signer};
use crate::strict;

const ED25519: u8 = 1;
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Why a text is not a seal, or a seal is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The text is not a seal as the format wants it.
    #[error("the seal is malformed: {0}")]
    Malformed(&'static str),
    /// No signature line is by this key.
    #[error("the seal has no signature by key {}", strict::to_hex(.0))]
    Unsigned([u8; 4]),
    /// The signature line of this key does not fit.
    #[error("the seal's signature by key {} does not fit", strict::to_hex(.0))]
    Signature([u8; 4]),
}

/// Why a text is not a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a verifier key: {0}")]
pub struct VerifierKeyError(&'static str);

/// What a seal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealText {
    /// Origin of the log.
    pub origin: String,
    /// Partition.
    pub partition: u16,
    /// Tree size.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Block number.
    pub number: u64,
    /// Block hash `B`.
    pub hash: Hash,
}

impl SealText {
    /// The key name: origin and partition.
    pub fn name(&self) -> String {
        key_name(&self.origin, self.partition)
    }

    fn parse(text: &str) -> Result<Self, SealError> {
        let malformed = SealError::Malformed;
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        let [name, size, root, block] = lines[..] else {
            return Err(malformed("it has other than four lines"));
        };
        let (origin, partition) = name.rsplit_once('/').ok_or(malformed("its first line names no partition"))?;
        let (number, hash) = block
            .strip_prefix("actum-block ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(malformed("its fourth line names no block"))?;
        if !is_origin(origin) {
            return Err(malformed("its origin is not allowed"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            partition: strict::decimal(partition)
                .and_then(|partition| partition.try_into().ok())
                .ok_or(malformed("its partition is no number"))?,
            size: strict::decimal(size).ok_or(malformed("its size is no number"))?,
            root: strict::base64_hash(root).ok_or(malformed("its root is no hash"))?,
            number: strict::decimal(number).ok_or(malformed("its block number is no number"))?,
            hash: strict::base64_hash(hash).ok_or(malformed("its block hash is no hash"))?,
        })
    }
}

impl fmt::Display for SealText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (root, hash) = (strict::to_base64(&self.root), strict::to_base64(&self.hash));
        let Self { origin, partition, size, number, .. } = self;
        writeln!(f, "{origin}/{partition}\n{size}\n{root}\nactum-block {number} {hash}")
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealSignature {
    /// Key name.
    pub name: String,
    /// Key id.
    pub key_id: [u8; 4],
    /// What follows the key id: 64 bytes for Ed25519.
    pub signature: Vec<u8>,
}

/// A seal that was read. Believed only after `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// What it says.
    pub text: SealText,
    /// Its signature lines, at least one.
    pub signatures: Vec<SealSignature>,
}

impl Seal {
    /// Reads a seal. Checks no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let malformed = SealError::Malformed;
        if bytes.len() > SEAL_READ_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (text, signatures) = note.split_once("\n\n").ok_or(malformed("it has no signature"))?;
        let signatures = signatures.strip_suffix('\n').ok_or(malformed("it does not end with a newline"))?;
        let signatures: Vec<_> =
            signatures.split('\n').take(SEAL_SIGNATURES_MAX + 1).map(signature_line).collect::<Result<_, _>>()?;
        if signatures.len() > SEAL_SIGNATURES_MAX {
            return Err(malformed("it has too many signatures"));
        }
        let text = SealText::parse(text)?;
        if signatures[0].name != text.name() {
            return Err(malformed("its first signature is not in the log's name"));
        }
        Ok(Self { text, signatures })
    }

    /// Checks the signature of one key, strictly, on whichever line it is.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), SealError> {
        let key_id = key.key_id();
        let line = self.signatures.iter().position(|line| line.key_id == key_id && line.name == key.name);
        self.verify_line(line.ok_or(SealError::Unsigned(key_id))?, key)
    }

    /// Checks that the line with this index, from 0, is by this key, strictly.
    pub fn verify_line(&self, line: usize, key: &VerifierKey) -> Result<(), SealError> {
        let key_id = key.key_id();
        let line = self.signatures.get(line).filter(|line| line.key_id == key_id && line.name == key.name);
        let line = line.ok_or(SealError::Unsigned(key_id))?;
        let refused = SealError::Signature(key_id);
        let signature = Signature::from_slice(&line.signature).map_err(|_| refused)?;
        let public_key = VerifyingKey::from_bytes(&key.public_key).map_err(|_| refused)?;
        public_key.verify_strict(self.text.to_string().as_bytes(), &signature).map_err(|_| refused)
    }
}

fn signature_line(line: &str) -> Result<SealSignature, SealError> {
    let malformed = SealError::Malformed("a signature line is malformed");
    let (name, base64) = line.strip_prefix(SIGNATURE_PREFIX).and_then(|rest| rest.split_once(' ')).ok_or(malformed)?;
    let bytes = strict::base64(base64).ok_or(malformed)?;
    let (key_id, signature) = bytes.split_first_chunk().ok_or(malformed)?;
    if !is_key_name(name) || signature.is_empty() {
        return Err(malformed);
    }
    Ok(SealSignature { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
}

/// Signs a seal's text: the whole note, ready to be stored.
pub fn sign_seal(text: &SealText, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
    let (name, text) = (text.name(), text.to_string());
    let mut line = key_id(&name, &signer.public_key()).to_vec();
    line.extend_from_slice(&signer.sign(text.as_bytes())?);
    Ok(format!("{text}\n{SIGNATURE_PREFIX}{name} {}\n", strict::to_base64(&line)).into_bytes())
}

/// Signs a rotation's seal by each of these, in this order, and holds each signature against its key: a rotation by a keeper that
/// signs with another key than it names would end the log.
pub(crate) fn sign_rotation(text: &SealText, signers: [&dyn Signer; 2]) -> Result<Vec<u8>, SignError> {
    let mut note = sign_seal(text, signers[0])?;
    let second = sign_seal(text, signers[1])?;
    // After the text and the empty line.
    note.extend_from_slice(&second[text.to_string().len() + 1..]);
    check_own(text, &note, &signers)?;
    Ok(note)
}

/// As [`sign_rotation`], by the new key alone.
pub(crate) fn sign_replacement(text: &SealText, signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
    let note = sign_seal(text, signer)?;
    check_own(text, &note, &[signer])?;
    Ok(note)
}

fn check_own(text: &SealText, note: &[u8], signers: &[&dyn Signer]) -> Result<(), SignError> {
    let refused = |error: SealError| SignError::Refused(error.to_string());
    let seal = Seal::parse(note).map_err(refused)?;
    for (line, signer) in signers.iter().enumerate() {
        let key = VerifierKey { name: text.name(), public_key: signer.public_key() };
        seal.verify_line(line, &key).map_err(refused)?;
    }
    Ok(())
}

/// The key name of a partition's seals.
pub fn key_name(origin: &str, partition: u16) -> String {
    format!("{origin}/{partition}")
}

/// The signed-note key id of an Ed25519 key under a name.
pub fn key_id(name: &str, public_key: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(public_key).finalize();
    let mut id = [0; 4];
    id.copy_from_slice(&hash[..4]);
    id
}

/// The signed-note rule: not empty, no spaces, no plus; and, for one spelling per line, no control characters.
fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A public key and the name it signs under. Its text is the signed-note `vkey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    /// Key name.
    pub name: String,
    /// Ed25519 public key.
    pub public_key: [u8; 32],
}

impl VerifierKey {
    /// The key that seals a partition of a log.
    pub fn new(origin: &str, partition: u16, public_key: [u8; 32]) -> Self {
        Self { name: key_name(origin, partition), public_key }
    }

    /// The signed-note key id.
    pub fn key_id(&self) -> [u8; 4] {
        key_id(&self.name, &self.public_key)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(&self.public_key);
        write!(f, "{}+{}+{}", self.name, strict::to_hex(&self.key_id()), strict::to_base64(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        let malformed = VerifierKeyError("it is not <name>+<id>+<base64>");
        let (name, rest) = text.split_once('+').ok_or(malformed)?;
        // The base64 may itself contain a plus.
        let (id, key) = rest.split_once('+').ok_or(malformed)?;
        let id = strict::hex::<4>(id).ok_or(VerifierKeyError("its id is not 8 hex digits"))?;
        let key = strict::base64(key).ok_or(VerifierKeyError("its key is not base64"))?;
        let Some((&ED25519, public_key)) = key.split_first() else {
            return Err(VerifierKeyError("its algorithm is not Ed25519"));
        };
        let public_key = public_key.try_into().map_err(|_| VerifierKeyError("its key has not 32 bytes"))?;
        if !is_key_name(name) {
            return Err(VerifierKeyError("its name is not allowed"));
        }
        let key = Self { name: name.to_owned(), public_key };
        if key.key_id() != id {
            return Err(VerifierKeyError("its id does not fit its name and key"));
        }
        Ok(key)
    }
}
