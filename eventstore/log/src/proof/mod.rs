//! Makes proofs that convince somebody who holds nothing but a public key (FORMAT.md section 10).
//!
//! ```text
//! prove_event, prove_case, prove_dossier, prove_consistency, prove_completeness    what to say
//!   rotations               what leads from the genesis key to the seal's
//!   history                 the events of a stream, by `previous`
//!   blocks                  events with salts; the root over any range of leaves
//!   path                    which ranges a proof is made of (RFC 6962)
//!   file                    the bytes
//! ```
//! A hash of a path costs re-hashing at most one block: the frontier before a block gives the subtrees that lie before it. So a proof in
//! a log of `n` events re-hashes at most about `log2 n` blocks, whatever the size of the log. What is made is held against the
//! seal's root, so that a proof that would not convince is never given.

mod blocks;
mod completeness;
mod error;
mod file;
mod history;
pub(crate) mod path;
mod rotations;

pub use completeness::{CheckpointTable, prove_completeness};
pub use error::ProofError;

use std::ops::Range;

use blocks::{Blocks, Event, Sealed, leaf_of};
use file::{Body, Kind, RotationProof, consistency_file, inclusion_file};
use history::history;

use crate::genesis::Genesis;
use crate::hash::{Hash, chain_hash};
use crate::limits::DOSSIER_EVENTS_MAX;
use crate::store::FrameSource;
use crate::tree::{Frontier, leaf_hash};

/// What each proof takes beside its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProofOptions<'a> {
    /// The partition.
    pub partition: u16,
    /// The seal to prove against, by its size; the newest acknowledged one if none is given.
    pub size: Option<u64>,
    /// Events, by seq, whose payloads are not shown. Each must be part of the proof: a misspelt seq must not disclose anything.
    pub withhold: &'a [u64],
}

/// Which events of a case are shown, one by one, to lie in the tree. The last one always is, and it binds all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CasePaths {
    /// Every one: 32 bytes for each event and each doubling of the log.
    #[default]
    Each,
    /// Only the last.
    Last,
}

/// Proves that one event is in the log, with its place in its stream.
///
/// # Errors
/// There is no such event, or the log cannot be read.
pub fn prove_event(source: &dyn FrameSource, seq: u64, options: &ProofOptions<'_>) -> Result<String, ProofError> {
    let mut prover = Prover::new(source, options)?;
    let size = prover.seal.text.size;
    if seq >= size {
        return Err(ProofError::NoEvent { seq, size });
    }
    let event = prover.blocks.event(seq)?;
    let before = prover.blocks.chain_before(event.header())?;
    let mut body = prover.body(Kind::Event)?;
    body.hash(&before);
    body.entry(&event, prover.is_withheld(seq), None);
    prover.finish(&body, &event, &before, &[seq])
}

/// Proves all events of a stream up to the seal: their content, their order, and that none between them was left out.
///
/// # Errors
/// The stream has no events, or the log cannot be read.
pub fn prove_case(
    source: &dyn FrameSource,
    stream: u64,
    paths: CasePaths,
    options: &ProofOptions<'_>,
) -> Result<String, ProofError> {
    let mut prover = Prover::new(source, options)?;
    let events = history(&mut prover.blocks, stream, prover.seal.text.size)?;
    let Some((last, earlier)) = events.split_last() else {
        return Err(ProofError::NoStream { stream, size: prover.seal.text.size });
    };
    let mut body = prover.body(Kind::Case)?;
    body.u32(events.len() as u32);
    let mut chain = [0; 32];
    for event in earlier {
        let withheld = prover.is_withheld(event.header().seq);
        let before = chain;
        chain = chain_hash(&before, &event.hash());
        let path = match paths {
            CasePaths::Each => Some(prover.path(event, &before)?),
            CasePaths::Last => None,
        };
        body.entry(event, withheld, path.as_deref());
    }
    body.entry(last, prover.is_withheld(last.header().seq), None);
    let shown: Vec<u64> = events.iter().map(|event| event.header().seq).collect();
    prover.finish(&body, last, &chain, &shown)
}

/// Proves chosen events of a stream that ended, by seq, and nothing of the others but their number. The terminal event is
/// always shown; it commits to all the others.
///
/// # Errors
/// The stream has not ended or its terminal event states no root, or a chosen event is not an earlier one of it.
pub fn prove_dossier(
    source: &dyn FrameSource,
    stream: u64,
    chosen: &[u64],
    options: &ProofOptions<'_>,
) -> Result<String, ProofError> {
    let mut prover = Prover::new(source, options)?;
    let events = history(&mut prover.blocks, stream, prover.seal.text.size)?;
    let Some((terminal, earlier)) = events.split_last().filter(|(last, _)| last.header().terminal) else {
        return Err(ProofError::NotEnded(stream));
    };
    let Some(root) = terminal.record.view().extensions().stream_root() else {
        return Err(ProofError::NoStreamRoot(stream));
    };
    let indices = indices_of(chosen, earlier, terminal.header().seq)?;
    let leaves: Vec<Hash> = earlier.iter().map(|event| leaf_hash(&event.hash())).collect();
    if root_over(&leaves) != root {
        return Err(ProofError::tampered(format!("stream {stream} has another root than its terminal event states")));
    }
    let before = earlier.iter().fold([0; 32], |chain, event| chain_hash(&chain, &event.hash()));
    let mut body = prover.body(Kind::Dossier)?;
    body.hash(&before);
    body.entry(terminal, prover.is_withheld(terminal.header().seq), None);
    body.u32(indices.len() as u32);
    let mut shown = vec![terminal.header().seq];
    for event in indices.iter().map(|index| &earlier[*index]) {
        body.entry(event, prover.is_withheld(event.header().seq), None);
        shown.push(event.header().seq);
    }
    body.hashes(&path::multi(&leaves, &indices));
    prover.finish(&body, terminal, &before, &shown)
}

