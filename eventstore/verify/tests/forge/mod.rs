//! A writer that signs whatever it is told to: makes honest blocks and validly sealed wrong ones.
//!
//! Written from FORMAT.md alone, plainly; shares nothing with `actum-log` but its frame types.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

pub mod proving;

use std::collections::BTreeMap;

use actum_log::{Frame, FrameKey, FrameSource, FrameType, Frames, Head, ReadError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

pub type Hash = [u8; 32];
pub const NONE: u64 = u64::MAX;
pub const SYSTEM: u64 = 1 << 63;
pub const KEYS: u64 = SYSTEM + 2;
pub const CHECKPOINTS: u64 = SYSTEM + 7;
pub const ORIGIN: &str = "example.org/forge";

pub fn keyed(purpose: &str, bytes: &[u8]) -> blake3::OutputReader {
    let key = blake3::derive_key(&format!("actum 2026 log format 1 {purpose}"), b"");
    blake3::Hasher::new_keyed(&key).update(bytes).finalize_xof()
}

pub fn h(purpose: &str, bytes: &[u8]) -> Hash {
    let mut out = [0; 32];
    keyed(purpose, bytes).fill(&mut out);
    out
}

pub fn sha(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
}

/// Perfect subtrees, largest first.
#[derive(Clone, Default, Debug)]
pub struct Tree {
    pub size: u64,
    pub roots: Vec<Hash>,
}

impl Tree {
    pub fn add(&mut self, leaf: &[u8]) {
        let mut node = sha(&[&[0], leaf]);
        for _ in 0..self.size.trailing_ones() {
            node = sha(&[&[1], &self.roots.pop().unwrap(), &node]);
        }
        self.roots.push(node);
        self.size += 1;
    }

    pub fn root(&self) -> Hash {
        let joined = self.roots.iter().rev().copied().reduce(|right, left| sha(&[&[1], &left, &right]));
        joined.unwrap_or_else(|| sha(&[]))
    }
}

#[derive(Clone, Debug)]
pub struct Record {
    pub length: Option<u32>,
    pub kind: u16,
    pub schema: u16,
    pub flags: u16,
    pub actor: u32,
    pub seq: u64,
    pub stream: u64,
    pub time: u64,
    pub previous: u64,
    pub cause: u64,
    pub version: u64,
    pub ext: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Record {
    pub fn head(&self) -> Vec<u8> {
        let length = self.length.unwrap_or((64 + self.ext.len() + self.payload.len()) as u32);
        let mut bytes = length.to_le_bytes().to_vec();
        for field in [self.kind, self.schema, self.flags, self.ext.len() as u16] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.actor.to_le_bytes());
        for field in [self.seq, self.stream, self.time, self.previous, self.cause, self.version] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(&self.ext);
        bytes
    }
}

pub fn ext(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &(value.len() as u16).to_le_bytes(), value].concat()
}

/// What one asks to be logged.
#[derive(Clone, Default, Debug)]
pub struct Event {
    pub stream: u64,
    /// 0 for 1 in the stream of blocks, else 256.
    pub kind: u16,
    pub payload: Vec<u8>,
    pub terminal: bool,
    pub root: bool,
}

pub fn event(stream: u64) -> Event {
    Event { stream, payload: format!("payload for {stream}").into_bytes(), ..Event::default() }
}

