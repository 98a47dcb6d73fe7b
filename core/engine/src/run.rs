//! The partition's thread: takes requests, closes blocks, never waits for the store while there is work to do.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actum_log::Clocks;
use actum_model::Time;
use crossbeam_channel::{Receiver, Sender, select};

use crate::activity::{Activity, Ongoing};
use crate::clock::Clock;
use crate::error::{CommandError, WriteError};
use crate::machine::Blocks;
use crate::partition::{NoRoom, Partition};
use crate::publish::Publication;
use crate::request::{Answer, Ask, Release, Request};
use crate::timers;

/// Timers that fire before whoever asks is heard again.
const TIMERS_AT_ONCE_MAX: usize = 64;
/// A wall clock that was set forward is noticed this much later at the latest.
const TIMER_LOOK_MAX: Duration = Duration::from_secs(1);
/// Handlers' results that are taken before a caller's request is looked at again.
const RESULTS_IN_A_ROW_MAX: u32 = 32;
/// How long a thread without timers sleeps.
const LONG: Duration = Duration::from_hours(24);

/// Ways in and out of the partition's thread.
pub(crate) struct Wires {
    /// From callers; bounded.
    pub(crate) requests: Receiver<Request>,
    /// From handlers; bounded by the number of invocations that are going on.
    pub(crate) results: Receiver<Request>,
    /// Blocks that became durable, or the end of writing.
    pub(crate) durable: Receiver<Result<u64, WriteError>>,
    /// To the sealing and storing threads.
    pub(crate) blocks: Blocks,
    /// To who publishes.
    pub(crate) publications: Sender<Publication>,
    /// The clock jumped. Goes on until the timers that are due then have fired.
    pub(crate) moved: Receiver<Ongoing>,
}

pub(crate) struct Runner {
    pub(crate) partition: Partition,
    pub(crate) wires: Wires,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) activity: Activity,
    /// The clock jumped, and not all that is due since has fired.
    pub(crate) moving: Option<Ongoing>,
    pub(crate) opened: Instant,
    /// The same by the engine's clock.
    pub(crate) opened_at: Time,
    pub(crate) in_flight_max: u64,
    pub(crate) results_in_a_row: u32,
    /// Blocks closed, and blocks durable.
    pub(crate) closed: u64,
    pub(crate) durable: u64,
    pub(crate) stopped: Option<WriteError>,
}

/// What the thread woke up for.
enum Wake {
    Request(Request),
    Durable(Result<u64, WriteError>),
    /// The clock jumped; or it never will, or will not tell.
    Moved(Option<Ongoing>),
    /// Timers are due.
    Due,
    /// Nothing waits.
    Idle,
    /// Nobody is left to ask, or to be answered.
    Gone,
}

impl Runner {
    /// Runs until closed or until nobody can ask any more; then what was staged is stored.
    pub(crate) fn run(mut self) {
        loop {
            let wake = self.wake();
            if self.heed(wake).is_break() {
                break;
            }
        }
        self.flush();
        // Results that come from now on are lost.
        self.partition.schedule.cancel_all();
    }

    fn heed(&mut self, wake: Wake) -> ControlFlow<()> {
        match wake {
            Wake::Request(Request { ask: Ask::Close, .. }) | Wake::Gone => return ControlFlow::Break(()),
            Wake::Request(request) => self.take(request),
            Wake::Durable(outcome) => self.settle(outcome),
            Wake::Moved(Some(ongoing)) => self.moving = Some(ongoing),
            Wake::Moved(None) => self.wires.moved = crossbeam_channel::never(),
            Wake::Due => {}
            Wake::Idle => self.flush(),
        }
        if self.partition.stage.is_full() {
            self.flush();
        }
        self.fire_timers();
        if let Some(error) = self.partition.damaged.take() {
            // What was decided before is sound.
            self.flush();
            self.settle(Err(error));
        }
        let Partition { share, state, .. } = &mut self.partition;
        if let Some(share) = share {
            share.note(state);
        }
        ControlFlow::Continue(())
    }

    /// Does the next thing that waits, if anything does, in an order that depends on nothing else. `None`: nothing waits.
    pub(crate) fn step(&mut self) -> Option<ControlFlow<()>> {
        let Wires { requests, results, durable, moved, .. } = &self.wires;
        let wake = if let Ok(outcome) = durable.try_recv() {
            Wake::Durable(outcome)
        } else if let Ok(ongoing) = moved.try_recv() {
            Wake::Moved(Some(ongoing))
        } else if let Ok(request) = results.try_recv() {
            Wake::Request(request)
        } else if let Ok(request) = requests.try_recv() {
            Wake::Request(request)
        } else if self.until_timer().is_zero() {
            Wake::Due
        } else {
            return None;
        };
        Some(self.heed(wake))
    }

    /// Something is staged, or waits to be released with the next block.
    pub(crate) fn has_staged(&self) -> bool {
        !self.partition.release.is_empty() || self.partition.stage.open_events() > 0
    }

