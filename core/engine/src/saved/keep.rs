//! When state is saved: every so many events, on a graceful close, and when somebody asks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use actum_log::Hash;
use actum_model::{Rejection, SavedEvent, SystemEvent};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, oneshot};

use super::make::{Made, Source, make};
use super::shelf::Shelf;
use crate::engine::{Engine, Inner};
use crate::error::CommandError;
use crate::request::{Ask, Request};
use crate::state::SAVED_KEPT;

/// A graceful close saves when so many events are new: below, folding them again takes no longer than a few milliseconds.
const NEW_AT_CLOSE_MIN: u64 = 10_000;

/// What is known of the files of saved state.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// `None`: the log is in no directory.
    pub(crate) shelf: Option<Shelf>,
    /// Files that the log names, oldest first.
    pub(crate) named: Vec<(u64, Hash)>,
}

/// When an engine saves, and what it knows of what was saved.
#[derive(Debug)]
pub(crate) struct Saving {
    /// Held while state is saved.
    keeper: Mutex<Keeper>,
    /// New events after which state is saved; `None`: only when somebody asks.
    every: Option<u64>,
    /// The engine has threads: it saves by itself.
    by_itself: AtomicBool,
    /// A saving that goes on shall end.
    stops: Arc<AtomicBool>,
}

impl Saving {
    pub(crate) fn new(keeper: Keeper, every: Option<u64>) -> Self {
        Saving { keeper: Mutex::new(keeper), every, by_itself: AtomicBool::new(false), stops: Arc::default() }
    }
}

/// Saved state that was made and named in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateSaved {
    /// Events that it is over.
    pub size: u64,
    /// Its hash, as the log names it.
    pub hash: [u8; 32],
    /// Length of the file.
    pub bytes: u64,
}

impl Engine {
    /// Saves the state after what is durable now, so that the next opening need not fold the log before it. Folds what is new since
    /// the last time on a thread of its own; commands go on meanwhile. `None` when nothing is new.
    ///
    /// # Errors
    /// `Rejected` with code `log/saved-state` when the log is in no directory, or the file cannot be written. What was saved before
    /// stays good.
    pub async fn save_state(&self) -> Result<Option<StateSaved>, CommandError> {
        self.only("saving state")?;
        save(&self.inner, 1).await
    }
}

/// Saves if at least `new` events are new.
async fn save(inner: &Arc<Inner>, new: u64) -> Result<Option<StateSaved>, CommandError> {
    let mut keeper = inner.saving.keeper.lock().await;
    let size = *inner.shards.owner().durable.borrow();
    let last = keeper.named.last().copied();
    if size < last.map_or(0, |(size, _)| size).saturating_add(new.max(1)) {
        return Ok(None);
    }
    let refused = |why: String| Rejection::new("log/saved-state", why);
    let shelf = keeper.shelf.clone().ok_or_else(|| refused("the log is in no directory".to_owned()))?;
    let task = {
        let (frames, genesis, views) = (inner.source.clone(), inner.genesis.clone(), inner.views.clone());
        let (shelf, stops) = (shelf.clone(), inner.saving.stops.clone());
        move || {
            let factories = views.projections().factories();
            let source = Source { frames: &*frames, genesis: &genesis, factories };
            make(&source, &shelf, last, size, &|| stops.load(Ordering::Relaxed))
        }
    };
    let made = tokio::task::spawn_blocking(task).await.map_err(|_| CommandError::Closed)?;
    let Some(Made { size, hash, bytes, streams, root }) = made.map_err(refused)? else { return Ok(None) };
    let event = SystemEvent::Saved(SavedEvent::Saved { size, hash, bytes, streams, root });
    name(inner, event).await?;
    keeper.named.push((size, hash));
    let forgotten = keeper.named.len().saturating_sub(SAVED_KEPT);
    keeper.named.drain(..forgotten);
    let keep: Vec<u64> = keeper.named.iter().map(|(size, _)| *size).collect();
    // What is left lying costs nothing but room.
    if let Err(error) = shelf.prune(&keep) {
        tracing::warn!("old saved state cannot be removed: {error}");
    }
    Ok(Some(StateSaved { size, hash, bytes }))
}

/// Names a file in the log; returns when that is durable. Waits for room in a full queue, and is let through while the engine stops:
/// otherwise the file was made for nothing.
async fn name(inner: &Arc<Inner>, event: SystemEvent) -> Result<(), CommandError> {
    let (reply, answer) = oneshot::channel();
    let request = Request { ask: Ask::Saved { event }, reply: Some(reply), ongoing: inner.activity.begin() };
    let requests = inner.shards.owner().requests.clone();
    let sent = tokio::task::spawn_blocking(move || requests.send(request).is_ok()).await;
    if !sent.unwrap_or(false) {
        return Err(CommandError::Closed);
    }
    answer.await.unwrap_or(Err(CommandError::Closed)).map(drop)
}

/// Saves whenever enough events are new, for as long as the engine is there.
pub(crate) fn keep(engine: &Engine, runtime: &Handle) {
    let Some(every) = engine.inner.saving.every else { return };
    engine.inner.saving.by_itself.store(true, Ordering::Relaxed);
    let inner: Weak<Inner> = Arc::downgrade(&engine.inner);
    let mut durable = engine.inner.shards.owner().durable.clone();
    runtime.spawn(async move {
        let mut next = 0;
        while durable.changed().await.is_ok() {
            let size = *durable.borrow_and_update();
            if size < next {
                continue;
            }
            let Some(inner) = inner.upgrade() else { return };
            if inner.saving.stops.load(Ordering::Relaxed) {
                return;
            }
            match save(&inner, every).await {
                Ok(Some(saved)) => next = saved.size.saturating_add(every),
                // Somebody saved in between, or it is not time yet.
                Ok(None) => {
                    let last = inner.saving.keeper.lock().await.named.last().map_or(0, |(size, _)| *size);
                    next = last.saturating_add(every);
                }
                Err(CommandError::Closed | CommandError::Stopped(_)) => return,
                Err(error) => {
                    tracing::warn!("state is not saved: {error}");
                    next = size.saturating_add(every);
                }
            }
        }
    });
}

/// Before a graceful close: no other saving goes on after this; one is made if enough is new.
pub(crate) async fn at_close(inner: &Arc<Inner>) {
    // One that goes on ends early; the one below then does more of the work.
    inner.saving.stops.store(true, Ordering::Relaxed);
    drop(inner.saving.keeper.lock().await);
    if !inner.saving.by_itself.load(Ordering::Relaxed) {
        return;
    }
    inner.saving.stops.store(false, Ordering::Relaxed);
    if let Err(error) = save(inner, NEW_AT_CLOSE_MIN).await {
        tracing::info!("state is not saved at close: {error}");
    }
    inner.saving.stops.store(true, Ordering::Relaxed);
}
