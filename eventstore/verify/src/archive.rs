//! Verifies an archive as a stream of bytes (FORMAT.md section 7).

use std::io::Read;

use actum_log::{Frame, FrameKey, FrameType};

use crate::bytes::{u16_at, u64_at};
use crate::context::{Context, Start};
use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::frame::{CheckedFrame, Claim, Header, Kind};
use crate::input::{BlockInput, Gathering, Position};
use crate::limits::FRAME_HEADER_BYTES;
use crate::link::Linker;
use crate::proof::tail_start;
use crate::source::{Progress, link_all};
use crate::trust::Trust;
use crate::verdict::Verdict;

const MAGIC: &[u8; 16] = b"ACTUM ARCHIVE 1\n";

/// Verifies an archive on the calling thread, holding one block at a time. `progress` is called after each block.
///
/// A tail (FORMAT.md section 13) needs the seal with which it begins: [`Trust::since`].
///
/// # Errors
/// The first fault.
pub fn verify_archive(reader: impl Read, trust: &Trust, progress: &mut dyn FnMut(Progress)) -> Result<Verdict, Fault> {
    let (context, blocks) = open_archive(reader, trust)?;
    link_all(blocks, &context, Linker::new(&context), progress)
}

/// Reads an archive up to its first block, a tail's proofs among it; gives the ground to judge on, and the blocks.
///
/// # Errors
/// It does not begin as an archive, or its genesis is not what the reviewer trusts, or a tail's proof does not lead to the seal
/// that the reviewer kept.
pub fn open_archive<R: Read>(reader: R, trust: &Trust) -> Result<(Context, ArchiveBlocks<R>), Fault> {
    let mut bytes = Bytes { reader, offset: 0 };
    let place = Place::of(Part::Log).at(Some(0));
    let magic = bytes.take(MAGIC.len()).map_err(|error| Fault::from_io(place, error))?;
    if magic != MAGIC {
        return Err(place.fault(Defect::Layout("an archive begins with `ACTUM ARCHIVE 1`")));
    }
    let place = Place::of(Part::Genesis).at(Some(bytes.offset));
    let frame = match bytes.frame() {
        Ok(Some(frame)) => frame,
        Ok(None) => return Err(place.fault(Defect::Truncated)),
        Err(stop) => return Err(stop.fault(place)),
    };
    let mut scratch = Vec::new();
    let genesis = CheckedFrame::new(&frame.bytes)
        .and_then(|checked| match checked.header.kind {
            Kind::Genesis => checked.body(&mut scratch),
            _ => Err(Defect::Layout("an archive's first frame is the genesis")),
        })
        .map_err(|defect| place.fault(defect))?;
    let mut context = Context::new(genesis, trust).map_err(|mut fault| {
        fault.place.offset = place.offset;
        fault
    })?;
    let (proofs, pending) = read_starts(&mut bytes, &mut context)?;
    let begin = |start: &Option<Start>| {
        start.as_ref().map_or_else(Position::default, |start| Position { blocks: start.blocks, size: start.size })
    };
    let begins: Vec<Position> = context.starts.iter().map(begin).collect();
    let positions = begins.clone();
    Ok((context, ArchiveBlocks { bytes, begins, positions, frames: 1 + proofs, pending: Some(pending), done: false }))
}

/// A frame that was read, or why there is none, and where it begins.
type NextFrame = (u64, Result<Option<RawFrame>, Stop>);

/// Reads the proof frames of a tail; gives their number, and the first frame behind them.
fn read_starts<R: Read>(bytes: &mut Bytes<R>, context: &mut Context) -> Result<(u64, NextFrame), Fault> {
    let (mut proofs, mut last) = (0, None);
    loop {
        let offset = bytes.offset;
        let frame = match bytes.frame() {
            Ok(Some(frame)) if frame.header.kind == Kind::Proof => frame,
            other => return Ok((proofs, (offset, other))),
        };
        let partition = frame.header.partition;
        let place = Place { partition: Some(partition), ..Place::of(Part::Proof) }.at(Some(offset));
        let mut scratch = Vec::new();
        let text = CheckedFrame::new(&frame.bytes).and_then(|checked| checked.body(&mut scratch).map(<[u8]>::to_vec));
        let text = text.map_err(|defect| place.fault(defect))?;
        match context.starts.get(usize::from(partition)) {
            Some(_) if last.is_some_and(|last| partition <= last) => {
                return Err(place.fault(Defect::Layout("proof frames come in order of partition, one for each")));
            }
            Some(_) => {}
            None => return Err(place.fault(Defect::Layout("the genesis does not name this partition"))),
        }
        let start = tail_start(&text, context, partition).map_err(|mut fault| {
            fault.place.offset = place.offset;
            fault
        })?;
        context.starts[usize::from(partition)] = Some(start);
        (proofs, last) = (proofs + 1, Some(partition));
    }
}

