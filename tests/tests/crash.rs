//! kill -9 at any moment: whatever was acknowledged is there afterwards, the log verifies, and cases go on to their end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use actum::{CaseId, CaseStatus, Engine};
use actum_tests::{COUNT, counting, tries};
use actum_verify::{Trust, verify_source};

/// Cycles in the test command; `ACTUM_CRASH_CYCLES` sets more for a long campaign.
const CYCLES: u64 = 20;

/// Cycles on one log, then another is begun: opening takes as long as the log is.
const CYCLES_PER_LOG: u64 = 20;
/// Cycles between two checks, each of which opens the log in this process and reads all of it.
const CYCLES_PER_CHECK: u64 = 5;

#[test]
fn nothing_acknowledged_is_lost_by_kill() {
    kills(1);
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_in_several_partitions() {
    kills(3);
}

fn kills(partitions: u16) {
    let cycles = tries("ACTUM_CRASH_CYCLES", CYCLES);
    let mut all = 0;
    for begin in (0..cycles).step_by(CYCLES_PER_LOG as usize) {
        let directory = tempfile::tempdir().unwrap();
        let mut acknowledged: BTreeMap<i64, u64> = BTreeMap::new();
        let end = cycles.min(begin + CYCLES_PER_LOG);
        for cycle in begin..end {
            // The kill comes after so many acknowledgements: at the first, in the middle of blocks, after many.
            let patience = cycle.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57;
            let first = acknowledged.keys().next_back().map_or(0, |key| key + 1);
            run_and_kill(directory.path(), (first, partitions), patience as usize, &mut acknowledged);
            if (cycle + 1) % CYCLES_PER_CHECK == 0 || cycle + 1 == end {
                check(directory.path(), partitions, &acknowledged);
            }
        }
        all += acknowledged.len();
    }
    assert!(all > cycles as usize, "the writer must get somewhere: {all}");
}

fn run_and_kill(
    directory: &Path,
    (first, partitions): (i64, u16),
    patience: usize,
    acknowledged: &mut BTreeMap<i64, u64>,
) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_crash-writer"))
        .arg(directory)
        .arg(first.to_string())
        .arg(partitions.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut take = |line: &str| {
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some("ack"), "{line}");
        let (key, case) = (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap());
        let before = acknowledged.insert(key, case);
        assert!(before.is_none_or(|before| before == case), "key {key} started two cases");
    };
    for line in lines.by_ref().take(patience + 1) {
        take(&line.unwrap());
    }
    child.kill().unwrap();
    // What was written before the kill was acknowledged before the kill.
    lines.map_while(Result::ok).filter(|line| line.split(' ').count() == 3).for_each(|line| take(&line));
    child.wait().unwrap();
}

fn check(directory: &Path, partitions: u16, acknowledged: &BTreeMap<i64, u64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = counting(Engine::at(directory)).open().await.unwrap();
        let net = engine.deploy(COUNT).await.unwrap().0.hash;
        for (key, case) in acknowledged {
            let row = engine.row(CaseId(*case)).unwrap_or_else(|| panic!("case {case} was acknowledged and is gone"));
            assert_eq!(row.key.as_deref(), Some(key.to_string().as_str()));
            assert_eq!(row.net, net);
        }
        engine.settled().await;
        let cases = engine.cases();
        assert_eq!(cases.count(CaseStatus::Completed), cases.len(), "every case goes on and ends");
        engine.close().await.unwrap();
    });
    let source = actum_fjall::read(directory).unwrap();
    let verdict = verify_source(&source, &Trust::self_signed(), &mut |_| {}).unwrap();
    assert_eq!(verdict.partitions.len(), usize::from(partitions));
    assert!(verdict.partitions.iter().all(|partition| partition.unacknowledged_blocks == 0));
}
