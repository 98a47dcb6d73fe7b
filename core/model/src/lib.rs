//! Ids, time, values, events, commands and case state: what every other room speaks about.
//!
//! Pure data and total functions: no nets, no I/O, no clock, no randomness, no async.

mod case;
pub mod cbor;
mod command;
mod directory;
mod event;
mod ids;
mod item;
pub mod json;
pub mod payload;
mod value;

pub use case::{Case, CaseStatus, Control, Marking};
pub use command::{CaseCommand, Rejection};
pub use directory::{Actor, Directory};
pub use event::{CaseEvent, Change, Event, Meta, SystemEvent};
pub use ids::{ActorId, CaseId, ConditionIx, ItemId, NetHash, RoleIx, Seq, TaskIx, VariableIx};
pub use item::{AnyWorkItem, Phase, WorkItem, WorkItemState, phase};
pub use value::{Decimal, NotDecimal, Time, Unstorable, Value};
