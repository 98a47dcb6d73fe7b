//! Ids, time, values, events, commands and case state: what every other room speaks about.
//!
//! Pure data and total functions: no nets, no I/O, no clock, no randomness, no async.

mod actor_set;
mod attempts;
mod calendar;
mod case;
pub mod cbor;
mod command;
mod control;
mod cron;
mod directory;
mod event;
mod ids;
mod item;
pub mod json;
mod marking;
mod organisation;
pub mod payload;
mod saga;
pub mod snapshot;
mod value;

pub use actor_set::ActorSet;
pub use attempts::{Attempts, ItemAttempts};
pub use calendar::{Calendar, Day, Shift, Zone};
pub use case::{Case, CaseStatus};
pub use command::{CaseCommand, Extent, Rejection, RestEnd};
pub use control::{Activation, Arrivals, Awaited, Control, FrameState, KeptSignal, Rest, Restarts};
pub use cron::{Cron, CronError};
pub use directory::{Actor, Directory};
pub use event::{
    BreakerEvent, CaseEvent, Change, Event, ExceptionKind, Instance, MessageEvent, Meta, ReplacedHead, RestoreSource,
    SavedEvent, StartEvent, SystemEvent,
};
pub use ids::{ActorId, CaseId, ConditionIx, FrameId, ItemId, NetHash, RoleIx, Seq, SubnetIx, TaskIx, VariableIx};
pub use item::{Active, AnyWorkItem, Phase, WorkItem, WorkItemState, phase};
pub use marking::Marking;
pub use organisation::{Absence, Figures, Group, OrganisationEvent, Position};
pub use saga::{Compensable, Goal, Saga, Savepoint, Undoing};
pub use value::{Decimal, NotDecimal, Time, Unstorable, Value};
