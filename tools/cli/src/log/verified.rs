//! Verifies a log while it is read.

use std::collections::VecDeque;
use std::io::Read;
use std::thread;

use actum_log::{StoredRecord, records_in};
use actum_model::Seq;
use actum_replay::{Numbered, ReplayError};
use actum_verify::{
    ArchiveBlocks, BlockInput, Context, Defect, Fault, Genesis, Linker, Part, Trust, Verdict, digest_block,
    open_archive,
};
use indicatif::ProgressBar;

use super::OpenLog;
use crate::failure::{Failure, Outcome, advice};

/// Threads that hash. More would starve whoever else uses the machine.
const THREADS_MAX: usize = 2;
/// Blocks that are judged together, and bytes beyond which no further block joins them.
const BATCH_BLOCKS: usize = 32;
const BATCH_BYTES: usize = 16 << 20;

/// Reads a log to its end, verifying it; `make` gets what was verified. A fault counts more than what `make` says.
///
/// # Errors
/// The log cannot be read, does not verify, or `make` failed.
pub(crate) fn read<T>(
    log: &mut OpenLog,
    trust: &Trust,
    bar: &ProgressBar,
    make: impl FnOnce(&mut Verified<'_>) -> Outcome<T>,
) -> Outcome<(Verdict, T)> {
    judge(log, trust, bar, make)?.map_err(|fault| explain(&fault, log))
}

/// As [`read`], but gives a fault as it is.
pub(crate) fn judge<T>(
    log: &mut OpenLog,
    trust: &Trust,
    bar: &ProgressBar,
    make: impl FnOnce(&mut Verified<'_>) -> Outcome<T>,
) -> Outcome<Result<(Verdict, T), Box<Fault>>> {
    let heads = std::mem::take(&mut log.heads);
    let is_archive = log.is_archive();
    let (context, blocks) = match open_archive(log as &mut dyn Read, trust) {
        Ok(opened) => opened,
        Err(fault) => return Ok(Err(Box::new(placed(fault, is_archive)))),
    };
    let mut linker = Linker::new(&context);
    for (partition, head) in (0..).zip(heads) {
        if let Some(head) = head {
            linker.expect_head(partition, head);
        }
    }
    let mut verified = Verified { blocks, context: &context, linker, ready: VecDeque::new(), fault: None, bar };
    let made = make(&mut verified);
    if let Err(Failure::BrokenPipe) = made {
        return Err(Failure::BrokenPipe);
    }
    let verdict = verified.finish();
    bar.finish_and_clear();
    match verdict {
        Ok(verdict) => Ok(Ok((verdict, made?))),
        Err(fault) => Ok(Err(Box::new(placed(fault, is_archive)))),
    }
}

/// Offsets are those in the archive; the one that a child makes of a directory is nowhere.
fn placed(mut fault: Fault, is_archive: bool) -> Fault {
    if !is_archive {
        fault.place.offset = None;
    }
    fault
}

/// A fault in the user's words. Bytes that ended early because the store could not be read are the store's fault.
pub(crate) fn explain(fault: &Fault, log: &mut OpenLog) -> Failure {
    if let Some(failure) = log.copy_failure() {
        return failure;
    }
    if fault.place.part == Part::Log
        && let Some(failure) = log.strange()
    {
        return failure;
    }
    let ended_early = matches!(fault.defect, Defect::Truncated | Defect::SourceUnavailable);
    match log.failure() {
        Some(Failure::Said { exit, sentence }) if ended_early => {
            let sentence = sentence.trim_end_matches(advice(exit));
            Failure::new(exit, format!("{sentence} ({}){}", fault.place, advice(exit)))
        }
        _ => Failure::fault(&log.place, fault),
    }
}

/// The verified part of a log, as it grows.
pub(crate) struct Verified<'l> {
    blocks: ArchiveBlocks<&'l mut dyn Read>,
    context: &'l Context,
    linker: Linker<'l>,
    ready: VecDeque<BlockInput>,
    fault: Option<Fault>,
    bar: &'l ProgressBar,
}

impl Verified<'_> {
    /// The records, each from a block that verified. Ends at the first fault; the verdict tells.
    pub(crate) fn records(&mut self) -> impl Iterator<Item = Numbered> + '_ {
        let mut records: VecDeque<(u16, StoredRecord)> = VecDeque::new();
        let mut last = Seq(0);
        std::iter::from_fn(move || {
            while records.is_empty() {
                let block = self.next_block()?;
                if let Err(error) = take_records(&block, &mut records, last) {
                    return Some(Err(error));
                }
                last = records.back().map_or(last, |(_, record)| Seq(record.header().seq));
            }
            records.pop_front().map(Ok)
        })
    }

    /// The genesis: whose log it is.
    pub(crate) fn genesis(&self) -> Genesis {
        self.context.genesis().clone()
    }

    /// Refuses a log of several partitions; `what` is what cannot be done with one.
    pub(crate) fn only_one(&self, place: &str, what: &str) -> Outcome<()> {
        super::only_one(place, self.context.genesis().partitions, what)
    }

    /// The blocks, each verified, in the order in which a store takes them. Ends at the first fault; the verdict tells.
    pub(crate) fn blocks(&mut self) -> impl Iterator<Item = BlockInput> + '_ {
        std::iter::from_fn(|| self.next_block())
    }

    fn next_block(&mut self) -> Option<BlockInput> {
        if self.ready.is_empty() && self.fault.is_none() {
            self.judge_batch();
        }
        self.ready.pop_front()
    }

    fn judge_batch(&mut self) {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut reading = None;
        while batch.len() < BATCH_BLOCKS && bytes < BATCH_BYTES {
            match self.blocks.next() {
                Some(Ok(block)) => {
                    bytes += block.chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
                    batch.push(block);
                }
                Some(Err(fault)) => {
                    reading = Some(fault);
                    break;
                }
                None => break,
            }
        }
        // Faults of blocks come before the fault that ended their reading.
        for (block, digest) in digests(self.context, batch) {
            let linked = digest.and_then(|digest| self.linker.link(&digest).map(|()| digest.events()));
            match linked {
                Ok(events) => self.bar.inc(events),
                Err(fault) => {
                    self.fault = Some(fault);
                    return;
                }
            }
            self.ready.push_back(block);
        }
        self.fault = reading;
    }

    /// Reads what is left and gives the verdict.
    fn finish(mut self) -> Result<Verdict, Fault> {
        while self.next_block().is_some() {}
        match self.fault {
            Some(fault) => Err(fault),
            None => self.linker.finish(),
        }
    }
}

