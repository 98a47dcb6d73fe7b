//! What process mining sees of a log: cases that begin and end, and steps of their activities.

use actum_model::{CaseEvent, CaseId, Change, ItemId, Seq, Time, Value};
use actum_net::{Net, SubnetIx};

use super::Transition;
use crate::names;

/// Something that an export shows.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'e> {
    /// A case begins.
    Began(Began<'e>),
    /// A step of an activity.
    Step(Step<'e>),
    /// Data that changed beside any activity: a subnet began, a task that only routes has set variables.
    Data(Changed<'e>),
    /// A case ends; no more comes of it.
    Ended(Ended<'e>),
}

/// A case begins.
#[derive(Debug, Clone, Copy)]
pub struct Began<'e> {
    /// Which.
    pub case: CaseId,
    /// The partition that recorded it.
    pub partition: u16,
    /// Position in the log.
    pub seq: Seq,
    /// When.
    pub time: Time,
    /// Its business key.
    pub key: Option<&'e str>,
    /// The net that it runs; `None` if the log does not have it.
    pub net: Option<&'e Net>,
    /// Who started it.
    pub actor: &'e str,
    /// Initial variables.
    pub data: Data<'e>,
}

/// A step of an activity.
#[derive(Debug, Clone, Copy)]
pub struct Step<'e> {
    /// Whose.
    pub case: CaseId,
    /// The partition that recorded it.
    pub partition: u16,
    /// Position in the log.
    pub seq: Seq,
    /// When.
    pub time: Time,
    /// Name of the event, as in JSON lines.
    pub kind: &'static str,
    /// The work item.
    pub item: ItemId,
    /// Which instance it is, from 0, of a task with several.
    pub instance: Option<u32>,
    /// Name of the task.
    pub task: &'e str,
    /// The role that may do it, if a role alone says who.
    pub role: Option<&'e str>,
    /// The step in the standard lifecycle.
    pub transition: Transition,
    /// Whose step it is: who got the work, else who acted.
    pub resource: &'e str,
    /// For whom the resource acted.
    pub on_behalf_of: Option<&'e str>,
    /// Number of the attempt, when it is not the first.
    pub attempt: Option<u32>,
    /// Code and message of a failure.
    pub failure: Option<(&'e str, &'e str)>,
    /// Variables that changed.
    pub data: Data<'e>,
}

/// Variables of a case that changed outside of activities.
#[derive(Debug, Clone, Copy)]
pub struct Changed<'e> {
    /// Whose.
    pub case: CaseId,
    /// When.
    pub time: Time,
    /// Variables that changed.
    pub data: Data<'e>,
}

/// A case ends.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'e> {
    /// Which.
    pub case: CaseId,
    /// When.
    pub time: Time,
    /// `completed`, `cancelled` or `failed`.
    pub status: &'static str,
    /// Why, if it was cancelled or failed.
    pub reason: Option<&'e str>,
}

/// Changed variables, with their names.
#[derive(Debug, Clone, Copy)]
pub struct Data<'e> {
    changes: &'e [Change],
    net: Option<&'e Net>,
}

impl<'e> Data<'e> {
    pub(super) const NONE: Data<'static> = Data { changes: &[], net: None };

    pub(super) fn new(changes: &'e [Change], net: Option<&'e Net>) -> Self {
        Data { changes, net }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Each variable that changed: its name (with its subnet's before it, if it is of one) and its value.
    pub fn each(&self, mut give: impl FnMut(&str, &Value)) {
        for change in self.changes {
            let known = self.net.and_then(|net| Some((net, net.variables.get(change.variable.index())?)));
            match known {
                Some((_, variable)) if variable.subnet == SubnetIx::ROOT => give(&variable.name, &change.value),
                Some((net, variable)) => {
                    let label = format!("{}/{}", names::subnet(Some(net), variable.subnet), variable.name);
                    give(&label, &change.value);
                }
                None => give(&format!("#{}", change.variable), &change.value),
            }
        }
    }
}

/// How an event ends a case.
pub(super) fn ending(event: &CaseEvent) -> Option<(&'static str, Option<&str>)> {
    match event {
        CaseEvent::CaseCompleted => Some(("completed", None)),
        CaseEvent::CaseCancelled { reason } => Some(("cancelled", Some(reason))),
        CaseEvent::CaseFailed { message, .. } => Some(("failed", Some(message))),
        _ => None,
    }
}
