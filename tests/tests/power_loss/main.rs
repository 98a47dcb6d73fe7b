//! Power loss: whatever was acknowledged is there afterwards; where syncs were ignored, its loss is noticed.
//!
//! A real run is recorded by strace, to the write and the sync; crash states are built from the recording and opened by
//! a child. kill -9 (`crash.rs`) keeps the page cache and so proves much less.

mod disk;
mod image;
mod trace;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use actum_tests::{Answer, Probe, Random, seed, tries};
use disk::Disk;
use image::Image;
use tempfile::TempDir;
use trace::{Call, Mark, Trace};

/// Cases of the recorded run: enough for some hundred syncs, and for tables to be written.
const CASES: u64 = 120;
/// States that share one pattern of ignored syncs.
const STATES_PER_PATTERN: u64 = 20;

/// The file that says what was acknowledged.
const HEAD: &str = "head-0";

/// States in the test command; a campaign sets `ACTUM_POWER_STATES`.
fn states() -> u64 {
    tries("ACTUM_POWER_STATES", 100)
}

/// A directory with the `trace` of a run on its directory `root`; removed on drop.
struct Recording {
    directory: TempDir,
    root: PathBuf,
    trace: Trace,
}

/// Records a run, or takes the one in the directory that `ACTUM_POWER_RECORDING` names: threads make each run another.
fn recording(partitions: u16) -> Recording {
    let directory = tempfile::tempdir().unwrap();
    if let Some(kept) = std::env::var_os("ACTUM_POWER_RECORDING").map(PathBuf::from) {
        let trace = trace::parse(&fs::read_to_string(kept.join("trace")).unwrap());
        return Recording { directory, root: kept.join("root"), trace };
    }
    let root = directory.path().canonicalize().unwrap().join("root");
    fs::create_dir(&root).unwrap();
    let data = root.join("data");
    let args = [data.to_str().unwrap(), &CASES.to_string(), &partitions.to_string()];
    let trace = trace::record(&directory.path().join("trace"), env!("CARGO_BIN_EXE_power-writer"), &args);
    Recording { directory, root, trace }
}

impl Recording {
    fn disk(&self) -> Disk {
        Disk::new(self.root.to_str().unwrap())
    }

    /// Fails and keeps the recording if there are failures.
    #[track_caller]
    fn judge(self, failures: &[String]) {
        if !failures.is_empty() {
            let kept = self.directory.keep();
            let (count, all) = (failures.len(), failures.join("\n"));
            panic!(
                "{count} failures; to repeat them: ACTUM_POWER_RECORDING={} and the same seed\n{all}",
                kept.display()
            );
        }
    }
}

/// What the recorded program had said when the power went.
#[derive(Debug, Default)]
struct Oracle {
    made: bool,
    cases: BTreeMap<u64, u64>,
    /// Those that the head vouches for: acknowledged before its last sync that happened.
    vouched: BTreeMap<u64, u64>,
}

impl Oracle {
    /// Takes in a call that begins: what is about to be said is promised already.
    fn hear(&mut self, call: &Call) {
        if call.name != "write" || call.word(0) != "1" {
            return;
        }
        let line = std::str::from_utf8(call.bytes(1)).unwrap();
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["made"] => self.made = true,
            ["ack", key, case] => drop(self.cases.insert(key.parse().unwrap(), case.parse().unwrap())),
            _ => panic!("the writer said `{line}`"),
        }
    }

    /// What is missing from an opened log.
    fn missing(&self, opened: &str) -> Option<String> {
        self.missing_of(&self.cases, opened)
    }

    fn missing_of(&self, promised: &BTreeMap<u64, u64>, opened: &str) -> Option<String> {
        let (new, cases) = opened.split_once(" cases=").unwrap();
        if self.made && new == "new=true" {
            return Some("the whole log".to_owned());
        }
        let found: BTreeMap<u64, u64> = cases
            .split(',')
            .filter_map(|pair| pair.split_once(':'))
            .map(|(key, case)| (key.parse().unwrap(), case.parse().unwrap()))
            .collect();
        let lost: Vec<_> = promised.iter().filter(|(key, case)| found.get(key) != Some(case)).collect();
        (!lost.is_empty()).then(|| format!("{} of {} cases: {lost:?}", lost.len(), promised.len()))
    }
}