pub fn last(stream: u64) -> Event {
    Event { terminal: true, root: true, ..event(stream) }
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn public(key: &SigningKey) -> Hash {
    key.verifying_key().to_bytes()
}

/// A rotation from one key to another, which commits to a third.
pub fn rotation(old: &SigningKey, new: &SigningKey, next: Option<&SigningKey>) -> Event {
    let digest = next.map_or([0; 32], |next| sha(&[&public(next)]));
    Event { stream: KEYS, kind: 2, payload: [public(old), public(new), digest].concat(), ..Event::default() }
}

pub fn revocation(key: &SigningKey) -> Event {
    Event { stream: KEYS, kind: 3, payload: [&public(key)[..], b"lost"].concat(), ..Event::default() }
}

#[derive(Clone, Debug)]
pub struct Index {
    pub stream: u64,
    pub version: u64,
    pub previous: u64,
    pub chain: Hash,
}

/// A block before it is hashed and signed: everything in it can still be made wrong.
#[derive(Clone, Debug)]
pub struct Draft {
    pub partition: u16,
    pub number: u64,
    pub first_seq: u64,
    pub tree: Tree,
    pub records: Vec<Record>,
    pub index: Vec<Index>,
    pub chunk_sizes: Vec<usize>,
    pub compress: bool,
    /// Changes the body before it is hashed and signed.
    pub patch_body: fn(&mut Vec<u8>),
    /// Changes the seal's text before it is signed.
    pub patch_text: fn(String) -> String,
    /// Changes the seal after it was signed.
    pub patch_seal: fn(String) -> String,
    pub key: SigningKey,
    /// Who signs the second line.
    pub second: Option<SigningKey>,
}

impl Draft {
    /// The payload of the block record.
    pub fn block_record(&mut self) -> &mut Vec<u8> {
        &mut self.records[0].payload
    }

    /// Whose key the block record names, and who signs the first line.
    pub fn sign_by(&mut self, key: &SigningKey) {
        let id = key_id(&format!("{ORIGIN}/{}", self.partition), key);
        self.block_record()[80..84].copy_from_slice(&id);
        self.key = key.clone();
    }

    pub fn entry(&mut self, stream: u64) -> &mut Index {
        self.index.iter_mut().find(|entry| entry.stream == stream).unwrap()
    }
}

#[derive(Clone, Default, Debug)]
struct Stream {
    version: u64,
    previous: Option<u64>,
    chain: Hash,
    events: Tree,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Partition {
    blocks: u64,
    hash: Hash,
    tree: Tree,
    time: u64,
    streams: BTreeMap<u64, Stream>,
    leaves: Vec<[u8; 48]>,
    /// Of each record: its head, payload, salt, and the stream's chain value before it.
    records: Vec<Proved>,
    /// Of each block: size after it, and seal.
    seals: Vec<(u64, Vec<u8>)>,
    head: Option<Head>,
}

/// What a proof shows of a record.
#[derive(Clone, Debug)]
pub struct Proved {
    pub head: Vec<u8>,
    pub payload: Vec<u8>,
    pub salt: [u8; 16],
    pub before: Hash,
}

/// A log under construction.
#[derive(Clone, Debug)]
pub struct Forge {
    pub key: SigningKey,
    pub genesis: Vec<u8>,
    pub epoch: u64,
    partitions: Vec<Partition>,
    /// The frames of each block, in the order of an archive.
    pub blocks: Vec<Vec<Frame>>,
}

impl Forge {
    pub fn new(log: u8, partitions: u16) -> Self {
        Forge::with_next(log, partitions, None)
    }

    /// A log whose genesis commits to a next key.
    pub fn with_next(log: u8, partitions: u16, next: Option<&SigningKey>) -> Self {
        let key = key(7);
        let next = next.map_or("none".to_owned(), |next| hex(&sha(&[&public(next)])));
        let genesis = format!(
            "actum-genesis 1\nlog {}\norigin {ORIGIN}\ncreated 5\nclock simulated\npartitions {partitions}\nkey {}\nnext {next}\n",
            hex(&[log; 16]),
            hex(&public(&key)),
        )
        .into_bytes();
        Forge::with_genesis(&genesis)
    }

    /// A log with this genesis, whose first key has to be the usual one.
    pub fn with_genesis(genesis: &[u8]) -> Self {
        let (key, genesis) = (key(7), genesis.to_vec());
        let text = String::from_utf8(genesis.clone()).unwrap();
        let partitions: u16 = text.split_once("\npartitions ").unwrap().1.lines().next().unwrap().parse().unwrap();
        let partition = Partition {
            blocks: 0,
            hash: h("genesis", &genesis),
            tree: Tree::default(),
            time: 1_000,
            streams: BTreeMap::new(),
            leaves: Vec::new(),
            records: Vec::new(),
            seals: Vec::new(),
            head: None,
        };
        Forge { key, genesis, epoch: 1, partitions: vec![partition; usize::from(partitions)], blocks: Vec::new() }
    }

    /// An honest block.
    pub fn draft(&mut self, partition: u16, events: &[Event]) -> Draft {
        let key = self.key.clone();
        let epoch = self.epoch;
        let state = &mut self.partitions[usize::from(partition)];
        let mut payload = [&state.hash[..], &state.blocks.to_le_bytes(), &epoch.to_le_bytes()].concat();
        payload.extend([epoch as u8; 16]);
        payload.extend([0; 16]);
        payload.extend(key_id(&format!("{ORIGIN}/{partition}"), &key));
        payload.extend([0; 12]);
        let block_event = Event { stream: SYSTEM, payload, ..Event::default() };
        let mut streams: BTreeMap<u64, Stream> = BTreeMap::new();
        let (mut records, mut index) = (Vec::new(), Vec::new());
        for (event, seq) in std::iter::once(&block_event).chain(events).zip(state.tree.size..) {
            let stream = streams.entry(event.stream).or_insert_with(|| {
                let before = state.streams.get(&event.stream).cloned().unwrap_or_default();
                index.push(Index {
                    stream: event.stream,
                    version: before.version,
                    previous: before.previous.unwrap_or(NONE),
                    chain: before.chain,
                });
                before
            });
            state.time += 1;
            stream.version += 1;
            records.push(Record {
                length: None,
                kind: match (event.kind, event.stream) {
                    (0, SYSTEM) => 1,
                    (0, _) => 256,
                    (kind, _) => kind,
                },
                schema: 1,
                flags: u16::from(event.terminal),
                actor: 0,
                seq,
                stream: event.stream,
                time: state.time,
                previous: stream.previous.unwrap_or(NONE),
                cause: NONE,
                version: stream.version,
                // Only right where the block has no earlier events of the stream.
                ext: if event.root { ext(7, &stream.events.root()) } else { Vec::new() },
                payload: event.payload.clone(),
            });
            stream.previous = Some(seq);
        }
        index.sort_by_key(|entry| entry.stream);
        Draft {
            partition,
            number: state.blocks,
            first_seq: state.tree.size,
            tree: state.tree.clone(),
            chunk_sizes: vec![records.len()],
            compress: false,
            records,
            index,
            patch_body: |_| (),
            patch_text: |text| text,
            patch_seal: |seal| seal,
            key,
            second: None,
        }
    }

    /// Hashes and signs a block as it stands and appends it. What follows builds upon it.
    pub fn seal(&mut self, draft: Draft) {
        let state = &mut self.partitions[usize::from(draft.partition)];
        let secret = [draft.number as u8 + 1; 32];
        let mut salts = keyed("salt", &secret);
        let mut tree = draft.tree.clone();
        let mut chains: BTreeMap<u64, Hash> = draft.index.iter().map(|entry| (entry.stream, entry.chain)).collect();
        let mut stored = Vec::new();
        for record in &draft.records {
            let mut salt = [0; 16];
            salts.fill(&mut salt);
            let p = h("payload", &[&salt[..], &record.payload].concat());
            let e = h("event", &[&record.head()[..], &p].concat());
            let chain = chains.entry(record.stream).or_default();
            state.records.push(Proved { head: record.head(), payload: record.payload.clone(), salt, before: *chain });
            *chain = h("chain", &[*chain, e].concat());
            let leaf = [&chain[..], &record.seq.to_le_bytes(), &record.version.to_le_bytes()].concat();
            tree.add(&leaf);
            state.leaves.push(leaf.try_into().unwrap());
            stored.push([record.head(), record.payload.clone()].concat());
            let stream = state.streams.entry(record.stream).or_default();
            stream.version = record.version;
            stream.previous = Some(record.seq);
            stream.chain = *chain;
            stream.events.add(&e);
            stream.ended |= record.flags & 1 != 0;
        }
        let total: usize = stored.iter().map(Vec::len).sum();
        let mut body = [draft.partition.to_le_bytes(), 1_u16.to_le_bytes()].concat();
        body.extend((stored.len() as u32).to_le_bytes());
        for field in [draft.number, draft.first_seq, total as u64] {
            body.extend(field.to_le_bytes());
        }
        body.extend([tree.root(), secret].concat());
        let counts = [draft.chunk_sizes.len(), draft.index.len(), draft.tree.roots.len(), 0];
        counts.iter().for_each(|count| body.extend((*count as u32).to_le_bytes()));
        body.extend(draft.tree.roots.concat());
        for entry in &draft.index {
            [entry.stream, entry.version, entry.previous].iter().for_each(|field| body.extend(field.to_le_bytes()));
            body.extend(entry.chain);
        }
        (draft.patch_body)(&mut body);
        let hash = h("block", &body);
        let size = draft.first_seq + stored.len() as u64;
        let name = format!("{ORIGIN}/{}", draft.partition);
        let text =
            format!("{name}\n{size}\n{}\nactum-block {} {}\n", base64(&tree.root()), draft.number, base64(&hash));
        let text = (draft.patch_text)(text);
        let mut seal = format!("{text}\n");
        for key in [Some(&draft.key), draft.second.as_ref()].into_iter().flatten() {
            seal += &signature_line(&name, key, &text);
        }
        let seal = (draft.patch_seal)(seal).into_bytes();

        let (mut frames, mut start) = (Vec::new(), 0);
        for count in draft.chunk_sizes {
            let records = stored[start..start + count].concat();
            let seq = draft.first_seq + start as u64;
            frames.push(frame(FrameType::Chunk, draft.partition, count as u32, seq, &records, draft.compress));
            start += count;
        }
        body.extend((seal.len() as u32).to_le_bytes());
        body.extend(&seal);
        frames.push(frame(FrameType::Block, draft.partition, 0, size.wrapping_sub(1), &body, false));
        self.blocks.push(frames);
        state.time = draft.records.last().map_or(0, |record| record.time);
        state.seals.push((size, seal.clone()));
        state.head = Some(Head { number: draft.number, size, hash, seal });
        state.hash = hash;
        state.blocks += 1;
        state.tree = tree;
    }

    /// Appends an honest block.
    pub fn append(&mut self, partition: u16, events: &[Event]) {
        let draft = self.draft(partition, events);
        self.seal(draft);
    }

    /// An honest block that rotates the key in force, and perhaps revokes the old one.
    pub fn rotate(&mut self, partition: u16, new: &SigningKey, next: Option<&SigningKey>, revoke: bool) {
        let draft = self.rotation_draft(partition, new, next, revoke);
        self.seal(draft);
        self.key = new.clone();
    }

    pub fn rotation_draft(
        &mut self,
        partition: u16,
        new: &SigningKey,
        next: Option<&SigningKey>,
        revoke: bool,
    ) -> Draft {
        let old = self.key.clone();
        let mut events = vec![event(1), rotation(&old, new, next)];
        events.extend(revoke.then(|| revocation(&old)));
        let mut draft = self.draft(partition, &events);
        if revoke {
            draft.sign_by(new);
        } else {
            draft.second = Some(new.clone());
        }
        draft
    }

    /// The leaves of the table of all streams as they are now.
    pub fn table(&self, partition: u16) -> Vec<Vec<u8>> {
        let streams = self.partitions[usize::from(partition)].streams.iter().filter(|(id, _)| **id != SYSTEM);
        let leaf = |(id, stream): (&u64, &Stream)| {
            [&id.to_le_bytes()[..], &stream.version.to_le_bytes(), &stream.chain, &[u8::from(stream.ended)]].concat()
        };
        streams.map(leaf).collect()
    }

    /// The event that an honest checkpoint in the next block is.
    pub fn checkpoint(&self, partition: u16) -> Event {
        let leaves = self.table(partition);
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.add(leaf));
        let size = self.partitions[usize::from(partition)].tree.size;
        let payload = [&size.to_le_bytes()[..], &tree.size.to_le_bytes(), &tree.root(), b"application"].concat();
        Event { stream: CHECKPOINTS, kind: 4, payload, ..Event::default() }
    }

    /// The seal of a block, as a reviewer keeps it.
    pub fn kept(&self, partition: u16, block: usize) -> Vec<u8> {
        self.partitions[usize::from(partition)].seals[block].1.clone()
    }

    pub fn archive(&self) -> Vec<u8> {
        let counts = self.partitions.iter().map(|state| (state.blocks, state.tree.size)).collect::<Vec<_>>();
        archive(&self.genesis, &self.blocks, &counts)
    }

    pub fn source(&self) -> Source {
        Source {
            genesis: self.genesis.clone(),
            heads: self.partitions.iter().map(|state| state.head.clone()).collect(),
            frames: self.blocks.concat(),
        }
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// A line of a signed note, with the line's end.
pub fn signature_line(name: &str, key: &SigningKey, text: &str) -> String {
    let signature = [&key_id(name, key)[..], &key.sign(text.as_bytes()).to_bytes()].concat();
    format!("— {name} {}\n", STANDARD.encode(signature))
}

/// A witness's line under a seal.
pub fn cosignature_line(name: &str, key: &SigningKey, seal: &[u8], time: u64) -> String {
    let text = std::str::from_utf8(seal).unwrap().split_once("\n\n").unwrap().0;
    let signature = key.sign(format!("cosignature/v1\ntime {time}\n{text}\n").as_bytes()).to_bytes();
    let bytes = [&witness_id(name, key)[..], &time.to_be_bytes(), &signature].concat();
    format!("— {name} {}\n", STANDARD.encode(bytes))
}

fn witness_id(name: &str, key: &SigningKey) -> [u8; 4] {
    sha(&[name.as_bytes(), &[0x0a, 4], &public(key)])[..4].try_into().unwrap()
}

/// A trust file of this key, revoked keys and witnesses.
pub fn trust_file(key: &SigningKey, revoked: &[&SigningKey], witnesses: &[(&str, &SigningKey)]) -> String {
    let mut text = format!("actum-trust 1\norigin {ORIGIN}\nkey {}\n", hex(&public(key)));
    revoked.iter().for_each(|key| text += &["revoked ", &hex(&public(key)), "\n"].concat());
    for (name, key) in witnesses {
        let material = STANDARD.encode([&[4][..], &public(key)].concat());
        text += &["witness ", name, "+", &hex(&witness_id(name, key)), "+", &material, "\n"].concat();
    }
    text
}

pub fn key_id(name: &str, key: &SigningKey) -> [u8; 4] {
    sha(&[name.as_bytes(), &[0x0a, 1], key.verifying_key().as_bytes()])[..4].try_into().unwrap()
}

/// A frame with a fitting checksum.
pub fn frame(kind: FrameType, partition: u16, count: u32, seq: u64, body: &[u8], compress: bool) -> Frame {
    let stored = if compress { lz4_flex::block::compress(body) } else { body.to_vec() };
    let mut bytes = vec![kind as u8, u8::from(compress)];
    bytes.extend(partition.to_le_bytes());
    bytes.extend((stored.len() as u32).to_le_bytes());
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(seq.to_le_bytes());
    let checksum = h("frame", &[&bytes[..], &stored].concat());
    bytes.extend(&checksum[..16]);
    bytes.extend(stored);
    Frame { key: FrameKey { partition, seq, kind }, bytes }
}

/// Fits a frame's checksum to its bytes again, as anybody can.
pub fn refit(frame: &mut Frame) {
    let checksum = h("frame", &[&frame.bytes[..24], &frame.bytes[40..]].concat());
    frame.bytes[24..40].copy_from_slice(&checksum[..16]);
}

/// An archive of these blocks, whose end frame says these blocks and sizes.
pub fn archive(genesis: &[u8], blocks: &[Vec<Frame>], counts: &[(u64, u64)]) -> Vec<u8> {
    let mut bytes = b"ACTUM ARCHIVE 1\n".to_vec();
    bytes.extend(frame(FrameType::Genesis, 0, 0, 0, genesis, false).bytes);
    blocks.iter().flatten().for_each(|frame| bytes.extend(&frame.bytes));
    let mut end = Vec::new();
    for (partition, (blocks, size)) in (0_u16..).zip(counts) {
        end.extend(partition.to_le_bytes());
        end.extend([0; 6]);
        end.extend(blocks.to_le_bytes());
        end.extend(size.to_le_bytes());
    }
    end.extend((1 + blocks.iter().map(Vec::len).sum::<usize>() as u64).to_le_bytes());
    bytes.extend(frame(FrameType::End, 0, 0, 0, &end, false).bytes);
    bytes
}

/// Frames in memory, with heads of their own.
#[derive(Clone, Debug)]
pub struct Source {
    pub genesis: Vec<u8>,
    pub heads: Vec<Option<Head>>,
    pub frames: Vec<Frame>,
}

impl FrameSource for Source {
    fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        Ok(self.genesis.clone())
    }

    fn head(&self, partition: u16) -> Result<Option<Head>, ReadError> {
        Ok(self.heads[usize::from(partition)].clone())
    }

    fn frames(&self, from: FrameKey) -> Result<Frames<'_>, ReadError> {
        let wanted = move |frame: &&Frame| frame.key.partition == from.partition && frame.key >= from;
        Ok(Box::new(self.frames.iter().filter(wanted).cloned().map(Ok)))
    }

    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError> {
        let wanted = |frame: &&Frame| frame.key.partition == at.partition && frame.key <= at;
        Ok(self.frames.iter().rfind(wanted).cloned())
    }
}
