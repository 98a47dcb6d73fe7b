//! Reads single events, ranges and streams of a log that was verified before, cheaply.

use std::ops::Range;
use std::sync::Arc;

use crate::chunk::{Chunk, SharedRecord};
use crate::chunk_cache::ChunkCache;
use crate::frame::{FrameKey, FrameType};
use crate::store::{FrameSource, ReadError};

/// Reads events by seq, by stream and by time. Reaching one event decodes one chunk of about 16 KiB, or none if it is in the cache.
///
/// Checks frame checksums, layout and links between the events of a stream, and no hash or seal. Any number of threads may share it.
pub struct EventReader {
    source: Arc<dyn FrameSource>,
    cache: ChunkCache,
}

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventReader").field("cached_bytes", &self.cache.bytes()).finish_non_exhaustive()
    }
}

impl EventReader {
    /// Reads from `source` and keeps at most `cache_bytes` of decoded chunks, the least recently used go first. Records that the caller
    /// holds keep their chunks in memory beyond that.
    pub fn new(source: Arc<dyn FrameSource>, cache_bytes: usize) -> Self {
        Self { source, cache: ChunkCache::new(cache_bytes) }
    }

    /// Bytes of decoded chunks in the cache.
    pub fn cached_bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// The event at a seq; `None` when the log has none there.
    pub fn event(&self, partition: u16, seq: u64) -> Result<Option<SharedRecord>, ReadError> {
        Ok(self.chunk(partition, seq)?.and_then(|chunk| SharedRecord::new(&chunk, seq)))
    }

    /// The events of a range of seqs, ascending, block records among them; ends early where the log does, and after an error.
    pub fn range(&self, partition: u16, range: Range<u64>) -> Events<'_, Range<u64>> {
        Events { reader: self, partition, seqs: Some(range), chunk: None }
    }

    /// The events of a stream from its event at seq `last` back to its first.
    ///
    /// Ends after an error: [`ReadError::Tampered`] when an event is not where its stream says.
    pub fn stream_newest_first(&self, partition: u16, stream: u64, last: u64) -> StreamBack<'_> {
        StreamBack { reader: self, partition, stream, next: Some(last), version: None, chunk: None }
    }

    /// The events of a stream from its first to its event at seq `last`. Walks back once to find them, and holds 8 bytes for each.
    ///
    /// # Errors
    /// As of [`EventReader::stream_newest_first`], from the walk.
    pub fn stream(
        &self,
        partition: u16,
        stream: u64,
        last: u64,
    ) -> Result<Events<'_, std::vec::IntoIter<u64>>, ReadError> {
        let back = self.stream_newest_first(partition, stream, last);
        let mut seqs = back.map(|event| event.map(|event| event.header().seq)).collect::<Result<Vec<_>, _>>()?;
        seqs.reverse();
        Ok(Events { reader: self, partition, seqs: Some(seqs.into_iter()), chunk: None })
    }

    /// Seq of the first event that is not before `time`, in nanoseconds since 1970; the log's end if all are. Time never shrinks within
    /// a partition, so this costs one chunk for each doubling of the number of chunks.
    pub fn seq_at_time(&self, partition: u16, time: u64) -> Result<u64, ReadError> {
        let (mut low, mut high) = self.bounds(partition)?;
        while low < high {
            let middle = low + (high - low) / 2;
            let missing = || ReadError::Tampered(format!("event {middle} is missing"));
            let chunk = self.chunk(partition, middle)?.ok_or_else(missing)?;
            let (first, end) = (chunk.first_seq().max(low), chunk.end_seq().min(high));
            let is_before = |seq: u64| chunk.time(seq).is_some_and(|at| at < time);
            if !is_before(first) {
                high = first;
            } else if is_before(end - 1) {
                low = end;
            } else {
                let within: Vec<u64> = (first..end).collect();
                return Ok(first + within.partition_point(|seq| is_before(*seq)) as u64);
            }
        }
        Ok(low)
    }

    /// Seqs of the first event there is and of the one after the last.
    fn bounds(&self, partition: u16) -> Result<(u64, u64), ReadError> {
        let end = match self.source.head(partition)? {
            Some(head) => head.size,
            None => match self.source.frame_at_or_before(FrameKey::last(partition))? {
                Some(frame) => frame.key.seq.saturating_add(1),
                None => return Ok((0, 0)),
            },
        };
        // Only a tail begins later.
        let first = FrameKey { partition, seq: 0, kind: FrameType::Chunk };
        let begin = match self.source.frame_at_or_before(first)? {
            Some(_) => 0,
            None => self.source.frames(first)?.next().transpose()?.map_or(end, |frame| frame.key.seq),
        };
        Ok((begin, end))
    }

    fn chunk(&self, partition: u16, seq: u64) -> Result<Option<Arc<Chunk>>, ReadError> {
        if let Some(chunk) = self.cache.get(partition, seq) {
            return Ok(Some(chunk));
        }
        let wanted = FrameKey { partition, seq, kind: FrameType::Chunk };
        let Some(frame) = self.source.frame_at_or_before(wanted)? else { return Ok(None) };
        if frame.key.kind != FrameType::Chunk {
            return Ok(None);
        }
        let chunk = Arc::new(Chunk::decode(&frame)?);
        if !chunk.contains(seq) {
            return Err(ReadError::Corrupt(format!("event {seq} is missing after the chunk at {}", frame.key.seq)));
        }
        self.cache.put(partition, chunk.clone());
        Ok(Some(chunk))
    }

    /// An event, from the chunk at hand if it is there.
    fn event_near(
        &self,
        partition: u16,
        seq: u64,
        chunk: &mut Option<Arc<Chunk>>,
    ) -> Result<Option<SharedRecord>, ReadError> {
        if !chunk.as_ref().is_some_and(|chunk| chunk.contains(seq)) {
            *chunk = self.chunk(partition, seq)?;
        }
        Ok(chunk.as_ref().and_then(|chunk| SharedRecord::new(chunk, seq)))
    }
}

