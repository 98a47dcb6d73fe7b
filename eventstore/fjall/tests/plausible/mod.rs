//! Blocks that are plausible to a store: frames and places as in FORMAT.md section 6, filler instead of records.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use actum_log::{
    BlockBody, Compressor, Frame, FrameKey, FrameSource, FrameType, Genesis, ReadError, SealedBlock, StreamEntry,
    block_hash, genesis_hash, join_body_and_seal,
};

const RECORDS_PER_CHUNK: u32 = 10;

pub fn genesis(partitions: u16) -> Vec<u8> {
    let genesis = Genesis::new([0; 16], "test", 1, [0; 32]).unwrap().with_partitions(partitions).unwrap();
    genesis.to_string().into_bytes()
}

/// Makes the blocks of one partition, one after the other.
pub struct Chain {
    pub partition: u16,
    pub number: u64,
    pub size: u64,
    pub hash: [u8; 32],
    pub chunks: usize,
    pub chunk_bytes: usize,
    /// Whether odd blocks compress well; even ones never do.
    pub compressible: bool,
    compressor: Compressor,
}

impl Chain {
    pub fn new(genesis_text: &[u8], partition: u16) -> Self {
        Self {
            partition,
            number: 0,
            size: 0,
            hash: genesis_hash(genesis_text),
            chunks: 2,
            chunk_bytes: 6000,
            compressible: true,
            compressor: Compressor::default(),
        }
    }

    /// The next block.
    pub fn next(&mut self) -> SealedBlock {
        let (partition, number, first_seq) = (self.partition, self.number, self.size);
        let seed = [number.to_le_bytes(), u64::from(partition).to_le_bytes()].concat();
        let mut filler = blake3::Hasher::new().update(&seed).finalize_xof();
        let mut frame = |kind, seq, count, raw: &[u8]| {
            Frame::encode(FrameKey { partition, seq, kind }, count, raw, &mut self.compressor)
        };
        let mut seq = first_seq;
        let mut chunks = Vec::new();
        for index in 0..self.chunks {
            let mut raw = vec![number as u8; self.chunk_bytes];
            filler.fill(&mut raw[..if self.compressible && number % 2 == 1 { 100 } else { self.chunk_bytes }]);
            if index == 0 {
                raw[64..96].copy_from_slice(&self.hash);
            }
            chunks.push(frame(FrameType::Chunk, seq, RECORDS_PER_CHUNK, &raw));
            seq += u64::from(RECORDS_PER_CHUNK);
        }
        let body = BlockBody {
            partition,
            records: self.chunks as u32 * RECORDS_PER_CHUNK,
            number,
            first_seq,
            record_bytes: (self.chunks * self.chunk_bytes) as u64,
            root: [number as u8; 32],
            secret: [9; 32],
            chunks: self.chunks as u32,
            frontier: vec![[5; 32]; first_seq.count_ones() as usize],
            streams: vec![StreamEntry { stream: 7, version: 1, previous: Some(1), chain: [7; 32] }],
        };
        let body = body.encode();
        let previous_hash = std::mem::replace(&mut self.hash, block_hash(&body));
        let seal = format!("test/{partition}\n{seq}\nblock {number}\n").into_bytes();
        let block = frame(FrameType::Block, seq - 1, 0, &join_body_and_seal(body, &seal));
        self.number += 1;
        self.size = seq;
        let hash = self.hash;
        SealedBlock { partition, number, first_seq, size: seq, previous_hash, hash, seal, chunks, block }
    }

    /// Another chain that goes on from the same place.
    pub fn fork(&self) -> Self {
        Self { compressor: Compressor::default(), ..*self }
    }

    pub fn take(&mut self, count: usize) -> Vec<SealedBlock> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Reads a partition to its end; what a careful caller sees: keys in order, checksums compared, nothing missing.
pub fn read_all(source: &dyn FrameSource, partition: u16) -> Result<Vec<Frame>, ReadError> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut expected: u64 = 0;
    for frame in source.frames(FrameKey { partition, seq: 0, kind: FrameType::Chunk })? {
        let frame = frame?;
        if frame.header().is_err() {
            return Err(ReadError::Tampered(format!("checksum of {:?}", frame.key)));
        }
        let (at, after) = match frame.key.kind {
            FrameType::Chunk => (expected, expected + 10),
            _ => (expected.wrapping_sub(1), expected),
        };
        if frame.key.seq != at {
            return Err(ReadError::Tampered(format!("{:?} instead of seq {at}", frame.key)));
        }
        expected = after;
        frames.push(frame);
    }
    let head = source.head(partition)?;
    if head.is_some_and(|head| head.size > expected) {
        return Err(ReadError::Tampered("ends before the head".to_owned()));
    }
    Ok(frames)
}

/// Every file below a directory with its content.
pub fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(base: &Path, dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(base, &path, files);
            } else {
                let name = path.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(dir, dir, &mut files);
    files
}

pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
