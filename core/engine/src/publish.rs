//! The publishing thread: lets go of what became durable, in order: projections, answers, handlers.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, select};

use crate::dispatch::Dispatcher;
use crate::error::{CommandError, WriteError};
use crate::request::{Answer, Release};
use crate::views::Views;

/// What may leave once so many blocks are durable.
pub(crate) struct Publication {
    /// Blocks closed since the opening, up to which it must wait.
    pub(crate) after: u64,
    pub(crate) release: Release,
    /// Writing had stopped already.
    pub(crate) stopped: Option<WriteError>,
}

pub(crate) struct Publisher {
    pub(crate) publications: Receiver<Publication>,
    /// Blocks stored, in order, one message each batch with its number of blocks; or the end of writing.
    pub(crate) stored: Receiver<Result<u64, WriteError>>,
    /// Tells the partition how many blocks are durable.
    pub(crate) durable: Sender<Result<u64, WriteError>>,
    pub(crate) views: Arc<Views>,
    pub(crate) dispatcher: Dispatcher,
}

impl Publisher {
    /// Runs until partition and store are both gone.
    pub(crate) fn run(self) {
        let mut waiting: VecDeque<Publication> = VecDeque::new();
        let mut durable = 0;
        let mut stopped: Option<WriteError> = None;
        let (mut publications, mut stored) = (self.publications.clone(), self.stored.clone());
        let (mut partition_gone, mut store_gone) = (false, false);
        while !(partition_gone && store_gone) {
            select! {
                recv(publications) -> publication => if let Ok(publication) = publication {
                    waiting.push_back(publication);
                } else {
                    partition_gone = true;
                    publications = crossbeam_channel::never();
                },
                recv(stored) -> outcome => match outcome {
                    Ok(Ok(blocks)) => {
                        durable += blocks;
                        // The partition may have ended; then nobody waits for this.
                        self.durable.send(Ok(durable)).ok();
                    }
                    Ok(Err(error)) => {
                        self.durable.send(Err(error.clone())).ok();
                        stopped.get_or_insert(error);
                    }
                    Err(_) => {
                        store_gone = true;
                        stored = crossbeam_channel::never();
                        // The partition must not wait for blocks that nobody stores any more.
                        self.durable.send(Err(cut_short())).ok();
                    }
                },
            }
            while let Some(next) = waiting.pop_front_if(|next| next.after <= durable || stopped.is_some() || store_gone)
            {
                // A publication that waits for more than became durable will never be.
                let failed = (next.after > durable).then(|| stopped.clone().unwrap_or_else(cut_short));
                match failed.or(next.stopped) {
                    None => self.let_go(next.release),
                    Some(error) => {
                        fail(next.release, &error);
                        self.views.end();
                    }
                }
            }
        }
    }

    fn let_go(&self, release: Release) {
        release.updates.iter().for_each(|update| self.views.apply(update));
        self.dispatcher.dispatch(release.invocations);
        for (answer, ongoing) in release.answers {
            answer.send();
            drop(ongoing);
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.views.end();
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
