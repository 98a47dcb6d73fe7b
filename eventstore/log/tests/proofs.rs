//! Proofs: every one leads from the genesis key to its seal's, and one of completeness shows all of a stream or that it is not there.
//!
//! Decodes and checks by FORMAT.md section 10 alone; `actum-verify` does so for those who rely on it.

mod fixture;

use actum_log::{
    CasePaths, Checkpoint, CheckpointTable, FileSigner, Hash, ProofError, ProofOptions, Record, Rotation,
    STREAM_LEAF_BYTES, Seal, Signer, StreamLeaf, VerifierKey, chain_hash, event_hash, genesis_hash, leaf, leaf_hash,
    log_leaf_hash, payload_hash, prove_case, prove_completeness, prove_consistency, prove_dossier, prove_event,
    records,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixture::{ChangingLog, Test, changing_log, genesis, key, root_by_path, rotating_genesis, small_log};

/// A proof file, taken apart as far as all kinds are alike.
struct Parts {
    kind: u32,
    rotations: usize,
    rest: Vec<u8>,
    index: Option<u64>,
    seals: Vec<Seal>,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("4 bytes"))
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().expect("8 bytes"))
    }

    fn hash(&mut self) -> Hash {
        self.take(32).try_into().expect("32 bytes")
    }

    fn path(&mut self, index: u64, size: u64) -> Vec<Hash> {
        (0..path_length(index, size)).map(|_| self.hash()).collect()
    }

    /// A whole record and its salt: the record, and its event hash.
    fn disclosed(&mut self) -> (Record<'a>, Hash) {
        let (record, _) = Record::split_first(self.0).expect("a record");
        self.take(record.bytes().len());
        let payload = payload_hash(self.take(16), record.payload());
        (record, event_hash(record.head_bytes(), &payload))
    }

    fn table_leaf(&mut self) -> [u8; STREAM_LEAF_BYTES] {
        self.take(STREAM_LEAF_BYTES).try_into().expect("49 bytes")
    }
}

/// Hashes of an audit path: one for each level at which the node has a sibling.
fn path_length(mut index: u64, size: u64) -> usize {
    let (mut last, mut length) = (size - 1, 0);
    while last > 0 {
        length += usize::from(index % 2 == 1 || index != last);
        (index, last) = (index / 2, last / 2);
    }
    length
}

fn leaf_of(record: &Record<'_>, chain: &Hash) -> Hash {
    log_leaf_hash(&leaf(chain, record.header().seq, record.header().version))
}

fn signed_by(seal: &Seal, line: usize, by: &FileSigner) -> bool {
    let key = VerifierKey::new(genesis().origin(), 0, by.public_key());
    seal.verify_line(line, &key).is_ok()
}

/// Takes a proof apart, checks all that kinds share and that the seals are by the key in force.
fn check(text: &str, genesis_text: &str) -> Parts {
    let (head, notes) = text.split_once("\n\n").expect("an empty line");
    let mut lines = head.lines();
    let is_inclusion = lines.next() == Some("c2sp.org/tlog-proof@v1");
    let body = lines.next().and_then(|line| line.strip_prefix("extra ")).expect("a body");
    let body = STANDARD.decode(body).expect("base64");
    let index = is_inclusion.then(|| lines.next().and_then(|line| line.strip_prefix("index ")).expect("an index"));
    let notes: Vec<&str> = notes.split("\n\n").collect();
    let seals: Vec<Seal> = notes
        .chunks(2)
        .map(|pair| Seal::parse(format!("{}\n\n{}\n", pair[0], pair[1].trim_end()).as_bytes()).expect("a seal"))
        .collect();
    let seal = seals.last().expect("a seal");
    let (size, root) = (seal.text.size, seal.text.root);

    let mut reader = Reader(&body);
    assert_eq!(reader.take(8), b"ACTUMPF1");
    let (kind, rotations, length) = (reader.u32(), reader.u32(), reader.u32());
    assert_eq!(reader.take(length as usize), genesis_text.as_bytes());
    let (first, event) = reader.disclosed();
    assert_eq!(first.payload()[..32], genesis_hash(genesis_text.as_bytes()));
    assert_eq!(root_by_path(0, size, leaf_of(&first, &chain_hash(&[0; 32], &event)), &reader.path(0, size)), root);
    // As the test's log has them: key n + 1 follows key n.
    let mut last_rotation = None;
    for number in 0..rotations as u8 {
        let before = reader.hash();
        let (record, event) = reader.disclosed();
        let rotation = Rotation::from_record(&record).expect("a rotation");
        assert_eq!((rotation.old, rotation.new), (key(number).public_key(), key(number + 1).public_key()));
        let seq = record.header().seq;
        let path = reader.path(seq, size);
        assert_eq!(root_by_path(seq, size, leaf_of(&record, &chain_hash(&before, &event)), &path), root);
        let length = reader.u32();
        let own = Seal::parse(reader.take(length as usize)).expect("the seal of the rotation's block");
        assert!(own.text.size > seq && own.text.size <= size);
        let replaced = number == 1;
        if replaced {
            assert!(signed_by(&own, 0, &key(number + 1)) && own.signatures.len() == 1);
        } else {
            assert!(signed_by(&own, 0, &key(number)) && signed_by(&own, 1, &key(number + 1)));
        }
        last_rotation = Some(own.text.size);
    }
    let in_force = rotations as u8;
    let by_old = last_rotation == Some(size) && in_force != 2;
    assert!(signed_by(seal, 0, &key(in_force - u8::from(by_old))), "the seal is by the key in force for its block");
    let index = index.map(|index| index.parse().expect("a number"));
    Parts { kind, rotations: rotations as usize, rest: reader.0.to_vec(), index, seals }
}

