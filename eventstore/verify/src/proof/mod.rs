//! Judges proof files (FORMAT.md section 10). Needs the file and what the reviewer trusts, nothing else.

mod body;
mod complete;
mod judge;
mod multi;
mod path;
mod rotation;
mod text;
mod verdict;

pub use verdict::{ProofVerdict, Proven, ProvenEvent};

use body::{Body, Kind};
use complete::judge_completeness;
use judge::{Sealed, judge_case, judge_dossier, judge_event};
use path::{Head, continues};
use rotation::{KeyHistory, Rotated, check_order, check_paths, check_rotation_order};
use text::{Form, Text, read_text};

use crate::anchor::{Anchor, Anchors};
use crate::body::BlockRecord;
use crate::context::{Context, Signer, Start};
use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::hash::{Hash, KEYS, keyed};
use crate::keys::Signers;
use crate::limits::{BLOCK_STREAM, NONE};
use crate::record::Record;
use crate::seal::{Note, SealText};
use crate::trust::Trust;

/// Verifies a proof file.
///
/// # Errors
/// The first fault: the file is damaged, contradicts itself or its seal, or its seal is not by the key that is trusted.
///
/// # Example
/// ```
/// use actum_verify::{FaultKind, Trust, verify_proof};
///
/// let fault = verify_proof(b"c2sp.org/tlog-proof@v1\n", &Trust::self_signed()).unwrap_err();
/// assert_eq!((fault.kind(), fault.defect.code()), (FaultKind::Corrupt, "truncated"));
/// ```
pub fn verify_proof(bytes: &[u8], trust: &Trust) -> Result<ProofVerdict, Fault> {
    let text = read_text(bytes).map_err(in_proof)?;
    let opened = Opened::read(&text)?;
    let context = Context::new(opened.genesis, trust)?;
    let judged = opened.judge(&text, &context)?;
    let anchors = judged.anchors(&context)?;
    let seal = &judged.seal.said;
    Ok(ProofVerdict {
        anchors,
        origin: context.genesis.origin.clone(),
        log_id: context.genesis.log_id,
        clock: context.genesis.clock,
        key: context.genesis.key,
        partition: judged.partition,
        size: seal.size,
        root: seal.root,
        block: seal.number,
        block_hash: seal.hash,
        key_in_force: judged.history.keys.in_force().key.to_bytes(),
        rotations: judged.history.keys.used().len() - 1,
        proven: judged.proven,
    })
}

/// Where a tail begins in a partition: judges the proof that the tail carries, against the seal that the reviewer kept.
pub(crate) fn tail_start(bytes: &[u8], context: &Context, partition: u16) -> Result<Start, Fault> {
    let place = Place { partition: Some(partition), ..Place::of(Part::Proof) };
    let in_partition = |fault: Fault| Fault { place: Place { partition: Some(partition), ..fault.place }, ..fault };
    let text = read_text(bytes).map_err(|defect| place.fault(defect))?;
    let said = Note::parse(text.seal.as_bytes()).map_err(|defect| place.fault(defect))?.said;
    let begins = Place { partition: Some(partition), ..Place::of(Part::Log) };
    let signer = context.signers.get(usize::from(partition)).ok_or_else(|| place.fault(Defect::Partition))?;
    let since = context.trust.since_of(&signer.name);
    let since = since.ok_or_else(|| begins.fault(Defect::TailWithoutSince { size: said.size }))?;
    if since.size != said.size {
        return Err(begins.fault(Defect::TailSince { size: said.size, kept: since.size }));
    }
    let kept = |defect| Place::block(Part::Since, partition, since.number).fault(defect);
    if said.name != signer.name {
        return Err(place.fault(Defect::Partition));
    }
    if let Some(line) = since.difference(said.size, &said.root, said.number, &said.hash) {
        return Err(kept(Defect::Since(line)));
    }
    let opened = Opened::read(&text).map_err(in_partition)?;
    if keyed(&KEYS.genesis, opened.genesis) != context.genesis_hash {
        return Err(place.fault(Defect::Content("genesis")));
    }
    let judged = opened.judge(&text, context).map_err(in_partition)?;
    if !matches!(judged.proven, Proven::Consistency { old_size, .. } if old_size == said.size) {
        return Err(place.fault(Defect::Layout("a tail's proof is of consistency, from the seal to itself")));
    }
    since.check_signatures(&judged.signers, &signer.name).map_err(kept)?;
    Ok(Start {
        blocks: said
            .number
            .checked_add(1)
            .ok_or_else(|| place.fault(Defect::Layout("a block number is less than 2^64 - 1")))?,
        size: said.size,
        root: said.root,
        hash: said.hash,
        keys: judged.history.keys,
        signers: judged.signers,
        seal: since.seal.clone(),
    })
}

