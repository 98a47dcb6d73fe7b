//! Proofs and tails of a forged log, put together from FORMAT.md sections 10 and 13, plainly.

use actum_log::{Frame, FrameType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Forge, Hash, KEYS, frame, sha};

/// RFC 6962 section 2.1, as it is written there, over leaves of any kind.
pub fn root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => sha(&[]),
        [leaf] => sha(&[&[0], leaf]),
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            sha(&[&[1], &root(&leaves[..split]), &root(&leaves[split..])])
        }
    }
}

/// RFC 6962 section 2.1.1.
pub fn path(index: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, other) =
        if index < left.len() { (path(index, left), right) } else { (path(index - left.len(), right), left) };
    path.push(root(other));
    path
}

/// A rotation of a proof: the record's seq, and the number of its block.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub seq: usize,
    pub block: usize,
}

/// A proof body's beginning and the tree under the newest seal.
pub struct Prover<'f> {
    forge: &'f Forge,
    partition: u16,
    /// Of the sealed tree.
    pub leaves: Vec<Vec<u8>>,
    pub block: usize,
}

impl<'f> Prover<'f> {
    /// Under the seal of a block.
    pub fn new(forge: &'f Forge, partition: u16, block: usize) -> Self {
        let state = &forge.partitions[usize::from(partition)];
        let size = state.seals[block].0 as usize;
        Prover { forge, partition, leaves: state.leaves[..size].iter().map(|leaf| leaf.to_vec()).collect(), block }
    }

    fn state(&self) -> &super::Partition {
        &self.forge.partitions[usize::from(self.partition)]
    }

    /// The rotations up to the seal, as an honest prover gives them.
    pub fn turns(&self) -> Vec<Turn> {
        let records = self.state().records.iter().take(self.leaves.len()).enumerate();
        let rotations = records.filter(|(_, record)| record.head[4..6] == [2, 0]).map(|(seq, _)| seq);
        let block = |seq: usize| self.state().seals.iter().position(|(size, _)| seq < *size as usize).unwrap();
        rotations.map(|seq| Turn { seq, block: block(seq) }).collect()
    }

    /// The record with its salt.
    pub fn disclosed(&self, seq: usize) -> Vec<u8> {
        let record = &self.state().records[seq];
        [&record.head[..], &record.payload, &record.salt].concat()
    }

    pub fn before(&self, seq: usize) -> Hash {
        self.state().records[seq].before
    }

    pub fn path(&self, seq: usize) -> Vec<u8> {
        path(seq, &self.leaves).concat()
    }

    /// What every proof body begins with.
    pub fn beginning(&self, kind: u32, turns: &[Turn]) -> Vec<u8> {
        let mut body = b"ACTUMPF1".to_vec();
        for field in [kind, turns.len() as u32, self.forge.genesis.len() as u32] {
            body.extend(field.to_le_bytes());
        }
        body.extend(&self.forge.genesis);
        body.extend(self.disclosed(0));
        body.extend(self.path(0));
        for turn in turns {
            let seal = &self.state().seals[turn.block].1;
            body.extend(self.before(turn.seq));
            body.extend(self.disclosed(turn.seq));
            body.extend(self.path(turn.seq));
            body.extend((seal.len() as u32).to_le_bytes());
            body.extend(seal);
        }
        body
    }

    /// A `tlog-proof` of a leaf with this body.
    pub fn inclusion(&self, body: &[u8], seq: usize) -> String {
        let hashes: String = path(seq, &self.leaves).iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
        let seal = String::from_utf8(self.state().seals[self.block].1.clone()).unwrap();
        format!("c2sp.org/tlog-proof@v1\nextra {}\nindex {seq}\n{hashes}\n{seal}", STANDARD.encode(body))
    }

    /// A proof of one event.
    pub fn event(&self, seq: usize, turns: &[Turn]) -> String {
        let body = [&self.beginning(1, turns)[..], &self.before(seq), &[1], &self.disclosed(seq)].concat();
        self.inclusion(&body, seq)
    }

