//! Files of saved state in a data directory: written so that a crash at any moment leaves the older ones whole.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use actum_log::{Hash, SavedError, SavedFile, saved_files, saved_folder, saved_path};

/// A file that is being written. Removed at the next pruning if nothing comes of it.
const UNFINISHED: &str = "unfinished.tmp";
/// A page is read at once, so that a buffer only costs for the contents.
const READ_BYTES: usize = 64 * 1024;

/// The folder of saved state of a data directory.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    directory: PathBuf,
}

impl Shelf {
    pub(crate) fn of(directory: &Path) -> Self {
        Shelf { directory: directory.to_owned() }
    }

    /// Sizes of the files that are there, largest first.
    pub(crate) fn sizes(&self) -> io::Result<Vec<u64>> {
        Ok(saved_files(&self.directory)?.into_iter().map(|(size, _)| size).collect())
    }

    pub(crate) fn open(&self, size: u64) -> Result<SavedFile, SavedError> {
        let file =
            SavedFile::open(BufReader::with_capacity(READ_BYTES, File::open(saved_path(&self.directory, size))?))?;
        let fits = file.contents().size == size && file.contents().partition == 0;
        if fits { Ok(file) } else { Err(SavedError::Malformed("its name does not fit it")) }
    }

    /// The file over the first `size` events, if it is the one that the log names.
    pub(crate) fn open_named(&self, size: u64, hash: Hash) -> Result<SavedFile, SavedError> {
        let file = self.open(size)?;
        if file.hash() == hash { Ok(file) } else { Err(SavedError::Other(file.hash())) }
    }

    /// Where a new file is written to.
    pub(crate) fn begin(&self) -> io::Result<BufWriter<File>> {
        fs::create_dir_all(saved_folder(&self.directory))?;
        // A new folder must survive power loss before a file in it can.
        File::open(&self.directory)?.sync_all()?;
        Ok(BufWriter::new(File::create(saved_folder(&self.directory).join(UNFINISHED))?))
    }

    /// Puts what was written in its place. When this returns, it survives power loss.
    pub(crate) fn finish(&self, written: BufWriter<File>, size: u64) -> io::Result<()> {
        let file = written.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        drop(file);
        let folder = saved_folder(&self.directory);
        fs::rename(folder.join(UNFINISHED), saved_path(&self.directory, size))?;
        File::open(folder)?.sync_all()
    }

    /// Removes all files but those of these sizes.
    pub(crate) fn prune(&self, keep: &[u64]) -> io::Result<()> {
        for (size, path) in saved_files(&self.directory)? {
            if !keep.contains(&size) {
                fs::remove_file(path)?;
            }
        }
        match fs::remove_file(saved_folder(&self.directory).join(UNFINISHED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