#[test]
fn every_proof_carries_the_rotations_up_to_its_seal() -> Test {
    let ChangingLog { store, blocks, .. } = changing_log();
    let text = rotating_genesis().to_string();
    for (size, rotations) in &blocks {
        let options = ProofOptions { size: Some(*size), ..Default::default() };
        for seq in [0, 1, size - 1] {
            let parts = check(&prove_event(&store, seq, &options)?, &text);
            assert_eq!((parts.kind, parts.rotations, parts.index), (1, *rotations, Some(seq)), "{size}");
        }
        let case = check(&prove_case(&store, 10, CasePaths::Last, &options)?, &text);
        assert_eq!((case.kind, case.rotations), (2, *rotations));
        for (old, _) in blocks.iter().filter(|(old, _)| old <= size) {
            let parts = check(&prove_consistency(&store, *old, &options)?, &text);
            assert_eq!((parts.kind, parts.rotations, parts.seals.len()), (4, *rotations, 2));
            assert!(parts.rest.is_empty());
        }
    }
    let ended = records(&store, 0, 0)?.filter_map(Result::ok).find(|record| {
        let header = record.header();
        header.terminal && header.version > 2
    });
    let ended = *ended.ok_or("no stream ended")?.header();
    let previous = ended.previous.ok_or("a first event")?;
    let dossier = prove_dossier(&store, ended.stream, &[previous], &ProofOptions::default())?;
    assert_eq!(check(&dossier, &text).rotations, 3);
    Ok(())
}

#[test]
fn a_log_that_never_changed_its_key_has_proofs_as_ever() -> Test {
    let (store, text) = (small_log(), genesis().to_string());
    let proof = prove_event(&store, 40, &ProofOptions::default())?;
    assert_eq!(check(&proof, &text).rotations, 0);
    let other = prove_event(&store, 1, &ProofOptions { partition: 1, ..Default::default() })?;
    assert!(other.contains("golden.example/actum/1"));
    Ok(())
}

/// What a proof of completeness says, once it was checked.
#[derive(Debug, PartialEq)]
enum Said {
    There { version: u64, ended: bool, shown: Vec<u64> },
    NotThere { below: Option<u64>, above: Option<u64> },
}

fn check_completeness(text: &str, stream: u64) -> Said {
    let Parts { kind, rest, index, seals, .. } = check(text, &rotating_genesis().to_string());
    assert_eq!(kind, 5);
    let mut reader = Reader(&rest);
    let before = reader.hash();
    assert_eq!(reader.take(1), [1], "the checkpoint is disclosed");
    let (record, event) = reader.disclosed();
    let checkpoint = Checkpoint::from_record(&record).expect("a checkpoint");
    assert_eq!((index, checkpoint.application), (Some(record.header().seq), &b"saved elsewhere"[..]));
    let in_tree = leaf_of(&record, &chain_hash(&before, &event));
    let path: Vec<Hash> = text
        .lines()
        .skip(3)
        .take_while(|line| !line.is_empty())
        .map(|line| STANDARD.decode(line).expect("base64").try_into().expect("a hash"))
        .collect();
    assert_eq!(root_by_path(record.header().seq, seals[0].text.size, in_tree, &path), seals[0].text.root);
    assert_eq!(reader.u64(), stream);
    let (place, form) = (reader.u64(), reader.take(1)[0]);
    let root = |at, leaf: &[u8], path: &[Hash]| root_by_path(at, checkpoint.streams, leaf_hash(leaf), path);
    if form == 0 {
        let mut neighbour = |at: Option<u64>| {
            let at = at.filter(|at| *at < checkpoint.streams)?;
            let leaf = reader.table_leaf();
            assert_eq!(root(at, &leaf, &reader.path(at, checkpoint.streams)), checkpoint.root);
            Some(Reader(&leaf).u64())
        };
        let said = Said::NotThere { below: neighbour(place.checked_sub(1)), above: neighbour(Some(place)) };
        assert!(reader.0.is_empty());
        return said;
    }
    let (version, chain, status) = (reader.u64(), reader.hash(), reader.take(1)[0]);
    let leaf = StreamLeaf { stream, version, chain, ended: status == 1 };
    assert_eq!(root(place, &leaf.encode(), &reader.path(place, checkpoint.streams)), checkpoint.root);
    let (mut computed, mut shown) = ([0; 32], Vec::new());
    assert_eq!(u64::from(reader.u32()), version);
    for expected in 1..=version {
        let (header, event) = if reader.take(1) == [1] {
            let (record, event) = reader.disclosed();
            (*record.header(), event)
        } else {
            let head = reader.take(64);
            let header = actum_log::Header::decode(head.try_into().expect("64 bytes")).expect("a header");
            (header, event_hash(head, &reader.hash()))
        };
        assert_eq!((header.stream, header.version), (stream, expected));
        computed = chain_hash(&computed, &event);
        shown.push(header.seq);
    }
    assert!(computed == chain && reader.0.is_empty());
    Said::There { version, ended: leaf.ended, shown }
}

