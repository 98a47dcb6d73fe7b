//! Makes a file of saved state by folding the durable log anew, from the file before it on. The engine's own state is not touched:
//! nobody waits for this, and a state that went wrong in memory cannot get into a file.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use actum_kernel::saved::{CASES, PROJECTION_PREFIX};
use actum_log::{
    FoldOptions, FrameSource, Genesis, Hash, LOG_SECTIONS, ReadError, Resume, SavedError, SavedFile, SavedWriter,
    SealCheck, read_log_state, write_log_state,
};
use actum_model::Seq;
use actum_projections::{Factory, Projection};

use super::fold::{Folding, Threads, fold_log};
use super::sections::{Cases, Sections, Unusable, sections, state_of};
use super::shelf::Shelf;
use crate::error::chain;
use crate::state::State;
use crate::views::Views;

/// Cases that are in memory as they are while the log is folded: those that many events in a row are about. Few in debug builds, so
/// that in every test of saved state some rest.
const RESIDENT_MAX: usize = if cfg!(debug_assertions) { 2 } else { 4_096 };

/// What there is to fold.
pub(crate) struct Source<'a> {
    pub(crate) frames: &'a dyn FrameSource,
    pub(crate) genesis: &'a Genesis,
    pub(crate) factories: &'a [Factory],
}

/// A file that was made. Nobody believes it before the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) size: u64,
    pub(crate) hash: Hash,
    pub(crate) bytes: u64,
    pub(crate) streams: u64,
    pub(crate) root: Hash,
}

/// Where a fold begins.
struct Start {
    log: Resume,
    state: State,
    projections: Vec<Arc<dyn Projection>>,
}

