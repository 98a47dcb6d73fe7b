//! Who did what, and when?

mod chunk;
mod question;

use std::sync::{Arc, PoisonError, RwLock};

use actum_model::snapshot::wire::{self, Reader};

use crate::{Projection, Recorded, RestoreError, Watermark};
use chunk::{CHUNK_ROWS, Chunk};

pub use question::{AuditQuestion, AuditRow};

/// Chunks that one look takes: so that a reader of a long log holds nobody up.
const LOOK_MAX: usize = 256;

/// A line for every event of the log: seq, time, actor, kind, case and item, in about ten bytes. What else an event says is read
/// from the log, by its seq.
#[derive(Debug, Default)]
pub struct Audit {
    /// All but the last are full.
    chunks: RwLock<Vec<Arc<Chunk>>>,
    watermark: Watermark,
}

impl Audit {
    /// Events that a question asks for, in the order of the log. Chunks in which there can be none are passed over.
    #[must_use]
    pub fn ask(&self, question: &AuditQuestion) -> Vec<AuditRow> {
        let mut found = Vec::new();
        let mut next = 0;
        while found.len() < question.limit {
            let chunks = self.some_chunks(next);
            if chunks.is_empty() {
                break;
            }
            next += chunks.len();
            for chunk in chunks.iter().filter(|chunk| question.may_be_in(&chunk.summary)) {
                found.extend(chunk.rows().filter(|row| question.asks_for(row)).take(question.limit - found.len()));
            }
        }
        found
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        let chunks = self.chunks.read().unwrap_or_else(PoisonError::into_inner);
        chunks.last().map_or(0, |last| (chunks.len() - 1) * CHUNK_ROWS + last.len())
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn some_chunks(&self, from: usize) -> Vec<Arc<Chunk>> {
        let chunks = self.chunks.read().unwrap_or_else(PoisonError::into_inner);
        chunks.iter().skip(from).take(LOOK_MAX).cloned().collect()
    }
}

fn push(chunks: &mut Vec<Arc<Chunk>>, row: &AuditRow) {
    if chunks.last().is_none_or(|last| last.len() == CHUNK_ROWS) {
        chunks.push(Arc::default());
    }
    if let Some(last) = chunks.last_mut() {
        // A copy only if somebody reads it at this moment.
        Arc::make_mut(last).push(row);
    }
}

impl Projection for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        self.apply_all(std::slice::from_ref(recorded));
    }

    fn apply_all(&self, batch: &[Recorded<'_>]) {
        let mut chunks = self.chunks.write().unwrap_or_else(PoisonError::into_inner);
        batch.iter().for_each(|recorded| push(&mut chunks, &AuditRow::of(recorded)));
    }

    fn snapshot(&self) -> Vec<u8> {
        let chunks = self.chunks.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut out = Vec::new();
        wire::put_list(&mut out, &chunks, |out, chunk| chunk.put(out));
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        let chunks = from.list(Chunk::read)?;
        from.end()?;
        let full = chunks
            .split_last()
            .is_none_or(|(last, full)| last.len() > 0 && full.iter().all(|chunk| chunk.len() == CHUNK_ROWS));
        if !full {
            return Err(RestoreError::NotCanonical("a chunk of the audit is not full"));
        }
        *self.chunks.write().unwrap_or_else(PoisonError::into_inner) = chunks.into_iter().map(Arc::new).collect();
        Ok(())
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}
