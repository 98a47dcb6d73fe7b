//! Logs that the real writer made, deterministic, with stream roots; and a proof file taken apart and put together again.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::ops::ControlFlow;
use std::sync::Arc;

use actum_log::{
    Author, BlockBody, Clocks, Draft, EventStore, Extensions, FileSigner, FoldOptions, FrameKey, FrameSource,
    FrameType, Genesis, MemoryStore, Opening, Resume, Sealer, Signer, Stage, StageLimits, chain_hash, event_hash, fold,
    genesis_hash, key_digest, leaf, payload_hash, records, salt, split_body_and_seal,
};
use actum_verify::Trust;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub type Hash = [u8; 32];

pub const ORIGIN: &str = "example.org/written";

pub struct Log {
    pub store: MemoryStore,
    pub genesis: Genesis,
    /// Seed of the signer in force; the next one's is one more.
    seed: u8,
    random: u64,
}

pub fn log(name: u8) -> Log {
    let genesis = Genesis::new([name; 16], ORIGIN, 7, signer(name).public_key()).unwrap();
    of_genesis(genesis, name)
}

/// A log whose keys can be rotated.
pub fn rotating_log(name: u8) -> Log {
    let genesis = Genesis::new([name; 16], ORIGIN, 7, signer(name).public_key()).unwrap();
    of_genesis(genesis.with_next(key_digest(&signer(name + 1).public_key())), name)
}

fn of_genesis(genesis: Genesis, seed: u8) -> Log {
    Log { store: MemoryStore::new(genesis.to_string()), genesis, seed, random: 0x9e37_79b9_7f4a_7c15 }
}

pub fn signer(seed: u8) -> FileSigner {
    FileSigner::from_seed(&[seed; 32])
}

impl Log {
    /// Opens the log for writing, as after a restart.
    fn open(&self) -> (Stage, Sealer) {
        let options = FoldOptions { stream_roots: true, stream_table: true, ..FoldOptions::default() };
        let folded = fold(&self.store, 0, options, |_| ControlFlow::Continue(())).unwrap();
        let resume: Resume = folded.resume.unwrap();
        let boot_id = [resume.last_epoch as u8 + 1; 16];
        let mut drawn = resume.block_number;
        let (stage, sealer) = resume.open(&self.genesis, Opening { boot_id, limits: StageLimits::default() }).unwrap();
        let secrets = move || {
            drawn += 1;
            Ok(genesis_hash(&drawn.to_le_bytes()))
        };
        (stage, sealer.with_secrets(Box::new(secrets)))
    }

    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// Opens, writes a block of so many events for each count, and closes again. Streams are drawn from 1 to `streams`.
    pub fn write(&mut self, counts: impl IntoIterator<Item = usize>, streams: u64) {
        let (mut stage, mut sealer) = self.open();
        for count in counts {
            for _ in 0..count {
                let random = self.next_random();
                let mut stream = 1 + random % streams;
                while stage.has_ended(stream) {
                    stream += streams;
                }
                let payload = vec![random as u8; (random >> 8) as usize % 90];
                let terminal = random.is_multiple_of(23) && stage.version(stream).is_some_and(|version| version > 4);
                push(&mut stage, stream, terminal, &payload);
            }
            self.seal(&mut stage, &mut sealer);
        }
    }

    /// A block of these events.
    pub fn write_events(&mut self, events: &[(u64, bool, &[u8])]) {
        let (mut stage, mut sealer) = self.open();
        events.iter().for_each(|(stream, terminal, payload)| push(&mut stage, *stream, *terminal, payload));
        self.seal(&mut stage, &mut sealer);
    }

    /// A block with an event, a checkpoint and a rotation, which perhaps revokes the old key; gives the checkpoint's seq.
    pub fn rotate(&mut self, revoke: bool) -> u64 {
        let (mut stage, mut sealer) = self.open();
        push(&mut stage, 1 << 40, false, b"beside a rotation");
        let checkpoint = stage.checkpoint(b"", Author::default()).unwrap().seq;
        let new: Arc<dyn Signer> = Arc::new(signer(self.seed + 1));
        let next = Some(key_digest(&signer(self.seed + 2).public_key()));
        let author = Author::default();
        let pushed =
            if revoke { stage.replace_key(new, next, "lost", author) } else { stage.rotate(new, next, author) };
        pushed.unwrap();
        self.seal(&mut stage, &mut sealer);
        self.seed += 1;
        checkpoint
    }

