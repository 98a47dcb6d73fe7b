//! What can go wrong, by what the caller should do about it.

use actum_log::{CommitError, ReadError};
use actum_model::Rejection;

/// Why a log could not be opened or created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The log cannot be read, or not be trusted.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another process writes to the log.
    #[error("another process has {0} open; only one may write at a time")]
    Locked(String),
    /// The keys of the log are missing or cannot be used.
    #[error("the signing key cannot be used: {0}")]
    Key(String),
    /// The log keeps another kind of time than the clock that was given.
    #[error("the log keeps {log} time, the engine was given a {given} clock")]
    Clock {
        /// What the log keeps.
        log: &'static str,
        /// What was given.
        given: &'static str,
    },
    /// The log has another number of partitions than was asked for. It has it for ever.
    #[error("the log has {log} partitions, and {asked} were asked for; only a new log is given another number")]
    Partitions {
        /// What the log has.
        log: u16,
        /// What was asked for.
        asked: u16,
    },
    /// The log has several partitions, with which this is not possible yet. Nothing was changed.
    #[error("the log has {log} partitions, and {what} is not possible with several")]
    Several {
        /// What the log has.
        log: u16,
        /// What was asked for.
        what: &'static str,
    },
    /// The options cannot be met.
    #[error("{0}")]
    Options(String),
    /// Starting to write failed.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why writing stopped. Everything acknowledged before is safe; open the log again to go on.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log can no longer be written: {0}")]
pub struct WriteError(pub(crate) std::sync::Arc<str>);

impl From<&CommitError> for WriteError {
    fn from(error: &CommitError) -> Self {
        WriteError(chain(error).into())
    }
}

/// An error with its sources, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Why a command was not carried out. The case is as it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The domain says no; trying again does not help.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Too much is waiting already: try again later.
    #[error("the engine is busy, try again in {retry_after_ms} ms")]
    Busy {
        /// How long to wait.
        retry_after_ms: u64,
    },
    /// The engine can write no more; the command may or may not have been written, reopening tells.
    #[error(transparent)]
    Stopped(#[from] WriteError),
    /// The case rests in the log, and the log cannot be read just now. Nothing happened; the engine goes on: try again.
    #[error("{0}")]
    Unreadable(std::sync::Arc<str>),
    /// The engine is about to stop and takes nothing new.
    #[error("the engine is stopping and takes nothing new")]
    Stopping,
    /// The engine was closed.
    #[error("the engine was closed")]
    Closed,
}

/// Why a net was not deployed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// The net has errors; each has a position.
    #[error("the net has {} finding(s), the first: {}", .0.len(), first(.0))]
    Net(Vec<actum_net::Diagnostic>),
    /// Tasks name handlers that nobody registered.
    #[error("no handler is registered under the name(s) {}", .0.join(", "))]
    UnknownHandlers(Vec<String>),
    /// The net names pools that the engine's options do not size.
    #[error("the engine has no pool named {}", .0.join(", "))]
    UnknownPools(Vec<String>),
    /// Tasks name strategies that nobody registered.
    #[error("no strategy is registered under the name(s) {}", .0.join(", "))]
    UnknownStrategies(Vec<String>),
    /// See there.
    #[error(transparent)]
    Command(#[from] CommandError),
}

fn first(diagnostics: &[actum_net::Diagnostic]) -> String {
    diagnostics.first().map(ToString::to_string).unwrap_or_default()
}
