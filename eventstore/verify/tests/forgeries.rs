//! Validly signed but wrong logs, and rightly signed ones cut up: each named, at its place.

mod forge;

use actum_log::{Frame, FrameType};
use actum_verify::{
    BlockInput, Context, Defect, Fault, FaultKind, Part, Trust, Verdict, digest_block, verify_archive, verify_source,
};
use ed25519_dalek::SigningKey;
use forge::{Draft, Event, Forge, NONE, Record, SYSTEM, event, ext, last, refit};

fn verify(archive: &[u8]) -> Result<Verdict, Fault> {
    verify_archive(archive, &Trust::self_signed(), &mut |_| ())
}

/// Seqs 0 to 4: the block record, streams 1, 2, 1, 3 (ends).
fn first_block(forge: &mut Forge) {
    forge.append(0, &[event(1), event(2), event(1), last(3)]);
}

/// Three blocks of which the second, seqs 5 to 8 (block record, 1, 2 ends, 4), is changed by `forge_it` before it is sealed.
fn log_with(forge_it: impl FnOnce(&mut Draft)) -> Forge {
    let mut forge = Forge::new(1, 1);
    first_block(&mut forge);
    let mut draft = forge.draft(0, &[event(1), Event { root: false, ..last(2) }, event(4)]);
    forge_it(&mut draft);
    forge.seal(draft);
    forge.append(0, &[event(1), event(4)]);
    forge
}

#[track_caller]
fn check(forge_it: impl FnOnce(&mut Draft), part: Part, seq: Option<u64>, defect: &Defect) {
    let forge = log_with(forge_it);
    let fault = verify(&forge.archive()).expect_err("a forgery is found");
    assert_eq!(fault.defect, *defect, "{fault}");
    assert_eq!((fault.place.part, fault.place.block, fault.place.seq), (part, Some(1), seq), "{fault}");
    // The same through a source of frames; without heads, since those a forger makes too.
    let mut source = forge.source();
    source.heads[0] = None;
    let again = verify_source(&source, &Trust::self_signed(), &mut |_| ()).expect_err("a forgery is found");
    assert_eq!((again.defect, again.place.part, again.place.seq), (fault.defect, part, seq));
}

/// A record's or a body's own form.
#[track_caller]
fn check_corrupt(forge_it: impl FnOnce(&mut Draft), part: Part, seq: Option<u64>) {
    let fault = verify(&log_with(forge_it).archive()).expect_err("a forgery is found");
    assert_eq!(fault.kind(), FaultKind::Corrupt, "{fault}");
    assert_eq!((fault.place.part, fault.place.block, fault.place.seq), (part, Some(1), seq), "{fault}");
}

#[test]
fn the_honest_log_verifies() {
    let verdict = verify(&log_with(|_| ()).archive()).unwrap();
    assert_eq!((verdict.events(), verdict.blocks()), (12, 3));
    for count in 1..=4 {
        let cut = |draft: &mut Draft| {
            draft.chunk_sizes = vec![count, 4 - count].into_iter().filter(|size| *size > 0).collect();
            draft.compress = true;
        };
        assert!(verify(&log_with(cut).archive()).is_ok());
    }
}

#[test]
fn links_between_records() {
    let event = |seq| (Part::Event, Some(seq));
    let check = |(part, seq), defect, forge_it: fn(&mut Draft)| check(forge_it, part, seq, &defect);
    check(event(7), Defect::Seq { expected: 7, found: 8 }, |draft| draft.records[2].seq = 8);
    check(event(6), Defect::Seq { expected: 6, found: 7 }, |draft| draft.records.swap(1, 2));
    check(event(7), Defect::Seq { expected: 7, found: 6 }, |draft| draft.records[2] = draft.records[1].clone());
    check(event(6), Defect::Version { expected: 3, found: 4 }, |draft| draft.records[1].version = 4);
    check(event(6), Defect::Previous, |draft| draft.records[1].previous = 1);
    check(event(6), Defect::Previous, |draft| draft.records[1].previous = NONE);
    check(event(8), Defect::Previous, |draft| draft.records[3].previous = 0);
    check(event(7), Defect::Time, |draft| draft.records[2].time = draft.records[1].time - 1);
    check(event(5), Defect::Time, |draft| draft.records[0].time = 0);
    check(event(7), Defect::StreamRoot { stream: 2 }, |draft| draft.records[2].ext = ext(7, &[5; 32]));
    check(event(8), Defect::StreamIndexSet { stream: 5 }, |draft| draft.records[3].stream = 5);
}

