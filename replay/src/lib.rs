//! Reads a log as what happened: events with names, and the state of a case at any point.
//!
//! [`events()`] folds a log into [`LoggedEvent`]s; what it learns on the way (nets, people, keys) is in [`Names`], and
//! [`to_json`] writes an event with those names instead of ordinals. [`state_at`] folds one case up to a point.
//! [`Events::of_records`] does the same for records that come from elsewhere, such as a verification.
//!
//! Pure: reads its arguments only. Deliberately absent: whether the log can be trusted (verify first), HTTP, any UI.

mod error;
mod event;
mod events;
mod json;
mod json_construct;
mod json_organisation;
mod names;
mod state;
mod view_json;
mod view_text;
mod why;
mod why_text;

pub use error::{Kind, ReplayError};
pub use event::{Fact, LoggedEvent, Stream};
pub use events::{Events, Numbered, events};
pub use json::to_json;
pub use names::Names;
pub use state::{At, CaseRef, CaseView, Done, NotAPoint, state_at};
pub use why::{Why, why};
