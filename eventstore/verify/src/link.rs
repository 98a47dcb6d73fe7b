//! Joins digested blocks: what one block says of the log before it has to be what the blocks before it said.

use actum_log::Head;

use crate::anchor::{Anchor, Anchors};
use crate::context::{Context, Signer, Start};
use crate::defect::Defect;
use crate::digest::BlockDigest;
use crate::fault::{Fault, Part, Place};
use crate::hash::Hash;
use crate::keys::{KeyStep, Keys, Signers, UsedKey};
use crate::limits::PENDING_BYTES_MAX;
use crate::seal::{Note, own_part};
use crate::since::Since;
use crate::streams::Streams;
use crate::tree::empty_root;
use crate::verdict::{KeySpan, PartitionVerdict, Verdict};

/// What is known of a log after the blocks linked so far.
///
/// Takes the blocks of each partition in order; partitions may interleave. After a fault it is of no further use.
///
/// Memory grows with the streams: about 130 bytes and 40 for each level of its event tree for one that is open, 70 for one that
/// has ended, and 72 more for each once the log has a checkpoint. To it come at most 64 MiB of event hashes, over all partitions
/// together, and those of one block for each.
#[derive(Debug)]
pub struct Linker<'c> {
    context: &'c Context,
    partitions: Vec<Partition<'c>>,
}

#[derive(Debug)]
struct Partition<'c> {
    number: u16,
    signer: &'c Signer,
    since: Option<&'c Since>,
    /// Blocks before the first that is read.
    skipped: u64,
    /// Events before the first that is read.
    skipped_events: u64,
    blocks: u64,
    size: u64,
    root: Hash,
    /// Hash of the last block, or of the genesis.
    hash: Hash,
    epoch: u64,
    boot: [u8; 16],
    time: u64,
    record_bytes: u64,
    streams: Streams,
    keys: Keys,
    /// Who signed the last block.
    signers: Option<Signers>,
    seal: Vec<u8>,
    head: Option<Head>,
}

impl<'c> Linker<'c> {
    /// Before the first block of every partition.
    pub fn new(context: &'c Context) -> Self {
        let partition = |((number, signer), start): ((u16, &'c Signer), &'c Option<Start>)| {
            Partition::new(context, number, signer, Option::as_ref(start))
        };
        let partitions = (0..).zip(&context.signers).zip(&context.starts).map(partition).collect();
        Linker { context, partitions }
    }

    /// Says which head a store keeps for a partition. To be called before blocks are linked, with a head read before the frames were.
    pub fn expect_head(&mut self, partition: u16, head: Head) {
        if let Some(partition) = self.partitions.get_mut(usize::from(partition)) {
            partition.head = Some(head);
        }
    }

    /// Takes the next block of its partition.
    ///
    /// # Errors
    /// The block does not continue what was linked before. Where several streams do not, the fault is of the one with the lowest seq.
    pub fn link(&mut self, digest: &BlockDigest) -> Result<(), Fault> {
        let fault = |defect| digest.place.fault(defect);
        let event = |seq, defect| Place { part: Part::Event, offset: None, ..digest.place }.seq(seq).fault(defect);
        let index = usize::from(digest.partition);
        let partition = self.partitions.get_mut(index).ok_or_else(|| fault(Defect::Partition))?;
        partition.check_block(digest).map_err(fault)?;
        let keys = partition
            .keys
            .judge_block(&digest.key_changes, &partition.signer.name)
            .map_err(|(seq, defect)| event(seq, defect))?;
        if digest.record.key_id != keys.signers.first.id {
            return Err(fault(Defect::KeyId));
        }
        let genesis_key = digest.genesis_signed.then_some(&self.context.genesis.key);
        partition.check_seal(digest, &keys.signers, genesis_key)?;
        if digest.first_time < partition.time {
            return Err(event(digest.first_seq, Defect::Time));
        }
        if let Some((seq, checkpoint)) = digest.checkpoint.as_ref().filter(|_| partition.skipped == 0) {
            partition.streams.check_checkpoint(checkpoint).map_err(|defect| event(*seq, defect))?;
        }
        partition.streams.link(digest).map_err(|(seq, defect)| event(seq, defect))?;
        partition
            .check_head(digest)
            .map_err(|defect| Place::block(Part::Head, digest.partition, digest.number).fault(defect))?;
        partition.advance(digest, keys);
        Ok(())
    }

    /// The verdict, once all blocks are linked.
    ///
    /// # Errors
    /// A partition ends before the block that its head acknowledges or whose seal was kept, or its newest seal is by a revoked key.
    pub fn finish(self) -> Result<Verdict, Fault> {
        let mut anchors = Anchors::new(self.context.is_pinned());
        let mut partitions = Vec::with_capacity(self.partitions.len());
        for partition in self.partitions {
            partition.check_end(self.context)?;
            partition.add_anchors(self.context, &mut anchors);
            partitions.push(partition.verdict(self.context));
        }
        let genesis = &self.context.genesis;
        Ok(Verdict {
            anchors,
            origin: genesis.origin.clone(),
            log_id: genesis.log_id,
            clock: genesis.clock,
            key: genesis.key,
            partitions,
        })
    }
}

impl<'c> Partition<'c> {
    fn new(context: &'c Context, number: u16, signer: &'c Signer, start: Option<&Start>) -> Self {
        let whole = Partition {
            number,
            signer,
            since: context.trust.since_of(&signer.name),
            skipped: 0,
            skipped_events: 0,
            blocks: 0,
            size: 0,
            root: empty_root(),
            hash: context.genesis_hash,
            epoch: 0,
            boot: [0; 16],
            time: 0,
            record_bytes: 0,
            streams: Streams::new(PENDING_BYTES_MAX / context.signers.len().max(1)),
            keys: Keys::at_genesis(context, &signer.name),
            signers: None,
            seal: Vec::new(),
            head: None,
        };
        let Some(start) = start else { return whole };
        let mut streams = whole.streams;
        streams.skip(start.blocks, start.size);
        Partition {
            skipped: start.blocks,
            skipped_events: start.size,
            blocks: start.blocks,
            size: start.size,
            root: start.root,
            hash: start.hash,
            streams,
            keys: start.keys.clone(),
            signers: Some(start.signers.clone()),
            seal: start.seal.clone(),
            ..whole
        }
    }

