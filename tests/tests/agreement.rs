//! One log, many readers: the writer's fold, the verifier, the Python verifier, C2SP's tools and a script over the export agree.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use actum::Engine;
use actum_log::{
    ArchiveSource, FileSigner, FoldOptions, Frame, FrameKey, FrameSource, FrameType, Genesis, MemoryStore, Signer,
    VerifierKey, fold, key_digest, split_body_and_seal, write_archive, write_tail,
};
use actum_tests::{COUNT, counting, from};
use actum_verify::{FaultKind, Trust, Verdict, verify_archive, verify_source};

const SEED: [u8; 32] = [5; 32];
const NEXT: [u8; 32] = [6; 32];
const ORIGIN: &str = "example.com/agreement";

/// A log of a few cases, and its store.
async fn small_log(cases: i64) -> MemoryStore {
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&SEED));
    let genesis = Genesis::new([3; 16], ORIGIN, 1, signer.public_key()).unwrap();
    let store = MemoryStore::new(genesis.to_string());
    let engine = counting(Engine::on_store(store.clone(), signer)).open().await.unwrap();
    let net = engine.deploy(COUNT).await.unwrap().0.hash;
    for n in 0..cases {
        engine.start_case(net, Some(&format!("K-{n}")), from(n)).await.unwrap();
        engine.settled().await;
    }
    engine.close().await.unwrap();
    store
}

/// A log whose key was rotated and then revoked, with checkpoints.
async fn rotated_log() -> MemoryStore {
    let (first, second): (Arc<dyn Signer>, Arc<dyn Signer>) =
        (Arc::new(FileSigner::from_seed(&SEED)), Arc::new(FileSigner::from_seed(&NEXT)));
    let genesis = Genesis::new([3; 16], ORIGIN, 1, first.public_key()).unwrap();
    let genesis = genesis.with_next(key_digest(&second.public_key()));
    let store = MemoryStore::new(genesis.to_string());
    let engine = counting(Engine::on_store(store.clone(), first.clone())).checkpoints().open().await.unwrap();
    let net = engine.deploy(COUNT).await.unwrap().0.hash;
    for n in 0..9 {
        engine.start_case(net, Some(&format!("K-{n}")), from(n)).await.unwrap();
        engine.settled().await;
        match n {
            2 | 7 => drop(engine.checkpoint(b"as of now").await.unwrap()),
            4 => drop(engine.rotate_key_to(second.clone(), None).await.unwrap()),
            6 => drop(engine.revoke_key(first.public_key(), "retired").await.unwrap()),
            _ => {}
        }
    }
    engine.close().await.unwrap();
    store
}

fn archive_of(source: &dyn FrameSource) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_archive(source, &mut bytes).unwrap();
    bytes
}

fn verify(archive: &[u8]) -> Result<Verdict, actum_verify::Fault> {
    verify_archive(archive, &Trust::self_signed(), &mut |_| {})
}

/// Python with the packages of `tests/python/requirements.txt`: the test command makes it and says where.
fn python() -> PathBuf {
    let python = std::env::var_os("ACTUM_PYTHON")
        .expect("ACTUM_PYTHON names no interpreter: run the tests by `cargo xtask test`");
    PathBuf::from(python)
}

fn script(name: &str) -> Command {
    let mut command = Command::new(python());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name));
    command
}

#[track_caller]
fn exit(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("no exit code: {output:?}"))
}

#[tokio::test]
async fn writer_and_verifier_agree_on_the_seal() {
    let store = small_log(20).await;
    let folded = fold(&store, 0, FoldOptions::default(), |_| ControlFlow::Continue(())).unwrap();
    let direct = verify_source(&store, &Trust::self_signed(), &mut |_| {}).unwrap();
    let archive = archive_of(&store);
    let from_archive = verify(&archive).unwrap();
    let seal = String::from_utf8(folded.last_seal.unwrap()).unwrap();
    for verdict in [&direct, &from_archive] {
        assert_eq!(verdict.partitions[0].seal.as_deref(), Some(seal.as_str()));
        assert_eq!(verdict.events(), folded.events);
        assert_eq!(verdict.blocks(), folded.blocks);
    }
    // An archive is a source too, and gives itself again.
    let path = tempfile::tempdir().unwrap();
    let file = path.path().join("log.actum");
    std::fs::write(&file, &archive).unwrap();
    assert_eq!(archive_of(&ArchiveSource::open(&file).unwrap()), archive);
}

