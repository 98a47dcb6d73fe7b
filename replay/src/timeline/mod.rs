//! The past, to move about in: a case or the whole log at any point, differences, first changes, causes, and what might have been.
//!
//! [`Story`] is one case in memory: any [`At`](crate::At) of it is at most a few hundred events away from a kept state, and
//! [`Cursor`] steps through it. [`Timeline`] is a whole log that is read where it lies. Everything here reads; no type holds
//! anything that could write a log.

mod bisect;
mod causes;
mod causes_text;
mod condition;
mod cursor;
mod diff;
mod diff_text;
mod guards;
mod holdings;
mod log;
mod log_fold;
mod point;
mod setters;
mod setters_text;
mod story;
mod what_if;

pub use bisect::{Found, Search, bisect};
pub use causes::{Reasons, Step, reasons};
pub use condition::{BUILT_IN, Condition};
pub use cursor::Cursor;
pub use diff::{Difference, HoldingChange, ItemChange, ItemFace, Side, TokenChange, VariableChange, diff};
pub use guards::{GuardSeen, Outcome};
pub use holdings::Holdings;
pub use log::{LogState, Options, SavedCases, Timeline};
pub use log_fold::{Ended, Standing};
pub use point::{NotACasePoint, Point};
pub use setters::{Setting, setters};
pub use setters_text::settings_text;
pub use story::{EVENTS_MAX, Story, stories};
pub use what_if::{FORK_EVENTS_MAX, Premise, Stopped, WhatIf, World, what_if};