#[test]
fn a_right_stream_root_verifies_and_covers_earlier_blocks() {
    let mut forge = Forge::new(1, 1);
    for _ in 0..5 {
        forge.append(0, &[event(1), event(2), event(1), event(1)]);
    }
    let mut draft = forge.draft(0, &[event(1), event(2)]);
    // The forge knows the events of earlier blocks.
    let root = forge.draft(0, &[last(1)]).records[1].ext.clone();
    draft.records[1].ext = root;
    draft.records[1].flags = 1;
    forge.seal(draft);
    assert!(verify(&forge.archive()).is_ok());
}

/// A partition of many keeps few event hashes for later roots, and makes them into tree nodes while it reads.
#[test]
fn stream_roots_cover_more_events_than_are_kept() {
    let mut forge = Forge::new(1, 1_024);
    let mut random = 88_172_645_463_325_252_u64;
    let mut open = vec![1, 2, 3, 4, 5, 6, 7];
    for round in 0..26 {
        let mut stream = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            open[(random % 97 % open.len() as u64) as usize]
        };
        let events: Vec<Event> = (0..150).map(|_| event(stream())).collect();
        forge.append(0, &events);
        forge.append(0, &[last(100 + round), event(200 + round)]);
        forge.append(0, &[last(200 + round)]);
        if round % 7 == 5 {
            forge.append(0, &[last(open.remove(0))]);
        }
    }
    forge.append(0, &[last(4), last(5)]);
    assert!(verify(&forge.archive()).is_ok());
    let mut draft = forge.draft(0, &[last(6)]);
    draft.records[1].ext[10] ^= 1;
    let seq = draft.records[1].seq;
    forge.seal(draft);
    let fault = verify(&forge.archive()).unwrap_err();
    assert_eq!((fault.defect, fault.place.seq), (Defect::StreamRoot { stream: 6 }, Some(seq)));
}

#[test]
fn nothing_follows_a_terminal_record() {
    // As if stream 3, which ended in block 0, began anew.
    let anew = |draft: &mut Draft| {
        draft.entry(4).stream = 3;
        draft.index.sort_by_key(|entry| entry.stream);
        draft.records[3].stream = 3;
    };
    check(anew, Part::Event, Some(8), &Defect::AfterTerminal { stream: 3 });
    let continued = |draft: &mut Draft| {
        anew(draft);
        *draft.entry(3) = forge::Index { stream: 3, version: 1, previous: 4, chain: [1; 32] };
        (draft.records[3].version, draft.records[3].previous) = (2, 4);
    };
    check(continued, Part::Event, Some(8), &Defect::AfterTerminal { stream: 3 });
    let anew_and_ended = |draft: &mut Draft| {
        anew(draft);
        draft.records[3].flags = 1;
    };
    check(anew_and_ended, Part::Event, Some(8), &Defect::AfterTerminal { stream: 3 });
    let within = |draft: &mut Draft| draft.records[1].flags = 1;
    let fault = verify(&log_with(within).archive()).unwrap_err();
    assert_eq!((fault.defect, fault.place.block), (Defect::AfterTerminal { stream: 1 }, Some(2)));
    let same_block = |draft: &mut Draft| {
        let previous = draft.records[2].seq;
        draft.index.retain(|entry| entry.stream != 4);
        draft.records[3] = Record { stream: 2, version: 3, previous, ..draft.records[3].clone() };
    };
    check(same_block, Part::Event, Some(8), &Defect::AfterTerminal { stream: 2 });
}

