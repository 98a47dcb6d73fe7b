//! Opens an engine on a data directory, and says in the user's words why that did not work.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use actum::{CommandError, Engine, EngineBuilder, OpenError, Time, VirtualClock};
use actum_log::{Clock, Genesis, ReadError};

use crate::failure::{Exit, Failure, Outcome, chain, no_log};
use crate::log::probe;

/// The key in force as a PKCS#8 PEM, instead of key files.
pub(crate) const SEAL_KEY: &str = "ACTUM_SEAL_KEY";
/// The key after it, likewise.
pub(crate) const NEXT_KEY: &str = "ACTUM_NEXT_KEY";
/// Variables that hold secrets.
pub(crate) const KEY_VARIABLES: [&str; 2] = [SEAL_KEY, NEXT_KEY];

/// Where virtual time begins: 2026-01-05T08:00:00Z, a Monday.
pub(crate) const VIRTUAL_TIME_BEGINS: Time = Time(1_767_600_000_000_000_000);

/// Opens an engine with the keys that environment or files hold. A child process reads an existing directory through first, while
/// the directory is locked for us: the storage engine aborts on some damaged files.
pub(crate) async fn open(builder: EngineBuilder, data: &Path) -> Outcome<Engine> {
    let refusal: Arc<Mutex<Option<Failure>>> = Arc::default();
    let said = refusal.clone();
    let builder = builder.signers_from_env(SEAL_KEY, NEXT_KEY).map_err(|error| cannot_open(data, &error))?;
    let builder = builder.rehearsal(move |directory| {
        probe(directory).map_err(|failure| {
            *said.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            ReadError::Corrupt("the storage engine refused it".to_owned())
        })
    });
    builder.open().await.map_err(|error| {
        let refused = refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
        refused.unwrap_or_else(|| cannot_open(data, &error))
    })
}

/// Opens the log at `data` for upkeep, lets `work` do it, and closes the log.
pub(crate) fn upkeep<T, W: Future<Output = Outcome<T>>>(
    data: &Path,
    configure: impl FnOnce(EngineBuilder) -> EngineBuilder,
    work: impl FnOnce(Engine) -> W,
) -> Outcome<T> {
    let builder = configure(Engine::at(data).existing().upkeep());
    let simulated = std::fs::read(data.join("genesis"))
        .is_ok_and(|text| Genesis::parse(&text).is_ok_and(|genesis| genesis.clock() == Clock::Simulated));
    let builder = if simulated { builder.clock(VirtualClock::new(VIRTUAL_TIME_BEGINS)) } else { builder };
    runtime()?.block_on(async {
        let engine = open(builder, data).await?;
        let done = work(engine.clone()).await;
        let closed = engine.close().await;
        match (done, closed) {
            (Ok(_), Err(error)) => Err(stopped(data, &error)),
            (done, _) => done,
        }
    })
}

/// Threads for an engine.
pub(crate) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unavailable, format!("no threads can be started: {error}")))
}

/// Why no engine could be opened.
pub(crate) fn cannot_open(data: &Path, error: &OpenError) -> Failure {
    let place = data.display().to_string();
    match error {
        OpenError::Read(ReadError::NotFound(_)) if data.is_file() => {
            let sentence = format!(
                "{place} is a file, and only a data directory can be written to; name one with --data (`actum recover` makes one of \
                 an archive)"
            );
            Failure::new(Exit::Usage, sentence)
        }
        OpenError::Read(ReadError::NotFound(_)) => no_log(&place),
        OpenError::Read(error) => Failure::read(&place, error),
        OpenError::Locked(_) => {
            let sentence = format!(
                "another process is running on {place}; wait for it, stop it, or name another directory with --data"
            );
            Failure::new(Exit::Unavailable, sentence)
        }
        OpenError::Key(why) if why.contains(SEAL_KEY) || why.contains(NEXT_KEY) => {
            Failure::new(Exit::Usage, format!("{why}; set it to the key's whole PEM, or unset it"))
        }
        OpenError::Key(why) if std::env::var_os(SEAL_KEY).is_some() => {
            let sentence = format!(
                "{place} cannot be written with the key in {SEAL_KEY}: {why}; `actum key show --data {place}` says which one it is"
            );
            Failure::new(Exit::Failure, sentence)
        }
        OpenError::Key(why) if !data.join("genesis").exists() => {
            let sentence =
                format!("no log can be made at {place}: {why}; name another directory with --data, or mend that");
            Failure::new(Exit::Unavailable, sentence)
        }
        OpenError::Key(why) if is_out_of_reach(&data.join("keys").join("seal.pem")) => {
            Failure::new(Exit::Unavailable, format!("{place} cannot be written: {why}; mend its permissions"))
        }
        // To replace a lost key takes the next one.
        OpenError::Key(why) if why.contains("next.pem") => {
            let sentence = format!(
                "the key in force at {place} cannot be replaced: {why}; restore that file from where you keep a copy \
                 (nothing was changed)"
            );
            Failure::new(Exit::Corrupt, sentence)
        }
        OpenError::Key(why) => {
            let sentence = format!(
                "{place} cannot be written, since its signing key cannot be used: {why}; restore it, or put the next key in \
                 force with `actum key revoke --lost --data {place}`"
            );
            Failure::new(Exit::Corrupt, sentence)
        }
        OpenError::Partitions { .. } | OpenError::Several { .. } => {
            Failure::new(Exit::Usage, format!("{place}: {error}"))
        }
        OpenError::Write(error) => {
            Failure::new(Exit::Unavailable, format!("{place}: {error}; make room and try again"))
        }
        other => Failure::new(Exit::Failure, format!("{place}: {}", chain(other))),
    }
}

/// A file is there, but this process may not read it, or has too many open.
fn is_out_of_reach(path: &Path) -> bool {
    // To open a pipe would wait for a writer.
    let is_special = std::fs::metadata(path).is_ok_and(|meta| !meta.is_file());
    !is_special && std::fs::File::open(path).is_err_and(|error| error.kind() != std::io::ErrorKind::NotFound)
}

/// The engine cannot go on. What was acknowledged is safe.
pub(crate) fn stopped(data: &Path, error: &CommandError) -> Failure {
    let place = data.display();
    match error {
        CommandError::Rejected(rejection) if rejection.code == "log/partitions" => {
            Failure::new(Exit::Usage, format!("{place}: {}", rejection.message))
        }
        CommandError::Rejected(rejection) => Failure::new(Exit::Failure, rejection.message.clone()),
        CommandError::Stopped(error) => Failure::new(
            Exit::Unavailable,
            format!(
                "{place}: {error}; what was acknowledged is safe; mend that (make room?) and give the same command again"
            ),
        ),
        other => Failure::new(Exit::Failure, format!("{place}: {other}")),
    }
}
