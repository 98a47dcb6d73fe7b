//! Reads a data directory in a child process.
//!
//! The child makes a scratch copy, opens it and writes to its standard output one line of JSON ([`Served`]) and then the
//! log as an archive. When the storage engine aborts or hangs on damaged files, the child dies of it and not we.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::command::read_directory::{self, Mode};
use crate::engine::KEY_VARIABLES;
use crate::failure::{Exit, Failure, Outcome, advice};

/// Longest time that the child may give nothing while we wait for it.
const STALL: Duration = Duration::from_mins(2);
/// Bytes that are handed over at a time, and how many such pieces may wait.
const PIECE_BYTES: usize = 1 << 18;
const PIECES_MAX: usize = 16;
/// How often a child that aborted is tried again: a copy beside a running engine may have been caught in between.
const ATTEMPTS: usize = 3;
/// Longest first line: heads of 1,024 partitions.
const FIRST_LINE_BYTES_MAX: usize = 8 << 20;

/// What a data directory has beside its frames.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Served {
    /// The acknowledged head of each partition.
    pub(crate) heads: Vec<Option<ServedHead>>,
    /// Bytes of a commit that is not whole, at the store's end.
    pub(crate) dropped_bytes: Option<u64>,
    /// Why the store could not be opened, where that was asked for.
    pub(crate) problem: Option<Problem>,
}

/// What is wrong with a store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// A stable word.
    pub(crate) code: String,
    /// The exit code that belongs to it.
    pub(crate) exit: u8,
    /// A sentence.
    pub(crate) message: String,
}

/// A log's heads and its archive.
pub(crate) type Serving = (Vec<Option<actum_log::Head>>, Pipe);

/// A head, as text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServedHead {
    number: u64,
    size: u64,
    hash: String,
    seal: String,
}

impl From<actum_log::Head> for ServedHead {
    fn from(head: actum_log::Head) -> Self {
        let actum_log::Head { number, size, hash, seal } = head;
        ServedHead { number, size, hash: STANDARD.encode(hash), seal: STANDARD.encode(seal) }
    }
}

impl ServedHead {
    fn into_head(self) -> Option<actum_log::Head> {
        self.to_head()
    }

    pub(crate) fn to_head(&self) -> Option<actum_log::Head> {
        let hash = STANDARD.decode(&self.hash).ok()?.try_into().ok()?;
        Some(actum_log::Head { number: self.number, size: self.size, hash, seal: STANDARD.decode(&self.seal).ok()? })
    }
}

/// The child's archive, as it comes.
pub(crate) struct Pipe {
    pieces: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    offset: usize,
    child: Child,
    reader: Option<JoinHandle<()>>,
    complaints: Option<JoinHandle<String>>,
    stalled: bool,
}

/// Starts a child on a directory; gives the heads and the archive.
pub(crate) fn serve(directory: &Path) -> Outcome<Serving> {
    begin(directory, &Mode::Serve).map(|(served, pipe)| (served.into_heads(), pipe))
}

/// As [`serve`], but the archive has only what came after these sizes of the partitions. `place` may be an archive too.
pub(crate) fn serve_tail(place: &Path, sizes: Vec<u64>) -> Outcome<Serving> {
    begin(place, &Mode::Tail(sizes)).map(|(served, pipe)| (served.into_heads(), pipe))
}

/// Lets a child read a directory through, so that what comes after may open it in this process.
pub(crate) fn probe(directory: &Path) -> Outcome<()> {
    begin(directory, &Mode::Probe).map(|_| ())
}

/// Lets a child try to read a directory through; what it found wrong with the store is no failure.
pub(crate) fn examine(directory: &Path) -> Outcome<Served> {
    begin(directory, &Mode::Examine).map(|(served, _)| served)
}

fn begin(directory: &Path, mode: &Mode) -> Outcome<(Served, Pipe)> {
    let mut attempt = 1;
    loop {
        let mut pipe = Pipe::spawn(directory, mode)?;
        if let Some(served) = pipe.first_line() {
            return Ok((served, pipe));
        }
        let (failure, aborted) = pipe.end(directory);
        if !aborted || attempt == ATTEMPTS {
            return Err(failure);
        }
        attempt += 1;
    }
}

impl Served {
    fn into_heads(self) -> Vec<Option<actum_log::Head>> {
        self.heads.into_iter().map(|head| head.and_then(ServedHead::into_head)).collect()
    }