#[tokio::test]
async fn c2sp_tools_accept_the_seal() {
    let store = small_log(3).await;
    let verdict = verify(&archive_of(&store)).unwrap();
    let seal = verdict.partitions[0].seal.clone().unwrap();
    let genesis = Genesis::parse(&store.genesis().unwrap()).unwrap();
    let verifier = signed_note::StandardVerifier::new(&genesis.verifier_key(0).to_string()).unwrap();
    let note = signed_note::Note::from_bytes(seal.as_bytes()).unwrap();
    let (verified, others) = note.verify(&signed_note::VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!((verified.len(), others.len()), (1, 0));
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(checkpoint.origin(), "example.com/agreement/0");
    assert_eq!(checkpoint.size(), verdict.events());
    assert_eq!(checkpoint.hash().0, verdict.partitions[0].root);
}

#[tokio::test]
async fn python_reads_the_format_from_its_page_alone() {
    let store = small_log(40).await;
    let archive = archive_of(&store);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log.actum");
    std::fs::write(&file, &archive).unwrap();
    let sound = script("verify.py").arg(&file).output().unwrap();
    assert_eq!(exit(&sound), 0, "{sound:?}");
    // Bytes spread over the whole file.
    for step in 0..24 {
        let mut changed = archive.clone();
        let at = step * archive.len() / 24 + step;
        changed[at] ^= 1 << (step % 8);
        std::fs::write(&file, &changed).unwrap();
        let output = script("verify.py").arg(&file).output().unwrap();
        assert!([4, 5].contains(&exit(&output)), "byte {at}: {output:?}");
    }
}

/// Every single byte of an archive, changed in one bit and in all: found, and placed.
#[tokio::test]
async fn any_changed_byte_of_an_archive_is_found() {
    let archive = archive_of(&small_log(2).await);
    assert!(verify(&archive).is_ok());
    for at in 0..archive.len() {
        for mask in [1 << (at % 8), 0xff] {
            let mut changed = archive.clone();
            changed[at] ^= mask;
            let fault = verify(&changed).expect_err("a changed byte must be found");
            assert!(matches!(fault.kind(), FaultKind::Corrupt | FaultKind::Tampered), "byte {at}: {fault}");
        }
    }
    for length in 0..archive.len() {
        let fault = verify(&archive[..length]).expect_err("a shortened archive must be found");
        assert!(matches!(fault.kind(), FaultKind::Corrupt | FaultKind::Tampered), "length {length}: {fault}");
    }
    let longer = [&archive[..], &[0]].concat();
    assert!(verify(&longer).is_err(), "nothing may follow the end");
}

#[tokio::test]
async fn all_readers_agree_on_rotations_and_checkpoints() {
    let store = rotated_log().await;
    let options = FoldOptions { stream_table: true, ..FoldOptions::default() };
    let folded = fold(&store, 0, options, |_| ControlFlow::Continue(())).unwrap();
    let archive = archive_of(&store);
    let verdict = verify(&archive).unwrap();
    let partition = &verdict.partitions[0];
    assert_eq!(partition.seal.as_deref().map(str::as_bytes), folded.last_seal.as_deref());
    assert_eq!((partition.keys.len(), partition.keys[0].revoked, partition.keys[1].revoked), (2, true, false));

    // C2SP's tools open the newest seal with the second key, and the rotation's with either.
    let keys = partition.keys.iter().map(|span| span.verifier_key(&partition.key_name)).collect::<Vec<_>>();
    let own = VerifierKey::new(ORIGIN, 0, FileSigner::from_seed(&NEXT).public_key()).to_string();
    assert_eq!(keys[1], own);
    let opens = |note: &[u8], key: &str| {
        let verifier = signed_note::StandardVerifier::new(key).unwrap();
        let note = signed_note::Note::from_bytes(note).unwrap();
        note.verify(&signed_note::VerifierList::new(vec![Box::new(verifier)])).is_ok_and(|(by, _)| by.len() == 1)
    };
    let newest = partition.seal.as_ref().unwrap().as_bytes();
    assert_eq!([&keys[0], &keys[1]].map(|key| opens(newest, key)), [false, true]);

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rotated.actum");
    std::fs::write(&file, &archive).unwrap();
    let sound = script("verify.py").args([&file]).args(["--key", &keys[0]]).output().unwrap();
    assert_eq!(exit(&sound), 0, "{sound:?}");
    let said = String::from_utf8(sound.stdout).unwrap();
    for span in &partition.keys {
        let blocks = format!("sealed blocks {} to {} of {}", span.first_block, span.last_block, partition.key_name);
        assert!(said.contains(&blocks), "{said}");
    }
    let later = script("verify.py").args([&file]).args(["--key", &keys[1]]).output().unwrap();
    assert_eq!(exit(&later), 4, "the key to give is the first");

    // A tail continues a seal that was kept; Python says that it does not check tails.
    let seals = seals_of(&store);
    let (size, seal) = &seals[seals.len() / 2];
    let mut tail = Vec::new();
    write_tail(&store, &[*size], &mut tail).unwrap();
    let trust = Trust::self_signed().since(seal).unwrap();
    let continued = verify_archive(&tail[..], &trust, &mut |_| {}).unwrap();
    assert_eq!((continued.partitions[0].root, continued.partitions[0].size), (partition.root, partition.size));
    assert_eq!(verify(&tail).unwrap_err().kind(), FaultKind::Unproven);
    std::fs::write(&file, &tail).unwrap();
    let refused = script("verify.py").arg(&file).output().unwrap();
    assert_eq!(exit(&refused), 2, "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stdout).contains("tail"), "{refused:?}");
}

/// Sizes of all sealed trees, with their seals.
fn seals_of(store: &MemoryStore) -> Vec<(u64, Vec<u8>)> {
    let frames = store.frames(FrameKey::first(0)).unwrap().map(Result::unwrap);
    let blocks = frames.filter(|frame| frame.key.kind == FrameType::Block);
    let seal = |frame: Frame| {
        let (_, raw) = frame.decode().unwrap();
        (frame.key.seq + 1, split_body_and_seal(&raw).unwrap().1.to_vec())
    };
    blocks.map(seal).collect()
}
