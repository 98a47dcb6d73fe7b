//! One log, many readers: the writer's fold, the verifier, the Python verifier, C2SP's tools and a script over the export agree.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use actum::Engine;
use actum_log::{
    ArchiveSource, FileSigner, FoldOptions, FrameSource, Genesis, MemoryStore, Signer, fold, write_archive,
};
use actum_tests::{COUNT, counting, from};
use actum_verify::{FaultKind, Trust, Verdict, verify_archive, verify_source};

const SEED: [u8; 32] = [5; 32];

/// A log of a few cases, and its store.
async fn small_log(cases: i64) -> MemoryStore {
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&SEED));
    let genesis = Genesis::new([3; 16], "example.com/agreement", 1, signer.public_key()).unwrap();
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

fn archive_of(source: &dyn FrameSource) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_archive(source, &mut bytes).unwrap();
    bytes
}

fn verify(archive: &[u8]) -> Result<Verdict, actum_verify::Fault> {
    verify_archive(archive, &Trust::SelfSigned, &mut |_| {})
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
    let direct = verify_source(&store, &Trust::SelfSigned, &mut |_| {}).unwrap();
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
