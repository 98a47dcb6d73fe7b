//! What an expression sees: a frame's data, with what the decision changed on top, and what is given only in its place.

use actum_model::{Case, Change, FrameId, Value, VariableIx};
use actum_net::{Given, Scope};

use crate::draft::latest;

pub(crate) struct FrameScope<'a> {
    pub(crate) case: &'a Case,
    pub(crate) frame: FrameId,
    pub(crate) staged: &'a [(FrameId, Change)],
    pub(crate) more: &'a [Change],
    pub(crate) result: Option<&'a Value>,
    pub(crate) givens: &'a [(Given, Value)],
}

impl Scope for FrameScope<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        let staged = || {
            let own =
                self.staged.iter().rev().find(|(frame, change)| *frame == self.frame && change.variable == variable);
            own.map(|(_, change)| &change.value)
        };
        latest(self.more, variable).or_else(staged).or_else(|| self.case.variable_in(self.frame, variable))
    }

    fn result(&self) -> Option<&Value> {
        self.result
    }

    fn given(&self, name: Given) -> Option<&Value> {
        self.givens.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }
}