/// Proves that the log under one seal continues the log under an older one. Without `options.size` the newest seal is the newer one.
///
/// # Errors
/// No seal is over so many events, or the log cannot be read.
pub fn prove_consistency(
    source: &dyn FrameSource,
    old_size: u64,
    options: &ProofOptions<'_>,
) -> Result<String, ProofError> {
    let mut prover = Prover::new(source, options)?;
    let new_size = prover.seal.text.size;
    if old_size > new_size {
        return Err(ProofError::Order { old: old_size, new: new_size });
    }
    let old = prover.blocks.seal(old_size)?;
    for sealed in [&old, &prover.seal] {
        let root = prover.blocks.subtree(0..sealed.text.size)?;
        prover.check(root == sealed.text.root, sealed.text.size - 1)?;
    }
    let body = prover.body(Kind::Consistency)?;
    let proof = path::consistency(old_size, new_size, |range| prover.blocks.subtree(range))?;
    if let Some(seq) = options.withhold.first() {
        return Err(ProofError::NotPart(*seq));
    }
    consistency_file(&body, &proof, &old, &prover.seal)
}

struct Prover<'s, 'o> {
    genesis: Vec<u8>,
    blocks: Blocks<'s>,
    seal: Sealed,
    withhold: &'o [u64],
}

impl<'s, 'o> Prover<'s, 'o> {
    fn new(source: &'s dyn FrameSource, options: &ProofOptions<'o>) -> Result<Self, ProofError> {
        let blocks = Blocks::new(source, options.partition);
        let seal = match options.size {
            Some(size) => blocks.seal(size)?,
            None => blocks.newest_seal()?,
        };
        Ok(Self { genesis: source.genesis()?, blocks, seal, withhold: options.withhold })
    }

    fn is_withheld(&self, seq: u64) -> bool {
        self.withhold.contains(&seq)
    }

    /// A body that shows the partition's first event and its rotations.
    fn body(&mut self, kind: Kind) -> Result<Body, ProofError> {
        let first = self.blocks.event(0)?;
        let path = self.path(&first, &[0; 32])?;
        let rotations = self.rotations()?;
        Ok(Body::new(kind, &self.genesis, &first, &path, &rotations))
    }

    fn rotations(&mut self) -> Result<Vec<RotationProof>, ProofError> {
        let genesis = Genesis::parse(&self.genesis).map_err(ProofError::corrupt)?;
        let events = rotations::rotations(&mut self.blocks, &genesis, self.seal.text.size)?;
        let prove = |event: Event| {
            let seq = event.header().seq;
            let missing = || ProofError::tampered(format!("the block of event {seq} is missing"));
            let before = self.blocks.chain_before(event.header())?;
            let path = self.path(&event, &before)?;
            let seal = self.blocks.block_of(seq)?.ok_or_else(missing)?.seal;
            Ok(RotationProof { before, event, path, seal })
        };
        events.into_iter().map(prove).collect()
    }

    /// The audit path of an event that comes after `chain` in its stream.
    fn path(&mut self, event: &Event, chain: &Hash) -> Result<Vec<Hash>, ProofError> {
        let seq = event.header().seq;
        let path = path::inclusion(seq, self.seal.text.size, |range: Range<u64>| self.blocks.subtree(range))?;
        let leaf = leaf_of(event.header(), &chain_hash(chain, &event.hash()));
        self.check(path::root(leaf, &path) == self.seal.text.root, seq)?;
        Ok(path.into_iter().map(|step| step.hash).collect())
    }

    fn check(&self, fits: bool, seq: u64) -> Result<(), ProofError> {
        let partition = self.blocks.partition;
        let what = || format!("event {seq} of partition {partition} does not hash to the root that was sealed");
        if fits { Ok(()) } else { Err(ProofError::tampered(what())) }
    }

    /// The file about an event that comes after `chain` in its stream, once all that is to be withheld is among the events shown.
    fn finish(mut self, body: &Body, event: &Event, chain: &Hash, shown: &[u64]) -> Result<String, ProofError> {
        if let Some(seq) = self.withhold.iter().find(|seq| !shown.contains(seq)) {
            return Err(ProofError::NotPart(*seq));
        }
        let path = self.path(event, chain)?;
        inclusion_file(body, event.header().seq, &path, &self.seal)
    }
}

/// Places of the chosen events, ascending, each once. Naming the terminal event is fine: it is shown anyway.
fn indices_of(chosen: &[u64], earlier: &[Event], terminal: u64) -> Result<Vec<usize>, ProofError> {
    let place = |seq: &u64| earlier.binary_search_by_key(seq, |event| event.header().seq);
    let chosen = chosen.iter().filter(|seq| **seq != terminal);
    let mut indices =
        chosen.map(|seq| place(seq).map_err(|_| ProofError::NotPart(*seq))).collect::<Result<Vec<_>, _>>()?;
    indices.sort_unstable();
    indices.dedup();
    if (1..=DOSSIER_EVENTS_MAX).contains(&indices.len()) {
        return Ok(indices);
    }
    Err(ProofError::Chosen { count: indices.len(), max: DOSSIER_EVENTS_MAX })
}

/// Root over leaf hashes, at least one.
fn root_over(leaves: &[Hash]) -> Hash {
    let mut tree = Frontier::new();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree.root()
}