    /// A proof of consistency from the seal to itself.
    pub fn consistency(&self, turns: &[Turn]) -> String {
        let seal = String::from_utf8(self.state().seals[self.block].1.clone()).unwrap();
        let body = STANDARD.encode(self.beginning(4, turns));
        format!("actum-consistency-proof 1\nextra {body}\n\n{seal}\n{seal}")
    }

    /// Seqs of a stream's events below `size`.
    pub fn seqs(&self, stream: u64, size: usize) -> Vec<usize> {
        let of = |seq: &usize| self.state().records[*seq].head[24..32] == stream.to_le_bytes();
        (0..size).filter(of).collect()
    }

    /// A completeness proof's body up to the form byte, for a checkpoint record, a stream and its place in the table.
    pub fn asked(&self, checkpoint: usize, stream: u64, index: u64) -> Vec<u8> {
        let mut body = self.beginning(5, &self.turns());
        body.extend(self.before(checkpoint));
        body.push(1);
        body.extend(self.disclosed(checkpoint));
        body.extend(stream.to_le_bytes());
        body.extend(index.to_le_bytes());
        body
    }

    /// A proof of all events of a stream as of a checkpoint whose table is `table`.
    pub fn complete(&self, checkpoint: usize, table: &[Vec<u8>], stream: u64, size: usize) -> String {
        let index = table.iter().position(|leaf| leaf[..8] == stream.to_le_bytes()).unwrap();
        let mut body = self.asked(checkpoint, stream, index as u64);
        body.push(1);
        body.extend(&table[index][8..]);
        body.extend(path(index, table).concat());
        let seqs = self.seqs(stream, size);
        body.extend((seqs.len() as u32).to_le_bytes());
        for seq in seqs {
            body.push(1);
            body.extend(self.disclosed(seq));
        }
        self.inclusion(&body, checkpoint)
    }

    /// A proof that a stream is not between the leaves `index - 1` and `index`.
    pub fn absent(&self, checkpoint: usize, table: &[Vec<u8>], stream: u64, index: usize) -> String {
        let mut body = self.asked(checkpoint, stream, index as u64);
        body.push(0);
        for at in [index.checked_sub(1), Some(index).filter(|at| *at < table.len())].into_iter().flatten() {
            body.extend(&table[at]);
            body.extend(path(at, table).concat());
        }
        self.inclusion(&body, checkpoint)
    }
}

impl Forge {
    /// The proof frame of a tail that begins after a block.
    pub fn proof_frame(&self, partition: u16, block: usize) -> Frame {
        let prover = Prover::new(self, partition, block);
        raw_proof_frame(partition, prover.consistency(&prover.turns()).as_bytes())
    }

    /// A log of one partition from after a block on.
    pub fn tail(&self, block: usize) -> Vec<u8> {
        let blocks = &self.blocks[block + 1..];
        let size = self.partitions[0].tree.size;
        self.tail_of(&[self.proof_frame(0, block)], blocks, &[(blocks.len() as u64, size)])
    }

    /// An archive of these proof frames and blocks.
    pub fn tail_of(&self, proofs: &[Frame], blocks: &[Vec<Frame>], counts: &[(u64, u64)]) -> Vec<u8> {
        let frames = [&[proofs.to_vec()][..], blocks].concat();
        super::archive(&self.genesis, &frames, counts)
    }

    /// Seqs of the records in the keys stream.
    pub fn key_seqs(&self, partition: u16) -> Vec<usize> {
        let prover = Prover::new(self, partition, self.partitions[usize::from(partition)].seals.len() - 1);
        prover.seqs(KEYS, prover.leaves.len())
    }
}

pub fn raw_proof_frame(partition: u16, text: &[u8]) -> Frame {
    let mut frame = frame(FrameType::Chunk, partition, 0, 0, text, false);
    frame.bytes[0] = 5;
    super::refit(&mut frame);
    frame
}
