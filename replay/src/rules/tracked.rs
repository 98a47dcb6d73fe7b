//! What is remembered of a case that has not ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use actum_model::{ActorId, CaseEvent, CaseId, ItemId, SubnetIx, TaskIx, Time, Value};
use actum_net::Net;
use rustc_hash::FxHashMap;

use super::plan::Plan;
use super::template::Progress;

/// An event that a report may name later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventRef {
    pub(super) seq: u64,
    pub(super) version: u64,
    pub(super) time: Time,
    /// `None` for events of the system.
    pub(super) case: Option<CaseId>,
    pub(super) actor: ActorId,
    /// Place among the nets of the log.
    pub(super) net: Option<u32>,
    pub(super) task: Option<TaskIx>,
    pub(super) kind: &'static str,
    pub(super) partition: u16,
}

/// What a rule remembers of a group of events.
pub(super) struct Slot {
    pub(super) progress: Box<dyn Progress>,
    pub(super) is_broken: bool,
}

/// What a rule remembers of a case.
pub(super) enum Groups {
    One(Slot),
    Each(FxHashMap<Vec<u8>, Slot>),
}

pub(super) struct TrackedCase {
    pub(super) id: CaseId,
    pub(super) net: Arc<Net>,
    pub(super) plan: Arc<Plan>,
    pub(super) key: Option<Box<str>>,
    pub(super) started: EventRef,
    /// A map of the root net's variables; empty unless a rule reads it.
    pub(super) vars: Value,
    /// Frames of items that are not the root's; empty unless a rule asks.
    pub(super) frames: FxHashMap<ItemId, u32>,
    /// Rules whose `case` holds, by their place.
    pub(super) in_scope: [u64; 4],
    /// By the rule's place; few.
    pub(super) slots: Vec<(u16, Groups)>,
}

impl TrackedCase {
    pub(super) fn is_in_scope(&self, rule: usize) -> bool {
        self.in_scope[rule / 64] & (1 << (rule % 64)) != 0
    }

    pub(super) fn put_in_scope(&mut self, rule: usize) {
        self.in_scope[rule / 64] |= 1 << (rule % 64);
    }

    /// All variables of the root net, not set.
    pub(super) fn unset(net: &Net) -> Value {
        let roots = net.variables.iter().filter(|variable| variable.subnet == SubnetIx::ROOT);
        Value::Map(roots.map(|variable| (variable.name.clone(), Value::Null)).collect::<BTreeMap<_, _>>())
    }

    /// Takes in what an event changes of what conditions see.
    pub(super) fn learn(&mut self, event: &CaseEvent) {
        if self.plan.reads_vars
            && let Value::Map(vars) = &mut self.vars
        {
            for change in event.changes() {
                let variable = self.net.variables.get(change.variable.index());
                let variable = variable.filter(|variable| variable.subnet == SubnetIx::ROOT);
                if let Some(value) = variable.and_then(|variable| vars.get_mut(&variable.name)) {
                    value.clone_from(&change.value);
                }
            }
        }
        if self.plan.reads_frame
            && let CaseEvent::WorkEnabled { item, frame, .. } = event
            && frame.0 != 0
        {
            self.frames.insert(*item, frame.0);
        }
    }

    pub(super) fn frame_of(&self, event: Option<&CaseEvent>) -> u32 {
        match event {
            Some(CaseEvent::SubnetStarted { frame, .. } | CaseEvent::SubnetEnded { frame, .. }) => frame.0,
            Some(event) => event.work().and_then(|(item, _)| self.frames.get(&item).copied()).unwrap_or(0),
            None => 0,
        }
    }
}
