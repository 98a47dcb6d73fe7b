//! Writes what a log gained since a seal, as an archive of its own (FORMAT.md section 13).

use std::io::Write;

use crate::archive::{ArchiveError, ArchiveSummary, ArchiveWriter};
use crate::frame::{FrameKey, FrameType};
use crate::proof::{ProofOptions, prove_consistency};
use crate::store::FrameSource;

/// Writes the blocks that come after a seal in each partition, with the proof that whoever holds that seal needs to continue from it.
///
/// `sizes` gives for each partition the tree size of the seal where its tail begins: the whole partition for 0, nothing of it for its
/// present size. Flushes; syncing is the caller's. Costs a proof for each partition beside the blocks written.
///
/// # Errors
/// No seal is over one of these sizes, there are more or fewer of them than partitions, or the log cannot be read.
pub fn write_tail(source: &dyn FrameSource, sizes: &[u64], output: impl Write) -> Result<ArchiveSummary, ArchiveError> {
    let mut writer = ArchiveWriter::begin(source, output)?;
    if sizes.len() != usize::from(writer.partitions()) {
        let what = "a tail wants one size for each partition";
        return Err(ArchiveError::Contradiction { offset: 0, what });
    }
    let begins = |(partition, size): (u16, &u64)| FrameKey { partition, seq: *size, kind: FrameType::Genesis };
    // What a partition gains from now on does not count: its proof would be missing.
    let mut gained = Vec::new();
    for from in (0..).zip(sizes).map(begins) {
        let proof = tail_proof(source, from)?;
        if source.frames(from)?.next().transpose()?.is_none() {
            continue;
        }
        if let Some(proof) = proof {
            writer.put_proof(from.partition, &proof)?;
        }
        gained.push(from);
    }
    for from in gained {
        writer.put_frames(source, from)?;
    }
    writer.end()
}

/// That the seal of this size is the log's, and which key signed it.
fn tail_proof(source: &dyn FrameSource, from: FrameKey) -> Result<Option<String>, ArchiveError> {
    let FrameKey { partition, seq: size, .. } = from;
    if size == 0 {
        return Ok(None);
    }
    let options = ProofOptions { partition, size: Some(size), withhold: &[] };
    Ok(Some(prove_consistency(source, size, &options)?))
}