/// Iterator over the blocks of an archive; ends after the first fault.
///
/// When it ends without one, the end frame was there, counts what was read, and nothing follows it. The blocks' own bytes
/// are judged by `digest_block` only, so faults of blocks given before come before one that the iterator gives.
#[derive(Debug)]
pub struct ArchiveBlocks<R> {
    bytes: Bytes<R>,
    begins: Vec<Position>,
    positions: Vec<Position>,
    /// Frames read so far.
    frames: u64,
    /// The first frame behind genesis and proofs.
    pending: Option<NextFrame>,
    done: bool,
}

impl<R: Read> Iterator for ArchiveBlocks<R> {
    type Item = Result<BlockInput, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_block().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<R: Read> ArchiveBlocks<R> {
    fn next_block(&mut self) -> Result<Option<BlockInput>, Fault> {
        let mut gathering: Option<Gathering> = None;
        loop {
            let (offset, frame) = self.pending.take().unwrap_or_else(|| (self.bytes.offset, self.bytes.frame()));
            let between = Place::of(Part::Log).at(Some(offset));
            let frame = match frame {
                Ok(Some(frame)) => frame,
                Ok(None) => return Err(blame(gathering.as_ref(), between, Defect::Truncated)),
                Err(Stop::Io(error)) => return Err(Fault::from_io(between, error)),
                Err(Stop::Frame(defect, claim)) => {
                    let place = claim.map_or(between, |claim| self.place(claim, offset));
                    return Err(blame(gathering.as_ref(), place, defect));
                }
            };
            let place = Claim::of(&frame.bytes).map_or(between, |claim| self.place(claim, offset));
            let fault = |defect, gathering: Option<&Gathering>| {
                let defect = CheckedFrame::new(&frame.bytes).err().unwrap_or(defect);
                Err(blame(gathering, place, defect))
            };
            if frame.header.kind == Kind::End && gathering.is_none() {
                return self.check_end(&frame.bytes, place).map(|()| None);
            }
            let Some(key) = frame.key() else {
                return fault(
                    Defect::Layout("genesis, proof or end frame in the middle of an archive"),
                    gathering.as_ref(),
                );
            };
            let partition = key.partition;
            let Some(position) = self.positions.get_mut(usize::from(partition)) else {
                return fault(Defect::Layout("the genesis does not name this partition"), gathering.as_ref());
            };
            if gathering.as_ref().is_some_and(|begun| begun.partition != partition) {
                return fault(Defect::Layout("partitions interleave by whole blocks only"), gathering.as_ref());
            }
            self.frames += 1;
            let begun = gathering.take().unwrap_or_else(|| Gathering::new(partition, *position, Some(offset)));
            match begun.add(Frame { key, bytes: frame.bytes }, position)? {
                Ok(block) => return Ok(Some(block)),
                Err(more) => gathering = Some(more),
            }
        }
    }

    /// The place of a frame that begins at `offset`, as far as its header can be believed.
    fn place(&self, claim: Claim, offset: u64) -> Place {
        let place = match (claim.kind, self.positions.get(usize::from(claim.partition))) {
            (Kind::End, _) => Place::of(Part::End),
            (Kind::Chunk | Kind::Block, Some(position)) => Place::block(Part::Block, claim.partition, position.blocks),
            _ => Place::of(Part::Log),
        };
        place.at(Some(offset))
    }

    /// Holds the end frame against what was read, and checks that nothing follows.
    fn check_end(&mut self, frame: &[u8], place: Place) -> Result<(), Fault> {
        let mut scratch = Vec::new();
        let body = CheckedFrame::new(frame).and_then(|checked| checked.body(&mut scratch).map(<[u8]>::to_vec));
        let checked = body.and_then(|body| check_counts(&body, &self.begins, &self.positions, self.frames));
        checked.map_err(|defect| place.fault(defect))?;
        let after = Place::of(Part::End).at(Some(self.bytes.offset));
        match self.bytes.take(1) {
            Ok(rest) if rest.is_empty() => Ok(()),
            Ok(_) => Err(after.fault(Defect::Layout("nothing follows the end frame of an archive"))),
            Err(error) => Err(Fault::from_io(after, error)),
        }
    }
}

/// The fault for a frame that cannot be taken: inside a block it is the block's.
fn blame(gathering: Option<&Gathering>, place: Place, defect: Defect) -> Fault {
    match gathering {
        Some(gathering) => {
            let mut fault = gathering.blame(defect.clone());
            if fault.defect == defect {
                fault.place.offset = place.offset;
            }
            fault
        }
        None => place.fault(defect),
    }
}

fn check_counts(body: &[u8], begins: &[Position], positions: &[Position], frames: u64) -> Result<(), Defect> {
    let (entries, last) = body.as_chunks::<24>();
    let last: &[u8; 8] =
        last.try_into().map_err(|_| Defect::Layout("an end frame has 24 bytes for each partition and 8"))?;
    if entries.len() != positions.len() {
        return Err(Defect::EndCount("partitions"));
    }
    for (partition, ((entry, position), begin)) in (0..).zip(entries.iter().zip(positions).zip(begins)) {
        if u16_at(entry, 0) != partition || entry[2..8] != [0; 6] {
            return Err(Defect::Layout("an end frame names the partitions in order"));
        }
        if begin.blocks > 0 && position.blocks == begin.blocks {
            return Err(Defect::Layout("a tail has blocks of each partition that it has a proof for"));
        }
        if u64_at(entry, 8) != position.blocks - begin.blocks {
            return Err(Defect::EndCount("blocks"));
        }
        if u64_at(entry, 16) != position.size {
            return Err(Defect::EndCount("events"));
        }
    }
    if u64::from_le_bytes(*last) == frames { Ok(()) } else { Err(Defect::EndCount("frames")) }
}

/// A reader that knows where it is.
#[derive(Debug)]
struct Bytes<R> {
    reader: R,
    offset: u64,
}

/// A frame as read; only its lengths were held against the limits.
#[derive(Debug)]
struct RawFrame {
    header: Header,
    bytes: Vec<u8>,
}

impl RawFrame {
    /// Its key, if it belongs to a block.
    fn key(&self) -> Option<FrameKey> {
        let kind = match self.header.kind {
            Kind::Chunk => FrameType::Chunk,
            Kind::Block => FrameType::Block,
            _ => return None,
        };
        Some(FrameKey { partition: self.header.partition, seq: self.header.seq, kind })
    }
}

/// Why a frame could not be read.
#[derive(Debug)]
enum Stop {
    Io(std::io::Error),
    /// It is no frame; what its first bytes claim.
    Frame(Defect, Option<Claim>),
}

impl Stop {
    fn fault(self, place: Place) -> Fault {
        match self {
            Stop::Io(error) => Fault::from_io(place, error),
            Stop::Frame(defect, _) => place.fault(defect),
        }
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Stop::Io(error)
    }
}

impl<R: Read> Bytes<R> {
    /// Up to `count` bytes; fewer at the end of the input. Memory grows with what is read, not with what is asked for.
    fn take(&mut self, count: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.append(&mut bytes, count)?;
        Ok(bytes)
    }

    fn append(&mut self, bytes: &mut Vec<u8>, count: usize) -> std::io::Result<usize> {
        // One allocation for frames of usual size.
        bytes.reserve_exact(count.min(64 << 10));
        let read = (&mut self.reader).take(count as u64).read_to_end(bytes)?;
        self.offset += read as u64;
        Ok(read)
    }

    /// The next frame; `None` at the end of the input.
    fn frame(&mut self) -> Result<Option<RawFrame>, Stop> {
        let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES);
        self.append(&mut bytes, FRAME_HEADER_BYTES)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let claim = Claim::of(&bytes);
        let head = bytes.first_chunk().ok_or(Stop::Frame(Defect::Truncated, claim))?;
        let header = Header::parse(head).map_err(|defect| Stop::Frame(defect, claim))?;
        if self.append(&mut bytes, header.stored_bytes)? < header.stored_bytes {
            return Err(Stop::Frame(Defect::Truncated, claim));
        }
        Ok(Some(RawFrame { header, bytes }))
    }
}