    fn check_block(&self, digest: &BlockDigest) -> Result<(), Defect> {
        let record = &digest.record;
        if digest.number != self.blocks {
            return Err(Defect::BlockNumber { expected: self.blocks, found: digest.number });
        }
        if digest.first_seq != self.size {
            return Err(Defect::Seq { expected: self.size, found: digest.first_seq });
        }
        if record.previous_hash != self.hash {
            return Err(Defect::PreviousHash);
        }
        if digest.root_before != self.root {
            return Err(Defect::Frontier);
        }
        if record.epoch < self.epoch {
            return Err(Defect::Epoch);
        }
        // Of the block before a tail neither is known.
        if self.blocks > self.skipped && (record.epoch == self.epoch) != (record.boot == self.boot) {
            return Err(Defect::BootId);
        }
        Ok(())
    }

    /// Checks the signatures of a block's seal, and of the seal of this block that was kept.
    fn check_seal(&self, digest: &BlockDigest, signers: &Signers, genesis_key: Option<&Hash>) -> Result<(), Fault> {
        let name = &self.signer.name;
        let genesis_only = signers.second.is_none() && genesis_key == Some(signers.first.key.as_bytes());
        if !genesis_only {
            let checked = Note::parse(&digest.seal).and_then(|note| signers.check(&note, name, genesis_key));
            checked.map_err(|defect| Place { part: Part::Seal, ..digest.place }.fault(defect))?;
        }
        let Some(since) = self.since.filter(|since| since.number == digest.number) else { return Ok(()) };
        let kept = |defect| Place::block(Part::Since, digest.partition, digest.number).fault(defect);
        if let Some(line) = since.difference(digest.size, &digest.root, digest.number, &digest.hash) {
            return Err(kept(Defect::Since(line)));
        }
        since.check_signatures(signers, name).map_err(kept)
    }

    fn check_head(&self, digest: &BlockDigest) -> Result<(), Defect> {
        let Some(head) = self.head.as_ref().filter(|head| head.number == digest.number) else { return Ok(()) };
        if head.hash != digest.hash {
            return Err(Defect::Head("block hash"));
        }
        if head.size != digest.size {
            return Err(Defect::Head("size"));
        }
        if own_part(&head.seal) != own_part(&digest.seal) {
            return Err(Defect::Head("seal"));
        }
        Ok(())
    }

