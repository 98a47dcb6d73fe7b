//! Decoders never panic, whatever bytes they meet, and each value has exactly one spelling.

mod fixture;

use actum_log::{
    ArchiveError, ArchiveReader, ArchiveSource, BlockBody, CHECKPOINT_STREAM, Checkpoint, Compressor, EventStore,
    Extensions, Frame, FrameError, FrameHeader, FrameKey, FrameSource, FrameType, Genesis, Header, KEY_STREAM,
    MemoryStore, Record, RecordError, Revocation, Rotation, Seal, SealError, SealText, VerifierKey, records_in,
    sign_seal, split_body_and_seal, write_archive, write_tail,
};
use fixture::{Test, genesis, signer, small_log};
use proptest::prelude::*;

fn archive() -> Vec<u8> {
    let mut bytes = Vec::new();
    write_archive(&small_log(), &mut bytes).expect("memory has room");
    bytes
}

/// The last block of partition 0 alone.
fn tail() -> Vec<u8> {
    let (store, mut bytes) = (small_log(), Vec::new());
    let size = |partition| EventStore::head(&store, partition).expect("a head").size;
    let body = last_body(&store);
    write_tail(&store, &[body.first_seq, size(1)], &mut bytes).expect("memory has room");
    bytes
}

fn last_body(store: &MemoryStore) -> BlockBody {
    let last = store.frame_at_or_before(FrameKey::last(0)).expect("frames").expect("a block");
    let (_, raw) = last.decode().expect("the frame decodes");
    BlockBody::decode(split_body_and_seal(&raw).expect("a body and a seal").0).expect("a body")
}

fn seal() -> (SealText, Vec<u8>) {
    let text = SealText {
        origin: "a.example/b".to_owned(),
        partition: 7,
        size: 1_000,
        root: [1; 32],
        number: 12,
        hash: [2; 32],
    };
    let note = sign_seal(&text, &signer()).expect("the key is at hand");
    (text, note)
}

/// Valid bytes of every decoder's input.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds =
        vec![genesis().to_string().into_bytes(), seal().1, genesis().verifier_key(0).to_string().into_bytes(), tail()];
    for frame in ArchiveReader::new(&archive()[..]).expect("an archive") {
        let frame = frame.expect("a frame").frame;
        let (_, body) = frame.decode().expect("the frame decodes");
        if body.len() < 8_000 {
            seeds.push(body);
            seeds.push(frame.bytes);
        }
    }
    seeds
}

fn decode_as_everything(bytes: &[u8]) {
    let _ = Genesis::parse(bytes).map(|genesis| assert_eq!(genesis.to_string().as_bytes(), bytes));
    if let Ok(seal) = Seal::parse(bytes) {
        assert!(bytes.starts_with(seal.text.to_string().as_bytes()), "a seal's text has one spelling");
        let _ = seal.verify(&genesis().verifier_key(0));
    }
    if let Some(key) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<VerifierKey>().ok()) {
        assert_eq!(key.to_string().as_bytes(), bytes);
    }
    let _ = Extensions::parse(bytes).map(|extensions| extensions.iter().count());
    for record in records_in(bytes).flatten() {
        assert_eq!(record.header().encode(), record.bytes()[..64]);
        decode_own(&record);
        let _ = (record.extensions().business_key(), record.payload());
    }
    let _ = BlockBody::decode(bytes).map(|body| assert_eq!(body.encode(), bytes));
    let _ = split_body_and_seal(bytes).map(|(body, seal)| (BlockBody::decode(body), Seal::parse(seal)));
    let _ = Frame::from_bytes(bytes.to_vec()).map(|frame| frame.decode());
    let _ = ArchiveSource::from_bytes(bytes.to_vec());
}