fn in_proof(defect: Defect) -> Fault {
    Place::of(Part::Proof).fault(defect)
}

fn in_seal(defect: Defect) -> Fault {
    Place::of(Part::Seal).fault(defect)
}

/// A proof whose beginning was taken apart.
struct Opened<'a> {
    body: Body<'a>,
    kind: Kind,
    rotations: u32,
    genesis: &'a [u8],
}

/// What a proof was found to prove, and by which seals.
struct Judged<'a> {
    partition: u16,
    /// The newer one, where there are two.
    seal: Note<'a>,
    old_seal: Option<Note<'a>>,
    signers: Signers,
    history: KeyHistory,
    proven: Proven,
}

impl<'a> Opened<'a> {
    fn read(text: &'a Text<'a>) -> Result<Self, Fault> {
        let (body, kind, rotations, genesis) = Body::open(&text.body).map_err(in_proof)?;
        Ok(Opened { body, kind, rotations, genesis })
    }

    fn judge(mut self, text: &Text<'a>, context: &Context) -> Result<Judged<'a>, Fault> {
        let seal = read_seal(text.seal)?;
        let named = context.signer_named(seal.said.name);
        let (partition, signer) = named.ok_or_else(|| in_seal(Defect::SealText("origin")))?;
        let place = Place { partition: Some(partition), seq: Some(0), ..Place::of(Part::Event) };
        let first = self.body.with_path(seal.said.size).map_err(|defect| place.fault(defect))?;
        let rotations = (0..self.rotations).map(|_| Rotated::read(&mut self.body, seal.said.size));
        let rotations: Vec<Rotated<'_>> = rotations.collect::<Result<_, _>>().map_err(in_proof)?;
        let history = KeyHistory::judge(&rotations, &seal.said, context, signer)?;
        let signers = history.check_seal(&seal, &signer.name).map_err(in_seal)?;
        let (index, path) = match &text.form {
            Form::Inclusion { index } => (*index, &text.hashes[..]),
            // No leaf is named.
            Form::Consistency { .. } => (seal.said.size, &[][..]),
        };
        let sealed = Sealed { partition, size: seal.said.size, root: seal.said.root, index, path };
        check_genesis(&first.record, context, &history).map_err(|defect| place.fault(defect))?;
        sealed.check_path(&first, &first.chain(&[0; 32]), first.path.as_deref().unwrap_or_default())?;
        check_paths(&rotations, &sealed)?;
        let mut old_seal = None;
        let proven = match (self.kind, &text.form) {
            (Kind::Event, Form::Inclusion { .. }) => judge_event(&mut self.body, &sealed)?,
            (Kind::Case, Form::Inclusion { .. }) => judge_case(&mut self.body, &sealed)?,
            (Kind::Dossier, Form::Inclusion { .. }) => judge_dossier(&mut self.body, &sealed)?,
            (Kind::Completeness, Form::Inclusion { .. }) => judge_completeness(&mut self.body, &sealed)?,
            (Kind::Consistency, Form::Consistency { old_seal: old }) => {
                let old = read_seal(old)?;
                if context.signer_named(old.said.name).is_none() {
                    return Err(in_seal(Defect::SealText("origin")));
                }
                let proven = check_rotation_order(&old.said, &rotations)
                    .map_err(in_seal)
                    .and_then(|()| judge_consistency(&old, &seal, &history, signer, &text.hashes));
                let proven = proven.map_err(|mut fault| {
                    fault.place.partition = Some(partition);
                    fault
                })?;
                old_seal = Some(old);
                proven
            }
            _ => return Err(in_proof(Defect::Layout("a proof's first line and kind belong together"))),
        };
        self.body.end().map_err(in_proof)?;
        Ok(Judged { partition, seal, old_seal, signers, history, proven })
    }
}

fn read_seal(seal: &str) -> Result<Note<'_>, Fault> {
    let note = Note::parse(seal.as_bytes()).map_err(in_seal)?;
    if note.said.size == 0 {
        return Err(in_seal(Defect::Layout("a seal is over at least one event")));
    }
    Ok(note)
}

