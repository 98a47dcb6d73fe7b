//! Starts cases as fast as it can until it is killed, and says which were acknowledged: `ack KEY CASE`, one a line.
//!
//! usage: crash-writer DIRECTORY FIRST-KEY PARTITIONS

use std::io::Write;
use std::path::PathBuf;

use actum_tests::{COUNT, counting, from};
use futures_util::{StreamExt, stream};

/// Starts that are under way at the same time.
const CONCURRENT: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("a directory is missing")?);
    let first: i64 = arguments.next().ok_or("a first key is missing")?.to_string_lossy().parse()?;
    let partitions: u16 = arguments.next().ok_or("a number of partitions is missing")?.to_string_lossy().parse()?;
    let engine = counting(actum::Engine::at(directory)).partitions(partitions).open().await?;
    let net = engine.deploy(COUNT).await?.0.hash;
    let starts = stream::iter(first..).map(|key| {
        let engine = &engine;
        async move { (key, engine.start_case(net, Some(&key.to_string()), from(key)).await) }
    });
    let mut starts = starts.buffer_unordered(CONCURRENT);
    while let Some((key, started)) = starts.next().await {
        let line = format!("ack {key} {}\n", started?.case);
        // One write a line: a line that the parent reads is whole.
        std::io::stdout().write_all(line.as_bytes())?;
    }
    Ok(())
}
