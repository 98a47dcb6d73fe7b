//! The engine of a world: opened on what the store has, after crashes too.

use std::sync::Arc;

use actum::projections::{Loads, PendingTimers};
use actum::{BatchOptions, Engine, Limits, Stepper};
use actum_log::{Fault, FaultyStore, MemoryStore, Signer};
use actum_tests::Random;

use crate::clock::SimClock;
use crate::nets::COMMON_UNITS;
use crate::work::Hands;

/// Requests under way at most: callers who wait.
pub(crate) const REQUESTS_MAX: usize = 24;
/// Handlers that run at the same time.
pub(crate) const HANDLERS_MAX: usize = 32;
/// Items of a batch at most.
pub(crate) const BATCH_ITEMS: usize = 2;
/// Commits after which one fails, at most.
const COMMITS_MAX: usize = 600;

/// What stays when an engine goes.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) store: MemoryStore,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) clock: SimClock,
    pub(crate) hands: Hands,
}

/// An engine on what the store has, whose next commits may fail.
pub(crate) fn open(ground: &Ground, random: &mut Random, fails: bool) -> (Engine, Stepper) {
    let Ground { store, signer, clock, hands } = ground;
    let fault = *random.pick(&[Fault::BeforeStoring, Fault::AfterStoring, Fault::HalfStored]);
    let fails_at = if fails && random.chance(50) { random.below(COMMITS_MAX) as u64 } else { u64::MAX };
    let mut limits = Limits::default();
    limits.requests_max = REQUESTS_MAX;
    limits.handlers_max = HANDLERS_MAX;
    limits.cases_resident_max = *random.pick(&[1, 3, 100_000]);
    let hands = hands.reopened();
    Engine::on_store(FaultyStore::new(store.clone(), fails_at, fault), signer.clone())
        .limits(limits)
        .clock(clock.clone())
        .seed(random.bits())
        .handler("sim", hands.clone())
        .handler("flaky", hands.clone())
        .batch_handler("batch", hands, BatchOptions { max_items: BATCH_ITEMS, max_ms: 200 })
        .pool("common", COMMON_UNITS)
        .projection(Loads::default)
        .projection(PendingTimers::default)
        .open_stepped()
        .expect("the log opens")
}
