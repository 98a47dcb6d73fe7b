//! Writes a file completely or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::interruption;
use crate::failure::{Exit, Failure, Outcome};
use crate::output;

/// Where an export goes.
pub(crate) enum Target {
    /// Standard output.
    Output(BufWriter<io::Stdout>),
    /// A device or pipe, which cannot be replaced.
    Device(PathBuf, BufWriter<File>),
    /// A file that has its name only once it is complete.
    File(NewFile),
}

/// A file under construction; removed unless it is kept.
pub(crate) struct NewFile {
    path: PathBuf,
    part: PathBuf,
    writer: BufWriter<File>,
    kept: bool,
}

impl Target {
    /// Standard output for `None` and `-`; else a new file. An existing one is replaced only with `force`.
    pub(crate) fn open(path: Option<&Path>, force: bool) -> Outcome<Self> {
        match path {
            None => {
                output::take();
                Ok(Target::Output(BufWriter::with_capacity(1 << 18, io::stdout())))
            }
            Some(path) if path == Path::new("-") => Target::open(None, force),
            Some(path) if fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) => {
                let file = OpenOptions::new().write(true).open(path);
                let file = file.map_err(|error| Failure::file(path, "written", &error))?;
                Ok(Target::Device(path.to_owned(), BufWriter::with_capacity(1 << 18, file)))
            }
            Some(path) => NewFile::create(path, force).map(Target::File),
        }
    }

    /// What an error in writing means.
    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        match self {
            Target::Output(_) => Failure::output(error),
            Target::Device(path, _) => Failure::file(path, "written", error),
            Target::File(file) => Failure::file(&file.path, "written", error),
        }
    }

    /// All was written and is right: a file survives power loss and gets its name.
    pub(crate) fn keep(self) -> Outcome<()> {
        match self {
            Target::Output(mut output) => output.flush().map_err(|error| Failure::output(&error)),
            Target::Device(path, mut device) => device.flush().map_err(|error| Failure::file(&path, "written", &error)),
            Target::File(mut file) => file.keep().map_err(|error| Failure::file(&file.path, "written", &error)),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Output(output) => output.write(bytes),
            Target::Device(_, device) => device.write(bytes),
            Target::File(file) => file.writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Output(output) => output.flush(),
            Target::Device(_, device) => device.flush(),
            Target::File(file) => file.writer.flush(),
        }
    }
}

impl NewFile {
    /// A new file. An existing one is replaced only with `force`.
    pub(crate) fn create(path: &Path, force: bool) -> Outcome<Self> {
        if let Some(log) = log_around(path) {
            let sentence = format!(
                "{} lies in the data directory {}, which belongs to its log alone; name a file elsewhere",
                path.display(),
                log.display()
            );
            return Err(Failure::new(Exit::Usage, sentence));
        }
        if path.exists() && (!force || path.is_dir()) {
            let advice = if path.is_dir() { "name a file" } else { "name another file, or replace it with --force" };
            return Err(Failure::new(Exit::Failure, format!("{} exists already; {advice}", path.display())));
        }
        let Some(name) = path.file_name() else {
            return Err(Failure::new(Exit::Usage, format!("{} is not the name of a file", path.display())));
        };
        let part = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&part);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let directory = path.parent().unwrap_or(Path::new(".")).display();
                Failure::new(Exit::NotFound, format!("there is no directory {directory}; make it first"))
            }
            _ => Failure::file(path, "written", &error),
        })?;
        let writer = BufWriter::with_capacity(1 << 18, file);
        interruption::remove_when_interrupted(&part);
        Ok(NewFile { path: path.to_owned(), part, writer, kept: false })
    }

    /// Where it lies while it has not got its name.
    pub(crate) fn part(&self) -> &Path {
        &self.part
    }

    /// What somebody else wrote at [`Self::part`] is right: the file survives power loss and gets its name.
    pub(crate) fn keep_it(mut self) -> Outcome<()> {
        self.keep().map_err(|error| Failure::file(&self.path, "written", &error))
    }

    fn keep(&mut self) -> io::Result<()> {
        self.writer.flush()?;
        self.writer.get_ref().sync_all()?;
        fs::rename(&self.part, &self.path)?;
        self.kept = true;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// The data directory in which a file would lie.
fn log_around(path: &Path) -> Option<PathBuf> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = fs::canonicalize(directory).ok()?;
    let is_log = |at: &&Path| at.join("genesis").is_file() && at.join("store").is_dir();
    directory.ancestors().find(is_log).map(Path::to_owned)
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            fs::remove_file(&self.part).ok();
        }
    }
}
