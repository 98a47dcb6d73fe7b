//! Reads saved state: a section as a whole, a table entry by entry, or one entry alone. Every page is checked before it is believed.

use std::io::{Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use super::contents::{SavedContents, SectionInfo, SectionKind, check_length};
use super::{ENTRY_BYTES_MAX, ENTRY_HEAD_BYTES, MAGIC, SavedError, TRAILER_BYTES};
use crate::bytes::Bytes;
use crate::hash::{Hash, page_hash, saved_hash};

trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// A file of saved state, opened. Its contents fit its hash; a page is checked when it is read.
pub struct SavedFile {
    source: Mutex<Box<dyn Source>>,
    contents: SavedContents,
    hash: Hash,
    bytes: u64,
}

impl std::fmt::Debug for SavedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SavedFile").field("size", &self.contents.size).finish_non_exhaustive()
    }
}

impl SavedFile {
    /// Reads a file's contents; costs a few dozen bytes for each 64 KiB of it.
    ///
    /// # Errors
    /// It is none, or damaged where that shows without reading its pages.
    pub fn open(mut source: impl Read + Seek + Send + 'static) -> Result<Self, SavedError> {
        let bytes = source.seek(SeekFrom::End(0))?;
        let least = (MAGIC.len() + TRAILER_BYTES) as u64;
        if bytes < least {
            return Err(SavedError::Malformed("it is too short"));
        }
        let mut magic = [0; MAGIC.len()];
        source.seek(SeekFrom::Start(0))?;
        source.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(SavedError::Malformed("it does not begin as saved state does"));
        }
        let mut trailer = [0; TRAILER_BYTES];
        source.seek(SeekFrom::Start(bytes - TRAILER_BYTES as u64))?;
        source.read_exact(&mut trailer)?;
        let mut trailer = Bytes(&trailer);
        let (Some(length), Some(hash)) = (trailer.u64(), trailer.array()) else {
            return Err(SavedError::Malformed("it is too short"));
        };
        if length > bytes - least {
            return Err(SavedError::Malformed("it is cut off"));
        }
        let mut contents = vec![0; check_length(length)?];
        let end = bytes - TRAILER_BYTES as u64 - length;
        source.seek(SeekFrom::Start(end))?;
        source.read_exact(&mut contents)?;
        if saved_hash(&contents) != hash {
            return Err(SavedError::Contents);
        }
        let contents = SavedContents::decode(&contents, MAGIC.len() as u64, end)?;
        Ok(Self { source: Mutex::new(Box::new(source)), contents, hash, bytes })
    }

    /// Its hash: what the log names it by.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it says of itself.
    #[must_use]
    pub fn contents(&self) -> &SavedContents {
        &self.contents
    }

    /// A plain section as a whole.
    ///
    /// # Errors
    /// It is missing, of another version, or damaged.
    pub fn plain(&self, name: &str, version: u32) -> Result<Vec<u8>, SavedError> {
        let section = self.section(name, SectionKind::Plain, version)?;
        // Contents add up to the file's length, so this is paid for.
        let mut bytes = Vec::with_capacity(usize::try_from(section.count).unwrap_or(0));
        for page in 0..section.pages.len() {
            bytes.extend_from_slice(&self.page(section, page)?);
        }
        Ok(bytes)
    }

    /// One entry of a table, read with its page alone.
    ///
    /// # Errors
    /// As [`SavedFile::plain`].
    pub fn entry(&self, name: &str, version: u32, id: u64) -> Result<Option<Vec<u8>>, SavedError> {
        let section = self.section(name, SectionKind::Table, version)?;
        let Some(page) = section.pages.partition_point(|page| page.first <= id).checked_sub(1) else {
            return Ok(None);
        };
        let bytes = self.page(section, page)?;
        let mut rest = Bytes(&bytes);
        while !rest.0.is_empty() {
            let (found, entry) = next(&mut rest)?;
            if found == id {
                return Ok(Some(entry.to_vec()));
            }
        }
        Ok(None)
    }

    /// All entries of a table, ids ascending; one page is in memory.
    ///
    /// # Errors
    /// As [`SavedFile::plain`]; those of pages come with the entries.
    pub fn entries(&self, name: &str, version: u32) -> Result<Entries<'_>, SavedError> {
        let section = self.section(name, SectionKind::Table, version)?;
        Ok(Entries { file: self, section, next_page: 0, page: Vec::new(), at: 0, last: None, left: section.count })
    }

    /// Reads and checks every page.
    ///
    /// # Errors
    /// The first that is damaged.
    pub fn check(&self) -> Result<(), SavedError> {
        for section in &self.contents.sections {
            for page in 0..section.pages.len() {
                self.page(section, page)?;
            }
        }
        Ok(())
    }

    fn section(&self, name: &str, kind: SectionKind, version: u32) -> Result<&SectionInfo, SavedError> {
        let section = self.contents.section(name).ok_or_else(|| SavedError::NoSection(name.to_owned()))?;
        if section.version != version {
            let (found, expected) = (section.version, version);
            return Err(SavedError::Version { section: name.to_owned(), found, expected });
        }
        if section.kind == kind { Ok(section) } else { Err(SavedError::Malformed("a section of another kind")) }
    }

    fn page(&self, section: &SectionInfo, number: usize) -> Result<Vec<u8>, SavedError> {
        let page = &section.pages[number];
        let mut bytes = vec![0; page.length as usize];
        {
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            source.seek(SeekFrom::Start(page.offset))?;
            source.read_exact(&mut bytes)?;
        }
        if page_hash(&bytes) == page.hash {
            Ok(bytes)
        } else {
            Err(SavedError::Page { section: section.name.clone(), page: number })
        }
    }
}

fn next<'a>(rest: &mut Bytes<'a>) -> Result<(u64, &'a [u8]), SavedError> {
    let malformed = SavedError::Malformed("an entry is cut off");
    let (Some(id), Some(length)) = (rest.u64(), rest.u32()) else { return Err(malformed) };
    if length as usize > ENTRY_BYTES_MAX {
        return Err(malformed);
    }
    rest.take(length as usize).map(|entry| (id, entry)).ok_or(malformed)
}

/// Entries of a table, ids ascending.
#[derive(Debug)]
pub struct Entries<'a> {
    file: &'a SavedFile,
    section: &'a SectionInfo,
    next_page: usize,
    page: Vec<u8>,
    at: usize,
    last: Option<u64>,
    left: u64,
}

impl Entries<'_> {
    /// The next entry; its bytes are valid until the one after it is asked for. `None` after the last.
    ///
    /// # Errors
    /// A page is damaged, or entries are not in order.
    pub fn next_entry(&mut self) -> Result<Option<(u64, &[u8])>, SavedError> {
        if self.at == self.page.len() {
            if self.next_page == self.section.pages.len() {
                let whole = self.left == 0;
                return if whole { Ok(None) } else { Err(SavedError::Malformed("the number of entries")) };
            }
            self.page = self.file.page(self.section, self.next_page)?;
            (self.next_page, self.at) = (self.next_page + 1, 0);
        }
        let mut rest = Bytes(&self.page[self.at..]);
        let (id, entry) = next(&mut rest)?;
        let ordered = self.last.is_none_or(|last| last < id);
        self.left =
            self.left.checked_sub(1).filter(|_| ordered).ok_or(SavedError::Malformed("the order of entries"))?;
        self.last = Some(id);
        self.at += ENTRY_HEAD_BYTES + entry.len();
        Ok(Some((id, entry)))
    }
}
