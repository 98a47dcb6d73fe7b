//! Finds the events of a stream.

use super::blocks::{Blocks, Event};
use super::error::ProofError;
use crate::record::records_in;

/// All events of a stream among the first `size` of the log, in order.
///
/// Costs one block frame for each block after the stream's last event, then a block frame and a chunk for each event.
pub(super) fn history(blocks: &mut Blocks<'_>, stream: u64, size: u64) -> Result<Vec<Event>, ProofError> {
    let last = last_seq(blocks, stream, size)?.ok_or(ProofError::NoStream { stream, size })?;
    let (mut events, mut next) = (Vec::new(), Some(last));
    while let Some(seq) = next {
        let event = blocks.event(seq)?;
        let header = event.header();
        let fits = events.last().is_none_or(|later: &Event| {
            (later.header().stream, later.header().version) == (header.stream, header.version.saturating_add(1))
        });
        if !fits || header.stream != stream {
            return Err(ProofError::tampered(format!("event {seq} does not continue stream {stream}")));
        }
        // Lies before `seq`: that was checked when the record was read.
        next = header.previous;
        events.push(event);
    }
    events.reverse();
    Ok(events)
}

/// Seq of a stream's last event among the first `size` of the log.
fn last_seq(blocks: &Blocks<'_>, stream: u64, size: u64) -> Result<Option<u64>, ProofError> {
    let mut block = blocks.block_before(size)?;
    while let Some(at) = block {
        let body = at.body;
        if body.streams.binary_search_by_key(&stream, |entry| entry.stream).is_ok() {
            let mut last = None;
            for record in records_in(&blocks.records_of(&body)?) {
                let header = *record.map_err(ProofError::corrupt)?.header();
                last = if header.stream == stream { Some(header.seq) } else { last };
            }
            return Ok(last);
        }
        block = blocks.block_before(body.first_seq)?;
    }
    Ok(None)
}
