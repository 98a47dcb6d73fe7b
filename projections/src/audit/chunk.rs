//! Some lines of the audit, each as its difference to the one before, with a summary that says what is not among them.

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{self, Reader};
use actum_model::{ActorId, ItemId, Seq, Time};

use super::AuditRow;

/// Lines to a chunk: few enough that reading one takes microseconds.
pub(super) const CHUNK_ROWS: usize = 1_024;

/// Which values are there: no bit, no value. 256 bits, so that a chunk of some hundred cases still says something.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mask([u64; 4]);

impl Mask {
    fn add(&mut self, value: u64) {
        let (word, bit) = Self::place(value);
        self.0[word] |= bit;
    }

    pub(super) fn has(self, value: u64) -> bool {
        let (word, bit) = Self::place(value);
        self.0[word] & bit != 0
    }

    fn place(value: u64) -> (usize, u64) {
        // Fibonacci hashing: neighbours fall far apart.
        let place = value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        ((place / 64) as usize, 1 << (place % 64))
    }
}

/// What is in a chunk.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary {
    pub(super) last_seq: Seq,
    pub(super) first_time: Time,
    pub(super) last_time: Time,
    pub(super) actors: Mask,
    pub(super) kinds: Mask,
    pub(super) streams: Mask,
}

/// Up to [`CHUNK_ROWS`] lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    pub(super) summary: Summary,
    bytes: Vec<u8>,
    rows: usize,
    last: AuditRow,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn push(&mut self, row: &AuditRow) {
        put_row(&mut self.bytes, &self.last, row);
        let summary = &mut self.summary;
        summary.first_time = if self.rows == 0 { row.time } else { summary.first_time.min(row.time) };
        summary.last_time = summary.last_time.max(row.time);
        summary.last_seq = row.seq;
        summary.actors.add(u64::from(row.actor.0));
        summary.kinds.add(u64::from(row.kind));
        summary.streams.add(row.stream);
        self.rows += 1;
        self.last = *row;
        if self.rows == CHUNK_ROWS {
            self.bytes.shrink_to_fit();
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = AuditRow> {
        let mut from = Reader::new(&self.bytes);
        let mut last = AuditRow::default();
        // They were written by `push` alone: none is missing.
        (0..self.rows).map_while(move |_| {
            last = row(&mut from, &last).ok()?;
            Some(last)
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.rows as u64);
        out.extend_from_slice(&self.bytes);
    }

    /// Reads what [`Chunk::put`] wrote.
    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let rows: usize = from.small()?;
        if rows > CHUNK_ROWS {
            return Err(SnapshotError::NotCanonical("a chunk of the audit is too long"));
        }
        let mut chunk = Chunk::default();
        for _ in 0..rows {
            let row = row(from, &chunk.last)?;
            chunk.push(&row);
        }
        Ok(chunk)
    }
}

/// Differences wrap, so that whatever a log says has a spelling.
fn put_row(out: &mut Vec<u8>, last: &AuditRow, row: &AuditRow) {
    wire::put(out, row.seq.0.wrapping_sub(last.seq.0));
    wire::put(out, row.time.0.wrapping_sub(last.time.0));
    wire::put(out, u64::from(row.actor.0));
    wire::put(out, u64::from(row.kind));
    wire::put(out, zigzag(row.stream.wrapping_sub(last.stream)));
    wire::put(out, row.item.map_or(0, |item| u64::from(item.0) + 1));
}

fn row(from: &mut Reader<'_>, last: &AuditRow) -> Result<AuditRow, SnapshotError> {
    Ok(AuditRow {
        seq: Seq(last.seq.0.wrapping_add(from.number()?)),
        time: Time(last.time.0.wrapping_add(from.number()?)),
        actor: from.small().map(ActorId)?,
        kind: from.small()?,
        stream: last.stream.wrapping_add(unzigzag(from.number()?)),
        item: item(from.number()?)?,
    })
}

fn item(number: u64) -> Result<Option<ItemId>, SnapshotError> {
    let Some(item) = number.checked_sub(1) else { return Ok(None) };
    u32::try_from(item).map(|item| Some(ItemId(item))).map_err(|_| SnapshotError::NotCanonical("an item"))
}

/// Small differences either way are small numbers.
fn zigzag(difference: u64) -> u64 {
    (difference << 1) ^ ((difference as i64) >> 63) as u64
}

fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}
