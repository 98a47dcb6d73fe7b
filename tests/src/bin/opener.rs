//! Opens logs that may be damaged, where an abort of the storage engine ends this process only. For each line on standard
//! input `HOW DIRECTORY`, one line on standard output.
//!
//! - `engine`: the engine opens the log, makes one when there is none, ends its cases, starts one more and closes:
//!   `ok new=false cases=KEY:CASE,...`
//! - `existing`: the same, but only a log that exists.
//! - `read`: reads and verifies without writing: `ok BLAKE3-OF-ARCHIVE`.
//! - or `error CLASS TEXT`.

use std::io::{BufRead, Write};
use std::ops::ControlFlow;
use std::path::Path;

use actum::{Engine, EngineBuilder, OpenError};
use actum_log::{ArchiveError, FoldOptions, ReadError, fold, write_archive};
use actum_tests::{COUNT, counting, from};
use actum_verify::{FaultKind, Trust, verify_source};

type Failure = (&'static str, String);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (how, directory) = line.split_once(' ').ok_or("not a request")?;
        let answer = match how {
            "engine" => runtime.block_on(live(Engine::at(directory))),
            "existing" => runtime.block_on(live(Engine::at(directory).existing())),
            "read" => read(Path::new(directory)),
            _ => return Err("an unknown request".into()),
        };
        let answer = match answer {
            Ok(text) => format!("ok {text}\n"),
            Err((class, text)) => format!("error {class} {}\n", text.replace('\n', " ")),
        };
        std::io::stdout().write_all(answer.as_bytes())?;
        std::io::stdout().flush()?;
    }
    Ok(())
}

async fn live(engine: EngineBuilder) -> Result<String, Failure> {
    let engine = counting(engine).open().await.map_err(of_open)?;
    let stopped = |error: &dyn std::fmt::Display| ("stopped", error.to_string());
    let cases = engine.cases().select(|_| true).into_iter();
    let cases: Vec<String> = cases.filter_map(|(case, row)| Some(format!("{}:{case}", row.key?))).collect();
    let is_new = engine.opened().is_new;
    let net = engine.deploy(COUNT).await.map_err(|error| stopped(&error))?.0.hash;
    let started = engine.start_case(net, None, from(0)).await.map_err(|error| stopped(&error))?;
    engine.settled().await;
    engine.ended(started.case).await.ok_or_else(|| ("stopped", "a new case did not end".to_owned()))?;
    engine.close().await.map_err(|error| stopped(&error))?;
    Ok(format!("new={is_new} cases={}", cases.join(",")))
}

fn of_open(error: OpenError) -> Failure {
    match error {
        OpenError::Read(error) => of_read(&error),
        OpenError::Locked(_) => ("locked", error.to_string()),
        OpenError::Key(_) => ("key", error.to_string()),
        error => ("other", error.to_string()),
    }
}

fn of_read(error: &ReadError) -> Failure {
    let class = match error {
        ReadError::NotFound(_) => "not-found",
        ReadError::Corrupt(_) => "corrupt",
        ReadError::Tampered(_) => "tampered",
        ReadError::Unavailable(_) => "unavailable",
        _ => "io",
    };
    (class, error.to_string())
}

fn read(directory: &Path) -> Result<String, Failure> {
    let source = actum_fjall::read(directory).map_err(|error| of_read(&error))?;
    let verdict = verify_source(&source, &Trust::self_signed(), &mut |_| {}).map_err(|fault| {
        let class = match fault.kind() {
            FaultKind::Tampered => "tampered",
            FaultKind::Corrupt => "corrupt",
            _ => "unavailable",
        };
        (class, fault.to_string())
    })?;
    // The engine's own fold must not disagree with the verifier.
    for partition in 0..verdict.partitions.len() as u16 {
        fold(&source, partition, FoldOptions::default(), |_| ControlFlow::Continue(()))
            .map_err(|error| ("disagreement", error.to_string()))?;
    }
    let mut archive = Vec::new();
    write_archive(&source, &mut archive).map_err(|error| match error {
        ArchiveError::Source(error) => of_read(&error),
        error => ("corrupt", error.to_string()),
    })?;
    Ok(blake3::hash(&archive).to_hex().to_string())
}
