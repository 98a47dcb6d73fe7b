//! Checkpoints: honest ones verify, and each way to state another table is found.

mod forge;

use actum_verify::{Defect, Fault, FaultKind, Part, Trust, Verdict, verify_archive};
use forge::{CHECKPOINTS, Draft, Event, Forge, event, last};

fn verify(archive: &[u8]) -> Result<Verdict, Fault> {
    verify_archive(archive, &Trust::self_signed(), &mut |_| ())
}

/// Blocks of open and ended streams, of system streams, of streams in no order; a checkpoint in some.
fn log(rounds: u64, forge_it: impl FnOnce(&mut Draft)) -> Forge {
    let mut forge = Forge::new(1, 1);
    for round in 0..rounds {
        let mut events = vec![event(100 + round), last(1_000 - 7 * round), event(5), event((1 << 63) + 4)];
        if round % 3 != 1 {
            events.insert(2, forge.checkpoint(0));
        }
        forge.append(0, &events);
    }
    let checkpoint = forge.checkpoint(0);
    let mut draft = forge.draft(0, &[event(100), checkpoint, event(7)]);
    forge_it(&mut draft);
    forge.seal(draft);
    forge.append(0, &[event(7)]);
    forge
}

#[test]
fn honest_checkpoints_verify_from_the_first_block_on() {
    for rounds in [0, 1, 2, 7, 40] {
        let forge = log(rounds, |_| ());
        assert!(verify(&forge.archive()).is_ok(), "{rounds} rounds");
    }
}

#[test]
fn another_table_is_found() {
    let check = |at: usize, what| {
        let fault = verify(&log(7, |draft| draft.records[2].payload[at] ^= 1).archive()).expect_err("a forgery");
        assert_eq!(fault.defect, Defect::Checkpoint(what), "{fault}");
        assert_eq!((fault.kind(), fault.place.part, fault.place.seq), (FaultKind::Tampered, Part::Event, Some(42)));
        assert_eq!(fault.place.block, Some(7));
    };
    check(0, "size");
    check(7, "size");
    check(8, "number of streams");
    check(15, "number of streams");
    check(16, "root");
    check(47, "root");
    // The application's bytes are its own.
    assert!(verify(&log(7, |draft| draft.records[2].payload[48] ^= 1).archive()).is_ok());
}

/// A table with one leaf other than it should be, or one too few, whose root and count are right for that table.
#[test]
fn tables_that_lie_about_one_stream() {
    let lie = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut forge = log(3, |_| ());
        let mut leaves = forge.table(0);
        change(&mut leaves);
        let size = forge.checkpoint(0).payload[..8].to_vec();
        let root = forge::proving::root(&leaves);
        let payload = [&size[..], &(leaves.len() as u64).to_le_bytes(), &root].concat();
        forge.append(0, &[Event { stream: CHECKPOINTS, kind: 4, payload, ..Event::default() }]);
        verify(&forge.archive()).map(drop).map_err(|fault| fault.defect)
    };
    assert_eq!(lie(|_| ()), Ok(()));
    assert_eq!(lie(|leaves| leaves[0][8] ^= 1), Err(Defect::Checkpoint("root")), "a version");
    assert_eq!(lie(|leaves| leaves[1][16] ^= 1), Err(Defect::Checkpoint("root")), "a chain value");
    assert_eq!(lie(|leaves| leaves[2][48] ^= 1), Err(Defect::Checkpoint("root")), "a status");
    assert_eq!(lie(|leaves| leaves.swap(0, 1)), Err(Defect::Checkpoint("root")), "the order");
    assert_eq!(lie(|leaves| drop(leaves.remove(3))), Err(Defect::Checkpoint("number of streams")), "a stream left out");
}

#[test]
fn forms_that_the_page_does_not_allow() {
    let corrupt = |forge_it: fn(&mut Draft)| {
        let fault = verify(&log(2, forge_it).archive()).expect_err("a forgery is found");
        assert_eq!((fault.kind(), fault.place.seq), (FaultKind::Corrupt, Some(13)), "{fault}");
    };
    corrupt(|draft| draft.records[2].payload.truncate(47));
    corrupt(|draft| draft.records[2].payload.resize(48 + 4_097, 0));
    corrupt(|draft| draft.records[2].schema = 2);
    corrupt(|draft| draft.records[2].flags = 1);
    assert!(verify(&log(2, |draft| draft.records[2].payload.resize(48 + 4_096, 0)).archive()).is_ok());
    let mut forge = Forge::new(1, 1);
    let checkpoint = forge.checkpoint(0);
    forge.append(0, &[checkpoint.clone(), checkpoint.clone()]);
    let fault = verify(&forge.archive()).unwrap_err();
    assert_eq!((fault.kind(), fault.place.seq), (FaultKind::Corrupt, Some(2)), "one in a block");
    let mut forge = Forge::new(1, 1);
    forge.append(0, &[Event { stream: 9, ..checkpoint }]);
    let fault = verify(&forge.archive()).unwrap_err();
    assert_eq!((fault.kind(), fault.place.seq), (FaultKind::Corrupt, Some(1)), "in no other stream");
}
