//! What is on a disk: contents by sectors, names, and how to make them real.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::disk::{Change, Inode};

/// What disks write at once or not at all.
const SECTOR_BYTES: u64 = 512;

/// A name in a directory.
pub(crate) type Entry = (Inode, String);

/// The bytes of a file; sectors that are not there are zeros.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Content {
    size: u64,
    sectors: BTreeMap<u64, [u8; SECTOR_BYTES as usize]>,
}

impl Content {
    /// Applies a change; of data those sectors for which `keep` says so.
    pub(crate) fn apply(&mut self, change: &Change, keep: &mut dyn FnMut() -> bool) {
        match change {
            Change::Size(size) => self.resize(*size),
            Change::Data { at, bytes } => {
                let end = at + bytes.len() as u64;
                let mut from = *at;
                while from < end {
                    let sector = from / SECTOR_BYTES;
                    let to = end.min((sector + 1) * SECTOR_BYTES);
                    if keep() {
                        let within = (from % SECTOR_BYTES) as usize;
                        let part = &bytes[(from - at) as usize..(to - at) as usize];
                        let stored = self.sectors.entry(sector).or_insert([0; SECTOR_BYTES as usize]);
                        stored[within..within + part.len()].copy_from_slice(part);
                        self.size = self.size.max(to);
                    }
                    from = to;
                }
            }
        }
    }

    fn resize(&mut self, size: u64) {
        self.sectors.split_off(&size.div_ceil(SECTOR_BYTES));
        if let Some(last) = self.sectors.get_mut(&(size / SECTOR_BYTES)) {
            last[(size % SECTOR_BYTES) as usize..].fill(0);
        }
        self.size = size;
    }

    fn write_to(&self, path: &Path) -> std::io::Result<()> {
        let file = File::create(path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        for (sector, bytes) in &self.sectors {
            file.write_all_at(bytes, sector * SECTOR_BYTES)?;
        }
        file.set_len(self.size)
    }

    fn read_from(path: &Path) -> std::io::Result<Self> {
        let bytes = fs::read(path)?;
        let mut content = Content { size: bytes.len() as u64, ..Content::default() };
        for (sector, chunk) in (0..).zip(bytes.chunks(SECTOR_BYTES as usize)) {
            if chunk.iter().any(|byte| *byte != 0) {
                let mut stored = [0; SECTOR_BYTES as usize];
                stored[..chunk.len()].copy_from_slice(chunk);
                content.sectors.insert(sector, stored);
            }
        }
        Ok(content)
    }
}

/// Directories (`None`) and files by their path below the root, parents first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image(BTreeMap<PathBuf, Option<Content>>);

impl Image {
    pub(crate) fn new(
        names: &BTreeMap<Entry, Inode>,
        is_directory: impl Fn(Inode) -> bool,
        content: impl Fn(Inode) -> Content,
    ) -> Self {
        let mut image = BTreeMap::new();
        let mut open = vec![(0, PathBuf::new())];
        while let Some((directory, path)) = open.pop() {
            let from = (directory, String::new());
            for ((_, name), &inode) in names.range(from..).take_while(|((parent, _), _)| *parent == directory) {
                let path = path.join(name);
                if is_directory(inode) {
                    open.push((inode, path.clone()));
                    image.insert(path, None);
                } else {
                    image.insert(path, Some(content(inode)));
                }
            }
        }
        Image(image)
    }

    /// Makes it real in an empty directory.
    pub(crate) fn write_to(&self, root: &Path) -> std::io::Result<()> {
        for (path, content) in &self.0 {
            let path = root.join(path);
            match content {
                None => {
                    fs::create_dir(&path)?;
                    fs::set_permissions(&path, Permissions::from_mode(0o700))?;
                }
                Some(content) => content.write_to(&path)?,
            }
        }
        Ok(())
    }

    /// What is really there.
    pub(crate) fn read_from(root: &Path) -> std::io::Result<Self> {
        let mut image = BTreeMap::new();
        let mut open = vec![PathBuf::new()];
        while let Some(path) = open.pop() {
            for entry in fs::read_dir(root.join(&path))? {
                let entry = entry?;
                let path = path.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    open.push(path.clone());
                    image.insert(path, None);
                } else {
                    image.insert(path, Some(Content::read_from(&entry.path())?));
                }
            }
        }
        Ok(Image(image))
    }

    /// Zeros that were written are the same as zeros that were not.
    pub(crate) fn without_zeros(mut self) -> Self {
        for content in self.0.values_mut().flatten() {
            content.sectors.retain(|_, sector| sector.iter().any(|byte| *byte != 0));
        }
        self
    }

    /// Paths at which the two differ.
    pub(crate) fn differences<'a>(&'a self, other: &'a Self) -> Vec<&'a Path> {
        let all = self.0.keys().chain(other.0.keys());
        let mut differing: Vec<&Path> =
            all.filter(|path| self.0.get(*path) != other.0.get(*path)).map(PathBuf::as_path).collect();
        differing.sort_unstable();
        differing.dedup();
        differing
    }
}