    fn wake(&mut self) -> Wake {
        if let Some(result) = self.result_first() {
            return Wake::Request(result);
        }
        let timer = self.until_timer();
        let Wires { requests, results, durable, moved, .. } = &self.wires;
        let staged = self.has_staged();
        let in_flight = self.closed - self.durable;
        let of = |request: Result<Request, _>| request.map_or(Wake::Gone, Wake::Request);
        // Without the publishing thread nobody is ever answered again.
        let stored = |outcome: Result<_, _>| outcome.map_or(Wake::Gone, Wake::Durable);
        let jumped = |ongoing: Result<Ongoing, _>| Wake::Moved(ongoing.ok());
        if staged && in_flight < self.in_flight_max {
            // There is room downstream: take what waits, then close the block at once.
            return select! {
                recv(results) -> request => of(request),
                recv(requests) -> request => of(request),
                recv(durable) -> outcome => stored(outcome),
                recv(moved) -> ongoing => jumped(ongoing),
                default => if timer.is_zero() { Wake::Due } else { Wake::Idle },
            };
        }
        if self.partition.stage.is_full() {
            return stored(durable.recv());
        }
        select! {
            recv(durable) -> outcome => stored(outcome),
            recv(results) -> request => of(request),
            recv(requests) -> request => of(request),
            recv(moved) -> ongoing => jumped(ongoing),
            default(timer) => Wake::Due,
        }
    }

    /// What is begun is brought on before more is begun: otherwise, under more load than there is room for, open cases would pile
    /// up and nothing would end. Callers are heard now and then even so.
    fn result_first(&mut self) -> Option<Request> {
        if self.results_in_a_row >= RESULTS_IN_A_ROW_MAX || self.partition.stage.is_full() {
            self.results_in_a_row = 0;
            return None;
        }
        let result = self.wires.results.try_recv().ok();
        self.results_in_a_row = if result.is_some() { self.results_in_a_row + 1 } else { 0 };
        result
    }

    /// How long to wait for the next timer at most.
    fn until_timer(&mut self) -> Duration {
        if self.stopped.is_some() {
            return LONG;
        }
        let Some(at) = self.partition.next_due(self.clock.now()) else { return LONG };
        match at.0.checked_sub(self.clock.now().0) {
            None | Some(0) => Duration::ZERO,
            // Simulated time does not pass by itself.
            Some(_) if self.clock.is_simulated() => LONG,
            Some(nanos) => Duration::from_nanos(nanos).min(TIMER_LOOK_MAX),
        }
    }

    /// Tells items that their time has come: some of them, so that who asks is heard in between.
    fn fire_timers(&mut self) {
        for _ in 0..TIMERS_AT_ONCE_MAX {
            if !self.until_timer().is_zero() {
                // What they caused goes on by itself.
                self.moving = None;
                return;
            }
            let now = self.clock.now();
            let ongoing = self.moving.as_ref().map_or_else(|| self.activity.begin(), Ongoing::beget);
            if let Err(timers::NoRoom(ongoing)) = self.partition.fire_due(now, ongoing) {
                self.flush();
                if self.stopped.is_none() && self.partition.fire_due(now, ongoing).is_err() {
                    tracing::error!("a timer found no room in an empty block");
                }
            }
        }
    }

    fn take(&mut self, request: Request) {
        if let Some(error) = &self.stopped {
            return refuse(request, error);
        }
        let now = self.clock.now();
        let Err(NoRoom(request)) = self.partition.handle(request, now) else { return };
        self.flush();
        if let Some(error) = &self.stopped {
            return refuse(*request, error);
        }
        // An empty block has room for any command that the partition does not reject.
        if self.partition.handle(*request, now).is_err() {
            tracing::error!("a command found no room in an empty block");
        }
    }

    /// Closes the open block and sends it on; waits when too many are on their way.
    pub(crate) fn flush(&mut self) {
        while self.closed - self.durable >= self.in_flight_max && self.stopped.is_none() {
            let outcome = self.wires.durable.recv();
            self.settle(outcome.unwrap_or_else(|_| Err(WriteError("the publishing thread ended".into()))));
        }
        let now = self.clock.now();
        // Simulated time is all the time there is.
        let since_opening = if self.clock.is_simulated() {
            now.0.saturating_sub(self.opened_at.0)
        } else {
            u64::try_from(self.opened.elapsed().as_nanos()).unwrap_or(u64::MAX)
        };
        let clocks = Clocks { wall_ns: now.0 as i64, monotonic_ns: since_opening };
        if let Some(block) = self.partition.stage.close(clocks) {
            match (self.wires.blocks)(block) {
                Ok(()) => self.closed += 1,
                Err(error) => self.settle(Err(error)),
            }
        }
        let release = std::mem::take(&mut self.partition.release);
        if !release.is_empty() {
            self.publish(release);
        }
    }

    fn publish(&self, release: Release) {
        // Answers without events of their own may rest on events that are still on their way: they wait for those too.
        let publication =
            Publication { after: self.closed, closed: Instant::now(), release, stopped: self.stopped.clone() };
        if self.wires.publications.send(publication).is_err() {
            tracing::error!("the publishing thread ended");
        }
    }

    fn settle(&mut self, outcome: Result<u64, WriteError>) {
        match outcome {
            Ok(blocks) => self.durable = self.durable.max(blocks),
            Err(error) => {
                if self.stopped.is_none() {
                    tracing::error!("{error}");
                    self.stopped = Some(error);
                    // Tells who waits for something else than an answer.
                    self.publish(Release::default());
                }
                // Nothing in flight comes back any more.
                self.durable = self.closed;
            }
        }
    }
}

fn refuse(request: Request, error: &WriteError) {
    Answer { reply: request.reply, outcome: Err(CommandError::Stopped(error.clone())) }.send();
}