    fn seal(&mut self, stage: &mut Stage, sealer: &mut Sealer) {
        let block = stage.close(Clocks::default()).unwrap();
        self.store.commit(&[sealer.seal(block, &signer(self.seed)).unwrap()]).unwrap();
    }

    pub fn pinned(&self) -> Trust {
        Trust::from_verifier_key(&self.genesis.verifier_key(0).to_string()).unwrap()
    }

    /// Sizes of all sealed trees.
    pub fn sizes(&self) -> Vec<u64> {
        let frames = self.store.frames(FrameKey::first(0)).unwrap().map(Result::unwrap);
        frames.filter(|frame| frame.key.kind == FrameType::Block).map(|frame| frame.key.seq + 1).collect()
    }

    /// The tree's leaves, computed the plain way.
    pub fn leaves(&self) -> Vec<[u8; 48]> {
        let mut chains = std::collections::BTreeMap::<u64, Hash>::new();
        let mut leaves = Vec::new();
        let mut all = records(&self.store, 0, 0).unwrap();
        for frame in self.store.frames(FrameKey::first(0)).unwrap().map(Result::unwrap) {
            if frame.key.kind != FrameType::Block {
                continue;
            }
            let (_, raw) = frame.decode().unwrap();
            let body = BlockBody::decode(split_body_and_seal(&raw).unwrap().0).unwrap();
            for index in 0..body.records {
                let record = all.next().unwrap().unwrap();
                let payload = payload_hash(&salt(&body.secret, index), record.payload());
                let event = event_hash(record.view().head_bytes(), &payload);
                let chain = chains.entry(record.header().stream).or_default();
                *chain = chain_hash(chain, &event);
                leaves.push(leaf(chain, record.header().seq, record.header().version));
            }
        }
        leaves
    }

    /// Seqs of a stream's events.
    pub fn seqs(&self, stream: u64) -> Vec<u64> {
        let records = records(&self.store, 0, 0).unwrap().map(Result::unwrap);
        records.filter(|record| record.header().stream == stream).map(|record| record.header().seq).collect()
    }

    /// Streams that ended, with the number of their events.
    pub fn ended(&self) -> Vec<(u64, u64)> {
        let records = records(&self.store, 0, 0).unwrap().map(Result::unwrap);
        let ended = records.filter(|record| record.header().terminal);
        ended.map(|record| (record.header().stream, record.header().version)).collect()
    }
}

fn push(stage: &mut Stage, stream: u64, terminal: bool, payload: &[u8]) {
    let draft = Draft {
        stream,
        kind: 300,
        schema: 1,
        terminal,
        actor: 4,
        cause: None,
        time: stage.next_seq(),
        extensions: Extensions::EMPTY,
        payload,
    };
    stage.push(&draft).unwrap();
}

/// A proof file's parts, each of which can be made wrong.
#[derive(Clone, Debug)]
pub struct Parts {
    pub first: String,
    pub body: Vec<u8>,
    pub index: Option<u64>,
    pub hashes: Vec<Hash>,
    /// Everything behind the empty line.
    pub seals: String,
}

impl Parts {
    pub fn of(proof: &str) -> Self {
        let (head, seals) = proof.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let first = lines.next().unwrap().to_owned();
        let body = STANDARD.decode(lines.next().unwrap().strip_prefix("extra ").unwrap()).unwrap();
        let mut lines = lines.peekable();
        let index = lines.next_if(|line| line.starts_with("index ")).map(|line| line[6..].parse().unwrap());
        let hashes = lines.map(|line| STANDARD.decode(line).unwrap().try_into().unwrap()).collect();
        Parts { first, body, index, hashes, seals: seals.to_owned() }
    }

    pub fn join(&self) -> String {
        let index = self.index.map(|index| format!("index {index}\n")).unwrap_or_default();
        let hashes: String = self.hashes.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
        format!("{}\nextra {}\n{index}{hashes}\n{}", self.first, STANDARD.encode(&self.body), self.seals)
    }

    /// Where the part of the body begins that depends on its kind.
    pub fn content(&self, size: u64) -> usize {
        let genesis = u32::from_le_bytes(self.body[16..20].try_into().unwrap()) as usize;
        20 + genesis + 160 + 16 + 32 * path_length(0, size)
    }
}

/// Length of an audit path, by the recursive definition.
pub fn path_length(index: u64, size: u64) -> usize {
    if size == 1 {
        return 0;
    }
    let split = size.next_power_of_two() / 2;
    1 + if index < split { path_length(index, split) } else { path_length(index - split, size - split) }
}
