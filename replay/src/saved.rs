//! Saved state of a log, to begin from instead of folding it: only files that the log names are offered.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use actum_kernel::resource::Standing;
use actum_kernel::saved::{CASES, DIRECTORY, NETS, STANDING, Section, decode_nets};
use actum_log::{FrameSource, ReadError, SavedError, SavedFile, records, saved_files};
use actum_model::snapshot::{SnapshotError, decode_case, decode_directory};
use actum_model::{Case, CaseId, Directory, Event, SavedEvent, SystemEvent, payload};
use actum_net::Net;

/// The kind of the event that names a file.
const STATE_SAVED: (u16, u16) = (258, 1);

/// Why saved state is of no use; fold the log instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedStateError {
    /// The file is damaged, or of another version.
    #[error(transparent)]
    File(#[from] SavedError),
    /// A part of it is of another version, or damaged.
    #[error(transparent)]
    Part(#[from] SnapshotError),
}

/// The state of a partition after its first events.
#[derive(Debug)]
pub struct SavedState {
    file: SavedFile,
}

/// The files of a data directory that the log names, largest size first. Files that cannot be read, or that are not named, are left out:
/// they are caches. Reads the log from the smallest file's size on, without hashing it.
///
/// # Errors
/// The log, or the folder, cannot be read.
pub fn saved_states(directory: &Path, source: &dyn FrameSource, partition: u16) -> Result<Vec<SavedState>, ReadError> {
    let open = |(_, path): (u64, _)| SavedFile::open(BufReader::new(File::open(path).ok()?)).ok();
    let mut files: Vec<SavedFile> = saved_files(directory)?.into_iter().filter_map(open).collect();
    files.retain(|file| file.contents().partition == partition);
    let Some(from) = files.iter().map(|file| file.contents().size).min() else { return Ok(Vec::new()) };
    let mut named = Vec::new();
    for record in records(source, partition, from)? {
        let record = record?;
        let header = record.header();
        if (header.kind, header.schema) == STATE_SAVED {
            let event = payload::decode(header.kind, header.schema, record.view().payload());
            if let Ok(Event::System(SystemEvent::Saved(SavedEvent::Saved { size, hash, .. }))) = event {
                named.push((size, hash));
            }
        }
    }
    files.retain(|file| named.contains(&(file.contents().size, file.hash())));
    Ok(files.into_iter().map(|file| SavedState { file }).collect())
}

impl SavedState {
    /// Number of events that it is over.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.file.contents().size
    }

    /// One case, read alone: a page of some 64 KiB. `None` if it had not begun, or had ended.
    ///
    /// # Errors
    /// [`SavedStateError`].
    pub fn case(&self, id: CaseId) -> Result<Option<Case>, SavedStateError> {
        let entry = self.file.entry(CASES.0, CASES.1, id.0)?;
        Ok(entry.map(|entry| decode_case(&entry)).transpose()?)
    }

    /// All cases that had begun and not ended, by number, one page in memory.
    ///
    /// # Errors
    /// [`SavedStateError`]; what `each` got before it is good.
    pub fn cases(&self, mut each: impl FnMut(Case)) -> Result<(), SavedStateError> {
        let mut entries = self.file.entries(CASES.0, CASES.1)?;
        while let Some((_, entry)) = entries.next_entry()? {
            each(decode_case(entry)?);
        }
        Ok(())
    }

    /// Who there was.
    ///
    /// # Errors
    /// [`SavedStateError`].
    pub fn directory(&self) -> Result<Directory, SavedStateError> {
        Ok(decode_directory(&self.plain(DIRECTORY)?)?)
    }

    /// The nets, compiled again.
    ///
    /// # Errors
    /// [`SavedStateError`].
    pub fn nets(&self) -> Result<Vec<Arc<Net>>, SavedStateError> {
        Ok(decode_nets(&self.plain(NETS)?)?)
    }

    /// How people stood.
    ///
    /// # Errors
    /// [`SavedStateError`].
    pub fn standing(&self) -> Result<Standing, SavedStateError> {
        Ok(Standing::decode(&self.plain(STANDING)?)?)
    }

    fn plain(&self, (name, version): Section) -> Result<Vec<u8>, SavedError> {
        self.file.plain(name, version)
    }
}

impl crate::timeline::SavedCases for SavedState {
    fn size(&self) -> u64 {
        SavedState::size(self)
    }

    fn cases(&self, each: &mut dyn FnMut(Case)) -> Result<(), crate::ReplayError> {
        SavedState::cases(self, each).map_err(|error| crate::ReplayError::Saved { reason: error.to_string() })
    }
}
