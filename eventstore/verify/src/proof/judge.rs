//! Judges what a proof body says of events, against the sealed tree.

use super::body::{Body, Entry};
use super::multi::{multi_leads_to, multi_length};
use super::path::leads_to;
use super::verdict::{Proven, ProvenEvent};
use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::hash::Hash;
use crate::limits::{DOSSIER_EVENTS_MAX, NONE};
use crate::record::Record;

/// The tree under the seal, and the leaf that the file itself shows to be in it.
pub(super) struct Sealed<'a> {
    pub(super) partition: u16,
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) index: u64,
    pub(super) path: &'a [Hash],
}

impl Sealed<'_> {
    pub(super) fn event(&self, seq: u64, defect: Defect) -> Fault {
        Place { partition: Some(self.partition), seq: Some(seq), ..Place::of(Part::Event) }.fault(defect)
    }

    /// Checks that an entry, after it `chain`, is the leaf that the file is about.
    pub(super) fn check_indexed(&self, entry: &Entry<'_>, chain: &Hash) -> Result<(), Fault> {
        let seq = entry.record.seq;
        if seq != self.index {
            return Err(self.event(self.index, Defect::Seq { expected: self.index, found: seq }));
        }
        self.check_path(entry, chain, self.path)
    }

    pub(super) fn check_path(&self, entry: &Entry<'_>, chain: &Hash, path: &[Hash]) -> Result<(), Fault> {
        let seq = entry.record.seq;
        let fits = leads_to(&self.root, seq, self.size, entry.leaf_hash(chain), path);
        if fits { Ok(()) } else { Err(self.event(seq, Defect::Path)) }
    }
}

pub(super) fn in_body(defect: Defect) -> Fault {
    Place::of(Part::Proof).fault(defect)
}

pub(super) fn judge_event(body: &mut Body<'_>, sealed: &Sealed<'_>) -> Result<Proven, Fault> {
    let before = body.hash().map_err(in_body)?;
    let entry = body.entry_alone().map_err(in_body)?;
    check_first(&entry.record, &before).map_err(|defect| sealed.event(entry.record.seq, defect))?;
    sealed.check_indexed(&entry, &entry.chain(&before))?;
    Ok(Proven::Event(ProvenEvent::new(&entry, true)))
}

/// The first event of a stream, and no other, has nothing before it.
pub(super) fn check_first(record: &Record<'_>, before: &Hash) -> Result<(), Defect> {
    let is_first = record.version == 1;
    if is_first != (record.previous == NONE) || (!is_first && record.previous >= record.seq) {
        return Err(Defect::Previous);
    }
    let is_zero = *before == [0; 32];
    if is_first == is_zero { Ok(()) } else { Err(Defect::Content("chain value before it")) }
}

pub(super) fn judge_case(body: &mut Body<'_>, sealed: &Sealed<'_>) -> Result<Proven, Fault> {
    let count = body.u32().map_err(in_body)?;
    let mut chain = [0; 32];
    let mut last: Option<Record<'_>> = None;
    let mut events = Vec::new();
    for index in 1..=count {
        let entry = body.entry(sealed.size).map_err(in_body)?;
        let seq = entry.record.seq;
        check_next(last.as_ref(), &entry.record).map_err(|defect| sealed.event(seq, defect))?;
        chain = entry.chain(&chain);
        match &entry.path {
            Some(_) if index == count => return Err(in_body(Defect::Layout("the last entry of a case has no path"))),
            None if index == count => sealed.check_indexed(&entry, &chain)?,
            Some(path) => sealed.check_path(&entry, &chain, path)?,
            None => {}
        }
        events.push(ProvenEvent::new(&entry, entry.path.is_some() || index == count));
        last = Some(entry.record);
    }
    let last = last.ok_or_else(|| in_body(Defect::Layout("a case has at least one event")))?;
    Ok(Proven::Case { stream: last.stream, ended: last.terminal, events })
}

