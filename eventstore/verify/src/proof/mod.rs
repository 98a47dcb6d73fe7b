//! Judges proof files (FORMAT.md section 10). Needs the file and what the reviewer trusts, nothing else.

mod body;
mod judge;
mod multi;
mod path;
mod text;
mod verdict;

pub use verdict::{ProofVerdict, Proven, ProvenEvent};

use body::{Body, Kind};
use judge::{Sealed, judge_case, judge_dossier, judge_event};
use path::{Head, continues};
use text::{Form, read_text};

use crate::anchor::Trust;
use crate::body::BlockRecord;
use crate::context::Context;
use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::limits::{BLOCK_STREAM, NONE};
use crate::seal::{SealText, open_seal};

/// Verifies a proof file.
///
/// # Errors
/// The first fault: the file is damaged, contradicts itself or its seal, or its seal is not by the key that is trusted.
///
/// # Example
/// ```
/// use actum_verify::{FaultKind, Trust, verify_proof};
///
/// let fault = verify_proof(b"c2sp.org/tlog-proof@v1\n", &Trust::SelfSigned).unwrap_err();
/// assert_eq!((fault.kind(), fault.defect.code()), (FaultKind::Corrupt, "truncated"));
/// ```
pub fn verify_proof(bytes: &[u8], trust: &Trust) -> Result<ProofVerdict, Fault> {
    let in_proof = |defect| Place::of(Part::Proof).fault(defect);
    let text = read_text(bytes).map_err(in_proof)?;
    let (mut body, kind, genesis) = Body::open(&text.body).map_err(in_proof)?;
    let context = Context::new(genesis, trust)?;
    let (partition, seal) = open(text.seal, &context)?;
    let (index, path) = match &text.form {
        Form::Inclusion { index } => (*index, &text.hashes[..]),
        // No leaf is named.
        Form::Consistency { .. } => (seal.size, &[][..]),
    };
    let sealed = Sealed { partition, size: seal.size, root: seal.root, index, path };
    check_genesis(&mut body, &context, &sealed)?;
    let proven = match (kind, &text.form) {
        (Kind::Event, Form::Inclusion { .. }) => judge_event(&mut body, &sealed)?,
        (Kind::Case, Form::Inclusion { .. }) => judge_case(&mut body, &sealed)?,
        (Kind::Dossier, Form::Inclusion { .. }) => judge_dossier(&mut body, &sealed)?,
        (Kind::Consistency, Form::Consistency { old_seal }) => {
            let (old_partition, old) = open(old_seal, &context)?;
            let order = check_order((old_partition, &old), (partition, &seal));
            order.map_err(|defect| Place { partition: Some(partition), ..Place::of(Part::Seal) }.fault(defect))?;
            let heads = [&old, &seal].map(|seal| Head { size: seal.size, root: seal.root });
            if !continues(&heads[0], &heads[1], &text.hashes) {
                return Err(in_proof(Defect::Consistency));
            }
            Proven::Consistency { old_size: old.size, old_root: old.root, old_block: old.number }
        }
        _ => return Err(in_proof(Defect::Layout("a proof's first line and kind belong together"))),
    };
    body.end().map_err(in_proof)?;
    Ok(ProofVerdict {
        anchor: context.anchor,
        origin: context.genesis.origin.clone(),
        log_id: context.genesis.log_id,
        clock: context.genesis.clock,
        key: context.genesis.key,
        partition,
        size: seal.size,
        root: seal.root,
        block: seal.number,
        block_hash: seal.hash,
        proven,
    })
}

fn open<'a>(seal: &'a str, context: &Context) -> Result<(u16, SealText<'a>), Fault> {
    open_seal(seal, context).map_err(|defect| Place::of(Part::Seal).fault(defect))
}

/// Checks that the tree begins with a block record that names this genesis, which no seal does.
fn check_genesis(body: &mut Body<'_>, context: &Context, sealed: &Sealed<'_>) -> Result<(), Fault> {
    let place = Place { partition: Some(sealed.partition), seq: Some(0), ..Place::of(Part::Event) };
    let entry = body.first(sealed.size).map_err(|defect| place.fault(defect))?;
    let record = &entry.record;
    let is_first = (record.seq, record.version, record.previous, record.stream) == (0, 1, NONE, BLOCK_STREAM);
    if !is_first {
        return Err(place.fault(Defect::Layout("a proof shows the partition's first block record")));
    }
    let block = BlockRecord::parse(record.payload).map_err(|defect| place.fault(defect))?;
    if block.previous_hash != context.genesis_hash {
        return Err(place.fault(Defect::PreviousHash));
    }
    let key_id = context.signers.get(usize::from(sealed.partition)).map(|signer| signer.id);
    if key_id != Some(block.key_id) {
        return Err(place.fault(Defect::KeyId));
    }
    sealed.check_path(&entry, &entry.chain(&[0; 32]), entry.path.as_deref().unwrap_or_default())
}

/// Two seals of one partition agree in which is older.
fn check_order(old: (u16, &SealText<'_>), new: (u16, &SealText<'_>)) -> Result<(), Defect> {
    let ((old_partition, old), (new_partition, new)) = (old, new);
    if old_partition != new_partition {
        return Err(Defect::Partition);
    }
    let (sizes, numbers) = (old.size.cmp(&new.size), old.number.cmp(&new.number));
    if sizes.is_gt() {
        return Err(Defect::SealOrder("size"));
    }
    if sizes != numbers {
        return Err(Defect::SealOrder("block number"));
    }
    if sizes.is_eq() && old.root != new.root {
        return Err(Defect::SealOrder("root"));
    }
    if sizes.is_eq() == (old.hash == new.hash) { Ok(()) } else { Err(Defect::SealOrder("block hash")) }
}