    fn advance(&mut self, digest: &BlockDigest, keys: KeyStep) {
        self.signers = Some(keys.signers.clone());
        self.keys.take(keys, digest.number, digest.first_seq, digest.size - 1);
        self.blocks += 1;
        self.size = digest.size;
        self.root = digest.root;
        self.hash = digest.hash;
        self.epoch = digest.record.epoch;
        self.boot = digest.record.boot;
        self.time = digest.last_time;
        self.record_bytes = self.record_bytes.saturating_add(digest.record_bytes);
        self.seal.clone_from(&digest.seal);
    }

    /// A tail may have nothing of a partition that gained nothing.
    fn is_left_out(&self, context: &Context) -> bool {
        self.blocks == 0 && context.starts.iter().any(Option::is_some)
    }

    fn check_end(&self, context: &Context) -> Result<(), Fault> {
        let place = |part| Place { partition: Some(self.number), ..Place::of(part) };
        if let Some(head) = self.head.as_ref().filter(|head| head.number >= self.blocks) {
            let defect = Defect::HeadBehind { blocks: self.blocks, acknowledged: head.number };
            return Err(place(Part::Head).fault(defect));
        }
        if let Some(since) = self.since.filter(|since| since.number >= self.blocks && !self.is_left_out(context)) {
            return Err(place(Part::Since).fault(Defect::SinceBehind { blocks: self.blocks, kept: since.number }));
        }
        let is_kept = self.since.is_some_and(|since| since.number + 1 == self.blocks);
        let signers = self.signers.as_ref().filter(|_| !is_kept);
        if signers.is_some_and(|signers| signers.all(|key| context.trust.is_revoked(key))) {
            return Err(Place::block(Part::Seal, self.number, self.blocks - 1).fault(Defect::RevokedKey));
        }
        Ok(())
    }

    fn add_anchors(&self, context: &Context, anchors: &mut Anchors) {
        let partition = self.number;
        let since = self.since.filter(|_| self.blocks > 0);
        if let Some(since) = since {
            anchors.add(Anchor::Since { partition, size: since.size, prefix_read: self.skipped == 0 });
        }
        let kept = since.filter(|since| since.size < self.size).map(|since| (&since.seal, since.size));
        // The newest as the source has it; as it was kept, it may have lines of other witnesses.
        let newest = [Some(&self.seal), since.filter(|since| since.size == self.size).map(|since| &since.seal)];
        let newest = newest.into_iter().flatten().map(|seal| (seal, self.size));
        for witness in &context.trust.witnesses {
            let signed = |(seal, size): (&Vec<u8>, u64)| Some((witness.signed(&Note::parse(seal).ok()?)?, size));
            if let Some((time, size)) = newest.clone().chain(kept).find_map(signed) {
                anchors.add(Anchor::Witnessed { partition, size, witness: witness.name.clone(), time });
            }
        }
    }

    fn verdict(self, context: &Context) -> PartitionVerdict {
        let span = |used: &UsedKey| {
            let sealed = used.sealed?;
            Some(KeySpan {
                key: used.key.to_bytes(),
                key_id: used.id,
                first_block: sealed.first_block,
                last_block: sealed.last_block,
                first_seq: sealed.first_seq,
                last_seq: sealed.last_seq,
                revoked: used.revoked || context.trust.is_revoked(used.key.as_bytes()),
            })
        };
        let in_force = self.keys.in_force();
        let unacknowledged = self.head.as_ref().map_or(0, |head| self.blocks - 1 - head.number);
        PartitionVerdict {
            partition: self.number,
            blocks: self.blocks - self.skipped,
            events: self.size - self.skipped_events,
            skipped_events: self.skipped_events,
            size: self.size,
            record_bytes: self.record_bytes,
            root: self.root,
            hash: self.hash,
            // The seal was checked to be UTF-8.
            seal: (self.blocks > 0).then(|| String::from_utf8_lossy(&self.seal).into_owned()),
            key_name: self.signer.name.clone(),
            key_in_force: in_force.key.to_bytes(),
            key_id: in_force.id,
            keys: self.keys.used().iter().filter_map(span).collect(),
            head_kept: self.head.is_some(),
            unacknowledged_blocks: unacknowledged,
        }
    }
}