/// Whether a record is the next one of a stream after `last`.
pub(super) fn check_next(last: Option<&Record<'_>>, record: &Record<'_>) -> Result<(), Defect> {
    let (version, previous, time) = last.map_or((0, NONE, 0), |last| (last.version, last.seq, last.time));
    if let Some(last) = last {
        if record.stream != last.stream {
            return Err(Defect::OtherStream { expected: last.stream, found: record.stream });
        }
        if last.terminal {
            return Err(Defect::AfterTerminal { stream: last.stream });
        }
    }
    if record.version != version + 1 {
        return Err(Defect::Version { expected: version + 1, found: record.version });
    }
    if record.previous != previous || (previous != NONE && previous >= record.seq) {
        return Err(Defect::Previous);
    }
    if record.time < time { Err(Defect::Time) } else { Ok(()) }
}

pub(super) fn judge_dossier(body: &mut Body<'_>, sealed: &Sealed<'_>) -> Result<Proven, Fault> {
    let before = body.hash().map_err(in_body)?;
    let terminal = body.entry_alone().map_err(in_body)?;
    let end = terminal.record;
    let at_end = |defect| sealed.event(end.seq, defect);
    check_first(&end, &before).map_err(at_end)?;
    sealed.check_indexed(&terminal, &terminal.chain(&before))?;
    let root = end.stream_root.filter(|_| end.terminal);
    let root =
        root.ok_or_else(|| in_body(Defect::Layout("a dossier's first entry is a terminal event with extension 7")))?;
    let total =
        usize::try_from(end.version - 1).map_err(|_| in_body(Defect::Layout("a dossier's stream is too long")))?;
    let entries = chosen(body, sealed, &end)?;
    let indices: Vec<usize> = entries.iter().map(|entry| (entry.record.version - 1) as usize).collect();
    let length = multi_length(&indices, total);
    let length =
        length.ok_or_else(|| in_body(Defect::Layout("a dossier's entries ascend below the terminal event")))?;
    let proof = body.hashes(length).map_err(in_body)?;
    let hashes: Vec<Hash> = entries.iter().map(|entry| entry.hash).collect();
    if !multi_leads_to(root, total, &indices, &hashes, &proof) {
        return Err(at_end(Defect::MultiProof));
    }
    Ok(Proven::Dossier {
        stream: end.stream,
        total: end.version,
        events: entries.iter().map(|entry| ProvenEvent::new(entry, false)).collect(),
        terminal: ProvenEvent::new(&terminal, true),
    })
}

/// The chosen entries: of the stream of `end`, and in order before it.
fn chosen<'a>(body: &mut Body<'a>, sealed: &Sealed<'_>, end: &Record<'_>) -> Result<Vec<Entry<'a>>, Fault> {
    let count = body.u32().map_err(in_body)?;
    if !(1..=DOSSIER_EVENTS_MAX).contains(&count) {
        return Err(in_body(Defect::Layout("a dossier has 1 to 4,096 entries besides the terminal one")));
    }
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for _ in 0..count {
        let entry = body.entry_alone().map_err(in_body)?;
        let seq = entry.record.seq;
        let last = entries.last().map(|entry| &entry.record);
        check_later(last, &entry.record).map_err(|defect| sealed.event(seq, defect))?;
        check_later(Some(&entry.record), end).map_err(|defect| sealed.event(seq, defect))?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Whether a record is one of a stream's after `last`, perhaps with others between.
fn check_later(last: Option<&Record<'_>>, record: &Record<'_>) -> Result<(), Defect> {
    if (record.version == 1) != (record.previous == NONE) {
        return Err(Defect::Previous);
    }
    let Some(last) = last else { return Ok(()) };
    if record.stream != last.stream {
        return Err(Defect::OtherStream { expected: record.stream, found: last.stream });
    }
    if last.terminal {
        return Err(Defect::AfterTerminal { stream: last.stream });
    }
    if record.version <= last.version {
        return Err(Defect::Layout("a dossier's entries ascend by version, each once"));
    }
    let next = record.version == last.version + 1;
    if record.previous < last.seq || next != (record.previous == last.seq) || record.previous >= record.seq {
        return Err(Defect::Previous);
    }
    if record.time < last.time { Err(Defect::Time) } else { Ok(()) }
}