type Judged = (BlockInput, Result<actum_verify::BlockDigest, Fault>);

fn digests(context: &Context, batch: Vec<BlockInput>) -> Vec<Judged> {
    let digest = |block: BlockInput| {
        let digest = digest_block(&block, context);
        (block, digest)
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    if threads == 1 || batch.len() < 2 {
        return batch.into_iter().map(digest).collect();
    }
    let mut front = batch;
    let back = front.split_off(front.len() / 2);
    thread::scope(|scope| {
        let back = scope.spawn(|| back.into_iter().map(digest).collect::<Vec<_>>());
        let mut judged: Vec<Judged> = front.into_iter().map(digest).collect();
        match back.join() {
            Ok(back) => judged.extend(back),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        judged
    })
}

fn take_records(
    block: &BlockInput,
    records: &mut VecDeque<(u16, StoredRecord)>,
    after: Seq,
) -> Result<(), ReplayError> {
    let corrupt = |error: &dyn std::fmt::Display| {
        ReplayError::Read(actum_log::ReadError::Corrupt(format!("block {}: {error}", block.number)))
    };
    let mut bytes = Vec::new();
    for chunk in &block.chunks {
        bytes.clear();
        chunk.decode_into(&mut bytes).map_err(|error| corrupt(&error))?;
        for record in records_in(&bytes) {
            let record = record.map_err(|source| ReplayError::Record { after, source })?;
            records.push_back((block.partition, record.into()));
        }
    }
    Ok(())
}