/// Opens `count` crash states at places spread by chance over the recording and hands out what came of each.
fn crash(
    recording: &Recording,
    how: &str,
    seed: u64,
    count: u64,
    honest: &mut dyn FnMut(&str) -> bool,
    judge: &mut dyn FnMut(&str, &Oracle, Answer),
) {
    let mut random = Random::new(seed);
    let marks = &recording.trace.marks;
    let mut places: Vec<usize> = (0..count).map(|_| random.below(marks.len())).collect();
    places.sort_unstable();
    let mut places = places.into_iter().enumerate().peekable();
    let mut disk = recording.disk();
    let mut oracle = Oracle::default();
    let mut probe = Probe::new(env!("CARGO_BIN_EXE_opener"));
    let state = recording.directory.path().join("state");
    for (at, mark) in marks.iter().enumerate() {
        match *mark {
            Mark::Begin(index) => {
                disk.begin(index, &recording.trace.calls[index]);
                oracle.hear(&recording.trace.calls[index]);
            }
            Mark::End(index) => disk.end(index, &recording.trace.calls[index], &mut |name| {
                let synced = honest(name);
                if synced && name == HEAD {
                    oracle.vouched.clone_from(&oracle.cases);
                }
                synced
            }),
        }
        while let Some((number, _)) = places.next_if(|(_, place)| *place == at) {
            fs::create_dir(&state).unwrap();
            disk.crash(&mut random).write_to(&state).unwrap();
            let answer = probe.ask(how, &state.join("data"));
            let name = format!("seed {seed}, state {number} of {count}, mark {at} of {}", marks.len());
            judge(&name, &oracle, answer);
            fs::remove_dir_all(&state).unwrap();
        }
    }
}

#[test]
fn the_recording_explains_every_byte() {
    let recording = recording(1);
    let mut disk = recording.disk();
    let mut oracle = Oracle::default();
    for mark in &recording.trace.marks {
        match *mark {
            Mark::Begin(index) => {
                disk.begin(index, &recording.trace.calls[index]);
                oracle.hear(&recording.trace.calls[index]);
            }
            Mark::End(index) => disk.end(index, &recording.trace.calls[index], &mut |_| true),
        }
    }
    let (followed, real) = (disk.whole().without_zeros(), Image::read_from(&recording.root).unwrap());
    assert_eq!(followed.differences(&real), Vec::<&std::path::Path>::new());
    assert_eq!(oracle.cases.len() as u64, CASES);
    let tables = |image: &Image| image.differences(&Image::default()).iter().any(|path| path.ends_with("tables/0"));
    assert!(tables(&real) || recording.trace.calls.len() > 1_000, "the run is worth crashing");
}

#[test]
fn nothing_acknowledged_is_lost_with_the_power() {
    lose_power(1);
}

/// Each partition has a head of its own, written after the one commit that has the blocks of all.
#[test]
fn nothing_acknowledged_is_lost_with_the_power_in_two_partitions() {
    lose_power(2);
}

fn lose_power(partitions: u16) {
    let recording = recording(partitions);
    let mut failures = Vec::new();
    crash(&recording, "engine", seed(), states(), &mut |_| true, &mut |name, oracle, answer| match answer {
        Answer::Ok(opened) => failures.extend(oracle.missing(&opened).map(|lost| format!("{name}: lost {lost}"))),
        other => failures.push(format!("{name}: {other:?}")),
    });
    recording.judge(&failures);
}

/// A disk that ignores some syncs. `liar` says by the name of a file whether its syncs may be ignored.
fn lying(liar: impl Fn(&str) -> bool, promised: impl Fn(&Oracle) -> &BTreeMap<u64, u64>) {
    let recording = recording(1);
    let (mut failures, mut noticed, mut died, mut whole) = (Vec::new(), 0, 0, 0);
    for pattern in 0..states().div_ceil(STATES_PER_PATTERN) {
        let seed = seed().wrapping_mul(1_000_003).wrapping_add(pattern);
        let mut lies = Random::new(seed);
        let percent = *lies.pick(&[3, 30, 100]);
        let mut honest = |name: &str| !(liar(name) && lies.chance(percent));
        crash(
            &recording,
            "existing",
            seed,
            STATES_PER_PATTERN,
            &mut honest,
            &mut |name, oracle, answer| match answer {
                Answer::Ok(opened) => {
                    let lost = oracle.missing_of(promised(oracle), &opened);
                    whole += u64::from(oracle.missing(&opened).is_none());
                    failures.extend(lost.map(|lost| format!("{name}: silently lost {lost}")));
                }
                Answer::Error(..) => noticed += 1,
                // The storage engine aborts on some damage: noticed, though not well.
                Answer::Died(_) => died += 1,
                Answer::Hung => failures.push(format!("{name}: hangs")),
            },
        );
    }
    recording.judge(&failures);
    println!("nothing lost in {whole}, loss noticed in {noticed}, the opener died in {died}");
    assert!(noticed > 0, "the lies must do harm");
}

#[test]
fn a_store_whose_syncs_are_ignored_does_not_lose_silently() {
    lying(|name| name != HEAD, |oracle| &oracle.cases);
}

/// When the head's own syncs are ignored too, all goes back together to what the head last said: only a seal that
/// somebody else kept can show that. What the head vouches for is never lost silently.
#[test]
fn a_head_whose_syncs_are_ignored_still_guards_what_it_says() {
    lying(|_| true, |oracle| &oracle.vouched);
}
