//! Opens whatever holds a log.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use actum_log::Head;

use super::child::{self, Pipe};
use super::nature::{TELLING_BYTES, not_an_archive};
use super::target::Target;
use crate::failure::{Exit, Failure, Outcome, no_log};

/// A log as the bytes of an archive, and the heads that are kept apart from it.
pub(crate) struct OpenLog {
    /// As the user named it.
    pub(crate) place: String,
    pub(crate) heads: Vec<Option<Head>>,
    path: PathBuf,
    bytes: Bytes,
    /// What a file is that was taken for an archive, if it does not begin as one.
    strange: Option<String>,
    copy: Option<Copy>,
}

/// Where the bytes are also written, and why that failed.
struct Copy {
    target: Target,
    failed: Option<Failure>,
}

enum Bytes {
    File(BufReader<File>),
    Child(Pipe),
}

/// Opens an archive file, or a data directory, also beside a running engine. Writes to neither.
pub(crate) fn open(path: &Path) -> Outcome<OpenLog> {
    let place = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => no_log(&place),
        _ => Failure::file(path, "read", &error),
    })?;
    let mut strange = None;
    let (heads, bytes) = if metadata.is_dir() {
        let (heads, pipe) = child::serve(path)?;
        (heads, Bytes::Child(pipe))
    } else {
        let fail = |error| Failure::file(path, "read", &error);
        let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(fail)?);
        let beginning = file.fill_buf().map_err(fail)?;
        strange = not_an_archive(&beginning[..beginning.len().min(TELLING_BYTES)]);
        (Vec::new(), Bytes::File(file))
    };
    Ok(OpenLog { place, heads, path: path.to_owned(), bytes, strange, copy: None })
}

/// Opens what a log has gained since these sizes of its partitions.
pub(crate) fn open_tail(path: &Path, sizes: Vec<u64>) -> Outcome<OpenLog> {
    let (heads, pipe) = child::serve_tail(path, sizes)?;
    let place = path.display().to_string();
    Ok(OpenLog { place, heads, path: path.to_owned(), bytes: Bytes::Child(pipe), strange: None, copy: None })
}

impl OpenLog {
    /// The log lies in an archive, so that offsets mean something.
    pub(crate) fn is_archive(&self) -> bool {
        matches!(self.bytes, Bytes::File(_))
    }

    /// What the file is, if it is no archive at all.
    pub(crate) fn strange(&self) -> Option<Failure> {
        self.strange.as_ref().map(|what| Failure::new(Exit::Corrupt, format!("{} {what}", self.place)))
    }

    /// What went wrong in giving the bytes, if they ended early because of that.
    pub(crate) fn failure(&mut self) -> Option<Failure> {
        match &mut self.bytes {
            Bytes::File(_) => None,
            Bytes::Child(pipe) => pipe.failure(&self.path),
        }
    }

    /// From now on, all bytes that are read are also written to `target`.
    pub(crate) fn copy_to(&mut self, target: Target) {
        self.copy = Some(Copy { target, failed: None });
    }

    /// Why the copy is not complete.
    pub(crate) fn copy_failure(&mut self) -> Option<Failure> {
        self.copy.as_mut().and_then(|copy| copy.failed.take())
    }

    /// The target with what was read so far.
    pub(crate) fn into_copy(self) -> Option<Target> {
        self.copy.map(|copy| copy.target)
    }
}

impl Read for OpenLog {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.bytes {
            Bytes::File(file) => file.read(buffer)?,
            Bytes::Child(pipe) => pipe.read(buffer)?,
        };
        if let Some(Copy { target, failed }) = &mut self.copy {
            target.write_all(&buffer[..count]).map_err(|error| {
                *failed = Some(target.failure(&error));
                // Only its kind matters: the verification ends here.
                io::Error::from(error.kind())
            })?;
        }
        Ok(count)
    }
}