#[test]
fn stream_index_and_frontier() {
    let check = |part, seq, defect, forge_it: fn(&mut Draft)| check(forge_it, part, seq, &defect);
    check(Part::Event, Some(6), Defect::StreamIndex { stream: 1 }, |draft| draft.entry(1).chain = [9; 32]);
    check(Part::Event, Some(6), Defect::StreamIndex { stream: 1 }, |draft| {
        draft.entry(1).version = 7;
        draft.records[1].version = 8;
    });
    check(Part::Event, Some(6), Defect::StreamIndex { stream: 1 }, |draft| {
        draft.entry(1).previous = 2;
        draft.records[1].previous = 2;
    });
    check(Part::Event, Some(8), Defect::StreamIndex { stream: 4 }, |draft| {
        *draft.entry(4) = forge::Index { stream: 4, version: 1, previous: 2, chain: [1; 32] };
        (draft.records[3].version, draft.records[3].previous) = (2, 2);
    });
    // Of two streams at fault, the one that comes first in the log is named, though it is last in the index.
    check(Part::Event, Some(5), Defect::StreamIndex { stream: SYSTEM }, |draft| {
        draft.entry(1).chain = [9; 32];
        draft.entry(SYSTEM).chain = [9; 32];
    });
    check(Part::Event, Some(7), Defect::StreamIndexSet { stream: 2 }, |draft| {
        draft.index.retain(|entry| entry.stream != 2);
    });
    check(Part::Block, None, Defect::StreamIndexSet { stream: 4 }, |draft| {
        draft.records[3] =
            Record { seq: 8, version: 4, previous: 6, time: draft.records[2].time, ..draft.records[1].clone() };
    });
    check(Part::Block, None, Defect::Frontier, |draft| draft.tree.roots[0] = [3; 32]);
    check(Part::Block, None, Defect::Frontier, |draft| draft.tree.roots.swap(0, 1));
}

#[test]
fn blocks_against_their_predecessors() {
    let check = |defect, forge_it: fn(&mut Draft)| check(forge_it, Part::Block, None, &defect);
    check(Defect::PreviousHash, |draft| draft.block_record()[0] ^= 1);
    check(Defect::Content("block record's number"), |draft| draft.block_record()[32] = 2);
    check(Defect::BlockNumber { expected: 1, found: 2 }, |draft| {
        draft.number = 2;
        draft.block_record()[32] = 2;
    });
    check(Defect::KeyId, |draft| draft.block_record()[80] ^= 1);
    check(Defect::BootId, |draft| draft.block_record()[48] ^= 1);
    check(Defect::BootId, |draft| draft.block_record()[40] = 2);
    check(Defect::Partition, |draft| draft.patch_body = |body| body[0] = 1);
    check(Defect::Seq { expected: 5, found: 6 }, |draft| draft.patch_body = |body| body[16] = 6);
    check(Defect::Content("number of records"), |draft| draft.patch_body = |body| body[4] = 5);
    check(Defect::Content("bytes of records"), |draft| draft.patch_body = |body| body[24] ^= 1);
    check(Defect::Content("number of chunks"), |draft| draft.patch_body = |body| body[96] = 2);
    let mut forge = Forge::new(1, 1);
    forge.epoch = 5;
    forge.append(0, &[]);
    forge.epoch = 4;
    forge.append(0, &[]);
    let fault = verify(&forge.archive()).unwrap_err();
    assert_eq!((fault.defect, fault.place.block), (Defect::Epoch, Some(1)));
}

