//! Commands: requests, imperative. Each is answered by events or by a rejection.

use std::collections::BTreeMap;

use crate::{ActorId, ItemId, Value};

/// What one can ask of a case.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CaseCommand {
    /// Begin the case with these inputs, by variable name.
    StartCase {
        /// Inputs.
        input: BTreeMap<String, Value>,
    },
    /// Stop the case.
    CancelCase {
        /// Why.
        reason: String,
    },
    /// Offer a manual item to some people only, or (with none) to its whole role.
    OfferWork {
        /// Which item.
        item: ItemId,
        /// To whom.
        to: Vec<ActorId>,
    },
    /// Make an offered item one's own.
    TakeWork {
        /// Which item.
        item: ItemId,
    },
    /// Begin an item that one has.
    StartWork {
        /// Which item.
        item: ItemId,
    },
    /// End started work with its result.
    CompleteWork {
        /// Which item.
        item: ItemId,
        /// What came out: for a manual task a map that fits its form.
        result: Value,
    },
    /// End started work without success.
    FailWork {
        /// Which item.
        item: ItemId,
        /// Stable code.
        code: String,
        /// For people.
        message: String,
    },
    /// Try a failed item again.
    RetryWork {
        /// Which item.
        item: ItemId,
    },
}

/// The domain's "no", with a code that is stable for ever. The case stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Rejection {
    /// Stable code such as `work/not-yours`.
    pub code: &'static str,
    /// What, where, and what to do about it.
    pub message: String,
}

impl Rejection {
    /// A rejection.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Rejection { code, message: message.into() }
    }
}
