//! Opening a log: from the newest saved state that the log names and continues, or from its beginning.

use std::sync::Arc;

use actum_log::{
    FoldOptions, Folded, FrameSource, Genesis, ReadError, Resume, SavedFile, SealCheck, read_log_state, records,
};
use actum_model::{Event, SavedEvent, SystemEvent, payload};
use actum_projections::Projection;

use super::fold::{Folding, Threads, fold_log};
use super::make::restored;
use super::sections::{Cases, Unusable, state_of};
use super::shelf::Shelf;
use crate::error::chain;
use crate::partition::stream;
use crate::passive::Past;
use crate::shards::Seat;
use crate::state::State;
use crate::views::Views;

/// Files that are tried before the whole log is folded: those that are kept, and one that a crash left.
const TRIED_MAX: usize = 4;

/// Which saved state spared reading the log from its beginning, and what was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Recovered {
    /// Events that were not read again: saved state stands for them, which the log names. Whether what lies there is still as it
    /// was, only `verify` says. 0: the whole log was read.
    pub spared: u64,
    /// Hash of the saved state; zero if there was none to use.
    pub hash: [u8; 32],
    /// Events that were read, re-hashed and folded.
    pub reread: u64,
    /// Saved state that was not believed, newest first: the size that it is over, and why.
    pub passed_over: Vec<(u64, String)>,
    /// Projections of another version than was saved, which were made anew from the whole log.
    pub rebuilt: Vec<&'static str>,
}

/// The log as it stands.
pub(crate) struct Stands {
    pub(crate) state: State,
    pub(crate) folded: Folded,
    pub(crate) resume: Resume,
    pub(crate) recovered: Recovered,
}

/// How to open.
pub(crate) struct How<'a> {
    /// Where saved state is; `None` folds the whole log.
    pub(crate) shelf: Option<&'a Shelf>,
    /// Which partition is read, of how many.
    pub(crate) seat: Seat,
    /// Whether writing shall know all streams that ever were; only a fold of the whole log tells.
    pub(crate) stream_table: bool,
    /// More cases rest already while the log is folded.
    pub(crate) cases_resident_max: usize,
}

/// Nothing yet; of what comes, not everything is kept in memory.
fn resting(how: &How<'_>) -> State {
    let mut state = State { seat: how.seat, ..State::default() };
    state.cases.keep_resident(how.cases_resident_max);
    state
}

/// Folds the log into the deciding state and the views' projections.
pub(crate) fn recover(source: &Arc<dyn FrameSource>, views: &Views, how: &How<'_>) -> Result<Stands, ReadError> {
    let mut passed_over = Vec::new();
    for size in how.shelf.map(Shelf::sizes).transpose()?.unwrap_or_default().into_iter().take(TRIED_MAX) {
        let Some(shelf) = how.shelf else { break };
        let tried = shelf.open(size).map_err(Unusable::from).and_then(|file| from_saved(source, views, &file, how));
        match tried {
            Ok(stands) => return Ok(Stands { recovered: Recovered { passed_over, ..stands.recovered }, ..stands }),
            Err(why) => {
                tracing::warn!("saved state over {size} events is not used: {}", chain(&why));
                passed_over.push((size, chain(&why)));
            }
        }
    }
    let genesis = genesis(&**source)?;
    let options = FoldOptions { stream_roots: true, stream_table: how.stream_table, seals: SealCheck::Every };
    let running = views.projections().running();
    let past = Past::new(source.clone(), how.seat.partition);
    let folding = Folding::new(resting(how), None, &running).resting(past);
    let from = Resume::at_genesis(&genesis, how.seat.partition);
    let folded = fold_log(&**source, from, (options, None), folding, Threads::Two, &|| false)?;
    let (mut folded, folding) = folded.ok_or_else(ended_early)?;
    let resume = folded.resume.take().ok_or_else(ended_early)?;
    let recovered = Recovered { reread: folded.events, passed_over, ..Recovered::default() };
    Ok(Stands { state: folding.state, folded, resume, recovered })
}

