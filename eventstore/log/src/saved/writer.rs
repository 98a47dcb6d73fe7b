//! Writes saved state, section by section; holds one page in memory.

use std::io::Write;

use super::contents::{Page, SavedContents, SectionInfo, SectionKind, section_name};
use super::{ENTRY_BYTES_MAX, ENTRY_HEAD_BYTES, MAGIC, PAGE_BYTES, SECTIONS_MAX, SavedError};
use crate::hash::{Hash, page_hash, saved_hash};

/// Writes a file of saved state. Sections come in the order of their names.
#[derive(Debug)]
pub struct SavedWriter<W> {
    out: W,
    contents: SavedContents,
    offset: u64,
    page: Vec<u8>,
    first: u64,
    last: Option<u64>,
}

impl<W: Write> SavedWriter<W> {
    /// Begins a file over the first `size` events of a partition.
    ///
    /// # Errors
    /// Writing failed.
    pub fn new(mut out: W, genesis_hash: Hash, partition: u16, size: u64) -> Result<Self, SavedError> {
        out.write_all(MAGIC)?;
        let contents = SavedContents { genesis_hash, partition, size, sections: Vec::new() };
        Ok(Self { out, contents, offset: MAGIC.len() as u64, page: Vec::new(), first: 0, last: None })
    }

    /// Writes a whole plain section.
    ///
    /// # Errors
    /// Writing failed; or the name is not after the section's before it.
    pub fn plain(&mut self, name: &str, version: u32, bytes: &[u8]) -> Result<(), SavedError> {
        self.begin(name, SectionKind::Plain, version)?;
        for page in bytes.chunks(PAGE_BYTES) {
            self.page.extend_from_slice(page);
            self.end_page()?;
        }
        self.section()?.count = bytes.len() as u64;
        Ok(())
    }

    /// Begins a table; its entries follow.
    ///
    /// # Errors
    /// As [`SavedWriter::plain`].
    pub fn table(&mut self, name: &str, version: u32) -> Result<(), SavedError> {
        self.begin(name, SectionKind::Table, version)
    }

    /// Writes the next entry of the table.
    ///
    /// # Errors
    /// Writing failed; or the id is not above the entry's before it, the entry is longer than 64 MiB, or no table was begun.
    pub fn entry(&mut self, id: u64, bytes: &[u8]) -> Result<(), SavedError> {
        if self.section()?.kind != SectionKind::Table {
            return Err(SavedError::Unwritable("an entry outside a table"));
        }
        if self.last.is_some_and(|last| last >= id) || bytes.len() > ENTRY_BYTES_MAX {
            return Err(SavedError::Unwritable("an entry out of order, or too long"));
        }
        self.last = Some(id);
        if self.page.is_empty() {
            self.first = id;
        }
        self.page.reserve(ENTRY_HEAD_BYTES + bytes.len());
        self.page.extend_from_slice(&id.to_le_bytes());
        self.page.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.page.extend_from_slice(bytes);
        self.section()?.count += 1;
        if self.page.len() >= PAGE_BYTES { self.end_page() } else { Ok(()) }
    }

    /// Ends the file; gives its hash, its length, and where it was written to.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> Result<(Hash, u64, W), SavedError> {
        self.end_page()?;
        let contents = self.contents.encode();
        super::contents::check_length(contents.len() as u64)?;
        let hash = saved_hash(&contents);
        self.out.write_all(&contents)?;
        self.out.write_all(&(contents.len() as u64).to_le_bytes())?;
        self.out.write_all(&hash)?;
        self.out.flush()?;
        Ok((hash, self.offset + (contents.len() + super::TRAILER_BYTES) as u64, self.out))
    }

    fn begin(&mut self, name: &str, kind: SectionKind, version: u32) -> Result<(), SavedError> {
        self.end_page()?;
        let last = self.contents.sections.last();
        if section_name(name.as_bytes()).is_none() || last.is_some_and(|last| *last.name >= *name) {
            return Err(SavedError::Unwritable("a section's name, or their order"));
        }
        if self.contents.sections.len() == SECTIONS_MAX {
            return Err(SavedError::Unwritable("too many sections"));
        }
        self.contents.sections.push(SectionInfo { name: name.to_owned(), kind, version, count: 0, pages: Vec::new() });
        (self.first, self.last) = (0, None);
        Ok(())
    }

    fn section(&mut self) -> Result<&mut SectionInfo, SavedError> {
        self.contents.sections.last_mut().ok_or(SavedError::Unwritable("an entry outside a table"))
    }

    fn end_page(&mut self) -> Result<(), SavedError> {
        if self.page.is_empty() {
            return Ok(());
        }
        let (first, offset) = (self.first, self.offset);
        let page = Page { first, length: self.page.len() as u32, hash: page_hash(&self.page), offset };
        self.section()?.pages.push(page);
        self.out.write_all(&self.page)?;
        self.offset += self.page.len() as u64;
        self.page.clear();
        Ok(())
    }
}
