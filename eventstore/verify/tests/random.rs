//! Whatever the bytes, the verifier answers: it never panics, and never takes changed bytes for the log.

mod forge;

use actum_verify::{Trust, verify_archive};
use forge::{Forge, event, last, refit};

/// Marsaglia's xorshift: a test prints its seed, and that replays it.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

fn forge() -> Forge {
    let mut forge = Forge::new(3, 2);
    for round in 0..4 {
        forge.append(0, &[event(1), event(2 + round), event(1)]);
        let mut draft = forge.draft(1, &[last(10 + round), event(20), event(20), event(30)]);
        draft.chunk_sizes = vec![2, 1, 2];
        draft.compress = round % 2 == 0;
        forge.seal(draft);
    }
    forge
}

#[test]
fn mutated_archives_are_refused() {
    let archive = forge().archive();
    assert!(verify_archive(&archive[..], &Trust::self_signed(), &mut |_| ()).is_ok());
    for seed in 1..=3_000 {
        let mut random = Random(seed);
        let mut changed = archive.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(changed.len());
            match random.below(5) {
                0 => changed[at] = random.below(256) as u8,
                1 => changed.truncate(at),
                2 => drop(changed.remove(at)),
                3 => changed.insert(at, random.below(256) as u8),
                _ => {
                    let end = (at + random.below(200)).min(changed.len());
                    let copy = changed[at..end].to_vec();
                    let to = random.below(changed.len());
                    changed.splice(to..to, copy);
                }
            }
            if changed.is_empty() {
                break;
            }
        }
        let verified = verify_archive(&changed[..], &Trust::self_signed(), &mut |_| ());
        assert!(verified.is_err() || changed == archive, "seed {seed}");
    }
}

#[test]
fn mutated_bodies_with_fitting_checksums_are_refused() {
    let honest = forge();
    let counts = [(4, 16), (4, 20)];
    for seed in 1..=6_000 {
        let mut random = Random(seed);
        let mut blocks = honest.blocks.clone();
        let block = random.below(blocks.len());
        let frame = random.below(blocks[block].len());
        let frame = &mut blocks[block][frame];
        let at = 40 + random.below(frame.bytes.len() - 40);
        // The counts, sizes and positions at the front of a body or record are the interesting ones.
        let at = if random.below(2) == 0 { 40 + (at - 40) % 112.min(frame.bytes.len() - 40) } else { at };
        let before = frame.bytes[at];
        frame.bytes[at] = [0, 1, 0x7f, 0x80, 0xff, before ^ (1 << random.below(8))][random.below(6)];
        let changed = frame.bytes[at] != before;
        refit(frame);
        let compressed = frame.bytes[1] == 1;
        let verified =
            verify_archive(&forge::archive(&honest.genesis, &blocks, &counts)[..], &Trust::self_signed(), &mut |_| ());
        // LZ4 decodes some changed bytes to the same text; those leave the log what it was.
        assert!(verified.is_err() || !changed || compressed, "seed {seed}");
    }
}

#[test]
fn random_bytes_after_the_magic_are_refused() {
    for seed in 1..=3_000 {
        let mut random = Random(seed);
        let mut bytes = b"ACTUM ARCHIVE 1\n".to_vec();
        let length = random.below(400);
        bytes.extend((0..length).map(|_| random.below(256) as u8));
        if let Some(head) = bytes.get_mut(16..18) {
            head.copy_from_slice(&[1, 0]);
        }
        assert!(verify_archive(&bytes[..], &Trust::self_signed(), &mut |_| ()).is_err(), "seed {seed}");
    }
}