/// Takes the state that a file has, and folds the log's tail on it.
fn from_saved(
    frames: &Arc<dyn FrameSource>,
    views: &Views,
    file: &SavedFile,
    how: &How<'_>,
) -> Result<Stands, Unusable> {
    let source = &**frames;
    if !is_named(source, file).map_err(|error| Unusable::log(&error))? {
        return Err(not_named());
    }
    let genesis = genesis(source).map_err(|error| Unusable::log(&error))?;
    let log = read_log_state(file, &genesis)?;
    let state = state_of(file, Cases::All { resident_max: how.cases_resident_max })?;
    let mut rebuilt = Vec::new();
    let mut fresh: Vec<Arc<dyn Projection>> = Vec::new();
    let mut projections: Vec<Arc<dyn Projection>> = Vec::new();
    for factory in views.projections().factories() {
        projections.push(restored(factory, file).unwrap_or_else(|why| {
            tracing::info!("projection {} is made anew: {}", factory.name(), chain(&why));
            rebuilt.push(factory.name());
            fresh.push(factory.make());
            // Made before the tail is folded, so that it is fed that as the others are.
            fresh[fresh.len() - 1].clone()
        }));
    }
    let (size, before) = (file.contents().size, log.previous_block_hash);
    // A log that is shorter than the saved state says, or another, is not read further.
    let options = FoldOptions { stream_roots: true, ..FoldOptions::default() };
    if !fresh.is_empty() {
        let prefix = Folding::new(resting(how), None, &fresh).resting(Past::new(frames.clone(), how.seat.partition));
        let from = Resume::at_genesis(&genesis, 0);
        let cheap = FoldOptions { seals: SealCheck::Newest, ..FoldOptions::default() };
        let folded = fold_log(source, from, (cheap, Some(size)), prefix, Threads::Two, &|| false);
        let resume = folded.map_err(|error| Unusable::log(&error))?.and_then(|(folded, _)| folded.resume);
        if resume.is_none_or(|resume| resume.previous_block_hash != before) {
            return Err(Unusable::Log("the log before it is another".to_owned()));
        }
    }
    let folding = Folding::new(state, None, &projections).resting(Past::new(frames.clone(), how.seat.partition));
    let folded = fold_log(source, log, (options, None), folding, Threads::Two, &|| false);
    let (mut folded, folding) =
        folded.map_err(|error| Unusable::log(&error))?.ok_or_else(|| Unusable::log(&ended_early()))?;
    // A file cannot hold its own hash, so this comes from the tail: signed, and re-hashed just now.
    if !folding.state.saved.contains(&(size, file.hash())) {
        return Err(not_named());
    }
    let state = folding.state;
    let resume = folded.resume.take().ok_or_else(|| Unusable::log(&ended_early()))?;
    for projection in projections {
        views.projections().replace(projection);
    }
    let reread = if rebuilt.is_empty() { folded.events - size } else { folded.events };
    let recovered =
        Recovered { spared: folded.events - reread, hash: file.hash(), reread, rebuilt, ..Recovered::default() };
    Ok(Stands { state, folded, resume, recovered })
}

/// Whether the log seems to name a file: a look without hashing, so that a file which a crash left unnamed costs little. The fold that
/// follows re-hashes what it finds.
fn is_named(source: &dyn FrameSource, file: &SavedFile) -> Result<bool, ReadError> {
    for record in records(source, 0, file.contents().size)? {
        let record = record?;
        let header = record.header();
        if header.stream == stream::ENGINE
            && let Ok(Event::System(SystemEvent::Saved(SavedEvent::Saved { size, hash, .. }))) =
                payload::decode(header.kind, header.schema, record.view().payload())
            && (size, hash) == (file.contents().size, file.hash())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn not_named() -> Unusable {
    Unusable::Log("the log does not name it".to_owned())
}

fn genesis(source: &dyn FrameSource) -> Result<Genesis, ReadError> {
    Genesis::parse(&source.genesis()?).map_err(|error| ReadError::Corrupt(chain(&error)))
}

fn ended_early() -> ReadError {
    ReadError::Corrupt("the log ended early".to_owned())
}
