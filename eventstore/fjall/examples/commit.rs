//! Commit throughput and latency of the store alone: blocks of filler, no hashing, no sealing.
//!
//! `cargo run --release -p actum-fjall --example commit -- DIR [MIB] [BLOCKS-PER-COMMIT] [BLOCK-KIB] [MEMTABLE-MIB] [WORKERS]`

#[path = "../tests/plausible/mod.rs"]
mod plausible;

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use actum_fjall::{Options, create, open, read};
use actum_log::EventStore;

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or_default()
}

fn sync_time(dir: &std::path::Path) -> std::io::Result<Duration> {
    let path = dir.join("sync-probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..50 {
        file.write_all(&[1; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    fs::remove_file(path)?;
    Ok(percentile(&times, 50))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let base = PathBuf::from(args.next().ok_or("a directory is missing")?);
    let mut number = |default: usize| args.next().map_or(Ok(default), |arg| arg.parse());
    let (total_mib, blocks_per_commit, block_kib) = (number(1024)?, number(10)?, number(200)?);
    let mut options = Options::default();
    options.memtable_bytes = number(32)? as u64 * 1024 * 1024;
    options.worker_threads = number(options.worker_threads)?;
    let dir = base.join("actum-commit-example");
    println!("fdatasync of 4 KiB: {:?} p50", sync_time(&base)?);

    let text = plausible::genesis(1);
    let mut chain = plausible::Chain::new(&text, 0);
    // Chunks as they are stored: 16 KiB of records, compressed by about half.
    chain.chunk_bytes = 8 * 1024;
    chain.chunks = block_kib / 8;
    chain.compressible = false;
    let mut store = create(&dir, &text, 1, &options)?;
    let mut times = Vec::new();
    let (mut bytes, mut spent) = (0, Duration::ZERO);
    while bytes < total_mib * 1024 * 1024 {
        let blocks = chain.take(blocks_per_commit);
        bytes += blocks.iter().flat_map(|b| b.chunks.iter().chain([&b.block])).map(|f| f.bytes.len()).sum::<usize>();
        let start = Instant::now();
        store.commit(&blocks)?;
        times.push(start.elapsed());
        spent += start.elapsed();
    }
    times.sort();
    println!(
        "{total_mib} MiB in {} commits of {blocks_per_commit} blocks of {block_kib} KiB: {:.0} MB/s; commit p50 {:?} p99 {:?} max {:?}",
        times.len(),
        bytes as f64 / 1e6 / spent.as_secs_f64(),
        percentile(&times, 50),
        percentile(&times, 99),
        percentile(&times, 100),
    );
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
    let start = Instant::now();
    drop(read(&dir)?);
    println!("read beside the writer opens in {:?}", start.elapsed());
    drop(store);
    let start = Instant::now();
    drop(open(&dir, &options)?);
    println!("open with rehearsal and close: {:?}", start.elapsed());
    let start = Instant::now();
    let source = read(&dir)?;
    let opened = start.elapsed();
    let frames = plausible::read_all(&source, 0)?;
    let all = start.elapsed();
    println!("read opens in {opened:?}; that and reading and checking {} frames take {all:?}", frames.len());
    drop(source);
    fs::remove_dir_all(dir)?;
    Ok(())
}
