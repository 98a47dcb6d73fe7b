//! Reads a log as what happened: events with names, and the state of a case at any point.
//!
//! [`events()`] folds a log into [`LoggedEvent`]s; what it learns on the way (nets, people, keys) is in [`Names`], and
//! [`to_json`] writes an event with those names instead of ordinals. [`state_at`] folds one case up to a point.
//! [`Events::of_records`] does the same for records that come from elsewhere, such as a verification.
//!
//! Pure: reads its arguments only. Deliberately absent: whether the log can be trusted (verify first), HTTP, any UI.

pub mod conform;
mod error;
mod event;
mod events;
pub mod export;
mod history;
mod json;
mod json_construct;
mod json_durable;
mod json_organisation;
mod json_policy;
pub mod lawful;
mod names;
pub mod petri;
pub mod rules;
pub mod saved;
mod state;
pub mod timeline;
mod view_json;
mod view_text;
mod why;
mod why_text;

pub use error::{Kind, ReplayError};
pub use event::{Fact, LoggedEvent, Stream};
pub use events::{Events, Numbered, events};
pub use history::history;
pub use json::{json_of_case, to_json};
pub use names::Names;
pub use state::{At, CaseRef, CaseView, Done, NotAPoint, state_at};
pub use why::{Why, why};
