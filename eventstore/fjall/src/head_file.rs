//! The head file of a partition: two slots, written in turn (FORMAT.md section 8).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use actum_log::limits::SEAL_BYTES_MAX;
use actum_log::{Head, head_checksum};

use crate::dir::{head_name, write_synced};
use crate::error::OpenError;

const MAGIC: &[u8; 8] = b"ACTUMHD1";
const SLOT_BYTES: usize = 4096;
const FILE_BYTES: usize = 2 * SLOT_BYTES;
const CHECKSUM_AT: usize = 4080;
const SEAL_AT: usize = 72;
/// How often a head file is read again when a writer is just writing it. One read takes microseconds, a write milliseconds.
const READ_ATTEMPTS: usize = 200;

/// A decoded slot. `seal` is empty before the first block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) generation: u64,
    pub(crate) number: u64,
    pub(crate) size: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) seal: Vec<u8>,
}

impl Slot {
    /// The acknowledged head; `None` before the first block.
    pub(crate) fn head(&self) -> Option<Head> {
        (!self.seal.is_empty()).then(|| Head {
            number: self.number,
            size: self.size,
            hash: self.hash,
            seal: self.seal.clone(),
        })
    }

    fn encode(&self, partition: u16) -> Vec<u8> {
        let mut bytes = vec![0; SLOT_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.generation.to_le_bytes());
        bytes[16..18].copy_from_slice(&partition.to_le_bytes());
        bytes[20..24].copy_from_slice(&(self.seal.len() as u32).to_le_bytes());
        bytes[24..32].copy_from_slice(&self.number.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.size.to_le_bytes());
        bytes[40..72].copy_from_slice(&self.hash);
        bytes[SEAL_AT..SEAL_AT + self.seal.len()].copy_from_slice(&self.seal);
        let checksum = head_checksum(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum);
        bytes
    }

    /// `None` when the slot is torn, or not what FORMAT.md allows at this place.
    fn decode(bytes: &[u8], index: u64, partition: u16) -> Option<Self> {
        let word = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let half = |at: usize| bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
        if bytes.len() != SLOT_BYTES || head_checksum(&bytes[..CHECKSUM_AT]) != bytes[CHECKSUM_AT..] {
            return None;
        }
        let generation = word(8)?;
        let seal_bytes = u32::from_le_bytes(bytes.get(20..24)?.try_into().ok()?) as usize;
        let layout = bytes.starts_with(MAGIC)
            && generation % 2 == index
            && half(16)? == partition
            && half(18)? == 0
            && seal_bytes <= SEAL_BYTES_MAX;
        if !layout || bytes[SEAL_AT + seal_bytes..CHECKSUM_AT].iter().any(|&byte| byte != 0) {
            return None;
        }
        let slot = Self {
            generation,
            number: word(24)?,
            size: word(32)?,
            hash: bytes.get(40..72)?.try_into().ok()?,
            seal: bytes[SEAL_AT..SEAL_AT + seal_bytes].to_vec(),
        };
        let empty = slot.number == 0 && slot.size == 0;
        (slot.seal.is_empty() == (slot.size == 0) && (!slot.seal.is_empty() || empty)).then_some(slot)
    }
}

/// Writes a new head file with no block in either slot, and syncs it.
pub(crate) fn create(dir: &Path, partition: u16, genesis_hash: [u8; 32]) -> io::Result<()> {
    let slot = |generation| Slot { generation, number: 0, size: 0, hash: genesis_hash, seal: Vec::new() };
    let mut bytes = slot(0).encode(partition);
    bytes.extend(slot(1).encode(partition));
    write_synced(&dir.join(head_name(partition)), &bytes)
}

/// A consistent reading of a head file: the bytes, and the slot that counts.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) bytes: Vec<u8>,
    pub(crate) slot: Slot,
    /// The other slot was torn by a crash while it was written.
    pub(crate) torn: bool,
}

