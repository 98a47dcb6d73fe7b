//! The log.
mod frame;
mod store;
pub use frame::{Frame, FrameKey, FrameType};
pub use store::{CommitError, EventStore, FrameSource, Frames, Head, ReadError, SealedBlock};
