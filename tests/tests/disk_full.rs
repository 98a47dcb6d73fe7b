//! A full disk: the engine says that it stopped, loses nothing that it acknowledged, and goes on when there is room.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use actum::{CaseId, CommandError, Engine};
use actum_tests::{COUNT, counting, from};
use actum_verify::{Trust, verify_source};

/// The disk, and what somebody else takes of it at first: 4 MB are left, or less, so that it runs full at different moments.
/// Opening a log takes as much room again as its journals.
const DISK: &str = "size=16000000";
const TAKEN: [usize; 4] = [12_000_000, 14_000_000, 15_500_000, 15_800_000];
/// Tells the test that it runs in a name space already.
const INNER: &str = "ACTUM_DISK_FULL_INNER";
/// Starts under way at the same time.
const CONCURRENT: i64 = 32;

/// A small file system of its own, unmounted on drop.
struct Mount(PathBuf);

impl Mount {
    /// `None` where mounting is not allowed.
    fn new(at: &Path) -> Option<Self> {
        mount(&["-t", "tmpfs", "-o", DISK, "tmpfs"], at).then(|| Mount(at.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a failed test may have left it in use.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

fn mount(args: &[&str], at: &Path) -> bool {
    Command::new("mount").args(args).arg(at).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs this test again where everybody may mount: in name spaces of its own.
fn again_in_a_namespace() {
    assert!(std::env::var_os(INNER).is_none(), "mounting is allowed in a name space of one's own");
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_full_disk_stops_the_engine_and_loses_nothing", "--nocapture"])
        .env(INNER, "1")
        .status();
    let succeeded = status.is_ok_and(|status| status.success());
    assert!(succeeded, "this test mounts a tmpfs: run it as root, or allow user name spaces");
}

/// Starts cases until the engine stops; gives those that it acknowledged.
async fn fill(directory: &Path) -> Vec<(i64, CaseId)> {
    let Ok(engine) = counting(Engine::at(directory)).open().await else { return Vec::new() };
    let Ok((net, _)) = engine.deploy(COUNT).await else {
        engine.close().await.ok();
        return Vec::new();
    };
    let net = net.hash;
    let mut acknowledged = Vec::new();
    for first in (0..).step_by(CONCURRENT as usize) {
        let starts = (first..first + CONCURRENT).map(|key| {
            let engine = &engine;
            async move { (key, engine.start_case(net, Some(&format!("{key:0>500}")), from(key)).await) }
        });
        let mut stopped = false;
        for (key, started) in futures_util::future::join_all(starts).await {
            match started {
                Ok(started) => acknowledged.push((key, started.case)),
                Err(CommandError::Stopped(_)) => stopped = true,
                Err(other) => panic!("a full disk stops the engine: {other}"),
            }
        }
        if stopped {
            break;
        }
    }
    let again = engine.start_case(net, None, from(0)).await;
    assert!(matches!(again, Err(CommandError::Stopped(_))), "{again:?}");
    // It may say again that it stopped; it lets go of the directory all the same.
    engine.close().await.ok();
    acknowledged
}

#[test]
fn a_full_disk_stops_the_engine_and_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let mut all = 0;
    for taken in TAKEN {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Some(_mount) = Mount::new(temp.path()) else { return again_in_a_namespace() };
        let others = temp.path().join("others");
        std::fs::write(&others, vec![1; taken]).unwrap();
        let directory = temp.path().join("data");
        let acknowledged = runtime.block_on(fill(&directory));
        all += acknowledged.len();
        // Still full: it opens, or says that it cannot; it does not call the log damaged.
        if let Err(error) = runtime.block_on(counting(Engine::at(&directory)).open()) {
            let text = error.to_string();
            assert!(!text.contains("tampered") && !text.contains("corrupt"), "{taken} taken: {text}");
        }
        std::fs::remove_file(&others).unwrap();
        runtime.block_on(async {
            // Saved state would take the room that reading needs below.
            let engine = counting(Engine::at(&directory)).save_every(None).open().await.unwrap();
            for (key, case) in &acknowledged {
                let row = engine.row(*case).unwrap_or_else(|| panic!("{taken} taken: case {case} of {key} is gone"));
                assert_eq!(row.key, Some(format!("{key:0>500}").as_str().into()));
            }
            let net = engine.deploy(COUNT).await.unwrap().0.hash;
            let started = engine.start_case(net, Some("after"), from(0)).await.unwrap();
            engine.settled().await;
            assert!(engine.ended(started.case).await.is_some(), "it goes on");
            engine.close().await.unwrap();
        });
        verify_source(&actum_fjall::read(&directory).unwrap(), &Trust::self_signed(), &mut |_| {}).unwrap();
    }
    assert!(all > 100, "the engine must get somewhere before the disk is full: {all}");
}