#[test]
fn forms_that_the_page_does_not_allow() {
    let record =
        |forge_it: fn(&mut Record)| check_corrupt(|draft| forge_it(&mut draft.records[2]), Part::Event, Some(7));
    record(|record| record.kind = 0);
    record(|record| record.kind = 1);
    record(|record| record.schema = 0);
    record(|record| record.flags = 4);
    record(|record| record.flags = 2);
    record(|record| record.stream = 0);
    record(|record| record.version = 0);
    record(|record| record.cause = record.seq);
    record(|record| record.length = Some(63));
    record(|record| record.length = Some(8_454_145));
    record(|record| record.length = Some(8_000_000));
    record(|record| record.ext = vec![1; 4_097]);
    record(|record| record.ext = vec![1, 0]);
    record(|record| record.ext = ext(1, &[0; 15]));
    record(|record| record.ext = ext(2, &[0xff]));
    record(|record| record.ext = ext(2, &[b'k'; 513]));
    record(|record| record.ext = [ext(9, &[]), ext(9, &[])].concat());
    record(|record| record.ext = [ext(9, &[]), ext(8, &[])].concat());
    record(|record| {
        record.flags = 0;
        record.ext = ext(7, &[0; 32]);
    });
    record(|record| {
        record.ext = ext(1, &[0; 16]);
        record.ext.pop();
    });
    let block_record =
        |forge_it: fn(&mut Record)| check_corrupt(|draft| forge_it(&mut draft.records[0]), Part::Event, Some(5));
    block_record(|record| record.kind = 2);
    block_record(|record| record.schema = 2);
    block_record(|record| record.flags = 1);
    block_record(|record| record.actor = 1);
    block_record(|record| record.cause = 1);
    block_record(|record| record.ext = ext(1, &[0; 16]));
    block_record(|record| record.payload[84] = 1);
    block_record(|record| record.payload[95] = 1);
    block_record(|record| record.payload[40] = 0);
    block_record(|record| record.payload.push(0));
    let second = |draft: &mut Draft| {
        draft.records[1] = Record { seq: 6, version: 3, previous: 5, ..draft.records[0].clone() };
    };
    check_corrupt(second, Part::Event, Some(6));
    let body = |patch: fn(&mut Vec<u8>)| check_corrupt(|draft| draft.patch_body = patch, Part::Block, None);
    body(|body| body[2] = 2);
    body(|body| body[4..8].fill(0));
    body(|body| body[7] = 1);
    body(|body| body[31] = 1);
    body(|body| body[103] = 0xff);
    body(|body| body[104] += 1);
    body(|body| body[108] = 1);
    body(|body| body[111] = 1);
    body(|body| body.push(0));
    body(|body| body.truncate(111));
    check_corrupt(|draft| draft.index.swap(0, 1), Part::Block, None);
    check_corrupt(|draft| draft.entry(4).previous = 0, Part::Block, None);
}

#[test]
fn seals() {
    let text = |patch: fn(String) -> String, line| {
        check(|draft| draft.patch_text = patch, Part::Seal, None, &Defect::SealText(line));
    };
    text(|text| text.replace("forge/0", "forge/1"), "origin");
    text(|text| text.replace("\n9\n", "\n8\n"), "size");
    text(|text| text.replace("actum-block 1 ", "actum-block 2 "), "block number");
    text(|text| another_base64(&text, 2), "root");
    text(|text| another_base64(&text, 3), "block hash");
    let signature = |patch: fn(String) -> String| {
        check(|draft| draft.patch_seal = patch, Part::Seal, None, &Defect::Signature);
    };
    signature(|seal| seal.replace("— example.org/forge/0 ", "— example.org/forge/1 "));
    signature(|seal| format!("{}AAAA\n", &seal[..seal.len() - 5]));
    signature(|seal| format!("{}AAAAAAAA\n", &seal[..seal.len() - 9]));
    signature(|seal| seal.replacen("— ", "— w.example AAAAAAAA\n— ", 1));
    check(|draft| draft.key = SigningKey::from_bytes(&[8; 32]), Part::Seal, None, &Defect::Signature);
    let malformed = |patch: fn(String) -> String| check_corrupt(|draft| draft.patch_seal = patch, Part::Seal, None);
    malformed(|seal| seal.replace("\n9\n", "\n09\n"));
    malformed(|seal| seal.replace("\n\n", "\nmore\n\n"));
    malformed(|seal| seal.replace("\n\n", "\n"));
    malformed(|seal| seal.replace("actum-block", "actum-clock"));
    malformed(|seal| seal.trim_end().to_owned());
    malformed(|seal| format!("{seal}\n"));
    malformed(|seal| format!("{seal}— w.example AAAA\n"));
    malformed(|seal| format!("{seal}— w.example AAAAAAA\n"));
    malformed(|seal| format!("{seal}{}", seal.split_once("\n\n").unwrap().1));
    malformed(|seal| seal.replacen("=\n", "\n", 1));
    malformed(|_| String::new());
    let witnessed = log_with(|draft| draft.patch_seal = |seal| format!("{seal}— w.example/x AAAAAAAA\n"));
    assert!(verify(&witnessed.archive()).is_ok());
}

