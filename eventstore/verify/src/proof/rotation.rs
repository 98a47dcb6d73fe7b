//! The rotations that a proof carries: from the genesis key to the keys whose signatures its seals must have.

use super::body::{Body, Entry};
use super::judge::{Sealed, check_first};
use crate::context::{Context, Signer};
use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::hash::Hash;
use crate::keys::{KeyChange, Keys, Signers, UsedKey};
use crate::limits::ROTATION_KIND;
use crate::seal::{Note, SealText};

/// A rotation as the body has it; only its form was checked.
pub(super) struct Rotated<'a> {
    before: Hash,
    entry: Entry<'a>,
    note: Note<'a>,
}

impl<'a> Rotated<'a> {
    pub(super) fn read(body: &mut Body<'a>, size: u64) -> Result<Self, Defect> {
        let before = body.hash()?;
        let entry = body.with_path(size)?;
        let note = Note::parse(body.seal()?)?;
        Ok(Rotated { before, entry, note })
    }
}

/// The keys of a partition as a proof shows them: which key is in force at which block.
pub(super) struct KeyHistory {
    pub(super) keys: Keys,
    /// Number of the block of each rotation; the key before it and the new key are neighbours in `used`.
    blocks: Vec<u64>,
}

impl KeyHistory {
    /// Judges the rotations in order, up to the newest seal; whether their records are in its tree is for [`check_paths`].
    pub(super) fn judge(
        rotations: &[Rotated<'_>],
        newest: &SealText<'_>,
        context: &Context,
        signer: &Signer,
    ) -> Result<Self, Fault> {
        let mut history = KeyHistory { keys: Keys::at_genesis(context, &signer.name), blocks: Vec::new() };
        let mut last: Option<&Rotated<'_>> = None;
        for rotated in rotations {
            let record = &rotated.entry.record;
            let at = |defect| Place { seq: Some(record.seq), ..Place::of(Part::Event) }.fault(defect);
            let in_seal = |defect| Place::of(Part::Seal).fault(defect);
            if record.kind != ROTATION_KIND {
                return Err(at(Defect::Layout("a proof's rotations are records of kind 2")));
            }
            let KeyChange::Rotation(rotation) = KeyChange::parse(record.kind, record.payload).map_err(at)? else {
                return Err(at(Defect::Layout("a proof's rotations are records of kind 2")));
            };
            check_first(record, &rotated.before).map_err(at)?;
            let new = history.keys.judge_rotation(&rotation, &signer.name).map_err(at)?;
            let said = &rotated.note.said;
            check_order(said, newest).map_err(in_seal)?;
            if said.size <= record.seq {
                return Err(in_seal(Defect::SealOrder("size")));
            }
            if let Some(last) = last {
                // One rotation in a block: each has a seal of its own.
                if said.number <= last.note.said.number {
                    return Err(in_seal(Defect::SealOrder("block number")));
                }
                check_order(&last.note.said, said).map_err(in_seal)?;
                if record.seq < last.note.said.size {
                    return Err(at(Defect::Seq { expected: last.note.said.size, found: record.seq }));
                }
            }
            history.keys.rotate(new, rotation.next);
            history.blocks.push(said.number);
            history.check_seal(&rotated.note, &signer.name).map_err(in_seal)?;
            last = Some(rotated);
        }
        Ok(history)
    }

    /// Checks that a seal is signed by the key in force for its block; gives who signed.
    pub(super) fn check_seal(&self, note: &Note<'_>, name: &str) -> Result<Signers, Defect> {
        let signers = self.signers(note, name);
        signers.check(note, name, None).map(|()| signers)
    }

    /// Whether the first block's record may name this key: the genesis key, or the new one where that block replaces it.
    pub(super) fn seals_first(&self, key_id: [u8; 4]) -> bool {
        let first = if self.blocks.first() == Some(&0) { 2 } else { 1 };
        self.keys.used().iter().take(first).any(|used| used.id == key_id)
    }

    /// Who has to sign a seal. Whether a rotation's block revokes the old key too, its first line tells.
    fn signers(&self, note: &Note<'_>, name: &str) -> Signers {
        let used = self.keys.used();
        let before = self.blocks.partition_point(|block| *block < note.said.number);
        // One key more than rotations.
        let key = |at: usize| -> UsedKey { used[at.min(used.len() - 1)].clone() };
        if self.blocks.get(before) != Some(&note.said.number) {
            return Signers { first: key(before), second: None };
        }
        let (old, new) = (key(before), key(before + 1));
        if note.names(0, name, new.id) {
            return Signers { first: new, second: None };
        }
        Signers { first: old, second: Some(new) }
    }
}

/// Checks that the rotations are in the sealed tree.
pub(super) fn check_paths(rotations: &[Rotated<'_>], sealed: &Sealed<'_>) -> Result<(), Fault> {
    rotations.iter().try_for_each(|rotated| {
        let chain = rotated.entry.chain(&rotated.before);
        sealed.check_path(&rotated.entry, &chain, rotated.entry.path.as_deref().unwrap_or_default())
    })
}

/// An older seal agrees with those of the rotations, before it and after it.
pub(super) fn check_rotation_order(old: &SealText<'_>, rotations: &[Rotated<'_>]) -> Result<(), Defect> {
    rotations.iter().try_for_each(|rotated| {
        let said = &rotated.note.said;
        if said.size < old.size { check_order(said, old) } else { check_order(old, said) }
    })
}

/// Two seals of one log agree in which is older.
pub(super) fn check_order(old: &SealText<'_>, new: &SealText<'_>) -> Result<(), Defect> {
    if old.name != new.name {
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