#[test]
fn completeness_shows_all_events_as_of_a_checkpoint_or_that_there_are_none() -> Test {
    let ChangingLog { store, blocks, checkpoints } = changing_log();
    let all: Vec<_> = records(&store, 0, 0)?.collect::<Result<_, _>>()?;
    for seq in checkpoints {
        let checkpoint = CheckpointTable::read(&store, 0, seq)?;
        let size = checkpoint.table().size();
        let ids: Vec<u64> = checkpoint.table().leaves().iter().map(|leaf| leaf.stream).collect();
        for stream in ids.iter().copied() {
            let events: Vec<_> = all
                .iter()
                .map(actum_log::StoredRecord::header)
                .filter(|header| header.stream == stream && header.seq < size)
                .collect();
            let expected = Said::There {
                version: events.len() as u64,
                ended: events.iter().any(|header| header.terminal),
                shown: events.iter().map(|header| header.seq).collect(),
            };
            let proof = prove_completeness(&store, stream, &checkpoint, &ProofOptions::default())?;
            assert_eq!(check_completeness(&proof, stream), expected);
            let withhold = [events[0].seq];
            let withheld = ProofOptions { withhold: &withhold, ..Default::default() };
            let proof = prove_completeness(&store, stream, &checkpoint, &withheld)?;
            assert_eq!(check_completeness(&proof, stream), expected, "a payload less");
        }
        for (stream, below, above) in [
            (1, None, Some(ids[0])),
            (ids[0] + 1, Some(ids[0]), Some(ids[1])),
            (
                (1 << 63) - 1,
                ids.iter().copied().rfind(|id| *id < 1 << 63),
                ids.iter().copied().find(|id| *id > 1 << 63),
            ),
            (u64::MAX, ids.last().copied(), None),
        ] {
            let proof = prove_completeness(&store, stream, &checkpoint, &ProofOptions::default())?;
            assert_eq!(check_completeness(&proof, stream), Said::NotThere { below, above });
        }
        // Under an older seal that is over the checkpoint just so.
        let (exact, _) = blocks.iter().find(|(size, _)| *size > seq).ok_or("no seal")?;
        let options = ProofOptions { size: Some(*exact), ..Default::default() };
        check_completeness(&prove_completeness(&store, ids[0], &checkpoint, &options)?, ids[0]);
        let options = ProofOptions { size: Some(size), ..Default::default() };
        let refused = prove_completeness(&store, ids[0], &checkpoint, &options);
        assert!(matches!(refused, Err(ProofError::NoEvent { .. })), "that seal is not over it");
    }
    Ok(())
}

#[test]
fn what_cannot_be_proven_complete() -> Test {
    let ChangingLog { store, checkpoints, .. } = changing_log();
    for seq in [0, 1, checkpoints[0] + 1, 1 << 40] {
        assert!(matches!(CheckpointTable::read(&store, 0, seq), Err(ProofError::NoCheckpoint(at)) if at == seq));
    }
    let checkpoint = CheckpointTable::read(&store, 0, checkpoints[0])?;
    let blocks = prove_completeness(&store, 1 << 63, &checkpoint, &ProofOptions::default());
    assert!(matches!(blocks, Err(ProofError::NoStream { .. })), "no checkpoint is over the blocks");
    let options = ProofOptions { withhold: &[3], ..Default::default() };
    let misspelt = prove_completeness(&store, 1, &checkpoint, &options);
    assert!(matches!(misspelt, Err(ProofError::NotPart(3))), "what is to be withheld must be part of it");
    Ok(())
}
