//! The batch at the end of a journal that a power loss left torn.
//!
//! A batch is written with one sync at its end, so its later sectors may be there and earlier ones not. fjall drops a
//! batch that stops short, but refuses for ever to open a journal whose last batch has its whole length and holds
//! something else: nobody was promised that batch. Cutting it off is safe only where the heads are checked afterwards.
//!
//! fjall 3 writes a batch as start (1, items u32, seqno u64), items (2, value type, compression, keyspace u64, key length
//! u16, value length u32, stored length u32, key, value), end (3, XXH3 of the items u64, `FJL\x03`); or clears (4, keyspace u64).

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use crate::copy::journal_id;
use crate::dir::names;
use crate::error::OpenError;
use crate::store::Dropped;

const END_MAGIC: [u8; 4] = *b"FJL\x03";
const BUFFER_BYTES: usize = 256 * 1024;
const PIECE_BYTES: usize = 16 * 1024;

/// What a journal ends with that is no whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Torn {
    /// Name of the journal in the store.
    pub(crate) journal: String,
    /// Begin of the batch.
    pub(crate) at: u64,
    /// Bytes from there to the last that is not zero: journals are preallocated.
    pub(crate) bytes: u64,
    /// fjall refuses to open it; otherwise fjall cuts it off by itself.
    refused: bool,
}

impl Torn {
    pub(crate) fn into_dropped(self) -> Dropped {
        Dropped { journal: self.journal, at: self.at, bytes: self.bytes }
    }

    /// The same batch is what makes fjall refuse the journal.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Cuts the journal off before the batch, where fjall would not, and syncs it.
    pub(crate) fn cut(&self, store: &Path) -> Result<(), OpenError> {
        if !self.refused {
            return Ok(());
        }
        let path = store.join(&self.journal);
        let cut = || {
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(self.at)?;
            file.sync_all()
        };
        cut().map_err(|source| OpenError::io(&path, source))
    }
}

/// Looks for a batch that is not whole at the end of the active journal; the journals before it are synced and not looked at.
pub(crate) fn find(store: &Path) -> Result<Option<Torn>, OpenError> {
    let io = |path: &Path, source| OpenError::stored_io(path, source);
    let names = names(store).map_err(|source| io(store, source))?;
    let active = names.into_iter().filter_map(|(name, path)| Some((journal_id(&name)?, name, path))).max();
    let Some((_, journal, path)) = active else { return Ok(None) };
    let (at, refused) = first_not_whole(&path).map_err(|source| io(&path, source))?;
    let bytes = bytes_after(&path, at).map_err(|source| io(&path, source))?;
    Ok((refused || bytes > 0).then_some(Torn { journal, at, bytes, refused }))
}

/// Where the first batch begins that is not whole, and whether fjall refuses it.
fn first_not_whole(path: &Path) -> io::Result<(u64, bool)> {
    let mut journal = Journal { input: BufReader::with_capacity(BUFFER_BYTES, File::open(path)?), at: 0 };
    loop {
        let start = journal.at;
        match journal.batch() {
            Ok(Batch::Valid) => {}
            Ok(Batch::Invalid) => return Ok((start, true)),
            Ok(Batch::Short) => return Ok((start, false)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok((start, false)),
            Err(error) => return Err(error),
        }
    }
}

/// Bytes from `at` to the last one that is not zero.
fn bytes_after(path: &Path, at: u64) -> io::Result<u64> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let (mut read, mut used) = (0, 0);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(used);
        }
        if let Some(last) = buffer[..count].iter().rposition(|byte| *byte != 0) {
            used = read + last as u64 + 1;
        }
        read += count as u64;
    }
}

enum Batch {
    Valid,
    /// It stops short, or there is none: fjall drops it by itself.
    Short,
    Invalid,
}

struct Journal {
    input: BufReader<File>,
    at: u64,
}

impl Journal {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn batch(&mut self) -> io::Result<Batch> {
        if self.bytes()? != [1] {
            return Ok(Batch::Short);
        }
        let items = u32::from_le_bytes(self.bytes()?);
        let _seqno: [u8; 8] = self.bytes()?;
        let mut hasher = Xxh3::new();
        let mut found = 0;
        loop {
            let tag = self.bytes::<1>()?;
            match tag[0] {
                2 | 4 if found == items => return Ok(Batch::Invalid),
                2 => {
                    hasher.update(&tag);
                    if !self.item(&mut hasher)? {
                        return Ok(Batch::Invalid);
                    }
                    found += 1;
                }
                3 => {
                    let checksum = u64::from_le_bytes(self.bytes()?);
                    if self.bytes()? != END_MAGIC {
                        return Ok(Batch::Short);
                    }
                    let fits = found == items && checksum == hasher.digest();
                    return Ok(if fits { Batch::Valid } else { Batch::Invalid });
                }
                4 => {
                    hasher.update(&tag);
                    hasher.update(&self.bytes::<8>()?);
                    found += 1;
                }
                _ => return Ok(Batch::Short),
            }
        }
    }

    /// Whether it is as long as it says; one whose two lengths differ makes fjall panic or misread.
    fn item(&mut self, hasher: &mut Xxh3) -> io::Result<bool> {
        let head: [u8; 20] = self.bytes()?;
        hasher.update(&head);
        let key_bytes = u64::from(u16::from_le_bytes([head[10], head[11]]));
        let [value, stored] =
            [12, 16].map(|at| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        if value != stored {
            return Ok(false);
        }
        let mut left = key_bytes + u64::from(stored);
        let mut piece = [0; PIECE_BYTES];
        while left > 0 {
            let count = left.min(PIECE_BYTES as u64) as usize;
            self.input.read_exact(&mut piece[..count])?;
            hasher.update(&piece[..count]);
            self.at += count as u64;
            left -= count as u64;
        }
        Ok(true)
    }
}
