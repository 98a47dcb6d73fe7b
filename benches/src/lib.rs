//! What every bench needs: a place on a real disk, and a table of figures beside what they are compared to.

pub mod five;
pub mod log;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The magic number of tmpfs (statfs(2)).
const TMPFS: u64 = 0x0102_1994;

/// A directory on a real disk, removed at the end.
#[derive(Debug)]
pub struct Disk {
    directory: TempDir,
    fsync: Duration,
}

impl Disk {
    /// Makes a directory below `ACTUM_BENCH_DIR`, or below the build directory; says which file system it is and how long an fsync takes.
    ///
    /// # Panics
    /// On tmpfs, where "durable" means nothing, and when the directory cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let parent = std::env::var_os("ACTUM_BENCH_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
        std::fs::create_dir_all(&parent).expect("the bench directory can be made");
        let directory = tempfile::tempdir_in(&parent).expect("the bench directory is writable");
        let kind = rustix::fs::statfs(directory.path()).expect("the file system answers").f_type as u64;
        assert!(
            kind != TMPFS,
            "{} is on tmpfs: durability cannot be measured there; set ACTUM_BENCH_DIR",
            parent.display()
        );
        let fsync = fsync_time(directory.path());
        println!("file system {}, fdatasync of 4 KiB: {:.2} ms (median of 21)", name(kind), millis(fsync));
        Disk { directory, fsync }
    }

    /// A path inside that does not exist yet.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Median time of writing 4 KiB and syncing it.
    #[must_use]
    pub fn fsync(&self) -> Duration {
        self.fsync
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

fn fsync_time(directory: &Path) -> Duration {
    let mut file = File::create(directory.join("fsync")).expect("the directory is writable");
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            let begin = Instant::now();
            file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("the disk can be written");
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn name(kind: u64) -> String {
    match kind {
        0xef53 => "ext4".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x9123_683e => "btrfs".to_owned(),
        0x794c_7630 => "overlay".to_owned(),
        other => format!("{other:#x}"),
    }
}

/// Milliseconds.
#[must_use]
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Bytes of all files below a directory, as allocated on disk.
#[must_use]
pub fn bytes_on_disk(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_on_disk(&entry.path()),
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
