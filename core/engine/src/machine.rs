//! What an engine runs on, before anything drives it: threads ([`crate::threads`]) or whoever steps it ([`crate::Stepper`]).

use std::sync::Arc;
use std::time::Instant;

use actum_log::{OpenBlock, Sealer, Signer};
use actum_projections::Watermark;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, unbounded};
use tokio::sync::watch;

use crate::activity::{Activity, Ongoing};
use crate::bus::Bus;
use crate::clock::{Clock, Moved};
use crate::dispatch::Dispatcher;
use crate::error::WriteError;
use crate::partition::Partition;
use crate::publish::{Publisher, Readers};
use crate::request::Request;
use crate::run::{Runner, Wires};
use crate::shards::Teller;
use crate::views::Views;

/// So many more blocks are durable, or writing has ended.
pub(crate) type Stored = Result<u64, WriteError>;

/// The parts of a partition that work.
pub(crate) struct Machine {
    pub(crate) partition: Partition,
    pub(crate) from_callers: Receiver<Request>,
    pub(crate) from_handlers: Receiver<Request>,
    /// Of what its [`Writer`] hands on.
    pub(crate) from_store: Receiver<Stored>,
    pub(crate) views: Arc<Views>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) taken_in: Arc<Watermark>,
    pub(crate) teller: Option<Teller>,
    pub(crate) activity: Activity,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) in_flight_max: u64,
}

/// What makes a partition's blocks ready to be stored, apart from what decides and what publishes.
pub(crate) struct Writer {
    pub(crate) sealer: Sealer,
    pub(crate) signer: Arc<dyn Signer>,
    /// Told the tree size that is durable.
    pub(crate) size: watch::Sender<u64>,
    /// To the publisher.
    pub(crate) stored: Sender<Stored>,
}

/// Takes the open blocks that a partition closes.
pub(crate) type Blocks = Box<dyn FnMut(OpenBlock) -> Result<(), WriteError> + Send>;

impl Machine {
    /// Connects who decides, who stores and who publishes.
    pub(crate) fn connect(self, blocks: Blocks) -> (Runner, Publisher) {
        let (publications, to_publish) = unbounded();
        let (durable, from_publisher) = unbounded();
        let (moves, moved) = bounded(1);
        self.clock.on_move(tell_of_moves(moves, self.activity.clone()));
        let Machine { partition, from_store, views, bus, dispatcher, taken_in, teller, .. } = self;
        let readers = Readers { partition: partition.state.seat.partition, views, taken_in, bus, teller };
        let publisher = Publisher::new(to_publish, from_store, durable, readers, dispatcher);
        let runner = Runner {
            partition,
            wires: Wires {
                requests: self.from_callers,
                results: self.from_handlers,
                durable: from_publisher,
                blocks,
                publications,
                moved,
            },
            opened_at: self.clock.now(),
            clock: self.clock,
            activity: self.activity,
            moving: None,
            opened: Instant::now(),
            in_flight_max: self.in_flight_max,
            results_in_a_row: 0,
            closed: 0,
            durable: 0,
            stopped: None,
        };
        (runner, publisher)
    }
}

/// Passes a clock's jumps on; one that waits to be seen stands for those after it.
fn tell_of_moves(moves: Sender<Ongoing>, activity: Activity) -> Moved {
    Box::new(move || !matches!(moves.try_send(activity.begin()), Err(TrySendError::Disconnected(_))))
}
