//! A run to be recorded: makes a log, starts cases, closes and opens it again, and says what was acknowledged: `made`, `ack KEY CASE`.
//!
//! usage: power-writer DIRECTORY CASES PARTITIONS

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actum::{Engine, EngineBuilder};
use actum_log::FileSigner;
use actum_tests::{COUNT, counting, from};
use futures_util::{StreamExt, stream};

/// Starts that are under way at the same time: few, so that there are many blocks.
const CONCURRENT: usize = 4;
/// So small that memtables are flushed to tables many times, and journals replaced.
const MEMTABLE_BYTES: u64 = 24_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("a directory is missing")?);
    let cases: i64 = arguments.next().ok_or("a number of cases is missing")?.to_string_lossy().parse()?;
    let partitions: u16 = arguments.next().ok_or("a number of partitions is missing")?.to_string_lossy().parse()?;
    let third = cases / 3;
    live(Engine::at(&directory).partitions(partitions), 0..third).await?;
    live(flushing(&directory)?, third..2 * third).await?;
    live(Engine::at(&directory), 2 * third..cases).await
}

fn flushing(directory: &Path) -> Result<EngineBuilder, Box<dyn std::error::Error>> {
    let mut options = actum_fjall::Options::default();
    options.memtable_bytes = MEMTABLE_BYTES;
    let signer = FileSigner::open(&directory.join("keys").join("seal.pem"))?;
    Ok(Engine::on_store(actum_fjall::open(directory, &options)?, Arc::new(signer)))
}

async fn live(engine: EngineBuilder, keys: std::ops::Range<i64>) -> Result<(), Box<dyn std::error::Error>> {
    let engine = counting(engine).open().await?;
    say("made\n")?;
    let net = engine.deploy(COUNT).await?.0.hash;
    let starts = stream::iter(keys).map(|key| {
        let engine = &engine;
        async move { (key, engine.start_case(net, Some(&key.to_string()), from(key)).await) }
    });
    let mut starts = starts.buffer_unordered(CONCURRENT);
    while let Some((key, started)) = starts.next().await {
        say(&format!("ack {key} {}\n", started?.case))?;
    }
    drop(starts);
    engine.settled().await;
    engine.close().await?;
    Ok(())
}

/// One write a line, so that the recording shows when it was said.
fn say(line: &str) -> std::io::Result<()> {
    std::io::stdout().write_all(line.as_bytes())?;
    std::io::stdout().flush()
}