/// Iterator over events whose seqs are known. Holds one chunk.
#[derive(Debug)]
pub struct Events<'a, S> {
    reader: &'a EventReader,
    partition: u16,
    // `None` after the end or an error.
    seqs: Option<S>,
    chunk: Option<Arc<Chunk>>,
}

impl<S: Iterator<Item = u64>> Iterator for Events<'_, S> {
    type Item = Result<SharedRecord, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let seq = self.seqs.as_mut()?.next()?;
        let event = self.reader.event_near(self.partition, seq, &mut self.chunk).transpose();
        if !matches!(event, Some(Ok(_))) {
            self.seqs = None;
        }
        event
    }
}

/// Iterator of [`EventReader::stream_newest_first`]. Holds one chunk.
#[derive(Debug)]
pub struct StreamBack<'a> {
    reader: &'a EventReader,
    partition: u16,
    stream: u64,
    next: Option<u64>,
    // Version of the event that was given last.
    version: Option<u64>,
    chunk: Option<Arc<Chunk>>,
}

impl StreamBack<'_> {
    fn advance(&mut self, seq: u64) -> Result<SharedRecord, ReadError> {
        let event = self.reader.event_near(self.partition, seq, &mut self.chunk)?;
        let fits = |event: &SharedRecord| {
            let header = event.header();
            header.stream == self.stream
                && self.version.is_none_or(|later| header.version.checked_add(1) == Some(later))
        };
        let what = || format!("event {seq} is not where stream {} says", self.stream);
        let event = event.filter(fits).ok_or_else(|| ReadError::Tampered(what()))?;
        self.version = Some(event.header().version);
        // Lies before `seq`: that was checked when the record was decoded. So this ends.
        self.next = event.header().previous;
        Ok(event)
    }
}

impl Iterator for StreamBack<'_> {
    type Item = Result<SharedRecord, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let seq = self.next.take()?;
        Some(self.advance(seq))
    }
}