/// Reads a head file, also while a writer is writing it.
pub(crate) fn read(dir: &Path, partition: u16) -> Result<Reading, OpenError> {
    let path = dir.join(head_name(partition));
    let mut last: Option<Vec<u8>> = None;
    let mut attempts = 0;
    loop {
        let bytes = fs::read(&path).map_err(|source| OpenError::stored_io(&path, source))?;
        attempts += 1;
        // Both slots are whole: no writer was in between. Otherwise only what is read twice the same is believed.
        let (whole, reading) = interpret(&bytes, partition);
        if whole || last.as_ref() == Some(&bytes) || attempts == READ_ATTEMPTS {
            return reading.ok_or_else(|| OpenError::corrupt_at(&path, "no slot of the head file is readable"));
        }
        last = Some(bytes);
        std::thread::yield_now();
    }
}

/// Whether both slots are whole and follow each other; and the reading, if there is one.
fn interpret(bytes: &[u8], partition: u16) -> (bool, Option<Reading>) {
    if bytes.len() != FILE_BYTES {
        return (false, None);
    }
    let (first, second) = bytes.split_at(SLOT_BYTES);
    let (slot, torn) = match (Slot::decode(first, 0, partition), Slot::decode(second, 1, partition)) {
        (Some(even), Some(odd)) => {
            let (old, new) = if even.generation < odd.generation { (even, odd) } else { (odd, even) };
            let follows = old.generation + 1 == new.generation && old.size <= new.size && old.number <= new.number;
            if !follows {
                return (false, None);
            }
            (new, false)
        }
        (Some(slot), None) | (None, Some(slot)) => (slot, true),
        (None, None) => return (false, None),
    };
    (!torn, Some(Reading { bytes: bytes.to_vec(), slot, torn }))
}

/// A head file that is written to.
#[derive(Debug)]
pub(crate) struct HeadFile {
    file: File,
    partition: u16,
    generation: u64,
}

impl HeadFile {
    pub(crate) fn open(dir: &Path, partition: u16, generation: u64) -> Result<Self, OpenError> {
        let path = dir.join(head_name(partition));
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|source| OpenError::io(&path, source))?;
        Ok(Self { file, partition, generation })
    }

    /// Writes the next slot and syncs it; the other slot stays as it was.
    pub(crate) fn write(&mut self, head: &Head) -> io::Result<()> {
        let generation = self.generation + 1;
        let slot = Slot { generation, number: head.number, size: head.size, hash: head.hash, seal: head.seal.clone() };
        self.file.write_all_at(&slot.encode(self.partition), generation % 2 * SLOT_BYTES as u64)?;
        self.file.sync_data()?;
        self.generation = generation;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: u64) -> Head {
        Head { number, size: (number + 1) * 10, hash: [number as u8; 32], seal: vec![b's'; 300] }
    }

    #[test]
    fn slots_take_turns_and_every_flipped_bit_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), 3, [7; 32]).unwrap();
        assert_eq!(read(dir.path(), 3).unwrap().slot.head(), None);
        let mut file = HeadFile::open(dir.path(), 3, 1).unwrap();
        for number in 0..5 {
            file.write(&head(number)).unwrap();
            assert_eq!(read(dir.path(), 3).unwrap().slot.head(), Some(head(number)));
        }
        let path = dir.path().join(head_name(3));
        let whole = fs::read(&path).unwrap();
        for bit in 0..FILE_BYTES * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (whole, reading) = interpret(&bytes, 3);
            assert!(!whole);
            // Generation 6 (number 4) is in slot 0: a flip there falls back to number 3, a flip in slot 1 changes nothing.
            let expected = if bit < SLOT_BYTES * 8 { 3 } else { 4 };
            assert_eq!(reading.unwrap().slot.head(), Some(head(expected)));
        }
        assert!(interpret(&whole[..SLOT_BYTES], 3).1.is_none());
        assert!(interpret(&whole, 2).1.is_none(), "a head of another partition");
    }
}