/// The text with another, well-formed hash in one of its lines.
fn another_base64(text: &str, line: usize) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let hash = lines[line].rsplit(' ').next().unwrap().to_owned();
    let other = format!("{}{}", if hash.starts_with('A') { 'B' } else { 'A' }, &hash[1..]);
    lines[line] = lines[line].replace(&hash, &other);
    lines.join("\n") + "\n"
}

/// Blocks of an honest log moved about by somebody without the key, who fits checksums and the end frame.
#[track_caller]
fn check_moved(move_them: impl FnOnce(&mut Vec<Vec<Frame>>), part: Part, block: u64, defect: &Defect) {
    let mut forge = log_with(|draft| draft.chunk_sizes = vec![1, 2, 1]);
    move_them(&mut forge.blocks);
    let last = forge.blocks.last().map_or(0, |block| block.last().unwrap().key.seq + 1);
    let archive = forge::archive(&forge.genesis, &forge.blocks, &[(forge.blocks.len() as u64, last)]);
    let fault = verify(&archive).expect_err("a change is found");
    assert_eq!((&fault.defect, fault.place.part, fault.place.block), (defect, part, Some(block)), "{fault}");
}

#[test]
fn blocks_and_chunks_moved_about() {
    let seq = |expected, found| Defect::Seq { expected, found };
    check_moved(|blocks| drop(blocks.remove(0)), Part::Chunk, 0, &seq(0, 5));
    check_moved(|blocks| drop(blocks.remove(1)), Part::Chunk, 1, &seq(5, 9));
    check_moved(|blocks| blocks.swap(1, 2), Part::Chunk, 1, &seq(5, 9));
    check_moved(|blocks| blocks.insert(1, blocks[1].clone()), Part::Chunk, 2, &seq(9, 5));
    check_moved(|blocks| blocks[1].swap(0, 1), Part::Chunk, 1, &seq(5, 6));
    check_moved(|blocks| drop(blocks[1].remove(1)), Part::Chunk, 1, &seq(6, 8));
    check_moved(|blocks| drop(blocks[1].remove(2)), Part::Block, 1, &Defect::Content("number of chunks"));
    let twice = |blocks: &mut Vec<Vec<Frame>>| {
        let chunk = blocks[1][0].clone();
        blocks[1].insert(1, chunk);
    };
    check_moved(twice, Part::Chunk, 1, &seq(6, 5));
    let last_seq = |blocks: &mut Vec<Vec<Frame>>| {
        blocks[1][3].bytes[16] ^= 1;
        refit(&mut blocks[1][3]);
    };
    check_moved(last_seq, Part::Block, 1, &Defect::Content("last seq"));
    // Without its block frame a block runs into the next one.
    check_moved(|blocks| drop(blocks[1].pop()), Part::Block, 1, &Defect::BlockNumber { expected: 1, found: 2 });
}

#[test]
fn blocks_of_another_log() {
    let splice = |at: usize| {
        let mut other = Forge::new(2, 1);
        first_block(&mut other);
        other.append(0, &[event(1), Event { root: false, ..last(2) }, event(4)]);
        move |blocks: &mut Vec<Vec<Frame>>| blocks[at] = other.blocks[at].clone()
    };
    check_moved(splice(0), Part::Block, 0, &Defect::PreviousHash);
    check_moved(splice(1), Part::Block, 1, &Defect::PreviousHash);
}

