//! What is checked whenever a store is opened, on a scratch copy or for writing: that it holds what was acknowledged,
//! without gaps where a damaged journal would leave them, and that it belongs to the genesis.
//!
//! It does not replace a verification: of each partition it reads two frames, and keys.

use actum_log::{FrameKey, FrameType, Hash, Head};

use crate::block_frame::{self, BlockFrame};
use crate::dir::Genesis;
use crate::error::OpenError;
use crate::source::Frames;

/// Where a partition goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Number of the next block.
    pub(crate) number: u64,
    /// Tree size: the seq of the next record.
    pub(crate) size: u64,
    /// Hash of the block before; the genesis hash before the first.
    pub(crate) hash: Hash,
}

/// Checks every partition against its head and says where each goes on. `journal_bytes` is how much of the store's end
/// may have come from journals.
pub(crate) fn examine(
    frames: &Frames,
    genesis: &Genesis,
    heads: &[Option<Head>],
    journal_bytes: u64,
) -> Result<Vec<Tail>, OpenError> {
    (0..genesis.partitions)
        .zip(heads)
        .map(|(partition, head)| {
            let tail = tail(frames, partition, genesis)?;
            if let Some(head) = head {
                check_head(frames, partition, head, tail)?;
            }
            if tail.size > 0 {
                check_genesis(frames, partition, genesis)?;
                check_gaps(frames, partition, journal_bytes)?;
            }
            Ok(tail)
        })
        .collect()
}

fn tail(frames: &Frames, partition: u16, genesis: &Genesis) -> Result<Tail, OpenError> {
    let Some(last) = frames.last_at_or_before(FrameKey::last(partition))? else {
        return Ok(Tail { number: 0, size: 0, hash: genesis.hash });
    };
    if last.key.kind != FrameType::Block {
        return Err(OpenError::Tampered(format!("partition {partition} ends within a block")));
    }
    let BlockFrame { number, size, hash, .. } = block_frame::decode(&last)?;
    Ok(Tail { number: number.saturating_add(1), size, hash })
}

fn check_head(frames: &Frames, partition: u16, head: &Head, tail: Tail) -> Result<(), OpenError> {
    let behind = OpenError::Behind { partition, number: head.number, size: head.size, stored: tail.size };
    if tail.size < head.size {
        return Err(behind);
    }
    let key = FrameKey { partition, seq: head.size.saturating_sub(1), kind: FrameType::Block };
    let Some(frame) = frames.get(key)? else {
        return Err(behind);
    };
    let block = block_frame::decode(&frame)?;
    if block.number == head.number && block.hash == head.hash && block.seal == head.seal {
        Ok(())
    } else {
        Err(OpenError::Tampered(format!(
            "block {} of partition {partition} is not the one that was acknowledged",
            head.number
        )))
    }
}

fn check_genesis(frames: &Frames, partition: u16, genesis: &Genesis) -> Result<(), OpenError> {
    let key = FrameKey { partition, seq: 0, kind: FrameType::Chunk };
    let Some(first) = frames.get(key)? else {
        return Err(OpenError::Tampered(format!("the first events of partition {partition} are missing")));
    };
    if block_frame::previous_hash(&first)? == genesis.hash {
        Ok(())
    } else {
        Err(OpenError::Tampered(format!("partition {partition} does not continue the genesis beside it")))
    }
}

/// A damaged journal loses whole batches from its middle or end, so whole blocks. After a block frame comes the chunk
/// with the next seq; this looks as far back as journals may have reached.
fn check_gaps(frames: &Frames, partition: u16, journal_bytes: u64) -> Result<(), OpenError> {
    let mut walked_bytes = 0;
    let mut newer: Option<FrameKey> = None;
    for step in frames.backwards(partition)? {
        let (key, bytes) = step?;
        if let Some(newer) = newer {
            let fits = match (key.kind, newer.kind) {
                (FrameType::Block, FrameType::Chunk) => key.seq.checked_add(1) == Some(newer.seq),
                (FrameType::Chunk, FrameType::Chunk) => key.seq < newer.seq,
                (FrameType::Chunk, FrameType::Block) => key.seq <= newer.seq,
                _ => false,
            };
            if !fits {
                return Err(OpenError::Tampered(format!(
                    "partition {partition} has a gap between seq {} and {}",
                    key.seq, newer.seq
                )));
            }
        }
        newer = Some(key);
        walked_bytes += bytes;
        if walked_bytes > journal_bytes && key.kind == FrameType::Block {
            return Ok(());
        }
    }
    match newer {
        Some(key) if key.seq > 0 => {
            Err(OpenError::Tampered(format!("partition {partition} begins at seq {} instead of 0", key.seq)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use actum_log::SealedBlock;

    use super::*;
    use crate::engine::{self, Purpose};
    use crate::options::Options;
    use crate::plausible::{Chain, genesis};
    use crate::source::stored_key;

    /// What is found in a store of 8 blocks after `damage`, with the last of them acknowledged.
    fn check(journal_bytes: u64, damage: impl FnOnce(&mut Vec<SealedBlock>)) -> Result<Vec<Tail>, OpenError> {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("store");
        engine::create(&path, &Options::default()).unwrap();
        let engine = engine::open(&path, &Options::default(), Purpose::Writing).unwrap();
        let text = genesis(1);
        let mut blocks = Chain::new(&text, 0).take(8);
        let last = blocks[7].clone();
        damage(&mut blocks);
        for frame in blocks.iter().flat_map(|block| block.chunks.iter().chain([&block.block])) {
            engine.log.insert(stored_key(frame.key), frame.bytes.as_slice()).unwrap();
        }
        let head = Head { number: last.number, size: last.size, hash: last.hash, seal: last.seal };
        let frames = Frames { log: engine.log.clone(), path };
        examine(&frames, &Genesis::parse(text).unwrap(), &[Some(head)], journal_bytes)
    }

    #[test]
    fn a_whole_store_passes_and_lost_blocks_are_seen_as_far_back_as_journals_reach() {
        let hash = Chain::new(&genesis(1), 0).take(8)[7].hash;
        assert_eq!(check(u64::MAX, |_| {}).unwrap(), [Tail { number: 8, size: 160, hash }]);
        for lost in 0..8 {
            let found = check(u64::MAX, |blocks| drop(blocks.remove(lost)));
            let behind = matches!(found, Err(OpenError::Behind { size: 160, stored: 140, .. }));
            assert!(behind || (lost < 7 && matches!(found, Err(OpenError::Tampered(_)))), "{lost}: {found:?}");
        }
        // About two blocks' worth of journal: what is older comes from tables, which a manifest lists.
        assert!(matches!(check(20_000, |blocks| drop(blocks.remove(6))), Err(OpenError::Tampered(_))));
        check(20_000, |blocks| drop(blocks.remove(1))).unwrap();
    }

    #[test]
    fn frames_of_another_place_are_seen() {
        let swapped = check(u64::MAX, |blocks| {
            let other = blocks[3].block.bytes.clone();
            blocks[7].block.bytes = other;
        });
        assert!(matches!(swapped, Err(OpenError::Tampered(_))), "{swapped:?}");
        let half = check(u64::MAX, |blocks| {
            let chunk = blocks[7].chunks[0].clone();
            blocks[7].block = chunk;
        });
        assert!(matches!(half, Err(OpenError::Tampered(_))), "{half:?}");
    }
}
