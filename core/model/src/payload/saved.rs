//! Saved state, as stored. Frozen: a change is a new version beside these.

use super::{Encoded, convert::stored, frozen};
use crate::cbor::CborError;
use crate::event::{Event, SavedEvent, SystemEvent};

frozen! {
    StateSavedV1 { size: u64, hash: [u8; 32], bytes: u64, streams: u64, root: [u8; 32] }
    StateRecoveredV1 { size: u64, hash: [u8; 32], reread: u64, passed_over: Vec<PassedOverV1> }
    PassedOverV1 { size: u64, reason: String }
}

pub(super) fn encode(event: &SavedEvent) -> Encoded {
    match event {
        SavedEvent::Saved { size, hash, bytes, streams, root } => {
            stored(258, &StateSavedV1 { size: *size, hash: *hash, bytes: *bytes, streams: *streams, root: *root })
        }
        SavedEvent::Recovered { size, hash, reread, passed_over } => {
            let passed = |(size, reason): &(u64, String)| PassedOverV1 { size: *size, reason: reason.clone() };
            let passed_over = passed_over.iter().map(passed).collect();
            stored(259, &StateRecoveredV1 { size: *size, hash: *hash, reread: *reread, passed_over })
        }
    }
}

impl StateSavedV1 {
    #[expect(clippy::unnecessary_wraps, reason = "as all payload types")]
    pub(super) fn into_event(self) -> Result<Event, CborError> {
        let StateSavedV1 { size, hash, bytes, streams, root } = self;
        Ok(Event::System(SystemEvent::Saved(SavedEvent::Saved { size, hash, bytes, streams, root })))
    }
}

impl StateRecoveredV1 {
    #[expect(clippy::unnecessary_wraps, reason = "as all payload types")]
    pub(super) fn into_event(self) -> Result<Event, CborError> {
        let StateRecoveredV1 { size, hash, reread, passed_over } = self;
        let passed_over = passed_over.into_iter().map(|one| (one.size, one.reason)).collect();
        Ok(Event::System(SystemEvent::Saved(SavedEvent::Recovered { size, hash, reread, passed_over })))
    }
}