#[test]
fn bytes_changed_and_checksums_fitted_by_somebody_without_the_key() {
    let root = |frame: usize, at: usize| {
        check_moved(
            |blocks| {
                let frame = &mut blocks[1][frame];
                let at = if at == usize::MAX { frame.bytes.len() - 1 } else { at };
                frame.bytes[at] ^= 1;
                refit(frame);
            },
            Part::Block,
            1,
            &Defect::Root,
        );
    };
    root(1, usize::MAX); // a payload
    root(1, 40 + 12); // an actor
    let body = |at: usize, defect: Defect| {
        let change = |blocks: &mut Vec<Vec<Frame>>| {
            blocks[1][3].bytes[40 + at] ^= 1;
            refit(&mut blocks[1][3]);
        };
        check_moved(change, Part::Seal, 1, &defect);
    };
    for at in [24, 32, 64, 95, 112, 112 + 64 + 24] {
        body(at, Defect::SealText("block hash"));
    }
}

#[test]
fn end_frame() {
    let forge = log_with(|_| ());
    let (genesis, blocks) = (&forge.genesis, &forge.blocks);
    for (counts, what) in
        [(&[(2, 12)][..], "blocks"), (&[(3, 11)], "events"), (&[(3, 12), (0, 0)], "partitions"), (&[], "partitions")]
    {
        let fault = verify(&forge::archive(genesis, blocks, counts)).unwrap_err();
        assert_eq!((fault.defect, fault.place.part), (Defect::EndCount(what), Part::End));
    }
    // Rolling back whole blocks is what nobody can exclude from the log alone; the verdict says so.
    let verdict = verify(&forge::archive(genesis, &blocks[..2], &[(2, 9)])).unwrap();
    assert!(verdict.to_string().contains("complete to 9; nothing after that can be excluded"));
    let mut frames = verify(&forge::archive(genesis, blocks, &[(3, 12)]));
    assert!(frames.is_ok());
    let mut bytes = forge::archive(genesis, blocks, &[(3, 12)]);
    let end = bytes.len() - 72;
    let mut frame = Frame { key: blocks[0][0].key, bytes: bytes.split_off(end) };
    frame.bytes[64] += 1;
    refit(&mut frame);
    frames = verify(&[bytes, frame.bytes].concat());
    assert_eq!(frames.unwrap_err().defect, Defect::EndCount("frames"));
}

#[test]
fn partitions_interleave_by_whole_blocks() {
    let mut forge = Forge::new(1, 3);
    for (partition, stream) in [(2, 1), (0, 2), (2, 1), (2, 3), (0, 4)] {
        forge.append(partition, &[event(stream)]);
    }
    let verdict = verify(&forge.archive()).unwrap();
    let sizes: Vec<_> = verdict.partitions.iter().map(|partition| (partition.blocks, partition.size)).collect();
    assert_eq!(sizes, [(2, 4), (0, 0), (3, 6)]);
    assert_eq!(verdict.partitions[1].seal, None);
    let block_of_zero = forge.blocks.remove(1);
    forge.blocks[0].splice(1..1, block_of_zero);
    let fault = verify(&forge.archive()).unwrap_err();
    assert_eq!((fault.kind(), fault.place.partition, fault.place.block), (FaultKind::Corrupt, Some(2), Some(0)));
}

