//! What is in a file of saved state, and where.

use super::{CONTENTS_BYTES_MAX, NAME_BYTES_MAX, PAGE_BYTES_MAX, SECTIONS_MAX, SavedError};
use crate::bytes::Bytes;
use crate::hash::Hash;

/// What a section is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// Bytes, read as a whole.
    Plain,
    /// Entries by ascending id, each of which can be read alone.
    Table,
}

/// What a file says of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionInfo {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub kind: SectionKind,
    /// Version of its form.
    pub version: u32,
    /// Plain: its bytes. Table: its entries.
    pub count: u64,
    pub(crate) pages: Vec<Page>,
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedContents {
    /// Hash of the genesis of its log.
    pub genesis_hash: Hash,
    /// Partition.
    pub partition: u16,
    /// Events that the state is a fold of.
    pub size: u64,
    /// The sections, by name.
    pub sections: Vec<SectionInfo>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) first: u64,
    pub(crate) length: u32,
    pub(crate) hash: Hash,
    /// Where it is in the file.
    pub(crate) offset: u64,
}

impl SectionInfo {
    /// Bytes of its pages.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.pages.iter().map(|page| u64::from(page.length)).sum()
    }
}

impl SavedContents {
    /// A section by name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&SectionInfo> {
        let index = self.sections.binary_search_by(|section| section.name.as_str().cmp(name)).ok()?;
        Some(&self.sections[index])
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&self.genesis_hash);
        out.extend_from_slice(&self.partition.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&self.size.to_le_bytes());
        out.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        for section in &self.sections {
            out.push(section.name.len() as u8);
            out.extend_from_slice(section.name.as_bytes());
            out.push(u8::from(section.kind == SectionKind::Table));
            out.extend_from_slice(&section.version.to_le_bytes());
            out.extend_from_slice(&section.count.to_le_bytes());
            out.extend_from_slice(&(section.pages.len() as u32).to_le_bytes());
            for page in &section.pages {
                out.extend_from_slice(&page.first.to_le_bytes());
                out.extend_from_slice(&page.length.to_le_bytes());
                out.extend_from_slice(&page.hash);
            }
        }
        out
    }

    /// Reads contents whose sections' pages fill a file from `offset` to `end`.
    pub(crate) fn decode(bytes: &[u8], mut offset: u64, end: u64) -> Result<Self, SavedError> {
        let cut = || SavedError::Malformed("the contents are cut off");
        let mut bytes = Bytes(bytes);
        let genesis_hash = bytes.array().ok_or_else(cut)?;
        let partition = bytes.u16().ok_or_else(cut)?;
        if bytes.array::<6>().ok_or_else(cut)? != [0; 6] {
            return Err(SavedError::Malformed("reserved bytes are not zero"));
        }
        let size = bytes.u64().ok_or_else(cut)?;
        let count = bytes.u32().ok_or_else(cut)? as usize;
        if count > SECTIONS_MAX {
            return Err(SavedError::Malformed("too many sections"));
        }
        let mut sections: Vec<SectionInfo> = Vec::with_capacity(count);
        for _ in 0..count {
            let section = section(&mut bytes, &mut offset)?;
            if sections.last().is_some_and(|before| before.name >= section.name) {
                return Err(SavedError::Malformed("sections are not in order"));
            }
            sections.push(section);
        }
        if !bytes.0.is_empty() || offset != end {
            return Err(SavedError::Malformed("the sections do not fill the file"));
        }
        Ok(Self { genesis_hash, partition, size, sections })
    }
}

fn section(bytes: &mut Bytes<'_>, offset: &mut u64) -> Result<SectionInfo, SavedError> {
    let cut = || SavedError::Malformed("the contents are cut off");
    let length = usize::from(bytes.u8().ok_or_else(cut)?);
    let name = bytes.take(length).ok_or_else(cut)?;
    let name = section_name(name).ok_or(SavedError::Malformed("a section's name"))?.to_owned();
    let kind = match bytes.u8().ok_or_else(cut)? {
        0 => SectionKind::Plain,
        1 => SectionKind::Table,
        _ => return Err(SavedError::Malformed("an unknown kind of section")),
    };
    let version = bytes.u32().ok_or_else(cut)?;
    let count = bytes.u64().ok_or_else(cut)?;
    let pages_count = bytes.u32().ok_or_else(cut)? as usize;
    if pages_count > bytes.0.len() {
        return Err(cut());
    }
    let mut pages: Vec<Page> = Vec::with_capacity(pages_count);
    for _ in 0..pages_count {
        let first = bytes.u64().ok_or_else(cut)?;
        let length = bytes.u32().ok_or_else(cut)?;
        let hash = bytes.array().ok_or_else(cut)?;
        let ordered = match kind {
            SectionKind::Plain => first == 0,
            SectionKind::Table => pages.last().is_none_or(|before| before.first < first),
        };
        if !ordered || length == 0 || length as usize > PAGE_BYTES_MAX {
            return Err(SavedError::Malformed("a page"));
        }
        pages.push(Page { first, length, hash, offset: *offset });
        *offset += u64::from(length);
    }
    let section = SectionInfo { name, kind, version, count, pages };
    if kind == SectionKind::Plain && section.bytes() != count {
        return Err(SavedError::Malformed("the length of a section"));
    }
    Ok(section)
}

/// A name that a section may have.
pub(crate) fn section_name(name: &[u8]) -> Option<&str> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(name).ok().filter(|_| fits)
}

/// Contents may not be longer.
pub(crate) fn check_length(bytes: u64) -> Result<usize, SavedError> {
    let fits = usize::try_from(bytes).ok().filter(|_| bytes <= CONTENTS_BYTES_MAX);
    fits.ok_or(SavedError::Malformed("the contents are too long"))
}
