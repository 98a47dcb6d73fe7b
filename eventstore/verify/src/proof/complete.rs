//! Judges proofs that a checkpoint has all events of a stream, or none (FORMAT.md section 10, completeness).

use super::body::Body;
use super::judge::{Sealed, check_first, check_next, in_body};
use super::path::leads_to;
use super::verdict::{Proven, ProvenEvent};
use crate::checkpoint::{Checkpoint, TableLeaf};
use crate::defect::Defect;
use crate::fault::Fault;
use crate::limits::{BLOCK_STREAM, CHECKPOINT_KIND};
use crate::record::Record;
use crate::tree::empty_root;

/// The checkpoint, the stream that is asked for, and its place in the checkpoint's table.
struct Asked {
    checkpoint: Checkpoint,
    seq: u64,
    stream: u64,
    index: u64,
}

pub(super) fn judge_completeness(body: &mut Body<'_>, sealed: &Sealed<'_>) -> Result<Proven, Fault> {
    let before = body.hash().map_err(in_body)?;
    let entry = body.entry_alone().map_err(in_body)?;
    let record = &entry.record;
    let at = |defect| sealed.event(record.seq, defect);
    if !entry.disclosed || record.kind != CHECKPOINT_KIND {
        return Err(in_body(Defect::Layout("a completeness proof begins with a disclosed checkpoint")));
    }
    check_first(record, &before).map_err(at)?;
    sealed.check_indexed(&entry, &entry.chain(&before))?;
    let checkpoint = Checkpoint::parse(record.payload).map_err(at)?;
    if checkpoint.size >= record.seq {
        return Err(at(Defect::Checkpoint("size")));
    }
    let (stream, index) = body.u64().and_then(|stream| Ok((stream, body.u64()?))).map_err(in_body)?;
    if stream == 0 || stream == BLOCK_STREAM {
        return Err(in_body(Defect::Layout("a checkpoint says nothing of this stream")));
    }
    let asked = Asked { checkpoint, seq: record.seq, stream, index };
    match body.byte().map_err(in_body)? {
        1 => judge_there(body, sealed, &asked),
        0 => judge_not_there(body, sealed, &asked),
        _ => Err(in_body(Defect::Layout("a completeness proof's form is 0 or 1"))),
    }
}

fn judge_there(body: &mut Body<'_>, sealed: &Sealed<'_>, asked: &Asked) -> Result<Proven, Fault> {
    let Asked { checkpoint, stream, .. } = asked;
    let leaf = body.table_leaf_of(*stream).map_err(in_body)?;
    asked.check_leaf(body, &leaf, asked.index, sealed)?;
    let count = body.u32().map_err(in_body)?;
    if u64::from(count) != leaf.version || count == 0 {
        return Err(in_body(Defect::Layout("a completeness proof shows all events of the stream")));
    }
    let mut chain = [0; 32];
    let mut last: Option<Record<'_>> = None;
    let mut events = Vec::new();
    for _ in 0..count {
        let entry = body.entry_alone().map_err(in_body)?;
        let record = entry.record;
        let at = |defect| sealed.event(record.seq, defect);
        if record.stream != *stream {
            return Err(at(Defect::OtherStream { expected: *stream, found: record.stream }));
        }
        check_next(last.as_ref(), &record).map_err(at)?;
        if record.seq >= checkpoint.size {
            return Err(at(Defect::Checkpoint("size")));
        }
        chain = entry.chain(&chain);
        events.push(ProvenEvent::new(&entry, false));
        last = Some(record);
    }
    let ended = last.is_some_and(|last| last.terminal);
    if chain != leaf.chain || ended != leaf.ended {
        return Err(sealed.event(asked.seq, Defect::Checkpoint("leaf")));
    }
    Ok(Proven::Complete { stream: *stream, as_of: checkpoint.size, checkpoint: asked.seq, ended, events })
}

fn judge_not_there(body: &mut Body<'_>, sealed: &Sealed<'_>, asked: &Asked) -> Result<Proven, Fault> {
    let Asked { checkpoint, seq, stream, index } = *asked;
    if index > checkpoint.streams {
        return Err(in_body(Defect::Layout("a stream's place in a table is at most its end")));
    }
    if checkpoint.streams == 0 && checkpoint.root != empty_root() {
        return Err(sealed.event(seq, Defect::Checkpoint("root")));
    }
    if index > 0 {
        let below = body.table_leaf().map_err(in_body)?;
        asked.check_leaf(body, &below, index - 1, sealed)?;
        if below.stream >= stream {
            return Err(in_body(Defect::Layout("the leaf before is of a lower stream")));
        }
    }
    if index < checkpoint.streams {
        let above = body.table_leaf().map_err(in_body)?;
        asked.check_leaf(body, &above, index, sealed)?;
        if above.stream <= stream {
            return Err(in_body(Defect::Layout("the leaf after is of a higher stream")));
        }
    }
    Ok(Proven::Absent { stream, as_of: checkpoint.size, checkpoint: seq })
}

impl Asked {
    /// Reads a leaf's path and checks that it leads to the checkpoint's root.
    fn check_leaf(&self, body: &mut Body<'_>, leaf: &TableLeaf, index: u64, sealed: &Sealed<'_>) -> Result<(), Fault> {
        let Checkpoint { streams, root, .. } = &self.checkpoint;
        if index >= *streams {
            return Err(in_body(Defect::Layout("a leaf lies in the table")));
        }
        let path = body.path(index, *streams).map_err(in_body)?;
        let fits = leads_to(root, index, *streams, leaf.hash(), &path);
        if fits { Ok(()) } else { Err(sealed.event(self.seq, Defect::Checkpoint("leaf"))) }
    }
}