fn judge_consistency(
    old: &Note<'_>,
    new: &Note<'_>,
    history: &KeyHistory,
    signer: &Signer,
    hashes: &[Hash],
) -> Result<Proven, Fault> {
    check_order(&old.said, &new.said).map_err(in_seal)?;
    history.check_seal(old, &signer.name).map_err(in_seal)?;
    let SealText { size, root, number, .. } = old.said;
    let heads = [&old.said, &new.said].map(|seal| Head { size: seal.size, root: seal.root });
    if !continues(&heads[0], &heads[1], hashes) {
        return Err(in_proof(Defect::Consistency));
    }
    Ok(Proven::Consistency { old_size: size, old_root: root, old_block: number })
}

impl Judged<'_> {
    /// What the proof rests on.
    fn anchors(&self, context: &Context) -> Result<Anchors, Fault> {
        let partition = self.partition;
        let mut anchors = Anchors::new(context.is_pinned());
        let since = context.trust.since_of(self.seal.said.name);
        let mut is_kept = false;
        for note in [Some(&self.seal), self.old_seal.as_ref()].into_iter().flatten() {
            let Some(since) = since.filter(|_| !anchors.is_since(partition)) else { break };
            let SealText { size, root, number, hash, .. } = note.said;
            if since.size != size && since.number != number {
                continue;
            }
            let kept = |defect| Place::block(Part::Since, partition, since.number).fault(defect);
            if let Some(line) = since.difference(size, &root, number, &hash) {
                return Err(kept(Defect::Since(line)));
            }
            let signers = self.history.check_seal(note, note.said.name).map_err(in_seal)?;
            since.check_signatures(&signers, note.said.name).map_err(kept)?;
            is_kept |= since.size == self.seal.said.size;
            anchors.add(Anchor::Since { partition, size, prefix_read: false });
        }
        if !is_kept && self.signers.all(|key| context.trust.is_revoked(key)) {
            let place = Place::block(Part::Seal, partition, self.seal.said.number);
            return Err(place.fault(Defect::RevokedKey));
        }
        let kept = since.filter(|_| anchors.is_since(partition)).map(|since| Note::parse(&since.seal)).transpose();
        let kept = kept.map_err(in_seal)?;
        for witness in &context.trust.witnesses {
            let signed = |note: &Note<'_>| Some((witness.signed(note)?, note.said.size));
            if let Some((time, size)) = [Some(&self.seal), kept.as_ref()].into_iter().flatten().find_map(signed) {
                anchors.add(Anchor::Witnessed { partition, size, witness: witness.name.clone(), time });
            }
        }
        Ok(anchors)
    }
}

/// Checks that the tree begins with a block record that names this genesis, which no seal does.
fn check_genesis(record: &Record<'_>, context: &Context, history: &KeyHistory) -> Result<(), Defect> {
    let is_first = (record.seq, record.version, record.previous, record.stream) == (0, 1, NONE, BLOCK_STREAM);
    if !is_first {
        return Err(Defect::Layout("a proof shows the partition's first block record"));
    }
    let block = BlockRecord::parse(record.payload)?;
    if block.previous_hash != context.genesis_hash {
        return Err(Defect::PreviousHash);
    }
    if history.seals_first(block.key_id) { Ok(()) } else { Err(Defect::KeyId) }
}
