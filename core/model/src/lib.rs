//! Ids, time, values, events, commands and case state: what every other room speaks about.
//!
//! Pure data and total functions: no nets, no I/O, no clock, no randomness, no async.

mod actor_set;
mod calendar;
mod case;
pub mod cbor;
mod command;
mod control;
mod directory;
mod event;
mod ids;
mod item;
pub mod json;
mod marking;
mod organisation;
pub mod payload;
mod value;

pub use actor_set::ActorSet;
pub use calendar::{Calendar, Day, Shift, Zone};
pub use case::{Case, CaseStatus};
pub use command::{CaseCommand, Rejection};
pub use control::{Activation, Arrivals, Control, FrameState, KeptSignal};
pub use directory::{Actor, Directory};
pub use event::{CaseEvent, Change, Event, ExceptionKind, Instance, Meta, ReplacedHead, RestoreSource, SystemEvent};
pub use ids::{ActorId, CaseId, ConditionIx, FrameId, ItemId, NetHash, RoleIx, Seq, SubnetIx, TaskIx, VariableIx};
pub use item::{Active, AnyWorkItem, Phase, WorkItem, WorkItemState, phase};
pub use marking::Marking;
pub use organisation::{Absence, Figures, Group, OrganisationEvent, Position};
pub use value::{Decimal, NotDecimal, Time, Unstorable, Value};
