//! Where a log stands at a size, as sections of saved state: what continues the log, and what its table of streams is.

use std::io::Write;

use super::{SavedError, SavedFile, SavedWriter};
use crate::bytes::Bytes;
use crate::ended::EndedStreams;
use crate::genesis::Genesis;
use crate::hash::Hash;
use crate::keys::Keys;
use crate::record::BLOCK_STREAM;
use crate::resume::{Resume, StreamTip};
use crate::stream_table::StreamLeaf;
use crate::stream_trees::StreamTrees;
use crate::tree::{Frontier, leaf_hash};

/// Names of the sections, in order.
pub const LOG_SECTIONS: [&str; 3] = ["log", "log.ended", "log.open"];

const VERSION: u32 = 1;
const ENDED_BYTES: usize = 40;
const MALFORMED: SavedError = SavedError::Malformed("what it says of the log");

/// A stream that ended, as a table of ended streams keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedStream {
    /// Version of its last event.
    pub version: u64,
    /// Its chain value `C`.
    pub chain: Hash,
}

/// Reads an entry of the section `log.ended`.
///
/// # Errors
/// It is none.
pub fn ended_stream(entry: &[u8]) -> Result<EndedStream, SavedError> {
    let mut bytes = Bytes(entry);
    match (bytes.u64(), bytes.array(), bytes.0.is_empty()) {
        (Some(version), Some(chain), true) => Ok(EndedStream { version, chain }),
        _ => Err(MALFORMED),
    }
}

/// Writes the sections of [`LOG_SECTIONS`]; gives the number of streams and the root of their table (FORMAT.md section 12).
///
/// `log` is of the fold that went on from `older`, or from the beginning without one, with stream roots and with the stream table; its
/// `ended_leaves` are the streams that ended since. Ended streams go from file to file, a page at a time.
///
/// # Errors
/// Reading or writing failed; or `log` is of a fold without stream roots or stream table.
pub fn write_log_state<W: Write>(
    writer: &mut SavedWriter<W>,
    log: &Resume,
    older: Option<&SavedFile>,
) -> Result<(u64, Hash), SavedError> {
    let (Some(trees), Some(ended)) = (&log.stream_trees, &log.ended_leaves) else {
        return Err(SavedError::Unwritable("a log that was folded without its streams"));
    };
    let [plain, ended_name, open_name] = LOG_SECTIONS;
    writer.plain(plain, VERSION, &plain_of(log))?;
    let mut open: Vec<&StreamTip> = log.streams.iter().collect();
    open.sort_unstable_by_key(|tip| tip.stream);
    let mut root = TableRoot { open: &open, tree: Frontier::new() };
    let mut fresh = ended.clone();
    fresh.sort_unstable_by_key(|leaf| leaf.stream);
    writer.table(ended_name, VERSION)?;
    let mut fresh = fresh.into_iter().peekable();
    let mut put = |writer: &mut SavedWriter<W>, leaf: StreamLeaf| {
        root.ended(&leaf);
        let mut entry = [0; ENDED_BYTES];
        entry[..8].copy_from_slice(&leaf.version.to_le_bytes());
        entry[8..].copy_from_slice(&leaf.chain);
        writer.entry(leaf.stream, &entry)
    };
    if let Some(older) = older {
        let mut entries = older.entries(ended_name, VERSION)?;
        while let Some((stream, entry)) = entries.next_entry()? {
            let EndedStream { version, chain } = ended_stream(entry)?;
            while let Some(leaf) = fresh.next_if(|leaf| leaf.stream < stream) {
                put(writer, leaf)?;
            }
            put(writer, StreamLeaf { stream, version, chain, ended: true })?;
        }
    }
    fresh.try_for_each(|leaf| put(writer, leaf))?;
    writer.table(open_name, VERSION)?;
    let mut entry = Vec::new();
    for tip in &open {
        entry.clear();
        entry.extend_from_slice(&tip.version.to_le_bytes());
        entry.extend_from_slice(&tip.last_seq.to_le_bytes());
        entry.extend_from_slice(&tip.chain);
        trees.roots_of(tip.stream).iter().for_each(|root| entry.extend_from_slice(root));
        writer.entry(tip.stream, &entry)?;
    }
    Ok(root.finish())
}

/// The root of the table of all streams, while the ended ones pass by in order.
struct TableRoot<'a> {
    /// Open streams that are not in it yet, ascending.
    open: &'a [&'a StreamTip],
    tree: Frontier,
}

impl TableRoot<'_> {
    fn ended(&mut self, leaf: &StreamLeaf) {
        self.open_below(Some(leaf.stream));
        self.tree.push(leaf_hash(&leaf.encode()));
    }

    fn open_below(&mut self, bound: Option<u64>) {
        while let Some((tip, rest)) = self.open.split_first() {
            if bound.is_some_and(|bound| tip.stream >= bound) {
                return;
            }
            self.open = rest;
            if tip.stream != BLOCK_STREAM {
                let StreamTip { stream, version, chain, .. } = **tip;
                self.tree.push(leaf_hash(&StreamLeaf { stream, version, chain, ended: false }.encode()));
            }
        }
    }

    fn finish(mut self) -> (u64, Hash) {
        self.open_below(None);
        (self.tree.size(), self.tree.root())
    }
}

