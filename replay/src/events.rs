//! From records to events.

use actum_log::{
    APPLICATION_KIND_FIRST, BLOCK_KIND, BlockRecord, CHECKPOINT_KIND, Checkpoint, FrameSource, Genesis,
    REVOCATION_KIND, ROTATION_KIND, ReadError, Record, Revocation, Rotation, StoredRecord, records,
};
use actum_model::{ActorId, Meta, Seq, Time, payload};

use crate::{Fact, LoggedEvent, Names, ReplayError, Stream};

/// A record with the number of its partition, or why there is none.
pub type Numbered = Result<(u16, StoredRecord), ReplayError>;

/// The events of a log, partition after partition, each with its partition's number.
///
/// Checks checksums and layout, but no hash or seal: verify the log first if it matters.
///
/// # Errors
/// When the log's genesis or its first frames cannot be read.
pub fn events(source: &dyn FrameSource) -> Result<Events<impl Iterator<Item = Numbered> + '_>, ReplayError> {
    let genesis = Genesis::parse(&source.genesis()?).map_err(|error| ReadError::Corrupt(error.to_string()))?;
    let mut partitions = Vec::new();
    for partition in 0..genesis.partitions() {
        let numbered = move |record: Result<_, ReadError>| Ok((partition, record?));
        partitions.push(records(source, partition, 0)?.map(numbered));
    }
    Ok(Events::of_records(partitions.into_iter().flatten()))
}

/// Iterator over the events of a log. Ends after the first error. Memory grows with the number of open cases.
#[derive(Debug)]
pub struct Events<I> {
    records: I,
    names: Names,
    failed: bool,
}

impl<I> Events<I> {
    /// The events in records that come in the order of a log, from its beginning on.
    pub fn of_records(records: I) -> Self {
        Events { records, names: Names::default(), failed: false }
    }

    /// Events that follow others, with the names as of the last of those.
    pub fn going_on(records: I, names: Names) -> Self {
        Events { records, names, failed: false }
    }

    /// Lets go of all but the names, for who goes on later.
    pub fn into_names(self) -> Names {
        self.names
    }

    /// Names as of the last event that was given.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What gives the records.
    pub fn into_records(self) -> I {
        self.records
    }
}

impl<I: Iterator<Item = Numbered>> Iterator for Events<I> {
    type Item = Result<LoggedEvent, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let event = self.records.next()?.and_then(|(partition, record)| decode(partition, &record.view()));
        let event = event.and_then(|event| self.names.learn(&event).map(|()| event));
        self.failed = event.is_err();
        Some(event)
    }
}

pub(crate) fn decode(partition: u16, record: &Record<'_>) -> Result<LoggedEvent, ReplayError> {
    let header = record.header();
    let seq = Seq(header.seq);
    let extensions = record.extensions();
    let fact = if header.kind < APPLICATION_KIND_FIRST {
        own(record)?
    } else {
        let event = payload::decode(header.kind, header.schema, record.payload())
            .map_err(|source| ReplayError::Payload { seq, source })?;
        Fact::Event(event)
    };
    Ok(LoggedEvent {
        partition,
        stream: Stream::of(header.stream),
        meta: Meta {
            seq,
            version: header.version,
            time: Time(header.time),
            actor: ActorId(header.actor),
            cause: header.cause.map(Seq),
        },
        key: extensions.business_key().map(str::to_owned),
        on_behalf_of: extensions.on_behalf_of().map(ActorId),
        command: extensions.command_id(),
        trace: extensions.trace(),
        remote_cause: extensions.remote_cause(),
        fact,
    })
}

/// An event of the log's own (`FORMAT.md`, sections 4, 11 and 12).
fn own(record: &Record<'_>) -> Result<Fact, ReplayError> {
    let seq = Seq(record.header().seq);
    Ok(match record.header().kind {
        BLOCK_KIND => {
            Fact::Block(BlockRecord::from_record(record).map_err(|source| ReplayError::Block { seq, source })?)
        }
        ROTATION_KIND => {
            Fact::KeyRotated(Rotation::from_record(record).map_err(|source| ReplayError::Key { seq, source })?)
        }
        REVOCATION_KIND => {
            let revocation = Revocation::from_record(record).map_err(|source| ReplayError::Key { seq, source })?;
            Fact::KeyRevoked { key: revocation.key, reason: revocation.reason.to_owned() }
        }
        CHECKPOINT_KIND => {
            let checkpoint =
                Checkpoint::from_record(record).map_err(|source| ReplayError::Checkpoint { seq, source })?;
            Fact::Checkpoint { size: checkpoint.size, streams: checkpoint.streams, root: checkpoint.root }
        }
        _ => Fact::Unknown,
    })
}