/// Saves the state after the first `size` events, where a block must end. Goes on from `older`, a file that the log names, if that
/// still fits. `None` when `stop` said so.
pub(crate) fn make(
    source: &Source<'_>,
    shelf: &Shelf,
    older: Option<(u64, Hash)>,
    size: u64,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Made>, String> {
    let older = older.filter(|(older, _)| *older < size).and_then(|(size, hash)| shelf.open_named(size, hash).ok());
    let begun = older.as_ref().and_then(|file| Some((file, begin(source, file).ok()?)));
    let (older, start) = match begun {
        Some((file, start)) => (Some(file), start),
        None => (None, afresh(source)),
    };
    let Start { log, state, projections } = start;
    let folded = fold_to(source, log, state, older, &projections, size, stop).map_err(|error| chain(&error))?;
    let Some((log, folding)) = folded else { return Ok(None) };
    let all = all_sections(&folding.state, &projections);
    let write = || -> Result<Made, SavedError> {
        let mut writer = SavedWriter::new(shelf.begin()?, source.genesis.hash(), 0, size)?;
        let (streams, root) = write_all(&mut writer, &log, &folding.state, all, older)?;
        let (hash, bytes, written) = writer.finish()?;
        shelf.finish(written, size)?;
        Ok(Made { size, hash, bytes, streams, root })
    };
    write().map(Some).map_err(|error| chain(&error))
}

/// The bytes of saved state after the first `size` events of the log in a directory, where a block must end: folded anew from the
/// beginning, with the projections that every engine has. What [`Engine::save_state`](crate::Engine::save_state) wrote of that size
/// is the same, byte for byte, if the engine had no others. Only reads, also beside an engine.
///
/// # Errors
/// The log cannot be read, or no block ends there.
pub fn saved_state_of(directory: &Path, size: u64) -> Result<Vec<u8>, ReadError> {
    let frames = actum_fjall::read(directory)?;
    let genesis = Genesis::parse(&frames.genesis()?).map_err(|error| ReadError::Corrupt(chain(&error)))?;
    let views = Views::new(Vec::new()).map_err(|error| ReadError::Unavailable(chain(&error)))?;
    let source = Source { frames: &frames, genesis: &genesis, factories: views.projections().factories() };
    let start = afresh(&source);
    let ended = || ReadError::Corrupt("the log ended early".to_owned());
    let (log, folding) =
        fold_to(&source, start.log, start.state, None, &start.projections, size, &|| false)?.ok_or_else(ended)?;
    let writer = SavedWriter::new(Vec::new(), genesis.hash(), 0, size);
    let written = writer.and_then(|mut writer| {
        write_all(&mut writer, &log, &folding.state, all_sections(&folding.state, &start.projections), None)?;
        writer.finish()
    });
    written.map(|(_, _, bytes)| bytes).map_err(|error| ReadError::Corrupt(chain(&error)))
}

/// The fold up to `size`: the log and the state there.
fn fold_to<'a>(
    source: &Source<'_>,
    log: Resume,
    mut state: State,
    older: Option<&'a SavedFile>,
    projections: &'a [Arc<dyn Projection>],
    size: u64,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<(Resume, Folding<'a>)>, ReadError> {
    let options = FoldOptions { seals: SealCheck::Newest, stream_roots: true, stream_table: true };
    // The others rest as bytes: so they are written.
    state.cases.keep_resident(RESIDENT_MAX);
    let folding = Folding::new(state, older, projections);
    let folded = fold_log(source.frames, log, (options, Some(size)), folding, Threads::One, stop)?;
    Ok(folded.and_then(|(folded, folding)| Some((folded.resume?, folding))))
}

fn all_sections(state: &State, projections: &[Arc<dyn Projection>]) -> Sections {
    let mut all = sections(state);
    for projection in projections {
        let name = format!("{PROJECTION_PREFIX}{}", projection.name());
        all.insert(name, (projection.version(), projection.snapshot()));
    }
    all
}

fn afresh(source: &Source<'_>) -> Start {
    let log = Resume::at_genesis(source.genesis, 0);
    Start { log, state: State::default(), projections: source.factories.iter().map(Factory::make).collect() }
}

/// Where a file says that all stood; an error also when a projection cannot go on from it.
fn begin(source: &Source<'_>, file: &SavedFile) -> Result<Start, Unusable> {
    let log = read_log_state(file, source.genesis)?;
    let state = state_of(file, Cases::OnDemand)?;
    let projections = source.factories.iter().map(|factory| restored(factory, file)).collect::<Result<_, _>>()?;
    Ok(Start { log, state, projections })
}

/// A projection as a file has it.
pub(crate) fn restored(factory: &Factory, file: &SavedFile) -> Result<Arc<dyn Projection>, Unusable> {
    let bytes = file.plain(&format!("{PROJECTION_PREFIX}{}", factory.name()), factory.version())?;
    let projection = factory.make();
    projection.restore(&bytes)?;
    if let Some(last) = file.contents().size.checked_sub(1) {
        projection.watermark().reach(Seq(last));
    }
    Ok(projection)
}

fn write_all<W: Write>(
    writer: &mut SavedWriter<W>,
    log: &Resume,
    state: &State,
    sections: Sections,
    older: Option<&SavedFile>,
) -> Result<(u64, Hash), SavedError> {
    // A file has its sections in the order of their names; those of the log and of the cases are made while they are written.
    let mut sections = sections.into_iter().peekable();
    let mut plain_up_to = |writer: &mut SavedWriter<W>, bound: Option<&str>| {
        while let Some((name, (version, bytes))) =
            sections.next_if(|(name, _)| bound.is_none_or(|bound| &**name < bound))
        {
            writer.plain(&name, version, &bytes)?;
        }
        Ok::<_, SavedError>(())
    };
    plain_up_to(writer, Some(CASES.0))?;
    write_cases(writer, log, state, older)?;
    plain_up_to(writer, Some(LOG_SECTIONS[0]))?;
    let table = write_log_state(writer, log, older)?;
    plain_up_to(writer, None)?;
    Ok(table)
}

/// Cases that an event was about are in `state`; the others go from file to file, unless they ended.
fn write_cases<W: Write>(
    writer: &mut SavedWriter<W>,
    log: &Resume,
    state: &State,
    older: Option<&SavedFile>,
) -> Result<(), SavedError> {
    let mut changed = state.cases.encoded().peekable();
    writer.table(CASES.0, CASES.1)?;
    if let Some(older) = older {
        let mut entries = older.entries(CASES.0, CASES.1)?;
        while let Some((id, entry)) = entries.next_entry()? {
            while let Some((case, bytes)) = changed.next_if(|(case, _)| case.0 < id) {
                writer.entry(case.0, &bytes)?;
            }
            if let Some((case, bytes)) = changed.next_if(|(case, _)| case.0 == id) {
                writer.entry(case.0, &bytes)?;
            } else if !log.ended.contains(id) {
                writer.entry(id, entry)?;
            }
        }
    }
    changed.try_for_each(|(case, bytes)| writer.entry(case.0, &bytes))
}