fn plain_of(log: &Resume) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&log.last_time.to_le_bytes());
    out.extend_from_slice(&log.block_number.to_le_bytes());
    out.extend_from_slice(&log.previous_block_hash);
    out.extend_from_slice(&log.last_epoch.to_le_bytes());
    out.extend_from_slice(&log.last_boot_id);
    log.frontier.iter().for_each(|root| out.extend_from_slice(root));
    out.extend_from_slice(&log.keys.in_force());
    out.extend_from_slice(&log.keys.next().unwrap_or([0; 32]));
    for keys in [log.keys.past(), log.keys.revoked()] {
        out.extend_from_slice(&(keys.len() as u32).to_le_bytes());
        keys.iter().for_each(|key| out.extend_from_slice(key));
    }
    let runs = runs(log.ended.iter());
    out.extend_from_slice(&(runs.len() as u64).to_le_bytes());
    for (first, count) in runs {
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
    }
    out
}

fn runs(ids: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == id => *count += 1,
            _ => runs.push((id, 1)),
        }
    }
    runs
}

/// Reads where a log stood: what a fold, or writing, continues from. It has stream roots, and no stream table.
///
/// What is read is what the file says: believe it only when the log names the file and continues it.
///
/// # Errors
/// A section is missing, of another version, damaged, or says what cannot be; or the file is of another log.
pub fn read_log_state(file: &SavedFile, genesis: &Genesis) -> Result<Resume, SavedError> {
    let contents = file.contents();
    if contents.genesis_hash != genesis.hash() {
        return Err(SavedError::Malformed("it is of another log"));
    }
    let [plain, _, open_name] = LOG_SECTIONS;
    let bytes = file.plain(plain, VERSION)?;
    let (partition, size) = (contents.partition, contents.size);
    let mut log = plain_from(&bytes, genesis, partition, size).ok_or(MALFORMED)?;
    let mut entries = file.entries(open_name, VERSION)?;
    let mut trees = StreamTrees::default();
    while let Some((stream, entry)) = entries.next_entry()? {
        let mut bytes = Bytes(entry);
        let (Some(version), Some(last_seq), Some(chain)) = (bytes.u64(), bytes.u64(), bytes.array()) else {
            return Err(MALFORMED);
        };
        let roots = if stream == BLOCK_STREAM { 0 } else { version.count_ones() };
        let roots = hashes(&mut bytes, roots as usize).filter(|_| bytes.0.is_empty()).ok_or(MALFORMED)?;
        if version == 0 || last_seq >= size || log.ended.contains(stream) {
            return Err(MALFORMED);
        }
        if stream != BLOCK_STREAM {
            trees.insert(stream, Frontier::from_parts(version, roots).ok_or(MALFORMED)?);
        }
        log.streams.push(StreamTip { stream, version, last_seq, chain });
    }
    log.stream_trees = Some(trees);
    Ok(log)
}

fn plain_from(bytes: &[u8], genesis: &Genesis, partition: u16, size: u64) -> Option<Resume> {
    let mut bytes = Bytes(bytes);
    let (last_time, block_number) = (bytes.u64()?, bytes.u64()?);
    let previous_block_hash = bytes.array()?;
    let (last_epoch, last_boot_id) = (bytes.u64()?, bytes.array()?);
    let frontier = hashes(&mut bytes, size.count_ones() as usize)?;
    let (in_force, next) = (bytes.array()?, bytes.array()?);
    let count = bytes.u32()? as usize;
    let past = hashes(&mut bytes, count)?;
    let count = bytes.u32()? as usize;
    let revoked = hashes(&mut bytes, count)?;
    let mut ended = EndedStreams::new();
    let runs = bytes.u64()?;
    let mut end = 0_u64;
    for index in 0..runs {
        let (first, count) = (bytes.u64()?, bytes.u64()?);
        // A stream that ended has an event: there are no more of them than events.
        let apart = if index == 0 { first > 0 } else { first > end };
        if !apart || count == 0 || count > size || ended.len() + count > size {
            return None;
        }
        end = first.checked_add(count)?;
        (first..end).for_each(|id| {
            ended.insert(id);
        });
    }
    let plausible = bytes.0.is_empty() && (block_number == 0) == (size == 0) && (last_epoch == 0) == (size == 0);
    let next = (next != [0; 32]).then_some(next);
    plausible.then(|| Resume {
        last_time,
        next_seq: size,
        block_number,
        previous_block_hash,
        last_epoch,
        last_boot_id,
        frontier,
        ended,
        keys: Keys::of(in_force, next, past, revoked),
        ..Resume::at_genesis(genesis, partition)
    })
}

fn hashes(bytes: &mut Bytes<'_>, count: usize) -> Option<Vec<Hash>> {
    let taken = bytes.take(count.checked_mul(32)?)?;
    Some(taken.as_chunks::<32>().0.to_vec())
}
