//! Facts about messages and about starts by the clock: of a partition as a whole, in system streams.

use crate::{NetHash, Seq, Time, Value};

/// A fact about messages, in the correlation stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MessageEvent {
    /// Somebody sent a message. Who receives it is an event of each case ([`CaseEvent::MessageReceived`](crate::CaseEvent)).
    Published {
        /// Its name.
        name: String,
        /// What it is about: it meets those who wait for this name with this key.
        key: String,
        /// The sender's own id: a second message with it is not taken.
        id: Option<String>,
        /// What came with it.
        data: Value,
        /// For all who wait, and not just for one.
        to_all: bool,
        /// It is kept until then for those who will wait. Without: it meets those who wait now, or nobody.
        keep_until: Option<Time>,
        /// Somebody waits for it, or it is kept: it stays until it was received or dropped. Otherwise it is lost at once.
        pending: bool,
    },
    /// A message is not kept any more.
    Dropped {
        /// The event that published it.
        message: Seq,
        /// Its time was over before anybody received it (or, when it was for all, all others); else nobody is left to receive it.
        expired: bool,
    },
}

/// A fact about a net's starts by the clock or by a message, in the stream of nets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StartEvent {
    /// Times at which cases were due to start passed by while nobody listened; the net says that they are left out.
    Skipped {
        /// The net.
        net: NetHash,
        /// The start's name in it.
        start: String,
        /// The last of the times.
        until: Time,
        /// How many.
        count: u64,
    },
    /// A case was due to start, and could not.
    Refused {
        /// The net.
        net: NetHash,
        /// The start's name in it.
        start: String,
        /// The time that was due, if the clock starts it.
        due: Option<Time>,
        /// The message, if one starts it.
        message: Option<Seq>,
        /// Stable code.
        code: String,
        /// For people.
        reason: String,
    },
}