    fn is_whole(&self) -> bool {
        self.heads.iter().flatten().all(|head| head.to_head().is_some())
    }
}

impl Pipe {
    fn spawn(directory: &Path, mode: &Mode) -> Outcome<Self> {
        let fail = |error: std::io::Error| {
            let sentence = format!("no child process can be started to read {}: {error}", directory.display());
            Failure::new(Exit::Unavailable, sentence)
        };
        let program = std::env::current_exe().map_err(fail)?;
        let mut command = Command::new(program);
        // It reads only.
        for variable in KEY_VARIABLES {
            command.env_remove(variable);
        }
        let mut child = command
            .args(read_directory::arguments(directory, mode))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(fail)?;
        let (sender, pieces) = sync_channel(PIECES_MAX);
        let reader = child.stdout.take().map(|output| std::thread::spawn(move || pass_on(output, &sender)));
        let complaints = child.stderr.take().map(|mut errors| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                errors.read_to_end(&mut text).ok();
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Pipe { pieces, piece: Vec::new(), offset: 0, child, reader, complaints, stalled: false })
    }

    /// The first line; `None` when the child ended or hung before it was complete.
    fn first_line(&mut self) -> Option<Served> {
        let mut line = Vec::new();
        loop {
            let rest = self.fill().ok().filter(|rest| !rest.is_empty())?;
            let end = rest.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
            self.offset = end.map_or(self.piece.len(), |end| self.offset + end + 1);
            if end.is_some() {
                break;
            }
            if line.len() > FIRST_LINE_BYTES_MAX {
                return None;
            }
        }
        serde_json::from_slice(&line).ok().filter(Served::is_whole)
    }

    fn fill(&mut self) -> std::io::Result<&[u8]> {
        if self.offset == self.piece.len() {
            match self.pieces.recv_timeout(STALL) {
                Ok(piece) => (self.piece, self.offset) = (piece, 0),
                Err(RecvTimeoutError::Disconnected) => return Ok(&[]),
                Err(RecvTimeoutError::Timeout) => {
                    self.stalled = true;
                    self.child.kill().ok();
                    return Err(ErrorKind::TimedOut.into());
                }
            }
        }
        Ok(&self.piece[self.offset..])
    }

    /// How the child failed, if it did.
    pub(crate) fn failure(&mut self, directory: &Path) -> Option<Failure> {
        let (status, complaints) = self.wait();
        if !self.stalled && status.is_some_and(|status| status.success()) {
            return None;
        }
        Some(say(directory, self.stalled, status, &complaints).0)
    }

    /// Why there was no first line, and whether that is because the child aborted.
    fn end(&mut self, directory: &Path) -> (Failure, bool) {
        let (status, complaints) = self.wait();
        say(directory, self.stalled, status, &complaints)
    }

    fn wait(&mut self) -> (Option<ExitStatus>, String) {
        // Whatever the child still wants to write has no reader: it ends, and removes its scratch copy.
        let (_, closed) = sync_channel(0);
        drop(std::mem::replace(&mut self.pieces, closed));
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
        let status = self.child.wait().ok();
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        (status, complaints)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.wait();
    }
}

fn pass_on(mut output: impl Read, pieces: &SyncSender<Vec<u8>>) {
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        match (&mut output).take(PIECE_BYTES as u64).read_to_end(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if pieces.send(piece).is_err() {
            return;
        }
    }
}

fn say(directory: &Path, stalled: bool, status: Option<ExitStatus>, complaints: &str) -> (Failure, bool) {
    let sentence = complaints.lines().find_map(|line| line.strip_prefix("error: "));
    let exit = status.and_then(|status| status.code()).and_then(Exit::of_code);
    match (sentence, exit) {
        (Some(sentence), Some(exit)) if !stalled => (Failure::new(exit, sentence), false),
        _ => {
            let what = if stalled { "hangs on" } else { "gave up on" };
            let place = directory.join("store");
            let sentence = format!("the storage engine {what} the files in {}; they are corrupt", place.display());
            sweep(directory);
            (Failure::new(Exit::Corrupt, sentence + advice(Exit::Corrupt)), true)
        }
    }
}

/// A child that was killed leaves its scratch copy; making another one removes it.
fn sweep(directory: &Path) {
    if directory.is_file() {
        return;
    }
    drop(actum_fjall::Scratch::of(directory));
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = self.fill()?;
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.offset += count;
        Ok(count)
    }
}
