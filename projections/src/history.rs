//! Events kept for being folded, again and again: in tests, and while projections are rebuilt.

use actum_model::{CaseId, Event, Meta, NetHash, Seq, Time};

use crate::{Fact, OfCase, Projection, Recorded};

/// An event of the log that is not borrowed from anything; see [`Recorded`].
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// The stream.
    pub stream: u64,
    /// The record's kind.
    pub kind: u16,
    /// Where and when, and who.
    pub meta: Meta,
    /// The net of the case; of a system event, anything.
    pub net: NetHash,
    /// The business key, with the event that starts a case.
    pub key: Option<Box<str>>,
    /// The event leaves an item waiting; see [`OfCase::waits`].
    pub waits: bool,
    /// What happened.
    pub event: Event,
}

impl RecordedEvent {
    /// As projections see it.
    #[must_use]
    pub fn recorded(&self) -> Recorded<'_> {
        let RecordedEvent { stream, kind, meta, net, key, waits, event } = self;
        let fact = match event {
            Event::Case(event) => {
                let (case, key) = (CaseId(*stream), key.as_deref());
                Fact::Case(OfCase { case, net: *net, key, waits: *waits, event })
            }
            Event::System(event) => Fact::System(event),
        };
        Recorded { stream: *stream, kind: *kind, meta, fact }
    }
}

/// Events that are fed at once.
const FEED_EVENTS_MAX: usize = 256;

/// Events in the order of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    events: Vec<RecordedEvent>,
}

/// Up to where a history is folded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Until {
    /// All of it.
    #[default]
    End,
    /// Up to this event and with it.
    Seq(Seq),
    /// Up to this time and with it.
    Time(Time),
}

impl From<Seq> for Until {
    fn from(seq: Seq) -> Self {
        Until::Seq(seq)
    }
}

impl From<Time> for Until {
    fn from(time: Time) -> Self {
        Until::Time(time)
    }
}

impl FromIterator<RecordedEvent> for History {
    fn from_iter<I: IntoIterator<Item = RecordedEvent>>(events: I) -> Self {
        History { events: events.into_iter().collect() }
    }
}

impl History {
    /// The events.
    #[must_use]
    pub fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// Adds the next event.
    pub fn push(&mut self, event: RecordedEvent) {
        self.events.push(event);
    }

    /// The beginning of it.
    #[must_use]
    pub fn until(&self, until: impl Into<Until>) -> History {
        let until = until.into();
        let is_in = |event: &&RecordedEvent| match until {
            Until::End => true,
            Until::Seq(seq) => event.meta.seq <= seq,
            Until::Time(time) => event.meta.time <= time,
        };
        self.events.iter().take_while(is_in).cloned().collect()
    }

    /// The beginning and the rest, cut before the event of an index.
    #[must_use]
    pub fn split_at(&self, index: usize) -> (History, History) {
        let (one, other) = self.events.split_at(index.min(self.events.len()));
        (one.iter().cloned().collect(), other.iter().cloned().collect())
    }

    /// The same events, one stream after the other: an order in which only a projection that goes
    /// [by stream](Projection::by_stream) may be fed.
    #[must_use]
    pub fn stream_by_stream(&self) -> History {
        let mut events = self.events.clone();
        events.sort_by_key(|event| event.stream);
        History { events }
    }

    /// Feeds all of it.
    pub fn feed(&self, projection: &dyn Projection) {
        feed(&self.events, projection);
    }
}

/// Feeds events that follow each other.
pub fn feed(events: &[RecordedEvent], projection: &dyn Projection) {
    let mut batch = Vec::with_capacity(events.len().min(FEED_EVENTS_MAX));
    for events in events.chunks(FEED_EVENTS_MAX) {
        batch.extend(events.iter().map(RecordedEvent::recorded));
        projection.feed(&batch);
        batch.clear();
    }
}