#[test]
fn positions_at_the_end_of_their_range() {
    let digest = |base: u64, forge_it: fn(&mut Draft)| {
        let mut forge = Forge::new(1, 1);
        let mut draft = forge.draft(0, &[event(1), event(1), event(2)]);
        draft.first_seq = base;
        draft.tree = forge::Tree { size: base, roots: vec![[1; 32]; base.count_ones() as usize] };
        for record in &mut draft.records {
            record.seq += base;
            record.previous = record.previous.saturating_add(base);
        }
        forge_it(&mut draft);
        forge.seal(draft);
        let frames = forge.blocks.remove(0);
        let (block, chunks) = frames.split_last().unwrap();
        let (block, chunks) = (block.clone(), chunks.to_vec());
        let input = BlockInput { partition: 0, number: 0, first_seq: base, offset: None, chunks, block };
        let context = Context::new(&forge.genesis, &Trust::self_signed()).unwrap();
        digest_block(&input, &context).map(|digest| digest.events()).map_err(|fault| fault.kind())
    };
    assert_eq!(digest(u64::MAX - 4, |_| ()), Ok(4));
    assert_eq!(digest(1 << 63, |_| ()), Ok(4));
    let too_many = |draft: &mut Draft| draft.patch_body = |body| body[4] = 3;
    assert_eq!(digest(u64::MAX - 4, too_many), Err(FaultKind::Tampered));
    assert_eq!(digest(1 << 63, |draft| forge_version(draft, u64::MAX - 1)), Ok(4));
    assert_eq!(digest(1 << 63, |draft| forge_version(draft, u64::MAX)), Err(FaultKind::Corrupt));
}

/// Stream 2 stands at this version before the block.
fn forge_version(draft: &mut Draft, version: u64) {
    *draft.entry(2) = forge::Index { stream: 2, version, previous: 7, chain: [1; 32] };
    (draft.records[3].version, draft.records[3].previous) = (version.saturating_add(1), 7);
}

#[test]
fn heads() {
    let honest = log_with(|_| ());
    let verify = |source: &forge::Source| verify_source(source, &Trust::self_signed(), &mut |_| ());
    let source = honest.source();
    let verdict = verify(&source).unwrap();
    assert_eq!((verdict.partitions[0].head_kept, verdict.partitions[0].unacknowledged_blocks), (true, 0));

    let mut behind = source.clone();
    behind.frames.retain(|frame| frame.key.seq < 9);
    let fault = verify(&behind).unwrap_err();
    assert_eq!(fault.defect, Defect::HeadBehind { blocks: 2, acknowledged: 2 });
    assert_eq!((fault.kind(), fault.place.part), (FaultKind::Tampered, Part::Head));

    let mut ahead = source.clone();
    let mut shorter = Forge::new(1, 1);
    first_block(&mut shorter);
    ahead.heads = shorter.source().heads;
    assert_eq!(verify(&ahead).unwrap().partitions[0].unacknowledged_blocks, 2);

    let change = |what, change: fn(&mut actum_log::Head)| {
        let mut changed = source.clone();
        change(changed.heads[0].as_mut().unwrap());
        let fault = verify(&changed).unwrap_err();
        assert_eq!((fault.defect, fault.place.block), (Defect::Head(what), Some(2)));
    };
    change("block hash", |head| head.hash[0] ^= 1);
    change("size", |head| head.size += 1);
    change("seal", |head| head.seal[90] ^= 1);
    let mut witnessed = source.clone();
    witnessed.heads[0].as_mut().unwrap().seal.extend_from_slice("— w.example AAAAAAAA\n".as_bytes());
    assert!(verify(&witnessed).is_ok());
}

#[test]
fn a_source_that_lies_about_its_frames() {
    let source = log_with(|_| ()).source();
    let verify = |source: &forge::Source| verify_source(source, &Trust::self_signed(), &mut |_| ()).unwrap_err();
    let mut other_key = source.clone();
    other_key.frames[2].key.seq += 1;
    assert_eq!(verify(&other_key).defect, Defect::StoredKey);
    let mut no_block = source.clone();
    no_block.heads = vec![None];
    no_block.frames.pop();
    let fault = verify(&no_block);
    assert_eq!((fault.defect, fault.place.block), (Defect::Truncated, Some(2)));
    let mut genesis = source.clone();
    genesis.frames[0].key.kind = FrameType::Genesis;
    assert_eq!(verify(&genesis).kind(), FaultKind::Corrupt);
}
