//! Proves that certain events are all that a stream had as of a checkpoint, or that it had none (FORMAT.md sections 10 and 12).

use super::error::ProofError;
use super::file::{Body, Kind};
use super::history::history;
use super::{ProofOptions, Prover};
use crate::checkpoint::Checkpoint;
use crate::fold_error::FoldError;
use crate::hash::chain_hash;
use crate::reader::stream_table;
use crate::record::{BLOCK_STREAM, CHECKPOINT_STREAM};
use crate::store::{FrameSource, ReadError};
use crate::stream_table::StreamTable;

const THERE: u8 = 1;
const NOT_THERE: u8 = 0;

/// A checkpoint of a log, with the table that it commits to.
#[derive(Debug, Clone)]
pub struct CheckpointTable {
    partition: u16,
    seq: u64,
    table: StreamTable,
}

impl CheckpointTable {
    /// Reads the checkpoint with this seq and makes its table, which costs folding the log up to it. Serves any number of proofs.
    ///
    /// # Errors
    /// No checkpoint has this seq, or the log contradicts it.
    pub fn read(source: &dyn FrameSource, partition: u16, seq: u64) -> Result<Self, ProofError> {
        let no_checkpoint = ProofError::NoCheckpoint(seq);
        let record = crate::records::records(source, partition, seq)?.next().transpose()?;
        let record = record.filter(|record| record.header().seq == seq && record.header().stream == CHECKPOINT_STREAM);
        let record = record.ok_or(no_checkpoint)?;
        let checkpoint = Checkpoint::from_record(&record.view()).map_err(ProofError::corrupt)?;
        let table = stream_table(source, partition, checkpoint.size).map_err(of_fold)?;
        if Checkpoint::of(&table, checkpoint.application) != checkpoint {
            return Err(ProofError::tampered(format!(
                "checkpoint {seq} says something else than the streams before it"
            )));
        }
        Ok(Self { partition, seq, table })
    }

    /// Seq of the checkpoint.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Where every stream stood.
    pub fn table(&self) -> &StreamTable {
        &self.table
    }
}

fn of_fold(error: FoldError) -> ProofError {
    match error {
        FoldError::Read(error) => error.into(),
        FoldError::Corrupt { ref source, .. } => ReadError::Corrupt(format!("{error}: {source}")).into(),
        FoldError::Tampered { ref source, .. } => ReadError::Tampered(format!("{error}: {source}")).into(),
    }
}

/// Proves all events that a stream had as of a checkpoint, or that it had none. The partition is the checkpoint's,
/// whatever the options say.
///
/// # Errors
/// The seal is not over the checkpoint, or the log cannot be read. The stream of block records is in no checkpoint.
pub fn prove_completeness(
    source: &dyn FrameSource,
    stream: u64,
    checkpoint: &CheckpointTable,
    options: &ProofOptions<'_>,
) -> Result<String, ProofError> {
    let CheckpointTable { partition, seq, table } = checkpoint;
    let mut prover = Prover::new(source, &ProofOptions { partition: *partition, ..*options })?;
    let size = prover.seal.text.size;
    if *seq >= size {
        return Err(ProofError::NoEvent { seq: *seq, size });
    }
    if stream == BLOCK_STREAM {
        return Err(ProofError::NoStream { stream, size });
    }
    let record = prover.blocks.event(*seq)?;
    let before = prover.blocks.chain_before(record.header())?;
    let mut body = prover.body(Kind::Completeness)?;
    body.hash(&before);
    body.entry(&record, false, None);
    body.u64(stream);
    let mut shown = Vec::new();
    match table.find(stream) {
        Ok(index) => shown = put_events(&mut prover, &mut body, table, index)?,
        Err(index) => put_neighbours(&mut body, table, index),
    }
    prover.finish(&body, &record, &before, &shown)
}

/// The leaf of a stream and all events up to it; gives their seqs.
fn put_events(
    prover: &mut Prover<'_, '_>,
    body: &mut Body,
    table: &StreamTable,
    index: usize,
) -> Result<Vec<u64>, ProofError> {
    let leaf = table.leaves()[index];
    let events = history(&mut prover.blocks, leaf.stream, table.size())?;
    let chain = events.iter().fold([0; 32], |chain, event| chain_hash(&chain, &event.hash()));
    if (chain, events.len() as u64) != (leaf.chain, leaf.version) {
        let what = format!("the events of stream {} do not lead to what the checkpoint says of it", leaf.stream);
        return Err(ProofError::tampered(what));
    }
    body.u64(index as u64);
    body.u8(THERE);
    // The leaf without the id, which was put already.
    body.bytes(&leaf.encode()[8..16]);
    body.hash(&leaf.chain);
    body.u8(u8::from(leaf.ended));
    body.hashes(&table.path(index).unwrap_or_default());
    body.u32(events.len() as u32);
    for event in &events {
        body.entry(event, prover.is_withheld(event.header().seq), None);
    }
    Ok(events.iter().map(|event| event.header().seq).collect())
}

/// The leaves between which the stream would be.
fn put_neighbours(body: &mut Body, table: &StreamTable, index: usize) {
    body.u64(index as u64);
    body.u8(NOT_THERE);
    for at in [index.checked_sub(1), Some(index)].into_iter().flatten() {
        if let (Some(leaf), Some(path)) = (table.leaves().get(at), table.path(at)) {
            body.bytes(&leaf.encode());
            body.hashes(&path);
        }
    }
}
