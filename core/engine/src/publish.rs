//! The publishing thread: lets go of what became durable, in order: projections, answers, handlers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use actum_projections::Watermark;
use crossbeam_channel::{Receiver, Sender, select};

use crate::bus::Bus;
use crate::dispatch::Dispatcher;
use crate::error::{CommandError, WriteError};
use crate::machine::Stored;
use crate::request::{Answer, Release, Update};
use crate::shards::Teller;
use crate::telemetry::Instruments;
use crate::views::Views;

/// What may leave once so many blocks are durable.
pub(crate) struct Publication {
    /// Blocks closed since the opening, up to which it must wait.
    pub(crate) after: u64,
    /// When its block was closed.
    pub(crate) closed: Instant,
    pub(crate) release: Release,
    /// Writing had stopped already.
    pub(crate) stopped: Option<WriteError>,
}

/// Who is told what became durable, beside those who asked.
pub(crate) struct Readers {
    /// Which partition's events they are.
    pub(crate) partition: u16,
    pub(crate) views: Arc<Views>,
    /// Up to where the views have taken in this partition's events.
    pub(crate) taken_in: Arc<Watermark>,
    pub(crate) bus: Arc<Bus>,
    /// Of the partition that decides for all, if there are others.
    pub(crate) teller: Option<Teller>,
}

impl Readers {
    fn take_in(&self, updates: &[Update]) {
        let Readers { partition, views, taken_in, bus, teller } = self;
        views.take_in(updates);
        if let Some(last) = updates.iter().rev().find_map(Update::seq) {
            taken_in.reach(last);
        }
        bus.publish(*partition, updates);
        // Before the answer: who was answered may rely on it.
        if let Some(teller) = teller {
            teller.tell_all(updates, views);
        }
    }

    fn end(&self) {
        self.views.end();
        self.taken_in.end();
    }
}

pub(crate) struct Publisher {
    publications: Receiver<Publication>,
    /// Blocks stored, in order, one message each with its number of blocks; or the end of writing.
    from_store: Receiver<Stored>,
    /// Tells the partition how many blocks are durable.
    to_partition: Sender<Stored>,
    readers: Readers,
    dispatcher: Dispatcher,
    instruments: Option<Arc<Instruments>>,
    /// In order; each waits for its blocks.
    waiting: VecDeque<Publication>,
    /// Blocks durable since the opening.
    durable: u64,
    stopped: Option<WriteError>,
    partition_gone: bool,
    store_gone: bool,
}

impl Publisher {
    pub(crate) fn new(
        publications: Receiver<Publication>,
        from_store: Receiver<Stored>,
        to_partition: Sender<Stored>,
        readers: Readers,
        dispatcher: Dispatcher,
    ) -> Self {
        let instruments = dispatcher.instruments.clone();
        Publisher {
            publications,
            from_store,
            to_partition,
            readers,
            dispatcher,
            instruments,
            waiting: VecDeque::new(),
            durable: 0,
            stopped: None,
            partition_gone: false,
            store_gone: false,
        }
    }

    /// Runs until partition and store are both gone.
    pub(crate) fn run(mut self) {
        while !(self.partition_gone && self.store_gone) {
            select! {
                recv(self.publications) -> publication => self.hear(publication.ok()),
                recv(self.from_store) -> outcome => self.hear_stored(outcome.ok()),
            }
            self.let_go_all();
        }
    }

    /// Takes in what waits, without waiting for more, and lets go of what may go. False if there was nothing.
    pub(crate) fn pump(&mut self) -> bool {
        let mut heard = false;
        while let Ok(publication) = self.publications.try_recv() {
            self.hear(Some(publication));
            heard = true;
        }
        while let Ok(outcome) = self.from_store.try_recv() {
            self.hear_stored(Some(outcome));
            heard = true;
        }
        self.let_go_all();
        heard
    }

    fn hear(&mut self, publication: Option<Publication>) {
        if let Some(publication) = publication {
            self.waiting.push_back(publication);
        } else {
            self.partition_gone = true;
            self.publications = crossbeam_channel::never();
        }
    }

    fn hear_stored(&mut self, outcome: Option<Stored>) {
        match outcome {
            Some(Ok(blocks)) => {
                self.durable += blocks;
                // The partition may have ended; then nobody waits for this.
                self.to_partition.send(Ok(self.durable)).ok();
            }
            Some(Err(error)) => {
                self.to_partition.send(Err(error.clone())).ok();
                self.stopped.get_or_insert(error);
            }
            None => {
                self.store_gone = true;
                self.from_store = crossbeam_channel::never();
                // The partition must not wait for blocks that nobody stores any more.
                self.to_partition.send(Err(cut_short())).ok();
            }
        }
    }

    fn let_go_all(&mut self) {
        let ended = self.stopped.is_some() || self.store_gone;
        while let Some(next) = self.waiting.pop_front_if(|next| next.after <= self.durable || ended) {
            // A publication that waits for more than became durable will never be.
            let failed = (next.after > self.durable).then(|| self.stopped.clone().unwrap_or_else(cut_short));
            match failed.or(next.stopped) {
                None => self.let_go(next.release, next.closed),
                Some(error) => {
                    fail(next.release, &error);
                    self.readers.end();
                }
            }
        }
    }

    fn let_go(&self, release: Release, closed: Instant) {
        if let Some(Instruments { metrics, .. }) = self.instruments.as_deref() {
            metrics.commit(closed.elapsed());
            metrics.events(&release.updates, &self.readers.views);
        }
        self.readers.take_in(&release.updates);
        release.cancelled.iter().for_each(|signal| signal.cancel());
        self.dispatcher.dispatch(release.invocations);
        for (answer, ongoing) in release.answers {
            answer.send();
            drop(ongoing);
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.readers.end();
        self.readers.bus.end();
    }
}

fn cut_short() -> WriteError {
    WriteError("the engine ended before the block was stored".into())
}

fn fail(release: Release, error: &WriteError) {
    for (answer, ongoing) in release.answers {
        Answer { reply: answer.reply, outcome: Err(CommandError::Stopped(error.clone())) }.send();
        drop(ongoing);
    }
}