/// Records of the log's own kinds: whatever payload they have.
fn decode_own(record: &Record<'_>) {
    if let Ok(rotation) = Rotation::from_record(record) {
        assert_eq!(rotation.encode(), record.payload());
    }
    if let Ok(revocation) = Revocation::from_record(record) {
        assert_eq!(revocation.encode(), record.payload());
    }
    if let Ok(checkpoint) = Checkpoint::from_record(record) {
        assert_eq!([&checkpoint.encode_fixed()[..], checkpoint.application].concat(), record.payload());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn payloads_of_own_records_do_not_panic(
        kind in 2..5_u16,
        schema in 1..3_u16,
        elsewhere in prop::bool::weighted(0.1),
        terminal in prop::bool::weighted(0.1),
        payload in prop_oneof![
            prop::collection::vec(any::<u8>(), 90..100),
            prop::collection::vec(b'a'..=b'z', 30..60),
            prop::collection::vec(any::<u8>(), 40..4_200),
        ],
    ) {
        let stream = if elsewhere { 9 } else if kind == 4 { CHECKPOINT_STREAM } else { KEY_STREAM };
        let header = Header {
            length: 64 + payload.len() as u32,
            kind,
            schema,
            terminal,
            encrypted: false,
            extension_length: 0,
            actor: 1,
            seq: 5,
            stream,
            time: 0,
            previous: None,
            cause: None,
            version: 1,
        };
        let bytes = [&header.encode()[..], &payload].concat();
        let (record, _) = Record::split_first(&bytes)?;
        decode_own(&record);
        let read = [Rotation::from_record(&record).is_ok(), Revocation::from_record(&record).is_ok(), Checkpoint::from_record(&record).is_ok()];
        prop_assert!(read.iter().filter(|read| **read).count() <= 1, "a record is of one kind");
        prop_assert!(!(elsewhere || terminal || schema > 1) || read == [false; 3]);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        decode_as_everything(&bytes);
    }

    #[test]
    fn mutated_bytes_do_not_panic(pick: prop::sample::Index, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in prop::option::of(any::<prop::sample::Index>())) {
        let seeds = seeds();
        let mut bytes = seeds[pick.index(seeds.len())].clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        decode_as_everything(&bytes);
    }

    #[test]
    fn headers_read_back(bytes: [u8; 32], more: [u8; 32]) {
        let mut header = [0; 64];
        header[..32].copy_from_slice(&bytes);
        header[32..].copy_from_slice(&more);
        header[2..4].fill(0);
        header[8..12].fill(0);
        if let Ok(decoded) = Header::decode(&header) {
            prop_assert_eq!(decoded.encode(), header);
        }
    }

    #[test]
    fn frames_read_back(body in prop::collection::vec(0..8_u8, 1..3_000), seq: u64, partition: u16) {
        let key = FrameKey { partition, seq, kind: FrameType::Chunk };
        let frame = Frame::encode(key, 3, &body, &mut Compressor::default());
        let (header, decoded) = frame.decode()?;
        prop_assert_eq!((header.key, header.count, decoded), (key, 3, body));
    }
}

#[test]
fn every_bit_of_a_frame_is_guarded() {
    let frame = Frame::encode(
        FrameKey { partition: 1, seq: 2, kind: FrameType::Chunk },
        1,
        &[5; 500],
        &mut Compressor::default(),
    );
    for bit in 0..frame.bytes.len() * 8 {
        let mut changed = frame.clone();
        changed.bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(changed.decode().is_err(), "bit {bit}");
    }
    let mut longer = frame.clone();
    longer.bytes.push(0);
    assert_eq!(longer.decode(), Err(FrameError::Trailing));
    assert_eq!(Frame::from_bytes(frame.bytes[..20].to_vec()), Err(FrameError::Truncated));
}

#[test]
fn a_frame_cannot_claim_more_than_its_type_allows() {
    for kind in [FrameType::Genesis, FrameType::Chunk, FrameType::Block, FrameType::End, FrameType::Proof] {
        let mut head = [0; 40];
        head[0] = kind as u8;
        head[1] = 1;
        head[12] = u8::from(kind == FrameType::Chunk);
        head[8..12].copy_from_slice(&(kind.raw_bytes_max() as u32).to_le_bytes());
        assert!(FrameHeader::decode(&head).is_ok());
        head[8..12].copy_from_slice(&(kind.raw_bytes_max() as u32 + 1).to_le_bytes());
        assert!(matches!(FrameHeader::decode(&head), Err(FrameError::Length { .. })));
        head[8..12].fill(0xff);
        assert!(matches!(FrameHeader::decode(&head), Err(FrameError::Length { .. })));
        (head[4..12]).fill(0);
        head[4] = 17;
        assert!(
            matches!(FrameHeader::decode(&head), Err(FrameError::Length { stored: 17, raw: 0 })),
            "longer than LZ4's worst"
        );
    }
}

#[test]
fn records_are_checked_by_themselves() {
    let valid = Header {
        length: 64,
        kind: 256,
        schema: 1,
        terminal: false,
        encrypted: false,
        extension_length: 0,
        actor: 0,
        seq: 9,
        stream: 1,
        time: 0,
        previous: None,
        cause: None,
        version: 1,
    };
    let check = |header: Header| Record::split_first(&header.encode()).map(|_| ());
    assert_eq!(check(valid), Ok(()));
    assert_eq!(check(Header { length: 63, ..valid }), Err(RecordError::Length(63)));
    assert_eq!(check(Header { length: 8_454_145, ..valid }), Err(RecordError::Length(8_454_145)));
    assert_eq!(check(Header { length: 65, ..valid }), Err(RecordError::Truncated));
    assert_eq!(check(Header { extension_length: 1, ..valid }), Err(RecordError::ExtensionLength(1)));
    assert_eq!(
        check(Header { length: 8_000, extension_length: 4_097, ..valid }),
        Err(RecordError::ExtensionLength(4_097))
    );
    assert_eq!(check(Header { kind: 0, ..valid }), Err(RecordError::Kind));
    assert_eq!(check(Header { schema: 0, ..valid }), Err(RecordError::Kind));
    assert_eq!(check(Header { stream: 0, ..valid }), Err(RecordError::Stream { kind: 256, stream: 0 }));
    assert_eq!(check(Header { kind: 1, ..valid }), Err(RecordError::Stream { kind: 1, stream: 1 }));
    for broken in [
        Header { version: 0, ..valid },
        Header { version: 2, ..valid },
        Header { previous: Some(3), ..valid },
        Header { version: 2, previous: Some(9), ..valid },
        Header { cause: Some(9), ..valid },
    ] {
        assert_eq!(check(broken), Err(RecordError::Links), "{broken:?}");
    }
    assert_eq!(check(Header { encrypted: true, ..valid }), Err(RecordError::FlagsAndExtensions), "no key named");
    let mut flags = valid.encode();
    flags[8] = 4;
    assert_eq!(Header::decode(&flags), Err(RecordError::Flags(4)));
}

#[test]
fn seals_are_read_strictly() -> Test {
    let (text, note) = seal();
    let parsed = Seal::parse(&note)?;
    assert_eq!(parsed.text, text);
    let key = VerifierKey::new(&text.origin, text.partition, actum_log::Signer::public_key(&signer()));
    parsed.verify(&key)?;
    assert_eq!(key.to_string().parse::<VerifierKey>()?, key);
    let note = String::from_utf8(note)?;
    for (from, to) in [
        ("\n1000\n", "\n01000\n"),
        ("\n1000\n", "\n+1000\n"),
        ("actum-block 12", "actum-block  12"),
        ("actum-block 12", "block 12"),
        ("a.example/b/7", "a.example/b/07"),
        ("\n\n", "\n\n\n"),
        ("\n\n", "\nmore\n\n"),
        ("\n\n", "\n"),
        ("\u{2014}", "-"),
        ("AQE=", "AQF="),
        ("AQE=", "AQE"),
    ] {
        let changed = note.replacen(from, to, 1);
        assert_ne!(changed, note, "{from:?}");
        assert!(matches!(Seal::parse(changed.as_bytes()), Err(SealError::Malformed(_))), "{from:?} -> {to:?}");
    }
    let witnessed = format!("{note}\u{2014} witness.example AAAAAAAAAAAAAAA=\n");
    Seal::parse(witnessed.as_bytes())?.verify(&key)?;
    let other = VerifierKey { public_key: [9; 32], ..key.clone() };
    assert!(matches!(parsed.verify(&other), Err(SealError::Unsigned(_))));
    let changed = Seal::parse(note.replacen("\n1000\n", "\n1001\n", 1).as_bytes())?;
    assert!(matches!(changed.verify(&key), Err(SealError::Signature(_))));
    Ok(())
}

#[test]
fn an_archive_that_is_cut_is_told_from_one_that_is_changed() {
    let bytes = archive();
    let read = |bytes: &[u8]| -> Result<Vec<_>, ArchiveError> { ArchiveReader::new(bytes)?.collect() };
    let step = bytes.len() / 500;
    for cut in (17..bytes.len()).step_by(step) {
        let error = read(&bytes[..cut]).expect_err("is cut");
        assert!(matches!(error, ArchiveError::Truncated { offset, .. } if offset == cut as u64), "{cut}: {error:?}");
    }
    for at in (0..bytes.len()).step_by(step) {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        assert!(read(&changed).is_err(), "byte {at}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(read(&longer), Err(ArchiveError::Trailing { offset }) if offset == bytes.len() as u64));
    assert!(matches!(read(b"ACTUM ARCHIVE 2\n"), Err(ArchiveError::NotAnArchive)));
}

#[test]
fn an_archive_keeps_its_order_and_its_end() -> Test {
    let bytes = archive();
    let frames = ArchiveReader::new(&bytes[..])?.collect::<Result<Vec<_>, _>>()?;
    let cut_out = |from: u64, to: u64| [&bytes[..from as usize], &bytes[to as usize..]].concat();
    for pair in frames.windows(2) {
        let without = cut_out(pair[0].offset, pair[1].offset);
        let error = ArchiveReader::new(&without[..])?.collect::<Result<Vec<_>, _>>().expect_err("a frame is missing");
        assert!(matches!(error, ArchiveError::Contradiction { .. }), "{error:?}");
    }
    let source = ArchiveSource::from_bytes(bytes.clone())?;
    let mut again = Vec::new();
    let summary = write_archive(&source, &mut again)?;
    assert_eq!((&again, summary), (&bytes, source.summary().clone()), "an archive of an archive is the archive");
    Ok(())
}
