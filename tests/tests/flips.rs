//! Any bit of a data directory flipped: it is named, or the log reads byte for byte the same. Reading never aborts the
//! caller beyond the child that reads, never hangs, and never writes.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use actum_tests::{Answer, Probe, Random, seed, tries};

/// Flips in the test command; a campaign sets `ACTUM_FLIPS`.
const FLIPS: u64 = 200;
/// Cases of the log: its blocks lie in tables, blobs and journals.
const CASES: &str = "120";

/// Files with the places in them that hold data.
struct Target {
    path: PathBuf,
    data: Vec<u64>,
}

fn targets(directory: &Path, found: &mut Vec<Target>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            targets(&path, found);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        // Preallocated zeros are one place in sixteen thousand, or nothing else would be hit.
        let counts = |at: usize| bytes[at] != 0 || at.is_multiple_of(16_384);
        let data: Vec<u64> = (0..bytes.len()).filter(|at| counts(*at)).map(|at| at as u64).collect();
        if !data.is_empty() {
            found.push(Target { path, data });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
}

fn made(directory: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_power-writer"))
        .args([directory.as_os_str(), CASES.as_ref(), "1".as_ref()])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

fn flip(path: &Path, at: u64, mask: u8) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ mask], at).unwrap();
}

#[test]
fn a_flipped_bit_is_named_or_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().join("data");
    made(&directory);
    let mut probe = Probe::new(env!("CARGO_BIN_EXE_opener"));
    let Answer::Ok(sound) = probe.ask("read", &directory) else { panic!("the log is sound") };
    let mut all = Vec::new();
    targets(&directory, &mut all);
    let every: usize = all.iter().map(|target| target.data.len()).sum();
    let mut random = Random::new(seed());
    let (mut named, mut harmless, mut aborted, mut failures) = (0, 0, Vec::new(), Vec::new());
    let flips = tries("ACTUM_FLIPS", FLIPS);
    for number in 0..flips {
        // Half by bytes, half by files, so that small files have their share.
        let target = if number % 2 == 0 {
            let mut at = random.below(every);
            let weighed = all.iter().find(|target| {
                let here = at < target.data.len();
                at = at.saturating_sub(target.data.len());
                here
            });
            weighed.unwrap()
        } else {
            random.pick(&all)
        };
        let (at, mask) = (*random.pick(&target.data), 1 << random.below(8));
        let name = || {
            let path = target.path.strip_prefix(&directory).unwrap().display();
            format!("seed {}, flip {number}: {path} byte {at} mask {mask:#04x}", seed())
        };
        flip(&target.path, at, mask);
        let answer = probe.ask("read", &directory);
        flip(&target.path, at, mask);
        match answer {
            Answer::Ok(hash) if hash == sound => harmless += 1,
            Answer::Ok(_) => failures.push(format!("{}: reads differently", name())),
            Answer::Error(class, _) if class == "tampered" || class == "corrupt" => named += 1,
            Answer::Error(class, text) => failures.push(format!("{}: {class}: {text}", name())),
            // Of the child: its caller says that the log is corrupt.
            Answer::Died(how) => aborted.push(format!("{}: {how}", name())),
            Answer::Hung => failures.push(format!("{}: hangs", name())),
        }
    }
    println!(
        "{flips} flips: {named} named, {harmless} harmless, {} ended the child\n{}",
        aborted.len(),
        aborted.join("\n")
    );
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    assert!(named > 0 && harmless > 0, "flips must hit something");
    assert_eq!(probe.ask("read", &directory), Answer::Ok(sound), "reading wrote nothing");
}
